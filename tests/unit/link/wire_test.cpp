// The wire as a cable: who gets which frame, whole and in order, and what is refused.
#include "frames.hpp"

using namespace frames;
using weft::errc;
using weft::wire_fate;

TEST_CASE("wire: delivers whole frames in the order they were sent") {
    pair_of_ends ends;
    std::vector<bytes> sent;
    for (std::uint32_t i = 0; i < 200; ++i) {
        sent.push_back(make_frame(bob, alice, i, 18 + i * 7));
        CHECK(send(*ends.a, sent.back()).has_value());
    }
    for (const bytes& frame : sent) {
        CHECK(receive(*ends.b) == frame);
    }
    CHECK(receive(*ends.b).empty());
    CHECK(receive(*ends.a).empty());
    CHECK(ends.cable.count(wire_fate::sent) == 200);
    CHECK(ends.cable.count(wire_fate::received) == 200);
    CHECK(ends.cable.frames_on_the_way() == 0);
}

TEST_CASE("wire: gathers a frame from its parts, empty ones included") {
    pair_of_ends ends;
    const bytes frame = make_frame(bob, alice, 7, 100);
    const std::span<const std::byte> all = frame;
    const std::array<std::span<const std::byte>, 5> parts{
        all.first(3), std::span<const std::byte>{}, all.subspan(3, 11), all.subspan(14, 80),
        all.subspan(94)};
    CHECK(ends.a->send(parts).has_value());
    CHECK(receive(*ends.b) == frame);
}

TEST_CASE("wire: a frame goes to the end it names, a group's to all others") {
    weft::wire cable;
    const auto a = *cable.attach(alice);
    const auto b = *cable.attach(bob);
    const auto c = *cable.attach(carol);
    SUBCASE("unicast") {
        CHECK(send(*a, make_frame(carol, alice, 1)).has_value());
        CHECK(receive_numbers(*a).empty());
        CHECK(receive_numbers(*b).empty());
        CHECK(receive_numbers(*c) == std::vector<std::uint32_t>{1});
    }
    SUBCASE("broadcast") {
        CHECK(send(*b, make_frame(everyone, bob, 2)).has_value());
        CHECK(receive_numbers(*a) == std::vector<std::uint32_t>{2});
        CHECK(receive_numbers(*b).empty());
        CHECK(receive_numbers(*c) == std::vector<std::uint32_t>{2});
    }
    SUBCASE("multicast") {
        CHECK(send(*c, make_frame({0x33, 0x33, 0, 0, 0, 1}, carol, 3)).has_value());
        CHECK(receive_numbers(*a) == std::vector<std::uint32_t>{3});
        CHECK(receive_numbers(*b) == std::vector<std::uint32_t>{3});
        CHECK(receive_numbers(*c).empty());
    }
    SUBCASE("nobody's address, and one's own") {
        CHECK(send(*a, make_frame({2, 0, 0, 0, 0, 0x99}, alice, 4)).has_value());
        CHECK(send(*a, make_frame(alice, alice, 5)).has_value());
        CHECK(cable.count(wire_fate::no_receiver) == 2);
        CHECK(receive_numbers(*a).empty());
        CHECK(receive_numbers(*b).empty());
        CHECK(receive_numbers(*c).empty());
    }
    CHECK(cable.frames_on_the_way() == 0);
}

TEST_CASE("wire: next_arrival says when receive() has something") {
    pair_of_ends ends;
    CHECK(ends.b->next_arrival() == weft::never);
    CHECK(ends.b->descriptor() == -1);
    ends.send(1, 1);
    CHECK(ends.b->next_arrival() == weft::at_once);
    CHECK(receive_numbers(*ends.b).size() == 1);
    CHECK(ends.b->next_arrival() == weft::never);

    ends.cable.impair({.delay = 5ms});
    ends.send(2, 1);
    CHECK(ends.b->next_arrival() == start + 5ms);
    CHECK(receive(*ends.b).empty());
    ends.at(start + 5ms - 1ns);
    CHECK(receive(*ends.b).empty());
    ends.at(start + 5ms);
    CHECK(ends.b->next_arrival() == weft::at_once);
    CHECK(receive_numbers(*ends.b) == std::vector<std::uint32_t>{2});
    ends.at(start); // time does not go back
    CHECK(ends.cable.now() == start + 5ms);
}

TEST_CASE(
    "wire: a frame longer than receive()'s buffer is dropped and counted, the next one comes") {
    pair_of_ends ends;
    ends.send(1, 1, 200);
    ends.send(2, 1, 60);
    ends.send(3, 1, 61);
    std::array<std::byte, 60> small{};
    CHECK(ends.b->receive(small) == 60);
    CHECK(number_of(small) == 2);
    CHECK(ends.b->receive(small) == 0);
    CHECK(ends.cable.count(wire_fate::too_long) == 2);
    CHECK(ends.cable.count(wire_fate::too_long, alice, bob) == 2);
    CHECK(ends.cable.frames_on_the_way() == 0);
}

TEST_CASE("wire: refuses frames beyond the MTU or without a header, and MTUs that cannot be") {
    SUBCASE("frames") {
        pair_of_ends ends(weft::wire_options{.mtu = 100});
        CHECK(ends.a->mtu() == 100);
        CHECK(send(*ends.a, make_frame(bob, alice, 1, 114)).has_value());
        CHECK(send(*ends.a, make_frame(bob, alice, 2, 115)).error() == errc::message_too_long);
        CHECK(send(*ends.a, bytes(13)).error() == errc::invalid_argument);
        CHECK(send(*ends.a, {}).error() == errc::invalid_argument);
        CHECK(receive_numbers(*ends.b) == std::vector<std::uint32_t>{1});
        CHECK(ends.cable.count(wire_fate::too_long) == 1);
    }
    SUBCASE("MTUs") {
        for (const std::size_t mtu : {std::size_t{0}, std::size_t{65522}, SIZE_MAX}) {
            weft::wire cable(weft::wire_options{.mtu = mtu});
            CHECK(cable.attach(alice).error() == errc::invalid_argument);
        }
        weft::wire cable(weft::wire_options{.mtu = 65521});
        CHECK(cable.attach(alice).has_value());
    }
    SUBCASE("addresses") {
        weft::wire cable;
        const auto a = cable.attach(alice);
        CHECK(cable.attach(alice).error() == errc::address_in_use);
        CHECK(cable.attach(everyone).error() == errc::invalid_argument);
    }
}

TEST_CASE("wire: an end that leaves is gone, but its last words arrive") {
    pair_of_ends ends;
    ends.cable.impair({.delay = 1ms});
    ends.send(1, 3);
    CHECK(send(*ends.b, make_frame(alice, bob, 9)).has_value());
    ends.a.reset();
    CHECK(ends.cable.count(wire_fate::no_receiver) == 1);
    CHECK(ends.cable.impair(alice, bob, {}).error() == errc::no_such_entry);
    ends.a = *ends.cable.attach(alice); // the same address again, while its old frames travel
    CHECK(ends.cable.impair(alice, bob, {.delay = 2ms}).has_value());
    ends.send(4, 1);
    ends.b->advance(start + 2ms);
    CHECK(receive_numbers(*ends.b) == std::vector<std::uint32_t>{1, 2, 3, 4});
    CHECK(send(*ends.b, make_frame(alice, bob, 10)).has_value());
    ends.b->advance(start + 3ms);
    CHECK(receive_numbers(*ends.a) == std::vector<std::uint32_t>{10});
}

TEST_CASE("wire: ends that outlive it are down") {
    std::unique_ptr<weft::link> left;
    {
        weft::wire cable;
        left = *cable.attach(alice);
        const auto right = *cable.attach(bob);
        CHECK(left->up());
        CHECK(send(*right, make_frame(alice, bob, 1)).has_value());
    }
    CHECK(!left->up());
    CHECK(receive(*left).empty());
    CHECK(left->next_arrival() == weft::never);
    CHECK(send(*left, make_frame(bob, alice, 1)).error() == errc::network_down);
    left->advance(start);
}

TEST_CASE("wire: memory is bounded by frame_limit, on all paths together") {
    weft::wire cable(weft::wire_options{.frame_limit = 10});
    const auto a = *cable.attach(alice);
    const auto b = *cable.attach(bob);
    const auto c = *cable.attach(carol);
    for (std::uint32_t i = 0; i < 5; ++i) {
        CHECK(send(*a, make_frame(bob, alice, i)).has_value());
        CHECK(send(*a, make_frame(carol, alice, i)).has_value());
    }
    CHECK(send(*a, make_frame(bob, alice, 5)).error() == errc::no_buffers);
    CHECK(cable.count(wire_fate::no_memory) == 1);
    CHECK(cable.frames_on_the_way() == 10);
    CHECK(receive_numbers(*b).size() == 5);
    CHECK(send(*a, make_frame(bob, alice, 6)).has_value());
    CHECK(receive_numbers(*b) == std::vector<std::uint32_t>{6});
}

// pcap files, read back by a reader that knows only the format, and by tshark.
#include "frames.hpp"
#include "surroundings.hpp"

#include <weft/pcap.hpp>

#include <cstring>
#include <string>

using namespace frames;
using weft::errc;

namespace {
struct packet {
    std::uint64_t nanoseconds;
    std::uint32_t original;
    bytes frame;
};

struct capture {
    bool valid = false;
    std::uint32_t snap_length = 0;
    std::vector<packet> packets;
};

/// Classic pcap with nanoseconds, in this machine's byte order (draft-ietf-opsawg-pcap).
capture read_pcap(const std::string& file) {
    const std::string all = read_all(file);
    std::size_t at = 0;
    const auto number = [&all, &at] {
        std::uint32_t value = 0;
        if (all.size() - at >= 4) {
            std::memcpy(&value, all.data() + at, 4);
        }
        at += 4;
        return value;
    };
    capture read;
    if (all.size() < 24) {
        return read;
    }
    const std::uint32_t magic = number();
    std::uint16_t version[2];
    std::memcpy(version, all.data() + at, 4);
    at += 4 + 8; // zone and accuracy
    read.snap_length = number();
    const std::uint32_t link_type = number();
    read.valid = magic == 0xa1b23c4d && version[0] == 2 && version[1] == 4 && link_type == 1;
    while (read.valid && at < all.size()) {
        packet next;
        const std::uint64_t seconds = number();
        next.nanoseconds = seconds * 1'000'000'000 + number();
        const std::uint32_t captured = number();
        next.original = number();
        if (at > all.size() || all.size() - at < captured) {
            read.valid = false;
            break;
        }
        const auto* const from = reinterpret_cast<const std::byte*>(all.data() + at);
        next.frame.assign(from, from + captured);
        at += captured;
        read.packets.push_back(std::move(next));
    }
    return read;
}
} // namespace

TEST_CASE("pcap: a tee passes both directions on and writes them, byte for byte") {
    const temporary_folder folder;
    const std::string file = folder.file("run.pcap");
    pair_of_ends ends({.mtu = 2000});
    weft::link& inner = *ends.a;
    auto made = weft::make_pcap_link(std::move(ends.a), {.path = file.c_str()});
    REQUIRE(made.has_value());
    std::unique_ptr<weft::pcap_link> tee = std::move(*made);
    CHECK(&tee->inner() == &inner);
    CHECK(tee->mtu() == 2000);
    CHECK(tee->address() == alice);
    CHECK(tee->descriptor() == -1);
    CHECK(tee->up());

    const bytes out = make_frame(bob, alice, 1, 1514);
    const bytes in = make_frame(alice, bob, 2, 61);
    tee->advance(start + 1ns);
    const std::span<const std::byte> all = out;
    const std::array<std::span<const std::byte>, 3> parts{
        all.first(20), std::span<const std::byte>{}, all.subspan(20)};
    CHECK(tee->send(parts).has_value());
    CHECK(receive(*ends.b) == out);
    CHECK(send(*ends.b, in).has_value());
    tee->advance(start + 5s + 123456789ns);
    CHECK(tee->next_arrival() == weft::at_once);
    CHECK(receive(*tee) == in);
    CHECK(send(*tee, bytes(3000)).error() == errc::message_too_long); // not in the file

    CHECK(tee->flush().has_value());
    for (int i = 0; i < 2; ++i) { // after flush(), and after destruction
        const capture read = read_pcap(file);
        REQUIRE(read.valid);
        CHECK(read.snap_length == 262144);
        REQUIRE(read.packets.size() == 2);
        CHECK(read.packets[0].nanoseconds == 1'000'000'001);
        CHECK(read.packets[0].frame == out);
        CHECK(read.packets[0].original == 1514);
        CHECK(read.packets[1].nanoseconds == 6'123'456'789);
        CHECK(read.packets[1].frame == in);
        tee.reset();
    }
}

TEST_CASE("pcap: snap_length cuts what is kept, not what is passed on") {
    const temporary_folder folder;
    const std::string file = folder.file("short.pcap");
    pair_of_ends ends;
    {
        const auto tee = *weft::make_pcap_link(
            std::move(ends.a),
            {.path = file.c_str(), .clock = weft::pcap_clock::wall, .snap_length = 20});
        CHECK(send(*tee, make_frame(bob, alice, 1, 100)).has_value());
        CHECK(receive(*ends.b).size() == 100);
    }
    const capture read = read_pcap(file);
    REQUIRE(read.packets.size() == 1);
    CHECK(read.snap_length == 20);
    CHECK(read.packets[0].original == 100);
    bytes kept = make_frame(bob, alice, 1, 100);
    kept.resize(20);
    CHECK(read.packets[0].frame == kept);
    CHECK(read.packets[0].nanoseconds > 1'700'000'000'000'000'000); // a time of day
}

TEST_CASE("pcap: a file that cannot be written leaves the link with its owner") {
    const temporary_folder folder;
    pair_of_ends ends;
    const std::string nowhere = folder.file("no/such/file");
    CHECK(
        weft::make_pcap_link(std::move(ends.a), {.path = nowhere.c_str()}).error() ==
        errc::no_such_entry);
    CHECK(weft::make_pcap_link(std::move(ends.a), {}).error() == errc::invalid_argument);
    CHECK(weft::make_pcap_link(nullptr, {.path = "x"}).error() == errc::invalid_argument);
    CHECK(weft::make_pcap_link(std::move(ends.a), {.path = "/dev/full"}).error() == errc::io_error);
    REQUIRE(ends.a != nullptr);
    CHECK(send(*ends.a, make_frame(bob, alice, 1)).has_value());
}

TEST_CASE("pcap: a wire writes what was sent, or what was received; tshark counts the same") {
    const temporary_folder folder;
    std::size_t expected[2]{};
    const std::string files[] = {folder.file("sent.pcap"), folder.file("received.pcap")};
    for (std::size_t i = 0; i < 2; ++i) {
        weft::wire cable({.seed = 3, .on_every_path = {.loss = 0.5}});
        const auto a = *cable.attach(alice);
        const auto b = *cable.attach(bob);
        const auto shown = i == 0 ? weft::wire_fate::sent : weft::wire_fate::received;
        REQUIRE(cable.write_pcap(files[i].c_str(), shown).has_value());
        for (std::uint32_t n = 0; n < 100; ++n) {
            a->advance(start + n * 1ms);
            CHECK(send(*a, make_frame(bob, alice, n)).has_value());
            receive(*b);
        }
        expected[i] = static_cast<std::size_t>(cable.count(shown));
        CHECK(cable.flush().has_value());
        const capture read = read_pcap(files[i]);
        CHECK(read.valid);
        CHECK(read.packets.size() == expected[i]);
    }
    CHECK(expected[0] == 100);
    CHECK(expected[1] < 75);
    if (run({"sh", "-c", "command -v tshark >/dev/null"}) != 0) {
        skip("tshark is not installed");
        return;
    }
    for (std::size_t i = 0; i < 2; ++i) {
        std::string output;
        CHECK(
            run({"tshark", "-r", files[i], "-T", "fields", "-e", "frame.time_epoch", "-e",
                 "eth.src"},
                &output) == 0);
        const auto lines = static_cast<std::size_t>(std::count(output.begin(), output.end(), '\n'));
        CHECK(lines == expected[i]);
        CHECK(output.find("02:00:00:00:00:0a") != std::string::npos);
        if (i == 0) {
            CHECK(output.find("1.001000000") != std::string::npos);
        }
    }
}

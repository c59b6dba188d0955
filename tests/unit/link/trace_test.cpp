// Same seed, same run, packet for packet: in one process and in two.
#include "frames.hpp"
#include "surroundings.hpp"
#include "traffic.hpp"

#include <weft/seeded_random.hpp>

#include <set>
#include <string>

using namespace frames;
using weft::wire_fate;

TEST_CASE("trace: the generator draws what its authors' does") {
    // splitmix64 from 0 begins with e220a8397b1dcdaf; xoshiro256** on such a state is computed by
    // hand
    CHECK(weft::seeded_random::mix(0x9e3779b97f4a7c15) == 0xe220a8397b1dcdaf);
    weft::seeded_random random(0);
    CHECK(random.next() == 0x99ec5f36cb75f2b4);
    CHECK(random.next() == 0xbf6e1f784956452a);
}

TEST_CASE("trace: equal seeds give equal hashes, different seeds different ones") {
    std::set<std::uint64_t> hashes;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const outcome first = run_traffic(seed, "");
        const outcome again = run_traffic(seed, "");
        CHECK(first.trace_hash == again.trace_hash);
        CHECK(first.received == again.received);
        CHECK(first.received > 1000);
        hashes.insert(first.trace_hash);
    }
    CHECK(hashes.size() == 10);
}

TEST_CASE("trace: a seed in two fresh processes gives the same text") {
    const temporary_folder folder;
    std::string texts[3];
    const char* const seeds[] = {"42", "42", "43"};
    for (std::size_t i = 0; i < 3; ++i) {
        const std::string file = folder.file("trace" + std::to_string(i));
        CHECK(run({"/proc/self/exe", "--traffic", seeds[i], file}) == 0);
        texts[i] = read_all(file);
    }
    CHECK(texts[0].size() > 100'000);
    CHECK(texts[0].back() == '\n');
    CHECK((texts[0] == texts[1])); // parenthesised: a difference is not worth 400 kB of message
    CHECK((texts[0] != texts[2]));
    for (const wire_fate fate :
         {wire_fate::sent, wire_fate::received, wire_fate::lost, wire_fate::corrupted,
          wire_fate::duplicated, wire_fate::reordered, wire_fate::cut, wire_fate::held,
          wire_fate::released, wire_fate::queue_full, wire_fate::no_receiver}) {
        CAPTURE(std::string(weft::name(fate)));
        CHECK(texts[0].find(std::string(" ") + weft::name(fate) + " ") != std::string::npos);
    }
}

TEST_CASE("trace: lines tell time, ends, fate, bytes and digest") {
    const weft::wire_event event{start + 1234567ns, alice, bob, wire_fate::received, {}, 0xab};
    char line[120];
    CHECK(
        weft::format(event, line) ==
        "1.001234567 02:00:00:00:00:0a > 02:00:00:00:00:0b received 0 00000000000000ab");
    char small[6];
    CHECK(weft::format(event, small) == "1.001");
    CHECK(weft::format(event, {}).empty());
}

TEST_CASE("trace: an observer sees each event, with the frame's bytes") {
    pair_of_ends ends({.on_every_path = {.duplicate = 1}});
    struct seen {
        std::vector<wire_fate> fates;
        bytes last;
    } all;
    ends.cable.observe(
        [](void* context, const weft::wire_event& event) {
            auto& to = *static_cast<seen*>(context);
            to.fates.push_back(event.fate);
            to.last.assign(event.frame.begin(), event.frame.end());
        },
        &all);
    ends.send(5, 1, 77);
    receive_numbers(*ends.b);
    using enum wire_fate;
    CHECK((all.fates == std::vector{sent, duplicated, received, received}));
    CHECK(all.last == make_frame(bob, alice, 5, 77));
    ends.cable.observe(nullptr, nullptr);
    ends.send(6, 1);
    CHECK(all.fates.size() == 4);
}

TEST_CASE("trace: changing one probability leaves the other decisions as they were") {
    std::vector<std::uint32_t> arrived[2];
    for (std::size_t i = 0; i < 2; ++i) {
        pair_of_ends ends({.seed = 9, .on_every_path = {.loss = 0.3}});
        if (i == 1) {
            ends.cable.impair({.loss = 0.3, .corrupt = 0.0, .jitter = 0ns, .bits_per_second = 1});
        }
        ends.send(0, 1000);
        ends.at(start + 10000h);
        arrived[i] = receive_numbers(*ends.b);
    }
    CHECK(arrived[0] == arrived[1]);
}

TEST_CASE("trace: files that cannot be written say why") {
    const temporary_folder folder;
    weft::wire cable;
    CHECK(cable.flush().has_value());
    CHECK(cable.write_trace(folder.file("no/such").c_str()).error() == weft::errc::no_such_entry);
    CHECK(cable.write_pcap(folder.file("no/such").c_str()).error() == weft::errc::no_such_entry);
    REQUIRE(cable.write_trace("/dev/full").has_value());
    const auto a = *cable.attach(alice);
    CHECK(send(*a, make_frame(bob, alice, 1)).has_value());
    CHECK(cable.flush().error() == weft::errc::io_error);
    CHECK(cable.write_trace(nullptr).has_value());
    CHECK(cable.flush().has_value());
}

// Links and the heap: when it is exhausted, frames are dropped and counted; when it is not, a wire
// in steady state does not ask it for anything.
#include "frames.hpp"
#include "surroundings.hpp"

#include <weft/pcap.hpp>
#include <weft/unix_link.hpp>

#include <new>

using namespace frames;
using weft::errc;
using weft::wire_fate;

namespace {
int allocations = 0;
int failing_from = -1; // the allocation, counted from 0, from which on all fail; -1: none
} // namespace

// Everything in src/link allocates through these two.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    const int number = allocations++;
    return failing_from >= 0 && number >= failing_from ? nullptr : ::operator new(size);
}

void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    const int number = allocations++;
    return failing_from >= 0 && number >= failing_from ? nullptr : ::operator new[](size);
}

namespace {
/// Calls `attempt` with the first, the second ... allocation failing until it succeeds, and returns
/// how many failures that took. `attempt` says whether it succeeded.
template <class Attempt>
int exhaust(Attempt attempt) {
    for (int failing = 0;; ++failing) {
        allocations = 0;
        failing_from = failing;
        const bool succeeded = attempt();
        failing_from = -1;
        if (succeeded || failing > 100) {
            return failing;
        }
    }
}
} // namespace

TEST_CASE("memory: attach fails with no_memory at each allocation, and leaves the wire as it was") {
    pair_of_ends ends;
    std::unique_ptr<weft::link> c;
    const int failures = exhaust([&] {
        auto made = ends.cable.attach(carol);
        if (!made) {
            CHECK(made.error() == errc::no_memory);
            CHECK(ends.cable.impair(alice, carol, {}).error() == errc::no_such_entry);
            CHECK(ends.cable.impair(carol, alice, {}).error() == errc::no_such_entry);
            return false;
        }
        c = std::move(*made);
        return true;
    });
    CHECK(failures == 5); // the end, and a path each way to two others
    CHECK(send(*c, make_frame(everyone, carol, 1)).has_value());
    CHECK(receive_numbers(*ends.a) == std::vector<std::uint32_t>{1});
    CHECK(receive_numbers(*ends.b) == std::vector<std::uint32_t>{1});
}

TEST_CASE("memory: without heap a wire drops frames and counts them, and goes on afterwards") {
    pair_of_ends ends;
    const bytes frame = make_frame(bob, alice, 1);
    const bytes to_all = make_frame(everyone, alice, 2);
    failing_from = 0;
    const weft::result<> refused = send(*ends.a, frame);
    failing_from = -1;
    CHECK(refused.error() == errc::no_buffers);
    CHECK(ends.cable.count(wire_fate::no_memory) == 1);

    allocations = 0;
    failing_from = 1; // the frame itself, but no copy for Bob
    const weft::result<> sent = send(*ends.a, to_all);
    failing_from = -1;
    CHECK(sent.has_value());
    CHECK(ends.cable.count(wire_fate::no_memory, alice, bob) == 1);
    CHECK(receive(*ends.b).empty());
    CHECK(send(*ends.a, frame).has_value());
    CHECK(receive(*ends.b) == frame);
}

TEST_CASE("memory: a wire in steady state allocates nothing") {
    pair_of_ends ends({.on_every_path = {.duplicate = 0.5}});
    std::array<std::byte, 1514> buffer{};
    const bytes frame = make_frame(bob, alice, 1, 1000);
    const auto burst = [&] {
        for (int i = 0; i < 10; ++i) {
            (void)send(*ends.a, frame);
        }
        while (ends.b->receive(buffer) != 0) {
        }
    };
    ends.cable.impair({.duplicate = 1});
    burst();
    ends.cable.impair({.duplicate = 0.5});
    allocations = 0;
    for (int i = 0; i < 100; ++i) {
        burst();
    }
    CHECK(allocations == 0);
}

TEST_CASE("memory: links and files that cannot be allocated say no_memory") {
    const temporary_folder folder;
    const std::string path = folder.file("end");
    const std::string capture = folder.file("run.pcap");
    CHECK(exhaust([&] {
              const auto made = weft::make_unix_link({.path = path, .peer = "/nowhere"});
              CHECK((made || made.error() == errc::no_memory));
              CHECK(exists(path) == made.has_value());
              return made.has_value();
          }) == 2);
    pair_of_ends ends;
    CHECK(exhaust([&] {
              const auto made = weft::make_pcap_link(std::move(ends.a), {.path = capture.c_str()});
              CHECK((made || made.error() == errc::no_memory));
              CHECK((ends.a == nullptr) == made.has_value());
              return made.has_value();
          }) == 2);
    CHECK(exhaust([&] {
              const auto writing = ends.cable.write_trace(folder.file("trace").c_str());
              CHECK((writing || writing.error() == errc::no_memory));
              return writing.has_value();
          }) == 1);
}

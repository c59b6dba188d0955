// The unix datagram cable: between two processes, and when one of them is missing, dead or slow.
#include "frames.hpp"
#include "surroundings.hpp"

#include <weft/unix_link.hpp>

#include <unistd.h>

#include <fstream>
#include <string>

using namespace frames;
using weft::errc;

namespace {
weft::result<std::unique_ptr<weft::unix_link>>
connect(const std::string& path, const std::string& peer, std::size_t mtu = 1500) {
    return weft::make_unix_link({.path = path, .peer = peer, .mtu = mtu});
}
} // namespace

TEST_CASE("unix link: frames cross between two processes, and back") {
    const temporary_folder folder;
    const std::string left = folder.file("left");
    const std::string right = folder.file("right");
    const auto mine = *connect(left, right);
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    const int echoed = in_child([&] {
        // a grandchild so that both live at once; the pipe says when it listens
        const pid_t other = fork();
        if (other == 0) {
            const auto theirs = connect(right, left);
            if (!theirs || write(ready[1], "!", 1) != 1) {
                _exit(1);
            }
            for (int i = 0; i < 100; ++i) {
                bytes frame;
                while (frame.empty()) {
                    if (!wait_readable((*theirs)->descriptor())) {
                        _exit(2);
                    }
                    frame = receive(**theirs);
                }
                std::reverse(frame.begin(), frame.end());
                if (!send(**theirs, frame)) {
                    _exit(3);
                }
            }
            _exit(0);
        }
        return other > 0 ? 0 : 9;
    });
    CHECK(echoed == 0);
    char byte = 0;
    REQUIRE(wait_readable(ready[0]));
    REQUIRE(read(ready[0], &byte, 1) == 1);
    for (std::uint32_t i = 0; i < 100; ++i) {
        bytes frame = make_frame(bob, alice, i, 60 + i * 14);
        REQUIRE(send(*mine, frame).has_value());
        REQUIRE(wait_readable(mine->descriptor()));
        const bytes back = receive(*mine);
        std::reverse(frame.begin(), frame.end());
        CHECK(back == frame);
    }
    CHECK(mine->counters().sent == 100);
    CHECK(mine->counters().received == 100);
    close(ready[0]);
    close(ready[1]);
}

TEST_CASE("unix link: gathers frames of very many parts") {
    const temporary_folder folder;
    const auto a = *connect(folder.file("a"), folder.file("b"));
    const auto b = *connect(folder.file("b"), folder.file("a"));
    const bytes frame = make_frame(bob, alice, 3, 1000);
    const std::span<const std::byte> all = frame;
    for (const std::size_t piece : {1U, 50U, 63U, 67U, 1000U}) {
        std::vector<std::span<const std::byte>> parts{{}};
        for (std::size_t at = 0; at < all.size(); at += piece) {
            parts.push_back(all.subspan(at, std::min(piece, all.size() - at)));
        }
        CHECK(a->send(parts).has_value());
        CHECK(receive(*b) == frame);
    }
}

TEST_CASE("unix link: a peer that is not there drops and counts; one that comes back is found") {
    const temporary_folder folder;
    const std::string left = folder.file("left");
    const std::string right = folder.file("right");
    const auto mine = *connect(left, right);
    CHECK(send(*mine, make_frame(bob, alice, 1)).has_value());
    CHECK(mine->counters().no_peer == 1);
    for (std::uint32_t life = 0; life < 3; ++life) {
        const auto theirs = *connect(right, left);
        CHECK(send(*mine, make_frame(bob, alice, 10 + life)).has_value());
        CHECK(receive_numbers(*theirs) == std::vector<std::uint32_t>{10 + life});
        CHECK(send(*theirs, make_frame(alice, bob, 20 + life)).has_value());
        CHECK(receive_numbers(*mine) == std::vector<std::uint32_t>{20 + life});
    }
    CHECK(send(*mine, make_frame(bob, alice, 2)).has_value());
    CHECK(mine->counters().no_peer == 2);
    CHECK(mine->counters().sent == 3);
}

TEST_CASE("unix link: removes its path, replaces a dead one, leaves a living one and other files") {
    const temporary_folder folder;
    const std::string path = folder.file("end");
    const std::string peer = folder.file("peer");
    {
        const auto mine = *connect(path, peer);
        CHECK(exists(path));
        CHECK(connect(path, peer).error() == errc::address_in_use);
        CHECK(exists(path));
    }
    CHECK(!exists(path));

    CHECK(in_child([&]() -> int {
              const auto left_behind = connect(path, peer);
              _exit(left_behind ? 0 : 1); // as a crash does: no destructor runs
          }) == 0);
    CHECK(exists(path));
    {
        const auto mine = connect(path, peer);
        CHECK(mine.has_value());
        const auto theirs = *connect(peer, path);
        CHECK(send(*theirs, make_frame(alice, bob, 1)).has_value());
        CHECK(receive_numbers(**mine) == std::vector<std::uint32_t>{1});

        // somebody else's file at that path stays
        unlink(path.c_str());
        std::ofstream(path) << "precious";
    }
    CHECK(read_all(path) == "precious");
    CHECK(connect(path, peer).error() == errc::address_in_use);
    CHECK(read_all(path) == "precious");
}

TEST_CASE("unix link: a full queue is would_block, and goes on when the peer has read") {
    const temporary_folder folder;
    const auto mine = *connect(folder.file("a"), folder.file("b"));
    const auto theirs = *connect(folder.file("b"), folder.file("a"));
    std::uint32_t taken = 0;
    weft::result<> sent;
    while (sent && taken < 1'000'000) {
        sent = send(*mine, make_frame(bob, alice, taken));
        taken += sent ? 1U : 0U;
    }
    CHECK(sent.error() == errc::would_block);
    CHECK(taken > 0);
    CHECK(mine->counters().would_block == 1);
    CHECK(mine->counters().sent == taken);
    const auto arrived = receive_numbers(*theirs);
    CHECK(arrived.size() == taken);
    CHECK(send(*mine, make_frame(bob, alice, 7)).has_value());
    CHECK(receive_numbers(*theirs) == std::vector<std::uint32_t>{7});
}

TEST_CASE("unix link: frames of a wrong size are refused, those too long for the reader counted") {
    const temporary_folder folder;
    const auto mine = *connect(folder.file("a"), folder.file("b"), 100);
    const auto theirs = *connect(folder.file("b"), folder.file("a"));
    CHECK(mine->mtu() == 100);
    CHECK(send(*mine, make_frame(bob, alice, 1, 115)).error() == errc::message_too_long);
    CHECK(send(*mine, bytes(13)).error() == errc::invalid_argument);
    CHECK(mine->counters().send_failures == 2);
    CHECK(send(*mine, make_frame(bob, alice, 1, 114)).has_value());
    CHECK(send(*mine, make_frame(bob, alice, 2, 60)).has_value());
    std::array<std::byte, 60> small{};
    CHECK(theirs->receive(small) == 60);
    CHECK(number_of(small) == 2);
    CHECK(theirs->receive(small) == 0);
    CHECK(theirs->counters().received_too_long == 1);
    CHECK(theirs->counters().received == 1);
}

TEST_CASE("unix link: what cannot be a link says so") {
    const temporary_folder folder;
    const std::string a = folder.file("a");
    const std::string b = folder.file("b");
    CHECK(connect("", b).error() == errc::invalid_argument);
    CHECK(connect(a, "").error() == errc::invalid_argument);
    CHECK(connect(std::string(108, 'x'), b).error() == errc::invalid_argument);
    CHECK(connect(a, std::string(108, 'x')).error() == errc::invalid_argument);
    CHECK(connect(a, b, 0).error() == errc::invalid_argument);
    CHECK(connect(a, b, 65522).error() == errc::invalid_argument);
    CHECK(connect(folder.file("no/such"), b).error() == errc::no_such_entry);
    CHECK(
        weft::make_unix_link({.path = a, .peer = b, .address = everyone}).error() ==
        errc::invalid_argument);
    CHECK(!exists(a));
    const auto given = *weft::make_unix_link({.path = a, .peer = b, .address = alice});
    CHECK(given->address() == alice);
    const auto drawn = *connect(b, a);
    CHECK((drawn->address()[0] & 3) == 2); // locally administered, one station's
}

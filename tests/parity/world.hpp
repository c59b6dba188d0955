// A parity world: two stacks that reach each other, and what a test may know about them.
//
//     task<> half_close(world& w);
//     TEST_CASE("half close: ...") { run(half_close); }
//
// The tests are compiled once; main.cpp chooses the world that they run in.
#pragma once

#include <weft/loop.hpp>
#include <weft/seeded_random.hpp>
#include <weft/stack.hpp>
#include <weft/task.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace parity {

using weft::address;
using weft::endpoint;
using weft::errc;
using weft::family;
using weft::result;
using weft::task;
using weft::tcp_listener;
using weft::tcp_stream;
using weft::transfer;
using weft::udp_socket;
using namespace std::chrono_literals;

/// How configurations differ. What is not here must be the same everywhere.
struct facts {
    std::string configuration;
    /// Nothing takes real time: waiting is free, and a hang ends at once.
    bool virtual_time = false;
    /// Frames are lost and overtake each other.
    bool lossy = false;
    /// What "a lot of data" is.
    std::size_t bulk = 10'000'000;
    /// How many connections at a time, both ends in this process.
    std::size_t connections = 1000;
    /// The most that two ends and what is between them take before a writer blocks.
    std::size_t most_in_flight = 32 * 1024 * 1024;
    /// What the server's stack says when it has no room for another socket.
    errc exhausted = errc::too_many_open;
    /// peek() shows bytes in place; the host has none to show.
    bool server_peeks = false;
    /// Connecting to an address that nobody has fails in a time that a test can wait for.
    bool nobody_is_noticed = false;
    /// No route leads out of the network between the two.
    bool isolated = false;
    /// Connections to an interrupted network can be watched until they give up.
    bool can_cut = false;
    /// The client's stack has a name server, which never answers.
    bool names_go_unanswered = false;
    /// TCP over IPv6 and UDP over IPv6 are there.
    bool ipv6 = true;
};

class world {
  public:
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    virtual ~world() = default;

    [[nodiscard]] virtual weft::loop& home() noexcept = 0;
    [[nodiscard]] virtual weft::stack& server_net() noexcept = 0;
    [[nodiscard]] virtual weft::stack& client_net() noexcept = 0;
    [[nodiscard]] virtual address server_address(family f) const noexcept = 0;
    [[nodiscard]] virtual address client_address(family f) const noexcept = 0;
    /// In the network of the two, and nobody's.
    [[nodiscard]] virtual address nobody(family f) const noexcept = 0;

    /// Descriptors of this process, and sockets in lwIP that still have something to do.
    [[nodiscard]] virtual std::size_t open_sockets() const = 0;
    /// Makes sockets of the server's stack scarce: about `more` can be opened from now on, where
    /// that can be chosen. The returned object ends it.
    [[nodiscard]] virtual std::shared_ptr<void> ration_sockets(std::size_t more) = 0;
    /// Nothing passes between the two any more, or again.
    virtual void cut(bool /*interrupted*/) {}

    [[nodiscard]] const facts& known() const noexcept { return facts_; }
    [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }

    /// 0..below-1, from the seed.
    [[nodiscard]] std::uint64_t random(std::uint64_t below) noexcept {
        return random_.below(below);
    }
    /// Up to `longest`, from the seed; in virtual time a hundred times as long, since there the
    /// network takes its time and the processor none.
    [[nodiscard]] weft::duration random_moment(weft::duration longest) noexcept;
    /// Long enough for what is on its way to arrive. Tests are right whether it was or not.
    [[nodiscard]] weft::duration settling() const noexcept;
    /// After which nothing more comes of itself.
    [[nodiscard]] weft::duration silence() const noexcept;
    /// What a test may take before it counts as stuck.
    [[nodiscard]] weft::duration patience() const noexcept;

  protected:
    world(const char* configuration, std::uint64_t seed) : random_(seed), seed_(seed) {
        facts_.configuration = configuration;
    }
    facts facts_;

  private:
    weft::seeded_random random_;
    std::uint64_t seed_;
};

/// Either a world, or why there is none on this machine.
struct attempt {
    std::unique_ptr<world> made;
    std::string why_not;
};

/// One --config=NAME.
struct configuration {
    const char* name;
    attempt (*make)(const char* name, std::uint64_t seed);
};
extern const std::vector<configuration> configurations;

// What the configurations are made of, each in its own file and only in builds that have it.
attempt make_host_world(const char* name, std::uint64_t seed);
attempt make_wire_world(const char* name, std::uint64_t seed);
attempt make_tap_world(const char* name, std::uint64_t seed);

/// The world of this process.
world& here();

/// Runs one test in it: to its end or to the watchdog's, and then sees that no descriptor, no
/// socket and no pcb is left.
using test = std::function<task<>(world&)>;
void run(const test& t);
void run(const test& t, const std::string& variant);
/// Once over IPv4 and once over IPv6.
void run_both(task<> (*t)(world&, family));

/// A world that lacks what a test is about says so in the log.
void skip(const std::string& why);

} // namespace parity

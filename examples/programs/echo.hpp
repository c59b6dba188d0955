// An echo server: it sends back what it receives. Coroutines that know no stack, no operating
// system and nothing to print with; whoever starts them says what becomes of what they tell.
//
//     auto done = weft::sync_wait(loop, programs::echo(net, {weft::address::any(), 7}));
#pragma once

#include <weft/stack.hpp>
#include <weft/task.hpp>

#include <cstddef>

/// Bytes that a connection receives at a time, in its frame: a build may say how many.
#if !defined(WEFT_ECHO_BYTES)
#define WEFT_ECHO_BYTES 512
#endif

namespace programs {

/// One connection to its end, whoever ends it; how many bytes went back.
weft::task<std::size_t> echo_back(weft::tcp_stream peer);

/// What differs from one start-up to the other.
struct echo_start {
    /// Serves one connection. One that wants to tell more awaits echo_back() inside.
    weft::task<std::size_t> (*serve)(weft::tcp_stream peer) = &echo_back;
    /// The server listens there from now on.
    void (*listening)(const weft::endpoint& at, weft::stack& on) = nullptr;
    /// A connection was closed unserved: errc::no_memory, no frame was left for it.
    void (*dropped)(weft::errc why) = nullptr;
};

/// Serves any number of connections at `at`, as far as frames last, until it is cancelled. The
/// errors of stack::listen().
weft::task<> echo(weft::stack& net, weft::endpoint at, echo_start start = {});

} // namespace programs

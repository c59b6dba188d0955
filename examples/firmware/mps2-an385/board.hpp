// Start-up of a weft program on this board: clock, Ethernet, lwIP, and an end by the console.
//
//     int main() { return board::run(&echo_program); }
#pragma once

#include <weft/stack.hpp>
#include <weft/task.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace board {

/// Bytes for coroutine frames.
inline constexpr std::size_t frame_bytes = 16 * 1024;

/// Makes the loop and the stack, runs the program until it ends or until a 'q' comes over the
/// console, and returns the status for board_exit(): 0, or 1 with a line that says what failed.
int run(weft::task<> (*program)(weft::stack&)) noexcept;

/// The same with an address, a gateway and name servers by DHCP: the program starts when they are
/// there. `host_name` is told to the server.
int run_with_dhcp(weft::task<> (*program)(weft::stack&), const char* host_name = nullptr) noexcept;

/// The same as run() for a routine that waits in its calls and runs the loop by them, as usocket's
/// do. It returns the status, soon after quit_asked() says so.
int run_blocking(int (*routine)(weft::stack&)) noexcept;

/// In run_blocking(): a 'q' came over the console.
bool quit_asked() noexcept;

// A line on the console, of texts, numbers, addresses and errors.
void print(std::string_view text) noexcept;
void print(std::uint32_t number) noexcept;
void print(std::uint64_t number) noexcept; // a kilobyte more, for its divisions
void print(const weft::endpoint& where) noexcept;
void print(const weft::address& where) noexcept;
void print(weft::errc error) noexcept;
inline void print(std::unsigned_integral auto number) noexcept {
    static_assert(sizeof number <= sizeof(std::uint32_t));
    print(static_cast<std::uint32_t>(number));
}

template <class... Part>
void say(const Part&... parts) noexcept {
    (print(parts), ...);
    print(std::string_view("\n"));
}

} // namespace board

// poll_set: many sockets waited for at once. What a wait costs grows with the sockets that are
// ready, not with those that are registered: a socket tells its entries when it may have become
// ready, and only those are asked.
#pragma once

#include "usocket/core/object.hpp"

#include <weft/list.hpp>

#include <cstddef>
#include <cstdint>

namespace uselect {

class stream;

class poll_entry;
struct member_place : weft::list_node {};
struct candidate_place : weft::list_node {};

class poll_set {
  public:
    poll_set() = default;
    poll_set(const poll_set&) = delete;
    poll_set& operator=(const poll_set&) = delete;
    ~poll_set();

    /// Registered already: the new mask counts. errc::no_memory, bad_handle, not_permitted;
    /// errc::invalid_argument: a socket of another loop than those that are here. `tag` comes back
    /// with its events.
    weft::errc add(usocket::handle socket, unsigned mask, std::uintptr_t tag = 0) noexcept;
    weft::errc add(stream& object, unsigned mask) noexcept;
    /// errc::no_such_entry.
    weft::errc modify(usocket::handle socket, unsigned mask) noexcept;
    weft::errc modify(stream& object, unsigned mask) noexcept;
    /// No effect on what is not here.
    void remove(usocket::handle socket) noexcept;
    void remove(stream& object) noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Waits until something is ready, `limit` at most; how many are. With `one_shot` what is
    /// reported asks for nothing more until it is modified. errc::would_deadlock: a wait inside the
    /// loop's turn; errc::interrupted.
    weft::result<std::size_t> wait(weft::duration limit, bool one_shot) noexcept;

    /// The same of what is known, without a turn.
    std::size_t look(bool one_shot) noexcept { return check(one_shot, false, false); }

    struct event {
        usocket::handle fileno = -1; // of a socket; -1: a stream
        stream* object = nullptr;
        unsigned events = 0;
        std::uintptr_t tag = 0;
    };
    /// What the last wait found, from `at` (null: the first) on: false behind the last.
    bool next(poll_entry*& at, event& into) const noexcept;

  private:
    friend class poll_entry;

    [[nodiscard]] poll_entry* find(usocket::handle socket) noexcept;
    [[nodiscard]] poll_entry* find(const stream& object) noexcept;
    void erase(poll_entry* entry) noexcept;
    std::size_t check(bool one_shot, bool again, bool behind_a_turn) noexcept;
    [[nodiscard]] weft::result<weft::loop*> home() noexcept;

    weft::list<member_place> members_;
    weft::list<candidate_place> candidates_; // those that may be ready
    poll_entry* first_ready_ = nullptr;
    weft::loop* loop_ = nullptr; // of the sockets
    std::size_t size_ = 0;
    unsigned empty_looks_ = 0;
    std::size_t streams_ = 0; // which nobody tells about: they are asked each millisecond
};

/// Any object with MicroPython's stream ioctl can be polled beside sockets.
class stream {
  public:
    virtual ~stream() = default;
    /// Request 3 with the poll bits that are asked for: those that hold. (size_t)-1 with `*error`
    /// for what it does not know.
    virtual std::size_t ioctl(unsigned request, std::uintptr_t argument, int* error) = 0;
};

} // namespace uselect

// uselect: waiting for many sockets at once, and for any object that has a stream ioctl.
//
//     auto poller = uselect::poll();
//     poller.register_(s, uselect::POLLIN);
//     auto res = poller.poll(1000);                // milliseconds
//     if (res.empty()) { ... }                     // s is still not ready
#pragma once

#include <usocket/core/poll_set.hpp>
#include <usocket/error.hpp>
#include <usocket/socket.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>

#include <usocket/macros_off.inc> // the names of constants are ours down to the end

namespace uselect {

/// One that is ready: which, and for what.
struct ready {
    std::int64_t fileno = -1; // of a socket
    stream* object = nullptr; // any other
    unsigned events = 0;      // POLLIN, POLLOUT, POLLERR, POLLHUP, POLLNVAL

    [[nodiscard]] bool is(const usocket::socket& s) const noexcept {
        return fileno != -1 && fileno == s.number();
    }
    [[nodiscard]] bool is(const stream& s) const noexcept { return object == &s; }
};

/// What poll() returns: an array of its own.
class ready_list {
  public:
    ready_list() noexcept = default;
    ready_list(std::unique_ptr<ready[]> all, std::size_t size) noexcept
        : all_(std::move(all)), size_(size) {}
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] const ready& operator[](std::size_t i) const noexcept { return all_[i]; }
    [[nodiscard]] const ready* begin() const noexcept { return all_.get(); }
    [[nodiscard]] const ready* end() const noexcept { return all_.get() + size_; }

  private:
    std::unique_ptr<ready[]> all_;
    std::size_t size_ = 0;
};

/// What ipoll() returns: reads the poller's own memory, until its next call.
class ready_range {
  public:
    explicit ready_range(const poll_set& of) noexcept : of_(&of) {}
    class iterator {
      public:
        explicit iterator(const poll_set* of) noexcept : of_(of) { ++*this; }
        const ready& operator*() const noexcept { return now_; }
        const ready* operator->() const noexcept { return &now_; }
        iterator& operator++() noexcept {
            poll_set::event found;
            more_ = of_->next(at_, found);
            now_ = {found.fileno, found.object, found.events};
            return *this;
        }
        friend bool operator==(const iterator& a, std::default_sentinel_t) noexcept {
            return !a.more_;
        }

      private:
        const poll_set* of_;
        poll_entry* at_ = nullptr;
        bool more_ = false;
        ready now_;
    };
    [[nodiscard]] iterator begin() const noexcept { return iterator(of_); }
    [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

  private:
    const poll_set* of_;
};

/// A set of sockets and streams. Waiting sleeps: a socket tells when it is ready; a stream of
/// somebody else's is asked each millisecond. What a call costs grows with what is ready.
class poller {
  public:
    static constexpr unsigned in_and_out = POLLIN | POLLOUT;

    poller() noexcept : set_(new(std::nothrow) poll_set) {}

    /// Again: the new mask counts. POLLERR and POLLHUP are told whatever is asked. EBADF, ENOMEM.
    usocket::outcome<> register_(const usocket::socket& s, unsigned mask = in_and_out) {
        return told("register", set_ ? set_->add(s.number(), mask) : weft::errc::no_memory);
    }
    usocket::outcome<> register_(stream& s, unsigned mask = in_and_out) {
        return told("register", set_ ? set_->add(s, mask) : weft::errc::no_memory);
    }
    /// ENOENT 2: it is not registered.
    usocket::outcome<> modify(const usocket::socket& s, unsigned mask) {
        return told("modify", set_ ? set_->modify(s.number(), mask) : weft::errc::no_such_entry);
    }
    usocket::outcome<> modify(stream& s, unsigned mask) {
        return told("modify", set_ ? set_->modify(s, mask) : weft::errc::no_such_entry);
    }
    /// No effect on what is not registered.
    void unregister(const usocket::socket& s) noexcept {
        if (set_) {
            set_->remove(s.number());
        }
    }
    void unregister(stream& s) noexcept {
        if (set_) {
            set_->remove(s);
        }
    }

    /// Waits for `milliseconds` at most, without end if negative; none is ready then. EDEADLK,
    /// EINTR, ENOMEM.
    usocket::outcome<ready_list> poll(std::int64_t milliseconds = -1) {
        return usocket::told(poll_now(milliseconds), "poll");
    }
    /// The same without an allocation. `flags` 1: one-shot, what is reported asks for nothing more
    /// until it is modified.
    usocket::outcome<ready_range> ipoll(std::int64_t milliseconds = -1, unsigned flags = 0) {
        return usocket::told(
            [&]() -> weft::result<ready_range> {
                const weft::result<std::size_t> found = wait(milliseconds, (flags & 1) != 0);
                if (!found) {
                    return weft::fail(found.error());
                }
                return ready_range(*set_);
            }(),
            "ipoll");
    }

  private:
    static usocket::outcome<> told(const char* call, weft::errc error) {
        return usocket::told(usocket::as_result(error), call);
    }
    weft::result<std::size_t> wait(std::int64_t milliseconds, bool one_shot) noexcept;
    weft::result<ready_list> poll_now(std::int64_t milliseconds) noexcept;

    std::unique_ptr<poll_set> set_;
};

/// uselect.poll(): an empty set.
inline poller poll() {
    return {};
}

/// What select() returns, each in the order in which it was given.
struct selected {
    ready_list readable;
    ready_list writable;
    ready_list exceptional;
};

/// Waits until one of `reading` has POLLIN, of `writing` POLLOUT, or of `exceptions` anything else.
/// `seconds` None: without end. The errors of poll().
weft::result<selected> select_now(
    std::span<const usocket::socket* const> reading,
    std::span<const usocket::socket* const> writing,
    std::span<const usocket::socket* const> exceptions, std::optional<double> seconds) noexcept;

inline usocket::outcome<selected> select(
    std::span<const usocket::socket* const> reading,
    std::span<const usocket::socket* const> writing,
    std::span<const usocket::socket* const> exceptions,
    std::optional<double> seconds = usocket::None) {
    return usocket::told(select_now(reading, writing, exceptions, seconds), "select");
}

} // namespace uselect

#include <usocket/macros_on.inc>

// What a thread has of the façade: the stack that its new sockets come from, what happens while a
// call waits, and all of its sockets.
#pragma once

#include "usocket/core/secure.hpp"

#include <weft/loop.hpp>
#include <weft/stack.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>

namespace usocket {

class object;

/// An object's place in the list of its thread.
class of_thread : public weft::list_node {};

/// A name_query's.
class query_of_thread : public weft::list_node {};

/// What a program may want to know of the interface that its stack is on.
struct interface_facts {
    weft::address address = weft::address::v4(127, 0, 0, 1);
    std::uint8_t prefix = 8;
    weft::address gateway = weft::address::any(weft::family::ipv4);
    weft::address name_server = weft::address::any(weft::family::ipv4);
};

/// The stack of a thread that was given none: what WEFT_STACK names, else the host's.
class default_stack {
  public:
    default_stack() = default;
    default_stack(const default_stack&) = delete;
    default_stack& operator=(const default_stack&) = delete;
    virtual ~default_stack() = default; // what was sent is delivered first, for 2 s at most
    [[nodiscard]] virtual weft::stack& net() noexcept = 0;
    /// The host has many interfaces: it is asked for its loopback.
    [[nodiscard]] const interface_facts& facts() const noexcept { return facts_; }

  protected:
    interface_facts facts_;
};

/// One line of text into `why`, and `error`.
weft::errc refuse(
    std::span<char> why, weft::errc error, std::string_view a, std::string_view b = {},
    std::string_view c = {}) noexcept;

/// errc::invalid_argument and whatever making that stack ends with; `why` gets a line for people.
[[nodiscard]] weft::result<std::unique_ptr<default_stack>>
make_named_stack(std::string_view name, std::span<char> why) noexcept;
/// What WEFT_STACK names.
[[nodiscard]] weft::result<std::unique_ptr<default_stack>>
make_default_stack(std::span<char> why) noexcept;

class thread {
  public:
    /// This thread's.
    static thread& here() noexcept;

    thread() = default;
    thread(const thread&) = delete;
    thread& operator=(const thread&) = delete;
    ~thread();

    /// Where new sockets come from.
    [[nodiscard]] weft::result<weft::stack*> net() noexcept;
    /// The same if there is one already, else null.
    [[nodiscard]] weft::stack* existing_net() const noexcept;
    /// errc::no_such_device for a stack that was chosen, which its maker knows.
    [[nodiscard]] weft::result<interface_facts> interface() noexcept;
    /// Null: the default stack. A stack that was chosen outlives its sockets here, see close_all().
    void use(weft::stack* chosen) noexcept { chosen_ = chosen; }
    /// Makes what make_named_stack() knows this thread's own. errc::busy: it has one.
    weft::errc use_named(std::string_view name) noexcept;
    /// Closes every socket of this thread that lives in `home`, and forgets its queries.
    void close_all(const weft::loop* home) noexcept;

    /// One turn that sleeps until `deadline` at the latest. errc::would_deadlock: inside a turn;
    /// errc::interrupted: the idle hook asked for it; errc::timed_out is not told.
    weft::errc sleep(weft::loop& home, weft::time_point deadline) noexcept;

    /// Called at least each `interval` while a call waits; not 0 ends the wait.
    using idle_hook = int (*)(void* context);
    void set_idle_hook(idle_hook hook, void* context, weft::duration interval) noexcept {
        idle_ = hook;
        idle_context_ = context;
        idle_interval_ = interval;
    }

    void add(of_thread& o) noexcept { objects_.push_back(o); }

    /// What sockets of IPPROTO_SEC do that nobody wraps; null: not chosen yet.
    [[nodiscard]] std::unique_ptr<secure>& secure_default(secure::end which) noexcept {
        return secure_[static_cast<std::size_t>(which)];
    }

    [[nodiscard]] weft::list<query_of_thread>& queries() noexcept { return queries_; }
    /// Adds it, under a number that it alone ever has.
    std::int64_t number_query(query_of_thread& q) noexcept;

    /// Why the last call failed, where the number does not say it all; else empty.
    [[nodiscard]] const char* explanation() const noexcept { return explanation_.data(); }
    void explain(std::initializer_list<std::string_view> parts) noexcept;
    void forget_explanation() noexcept { explanation_[0] = '\0'; }

  private:
    weft::stack* chosen_ = nullptr;
    idle_hook idle_ = nullptr;
    void* idle_context_ = nullptr;
    weft::duration idle_interval_{};
    std::array<char, 192> explanation_{};
    std::unique_ptr<default_stack> own_;            // behind its sockets
    std::array<std::unique_ptr<secure>, 2> secure_; // by secure::end
    weft::list<of_thread> objects_;
    weft::list<query_of_thread> queries_;
};

} // namespace usocket

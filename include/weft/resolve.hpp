// resolve: host names to addresses. Numbers are answered at once; names by the stack's resolver,
// which asks the name servers that the stack was given or that the system has.
//
//     auto found = co_await net.resolve("example.org");       // result<address_list>, IPv4 first
//     auto v6 = co_await net.resolve("example.org", weft::families::ipv6);
//     for (const weft::address& each : *found) { ... }
#pragma once

#include <weft/address.hpp>
#include <weft/wait.hpp>

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weft {

class stack;

/// Which addresses of a name are asked for.
enum class families : std::uint8_t { any, ipv4, ipv6 };

/// Addresses without duplicates, IPv4 before IPv6, each family in the order in which the server
/// gave them. A regular value of fixed size.
class address_list {
  public:
    static constexpr std::size_t capacity = 16;

    constexpr address_list() noexcept = default;

    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr const address* data() const noexcept { return all_.data(); }
    [[nodiscard]] constexpr const address* begin() const noexcept { return all_.data(); }
    [[nodiscard]] constexpr const address* end() const noexcept { return all_.data() + size_; }
    [[nodiscard]] constexpr const address& front() const noexcept { return all_[0]; }
    [[nodiscard]] constexpr const address& operator[](std::size_t i) const noexcept {
        return all_[i];
    }
    [[nodiscard]] constexpr std::span<const address> addresses() const noexcept {
        return {data(), size_};
    }

    /// Behind the others of its family. What is in the list already is not put there again; of a
    /// full list the last address goes, if it is IPv6 and this one IPv4, and else this one.
    constexpr void add(const address& a) noexcept {
        std::size_t at = size_;
        for (std::size_t i = size_; i-- > 0;) {
            if (all_[i] == a) {
                return;
            }
            if (a.is_v4() && !all_[i].is_v4()) {
                at = i;
            }
        }
        if (at == capacity) {
            return;
        }
        size_ += size_ < capacity ? 1 : 0;
        for (std::size_t i = size_ - 1; i > at; --i) {
            all_[i] = all_[i - 1];
        }
        all_[at] = a;
    }

    friend constexpr bool operator==(const address_list&, const address_list&) noexcept = default;

  private:
    std::array<address, capacity> all_{}; // those beyond size_ are 0.0.0.0
    std::size_t size_ = 0;
};

/// One question as a stack sees it: what is asked, and where the answer goes. It belongs to whoever
/// awaits; a stack that keeps a pointer to it gives it up in complete() or forget_query(). In no
/// list while it is under way: a stack may put it into one of its own.
class name_query : public wait_node {
  public:
    /// A name as RFC 1035 has it, of 1 to 254 bytes; a last dot says that it is complete.
    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] families wanted() const noexcept { return wanted_; }
    [[nodiscard]] bool wants(family f) const noexcept {
        return wanted_ == families::any || (wanted_ == families::ipv4) == (f == family::ipv4);
    }
    /// The stack that is asked; gone, perhaps, once the query is done.
    [[nodiscard]] stack& asked() const noexcept { return *asked_; }

    /// One address of the answer; of a family that is not wanted it is dropped.
    void add(const address& a) noexcept {
        if (wants(a.family())) {
            found_.add(a);
        }
    }
    /// Over: what was added is the answer, and `outcome` counts if that is nothing. The coroutine
    /// becomes runnable, it does not run here.
    void complete(errc outcome) noexcept;

    /// The stack's own, while the query is under way.
    void* slot = nullptr;

  protected:
    enum class state : std::uint8_t { fresh, under_way, done };

    name_query(stack& on, std::string_view name, families wanted) noexcept
        : asked_(&on), name_(name), wanted_(wanted) {}
    /// Before it is awaited.
    name_query(const name_query& other) noexcept
        : wait_node(other), asked_(other.asked_), name_(other.name_), wanted_(other.wanted_) {}
    name_query& operator=(const name_query&) = delete;
    ~name_query() = default;

    /// True if it is done: no server is needed to answer it.
    bool answer_here() noexcept;
    void start() noexcept;
    void forget() noexcept;

    stack* asked_;
    std::string_view name_;
    families wanted_;
    state state_ = state::fresh;
    errc outcome_ = errc::ok;
    address_list found_;
};

/// `co_await net.resolve(name)`, see stack::resolve().
class [[nodiscard]] resolving : public name_query {
  public:
    resolving(stack& on, std::string_view name, families wanted) noexcept
        : name_query(on, name, wanted) {}
    resolving(const resolving&) noexcept = default;
    resolving& operator=(const resolving&) = delete;
    ~resolving() {
        if (state_ == state::under_way) [[unlikely]] {
            forget();
        }
    }

    static bool await_ready() noexcept { return false; }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> caller) noexcept {
        enter(caller);
        return wait(caller);
    }
    result<address_list> await_resume() noexcept {
        finish();
        if (outcome_ != errc::ok) {
            return fail(outcome_);
        }
        return found_;
    }

  private:
    bool wait(std::coroutine_handle<> caller) noexcept;
    void end_as_canceled() noexcept;
    static void run_now(waiter& node);
};

} // namespace weft

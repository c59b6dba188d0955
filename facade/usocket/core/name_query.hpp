// name_query: getaddrinfo for those who neither wait in it nor await it. It goes on whenever the
// loop runs, and its answer is kept until it is taken.
#pragma once

#include "usocket/core/names.hpp"
#include "usocket/core/thread.hpp"

#include <weft/task_group.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace usocket {

class name_query final : public query_of_thread {
  public:
    /// Its number, which no other query ever has. Asks for `limit` at most, then its answer is
    /// errc::name_try_again. errc::name_no_memory; and the errors of making the stack.
    static weft::result<std::int64_t> start(
        thread& owner, std::string_view host, std::uint16_t port, name_filter filter,
        weft::duration limit) noexcept;

    /// The answer, once. errc::would_block: there is none yet; bad_handle: `owner` has no such
    /// query; and the errors of look_up().
    static weft::errc take(thread& owner, std::int64_t number, address_entries& into) noexcept;

    /// errc::bad_handle.
    static weft::errc cancel(thread& owner, std::int64_t number) noexcept;

    /// All of `owner` whose stack lives in `home`; null: all.
    static void cancel_all(thread& owner, const weft::loop* home) noexcept;

    name_query(const name_query&) = delete;
    name_query& operator=(const name_query&) = delete;

  private:
    explicit name_query(weft::loop& home) noexcept : home_(&home), asking_(home) {}
    ~name_query() = default;

    static name_query* find(thread& owner, std::int64_t number) noexcept;
    static weft::task<>
    ask(name_query& self, weft::stack& net, std::uint16_t port, name_filter filter,
        weft::duration limit);

    std::int64_t number_ = 0;
    weft::loop* home_;
    std::unique_ptr<char[]> host_;
    std::size_t host_size_ = 0;
    address_entries found_;
    weft::errc outcome_ = weft::errc::would_block;
    weft::task_group asking_; // it goes first: the task refers to all the rest
};

} // namespace usocket

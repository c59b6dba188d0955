// result<T>: a value, or the errc that says why there is none.
//
// It is std::expected where the library has it and tl::expected otherwise; both have the same
// members (has_value, value_or, error, operator*).
//
//     weft::result<std::size_t> n = socket.try_recv(buffer);
//     if (!n) { return weft::fail(n.error()); }
#pragma once

#include <weft/errc.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <version>

#if defined(__cpp_lib_expected) && __cpp_lib_expected >= 202211L
#include <expected>
#else
#include <tl/expected.hpp>
#endif

namespace weft {

#if defined(__cpp_lib_expected) && __cpp_lib_expected >= 202211L
template <class T = void>
using result = std::expected<T, errc>;
using unexpected_errc = std::unexpected<errc>;
#else
template <class T = void>
using result = tl::expected<T, errc>;
using unexpected_errc = tl::unexpected<errc>;
#endif

/// What fail() makes: converts to any result<T>, and ends a coroutine that awaits it.
class failure : public unexpected_errc {
  public:
    constexpr explicit failure(errc error) noexcept : unexpected_errc(error) {}

    static bool await_ready() noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> self) const noexcept {
        self.promise().set_error(result<>(*this).error());
        self.promise().finish();
    }
    [[noreturn]] static void await_resume() noexcept { std::terminate(); }
};

/// Makes any result<T> that holds `error`. In a coroutine `co_return fail(e)` ends a task<T> with
/// it, and `co_await fail(e)` ends any task, task<> included; its locals live until its owner takes
/// the result.
[[nodiscard]] constexpr failure fail(errc error) noexcept {
    return failure(error);
}

/// A transfer of many bytes: how many were moved, and what stopped it (errc::ok: nothing, all were
/// moved). The count is exact on failure too, so that a cancelled transfer can go on later.
class [[nodiscard]] transfer {
  public:
    constexpr transfer() noexcept = default;
    constexpr transfer(std::size_t moved, errc stopped_by) noexcept
        : count(moved), error_(stopped_by) {}
    /// fail(e): nothing was moved.
    transfer(const failure& why) noexcept : error_(result<>(why).error()) {}

    std::size_t count = 0;

    [[nodiscard]] constexpr errc error() const noexcept { return error_; }
    [[nodiscard]] constexpr bool has_value() const noexcept { return error_ == errc::ok; }
    constexpr explicit operator bool() const noexcept { return has_value(); }

  private:
    errc error_ = errc::ok;
};

/// What a task<T> comes to. A transfer tells its own error, so that `if (!sent)` misses none.
template <class T>
using outcome_of = std::conditional_t<std::is_same_v<T, transfer>, transfer, result<T>>;

} // namespace weft

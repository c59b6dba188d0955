// OSError: how the façade's calls fail. Its first argument is the number, as in MicroPython.
//
//     try { s.connect({"10.0.0.1", 80}); }
//     catch (const usocket::OSError& e) {
//         if (e.args[0] == 111) { ... }     // ECONNREFUSED, on every stack and target
//     }
//
// Compiled with -fno-exceptions the same calls return weft::result<T>, whose error is the number.
#pragma once

#include <weft/errc.hpp>
#include <weft/result.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace usocket {

/// More about this thread's last failure that needed words; never null.
[[nodiscard]] const char* explanation() noexcept;

/// For calls that say only whether they failed.
[[nodiscard]] inline weft::result<> as_result(weft::errc error) noexcept {
    if (error != weft::errc::ok) {
        return weft::fail(error);
    }
    return {};
}
/// For those that count.
[[nodiscard]] inline weft::result<std::size_t> as_result(std::ptrdiff_t n) noexcept {
    if (n < 0) {
        return weft::fail(static_cast<weft::errc>(-n));
    }
    return static_cast<std::size_t>(n);
}

/// An error's number and name in Python: where mbedTLS has numbers for what TLS ends with, those.
struct error_in_python {
    int number;
    const char* name;
};
[[nodiscard]] error_in_python python_error(weft::errc error) noexcept;

class OSError : public std::exception {
  public:
    OSError(weft::errc error, const char* call, std::size_t count) noexcept;

    /// One number: an errno of Linux's, positive, or of getaddrinfo() glibc's EAI_*, negative; of
    /// TLS mbedTLS's, negative, as in MicroPython.
    std::array<int, 1> args;

    [[nodiscard]] weft::errc code() const noexcept { return code_; }
    /// "ECONNREFUSED", "EAI_NONAME", "MBEDTLS_ERR_SSL_CONN_EOF".
    [[nodiscard]] const char* name() const noexcept { return python_error(code_).name; }
    /// "connect": which call failed. Static storage.
    [[nodiscard]] const char* call() const noexcept { return call_; }
    /// Of sendall() and write(): how many bytes had been taken by then.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// "[Errno 111] ECONNREFUSED: connect: connection refused"
    [[nodiscard]] const char* what() const noexcept override { return text_.data(); }

  private:
    weft::errc code_;
    const char* call_;
    std::size_t count_;
    std::array<char, 256> text_;
};

#if defined(__cpp_exceptions)

/// What a call returns: T here, and OSError is thrown; weft::result<T> without exceptions.
template <class T = void>
using outcome = T;

template <class T>
T told(weft::result<T> done, const char* call, std::size_t count = 0) {
    if (!done) {
        throw OSError(done.error(), call, count);
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*done);
    }
}

#else

template <class T = void>
using outcome = weft::result<T>;

template <class T>
weft::result<T> told(weft::result<T> done, const char*, std::size_t = 0) {
    return done;
}

#endif

} // namespace usocket

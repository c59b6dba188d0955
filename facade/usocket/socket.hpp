// socket: the documented class, name for name.
//
//     usocket::socket s;
//     s.connect(usocket::getaddrinfo("127.0.0.1", 80)[0][-1]);
//     s.send("GET / HTTP/1.0\r\n\r\n");
//     usocket::bytes answer = s.recv(4096);
#pragma once

#include <usocket/address.hpp>
#include <usocket/bytes.hpp>
#include <usocket/constants.hpp>
#include <usocket/core/object.hpp>
#include <usocket/error.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <usocket/macros_off.inc> // the names of constants are ours down to the end

namespace usocket {

/// Python's None, for settimeout() and SO_CALLBACK.
inline constexpr std::nullopt_t None = std::nullopt;

class file;

/// A socket. Move-only; destroying it closes it. It blocks until settimeout() or setblocking() says
/// otherwise. What fails throws OSError, or is the result's error without exceptions; every call on
/// a closed socket is EBADF (9), from another thread than its own EPERM (1), and one that may wait,
/// from inside the loop's own turn, EDEADLK (35).
///
/// `std::optional` results are None (empty) where a socket that may not wait has nothing.
class socket {
  public:
    /// EAFNOSUPPORT 97, EINVAL 22 (the type), EPROTONOSUPPORT 93, EMFILE 24, ENOMEM 12. `proto` 0,
    /// or the default TCP, follows the type. Without exceptions a socket that could not be had is
    /// closed; open() says why.
    explicit socket(int af = AF_INET, int type = SOCK_STREAM, int proto = IPPROTO_TCP) {
        weft::result<handle> made = make(af, type, proto);
        handle_ = made.value_or(0);
#if defined(__cpp_exceptions)
        (void)told(std::move(made), "socket");
#endif
    }
    static outcome<socket> open(int af = AF_INET, int type = SOCK_STREAM, int proto = IPPROTO_TCP) {
        const weft::result<handle> made = make(af, type, proto);
        return told(
            made ? weft::result<socket>(socket(owned{*made})) : fail(made.error()), "socket");
    }
    socket(socket&& other) noexcept : handle_(std::exchange(other.handle_, 0)) {}
    socket& operator=(socket&& other) noexcept {
        socket taken(std::move(other));
        std::swap(handle_, taken.handle_);
        return *this;
    }
    ~socket() { close(); }

    /// Delivers what was sent, then FIN. Idempotent; fails only for another thread.
    void close() noexcept {
        if (object* const o = handles::find(handle_).target) {
            o->close();
        }
    }

    /// EADDRINUSE 98; EINVAL if bound already, or for a bad address.
    outcome<> bind(const sockaddr& at) {
        return call("bind", [&](object& o) { return with(o, at, &object::bind); });
    }

    /// EOPNOTSUPP 95 for UDP. A negative backlog is 0; without one, and large ones, up to what the
    /// stack takes. Again: changes it.
    outcome<> listen(int backlog) {
        return call("listen", [&](object& o) { return o.listen(backlog); });
    }
    outcome<> listen() {
        return call("listen", [](object& o) { return o.listen(); });
    }

    /// The next connection, which blocks whatever this does, and where it comes from. EINVAL unless
    /// listening; EAGAIN 11; ETIMEDOUT 110.
    outcome<std::pair<socket, sockaddr>> accept() {
        using accepted = std::pair<socket, sockaddr>;
        return told(
            on([](object& o) -> weft::result<accepted> {
                weft::endpoint from;
                const weft::result<object*> next = o.accept(from);
                if (!next) {
                    return fail(next.error());
                }
                return accepted(socket(owned{(*next)->number()}), from);
            }),
            "accept");
    }

    /// ECONNREFUSED 111, ETIMEDOUT, EHOSTUNREACH 113, ENETUNREACH 101; EISCONN 106 when connected
    /// or listening; EINPROGRESS 115 and then EALREADY 114 if it may not wait: SO_ERROR tells the
    /// outcome. Fixes the peer of a UDP socket.
    outcome<> connect(const sockaddr& to) {
        return call("connect", [&](object& o) { return with(o, to, &object::connect); });
    }

    /// How many bytes were taken: all; with a timeout, those that were when it struck; without
    /// waiting 1 or more. EAGAIN, ETIMEDOUT (none was taken), ENOTCONN 107, EPIPE 32, ECONNRESET
    /// 104; of UDP EDESTADDRREQ 89, EMSGSIZE 90.
    outcome<std::size_t> send(const buffer& from, int flags = 0) {
        return count("send", [&](object& o) { return o.send(from.span(), flags); });
    }
    /// All, or an error, whose count() tells how many were taken. EAGAIN before any is, where it
    /// may not wait and not all fit.
    outcome<> sendall(const buffer& from) {
        return transfer<void>("sendall", from, &object::send_all);
    }
    outcome<std::size_t> sendto(const buffer& from, const sockaddr& to) {
        return count("sendto", [&](object& o) -> io_count {
            const weft::result<endpoint> at = to.endpoint(o.family());
            return at ? o.send_to(from.span(), &*at, 0) : weft::io_error(at.error());
        });
    }

    /// 1 to `n` bytes; none at the end of the stream, for good. EAGAIN, ETIMEDOUT, ENOTCONN,
    /// ECONNRESET once, after the data before it; EINVAL for a negative n. Of UDP one datagram, cut
    /// to n.
    outcome<bytes> recv(std::int64_t n, int flags = 0) {
        return told(
            receive(
                n, [flags](object& o, std::span<std::byte> into) { return o.recv(into, flags); }),
            "recv");
    }
    /// The same with where it comes from.
    outcome<std::pair<bytes, sockaddr>> recvfrom(std::int64_t n, int flags = 0) {
        weft::endpoint from;
        weft::result<bytes> got = receive(n, [&](object& o, std::span<std::byte> into) {
            return o.recv_from(into, flags, from);
        });
        return told(
            got ? weft::result<std::pair<bytes, sockaddr>>(
                      std::pair<bytes, sockaddr>(std::move(*got), from))
                : fail(got.error()),
            "recvfrom");
    }

    /// An integer or bytes. ENOPROTOOPT 92: no such option here; EINVAL: a value that it cannot
    /// have.
    outcome<> setsockopt(int level, int option, int value) {
        return call("setsockopt", [=](object& o) { return o.set_option(level, option, value); });
    }
    outcome<> setsockopt(int level, int option, const buffer& value) {
        return call(
            "setsockopt", [&](object& o) { return o.set_option(level, option, value.span()); });
    }
    /// SO_CALLBACK: `call` is called from the loop when there may be something to receive; None
    /// ends that. `call` is kept until then and may do everything that does not wait.
    template <class F>
        requires(std::is_invocable_v<F&, socket&>)
    outcome<> setsockopt(int level, int option, F callback) {
        using holder = kept_callback<F>;
        return call("setsockopt", [&](object& o) {
            if (level != SOL_SOCKET || option != SO_CALLBACK) {
                return errc::bad_option;
            }
            auto* const kept = new (std::nothrow) holder{std::move(callback)};
            return kept != nullptr ? o.set_ready(&holder::run, kept, &holder::release)
                                   : errc::no_memory;
        });
    }
    outcome<> setsockopt(int level, int option, std::nullopt_t) {
        return call("setsockopt", [=](object& o) {
            const bool known = level == SOL_SOCKET && option == SO_CALLBACK;
            return known ? o.set_ready(nullptr, nullptr) : errc::bad_option;
        });
    }
    outcome<int> getsockopt(int level, int option) {
        return told(on([=](object& o) { return o.get_option(level, option); }), "getsockopt");
    }

    /// Seconds, kept to whole milliseconds, rounded up; 0: it may not wait; None: it blocks.
    /// EINVAL: negative or no number.
    outcome<> settimeout(std::optional<double> seconds) {
        return call("settimeout", [&](object& o) { return set_timeout(o, seconds); });
    }
    outcome<std::optional<double>> gettimeout() {
        return told(
            on([](object& o) -> weft::result<std::optional<double>> {
                if (o.timeout() == object::forever) {
                    return std::optional<double>();
                }
                return std::optional(std::chrono::duration<double>(o.timeout()).count());
            }),
            "gettimeout");
    }
    /// settimeout(None) or settimeout(0).
    outcome<> setblocking(bool flag) {
        return call("setblocking", [flag](object& o) {
            return o.set_timeout(flag ? object::forever : weft::duration::zero());
        });
    }

    /// The socket as a file: the socket itself, which closing the file closes. EINVAL unless
    /// `mode` is "rb", "wb" or "rwb"; nothing is buffered.
    outcome<file> makefile(std::string_view mode = "rb", int buffering = 0);

    /// All up to the end of the stream; None where it may not wait and there is nothing. When a
    /// timeout or an error strikes, what was read stays first in line.
    outcome<std::optional<bytes>> read() { return told(held(bytes::npos), "read"); }
    /// `size` bytes; fewer at the end, or where it may not wait.
    outcome<std::optional<bytes>> read(std::int64_t size) {
        return told(size < 0 ? held(bytes::npos) : held(static_cast<std::size_t>(size)), "read");
    }
    /// How many it wrote to `into`: all, or fewer as for read().
    outcome<std::optional<std::size_t>> readinto(std::span<std::byte> into) {
        return told(on([into](object& o) { return or_none(o.read(into)); }), "readinto");
    }
    outcome<std::optional<std::size_t>> readinto(std::span<std::byte> into, std::size_t nbytes) {
        return readinto(into.first(nbytes < into.size() ? nbytes : into.size()));
    }
    /// Up to and with a line feed; what there is at the end of the stream, or where it may not
    /// wait.
    outcome<std::optional<bytes>> readline() { return told(held_line(), "readline"); }
    /// How many were taken: all, or fewer where it may not wait; then None if none. The count() of
    /// an error says how many were before it.
    outcome<std::optional<std::size_t>> write(const buffer& from) {
        return transfer<std::optional<std::size_t>>("write", from, &object::write);
    }

    /// SHUT_WR: FIN after what was sent. SHUT_RD: from here on nothing is received. ENOTCONN.
    outcome<> shutdown(int how) {
        return call("shutdown", [how](object& o) { return o.shutdown(how); });
    }
    /// A number that is this socket's alone; -1 when it is closed. No descriptor: select and poll
    /// of the operating system do not know it.
    [[nodiscard]] std::int64_t fileno() const noexcept {
        return handles::find(handle_).target != nullptr ? handle_ : -1;
    }
    /// The same, also when it is closed.
    [[nodiscard]] handle number() const noexcept { return handle_; }
    outcome<sockaddr> getsockname() {
        return told(address_of([](object& o) { return o.local(); }), "getsockname");
    }
    outcome<sockaddr> getpeername() {
        return told(address_of([](object& o) { return o.remote(); }), "getpeername");
    }

  private:
    friend class file;
    template <class F>
    struct kept_callback;
    struct owned {
        handle number;
    };
    explicit socket(owned o) noexcept : handle_(o.number) {}

    static weft::failure fail(weft::errc error) noexcept { return weft::fail(error); }
    static weft::result<handle> make(int af, int type, int proto) noexcept;

    template <class F>
    auto on(F use) const -> decltype(use(*static_cast<object*>(nullptr))) {
        const handles::found it = handles::find(handle_);
        if (it.target == nullptr) {
            return fail(it.why);
        }
        return use(*it.target);
    }
    template <class F>
    outcome<> call(const char* name, F use) {
        return told(on([&](object& o) { return as_result(use(o)); }), name);
    }
    template <class F>
    outcome<std::size_t> count(const char* name, F use) {
        return told(on([&](object& o) { return as_result(use(o)); }), name);
    }
    static errc with(object& o, const sockaddr& at, errc (object::*use)(const endpoint&)) {
        const weft::result<endpoint> found = at.endpoint(o.family());
        return found ? (o.*use)(*found) : found.error();
    }
    template <class F>
    weft::result<sockaddr> address_of(F ask) const {
        return on([&](object& o) -> weft::result<sockaddr> {
            const weft::result<endpoint> found = ask(o);
            if (!found) {
                return fail(found.error());
            }
            return sockaddr(*found);
        });
    }
    template <class F>
    weft::result<bytes> receive(std::int64_t n, F take) {
        return on([&](object& o) { return receive_from(o, n, take); });
    }
    template <class R>
    outcome<R> transfer(
        const char* name, const buffer& from,
        errc (object::*use)(std::span<const std::byte>, std::size_t&) noexcept) {
        std::size_t done = 0;
        const weft::errc error = [&] {
            const handles::found it = handles::find(handle_);
            return it.target != nullptr ? (it.target->*use)(from.span(), done) : it.why;
        }();
        if constexpr (std::is_void_v<R>) {
            return told(as_result(error), name, done);
        } else {
            return told(count_or_none(error, done), name, done);
        }
    }

    static weft::result<std::optional<std::size_t>> or_none(io_count n) noexcept;
    static weft::result<std::optional<std::size_t>>
    count_or_none(weft::errc error, std::size_t done) noexcept;
    static errc set_timeout(object& o, std::optional<double> seconds) noexcept;
    /// One allocation, before anything is taken: without memory nothing is lost.
    template <class F>
    static weft::result<bytes> receive_from(object& o, std::int64_t n, F take) {
        if (n < 0) {
            return fail(errc::invalid_argument);
        }
        constexpr std::int64_t most = 65536; // at a time
        weft::result<bytes> made = bytes::with_size(static_cast<std::size_t>(n < most ? n : most));
        if (!made) {
            return made;
        }
        const io_count got = take(o, std::span(made->data(), made->size()));
        if (got < 0) {
            return fail(weft::error_of(got));
        }
        made->shrink(static_cast<std::size_t>(got));
        return made;
    }
    weft::result<std::optional<bytes>> held(std::size_t n) const noexcept;
    weft::result<std::optional<bytes>> held_line() const noexcept;
    static weft::result<std::optional<bytes>> taken(object& o, io_count length) noexcept;

    handle handle_ = 0;
};

/// What makefile() gives: the same socket under a file's names. It does not own it.
class file {
  public:
    outcome<std::optional<bytes>> read() { return view().read(); }
    outcome<std::optional<bytes>> read(std::int64_t size) { return view().read(size); }
    outcome<std::optional<std::size_t>> readinto(std::span<std::byte> into) {
        return view().readinto(into);
    }
    outcome<std::optional<bytes>> readline() { return view().readline(); }
    outcome<std::optional<std::size_t>> write(const buffer& from) { return view().write(from); }
    void flush() noexcept {}
    /// Closes the socket.
    void close() noexcept { view().close(); }

  private:
    friend class socket;
    explicit file(handle h) noexcept : handle_(h) {}
    /// The socket for the length of a call.
    struct borrowed : socket {
        explicit borrowed(handle h) noexcept : socket(socket::owned{h}) {}
        borrowed(const borrowed&) = delete;
        borrowed& operator=(const borrowed&) = delete;
        ~borrowed() { socket::handle_ = 0; }
    };
    [[nodiscard]] borrowed view() const noexcept { return borrowed(handle_); }

    handle handle_;
};

/// A callable that lives until nobody calls it and no socket has it.
template <class F>
struct socket::kept_callback {
    F call;
    int uses = 1;

    static void run(handle of, void* context) {
        auto* const self = static_cast<kept_callback*>(context);
        ++self->uses; // it may close the socket
        const handles::found it = handles::find(of);
        if (it.target != nullptr && it.target->poll(uselect::POLLIN) != 0) {
            file::borrowed view(of);
            self->call(view);
        }
        release(self);
    }
    static void release(void* context) noexcept {
        auto* const self = static_cast<kept_callback*>(context);
        if (--self->uses == 0) {
            delete self;
        }
    }
};

inline outcome<file> socket::makefile(std::string_view mode, int) {
    const bool known = mode == "rb" || mode == "wb" || mode == "rwb";
    return told(
        on([&](object&) -> weft::result<file> {
            if (!known) {
                return fail(errc::invalid_argument);
            }
            return file(handle_);
        }),
        "makefile");
}

} // namespace usocket

#include <usocket/macros_on.inc>

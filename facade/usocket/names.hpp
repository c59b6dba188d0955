// getaddrinfo, inet_pton and inet_ntop.
//
//     auto at = usocket::getaddrinfo("example.org", 80)[0][-1];
//     s.connect(at);
#pragma once

#include <usocket/address.hpp>
#include <usocket/bytes.hpp>
#include <usocket/constants.hpp>
#include <usocket/core/convert.hpp>
#include <usocket/core/names.hpp>
#include <usocket/error.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

#include <usocket/macros_off.inc> // the names of constants are ours down to the end

namespace usocket {

/// One entry: (family, type, proto, canonname, sockaddr).
struct addrinfo {
    int family;
    int type;
    int proto;
    std::string_view canonname; // always ""
    usocket::sockaddr sockaddr;

    /// [-1], as the documents write it (and [4]): the address.
    [[nodiscard]] const usocket::sockaddr& operator[](int) const noexcept { return sockaddr; }
};

/// What getaddrinfo gives: at least one entry. A value; holds everything in place.
class addrinfo_list {
  public:
    explicit addrinfo_list(const address_entries& found) noexcept : found_(found) {}
    [[nodiscard]] std::size_t size() const noexcept { return found_.size; }
    [[nodiscard]] addrinfo operator[](std::size_t i) const noexcept {
        const address_entry& each = found_.entries[i];
        return {each.family, each.type, each.proto, "", each.at};
    }

  private:
    address_entries found_;
};

/// A port, or the name of a service ("http", "80").
class service {
  public:
    service(std::int64_t port) noexcept
        : port_(
              port >= 0 && port <= 65535
                  ? weft::result<std::uint16_t>(static_cast<std::uint16_t>(port))
                  : weft::fail(weft::errc::invalid_argument)) {}
    service(int port) noexcept : service(std::int64_t{port}) {}
    service(std::string_view name) noexcept : port_(port_of(name)) {}
    service(const char* name) noexcept : service(std::string_view(name)) {}
    [[nodiscard]] const weft::result<std::uint16_t>& port() const noexcept { return port_; }

  private:
    weft::result<std::uint16_t> port_;
};

/// Every address and type of socket that fits the filter, AF_INET first and SOCK_STREAM before
/// SOCK_DGRAM. Numbers, and "" for any address, never ask a server; for a name this waits, for
/// `limit` at most. The error's number is EAI_*, negative: -2 (EAI_NONAME) no such name, -3
/// (EAI_AGAIN) no answer, -5 (EAI_NODATA) none of this family, -8 (EAI_SERVICE); and EDEADLK 35
/// from inside the loop: await getaddrinfo_async() there.
inline outcome<addrinfo_list> getaddrinfo(
    std::string_view host, const service& at, int af = 0, int type = 0, int proto = 0,
    int flags = 0, weft::duration limit = default_name_limit) {
    return told(
        [&]() -> weft::result<addrinfo_list> {
            if (!at.port()) {
                return weft::fail(at.port().error());
            }
            address_entries found;
            const weft::errc error = look_up_now(
                thread::here(), host, *at.port(), {af, type, proto, flags}, limit, found);
            if (error != weft::errc::ok) {
                return weft::fail(error);
            }
            return addrinfo_list(found);
        }(),
        "getaddrinfo");
}

/// The same as a coroutine on `net`'s loop: co_await gives weft::result<address_entries>, whose
/// error is the number. A deadline is weft::timeout(); cancelling loses nothing. `host` must stay.
[[nodiscard]] inline weft::task<address_entries> getaddrinfo_async(
    weft::stack& net, std::string_view host, const service& at, int af = 0, int type = 0,
    int proto = 0, int flags = 0) noexcept {
    return look_up(net, host, at.port(), {af, type, proto, flags});
}

/// 4 or 16 bytes. EAFNOSUPPORT 97, EINVAL 22.
inline outcome<bytes> inet_pton(int af, std::string_view text) {
    return told(
        [&]() -> weft::result<bytes> {
            std::array<std::uint8_t, 16> made{};
            const weft::result<std::size_t> size = text_to_bytes(af, text, made);
            if (!size) {
                return weft::fail(size.error());
            }
            return bytes::copy_of(std::as_bytes(std::span(made).first(*size)));
        }(),
        "inet_pton");
}

/// The canonical text (RFC 5952). EAFNOSUPPORT; EINVAL unless there are 4 or 16 bytes.
inline outcome<address_text> inet_ntop(int af, const buffer& address) {
    return told(
        [&]() -> weft::result<address_text> {
            char text[weft::endpoint_text_size];
            const weft::result<std::string_view> made = bytes_to_text(af, address.span(), text);
            if (!made) {
                return weft::fail(made.error());
            }
            return address_text(*made);
        }(),
        "inet_ntop");
}

} // namespace usocket

#include <usocket/macros_on.inc>

// Addresses as the documents write them: ("192.168.12.32", 6001), or what getaddrinfo gives.
//
//     s.bind({"192.168.12.32", 6001});
//     s.connect({"fe80::1", 80, 0, 2});            // flowinfo, scope id
//     auto [connection, from] = s.accept();
//     fmt::print("{} {}", from.host().view(), from.port());
#pragma once

#include <weft/address.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace usocket {

/// The text of an address, held in place.
class address_text {
  public:
    explicit address_text(const weft::address& a) noexcept : size_(weft::to_text(a, text_).size()) {
        text_[size_] = '\0';
    }
    /// A copy of what is not longer than any address.
    explicit address_text(std::string_view text) noexcept
        : size_(text.copy(text_.data(), text_.size() - 1)) {}
    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }
    [[nodiscard]] const char* c_str() const noexcept { return text_.data(); }
    operator std::string_view() const noexcept { return view(); }
    friend bool operator==(const address_text& a, std::string_view b) noexcept {
        return a.view() == b;
    }

  private:
    std::array<char, weft::endpoint_text_size> text_{};
    std::size_t size_;
};

/// (host, port) or (host, port, flowinfo, scope id). The host is a number, or "" for any address;
/// what is wrong with one is told by the call that it is given to: errc::invalid_argument for a
/// name, a port outside 0..65535 or a flowinfo other than 0.
class sockaddr {
  public:
    sockaddr(
        std::string_view host, std::int64_t port, std::int64_t flowinfo = 0,
        std::int64_t scope_id = 0) noexcept;
    sockaddr(const weft::endpoint& at) noexcept : at_(at) {}

    [[nodiscard]] address_text host() const noexcept { return address_text(at_.address); }
    [[nodiscard]] int port() const noexcept { return at_.port; }
    [[nodiscard]] int flowinfo() const noexcept { return 0; }
    [[nodiscard]] std::uint32_t scope_id() const noexcept { return at_.address.scope_id(); }
    [[nodiscard]] int family() const noexcept { return at_.address.is_v4() ? 2 : 10; }

    /// For a socket of `f`, whose any address "" is.
    [[nodiscard]] weft::result<weft::endpoint> endpoint(weft::family f) const noexcept {
        if (wrong_) {
            return weft::fail(weft::errc::invalid_argument);
        }
        return any_ ? weft::endpoint{weft::address::any(f), at_.port} : at_;
    }

    friend bool operator==(const sockaddr&, const sockaddr&) noexcept = default;

  private:
    weft::endpoint at_;
    bool any_ = false;
    bool wrong_ = false;
};

} // namespace usocket

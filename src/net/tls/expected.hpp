// expected: whom a client expects. Names of DNS are mbedTLS's, to ask for and to find in the
// certificate. Addresses are not: nobody may ask for one (RFC 6066, 3), and 2.28 finds none.
#pragma once

#include <weft/address.hpp>

#include <array>
#include <string_view>

namespace weft::tls {

class expected {
  public:
    /// A name, or an address as text; empty: anybody.
    explicit expected(std::string_view name) noexcept;
    explicit expected(const address& a) noexcept { take(a); }

    /// False: no certificate can have that name.
    [[nodiscard]] bool is_possible() const noexcept { return possible_; }
    /// Null: it is a name.
    [[nodiscard]] const address* by_address() const noexcept {
        return by_address_ ? &address_ : nullptr;
    }
    /// The same for the same address, however it was spelled; with a NUL behind it.
    [[nodiscard]] std::string_view text() const noexcept { return text_.data(); }

  private:
    void take(const address& a) noexcept;

    std::array<char, 256> text_{}; // a name of DNS has 253 at most
    address address_;
    bool by_address_ = false;
    bool possible_ = true;
};

} // namespace weft::tls

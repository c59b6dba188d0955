// Addresses and endpoints as text: RFC 4291 in, RFC 5952 out, and nothing else accepted.
#include "fixture.hpp"

#include <array>
#include <limits>

namespace host_test {
namespace {

std::string printed(const address& a) {
    std::array<char, weft::endpoint_text_size> room{};
    return std::string(weft::to_text(a, room));
}
std::string printed(const endpoint& e) {
    std::array<char, weft::endpoint_text_size> room{};
    return std::string(weft::to_text(e, room));
}

struct row {
    std::string_view in;
    std::string_view out; // empty: errc::invalid_argument
};

TEST_CASE("addresses parse, and print in their canonical form") {
    constexpr row table[] = {
        {"0.0.0.0", "0.0.0.0"},
        {"127.0.0.1", "127.0.0.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8::A", "2001:db8::a"},
        {"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"}, // the first of equals
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},                 // one group is no run
        {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
        {"0:0:0:0:0:0:0:2", "::2"},
        {"2:0:0:0:0:0:0:0", "2::"},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
        {"::ffff:102:304", "::ffff:1.2.3.4"},
        {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
        {"fe80::1%2", "fe80::1%2"},
        {"fe80::1%4294967295", "fe80::1%4294967295"},
        {"fe80::1%0", "fe80::1"},
    };
    for (const row& r : table) {
        INFO("parsing \"", std::string(r.in), "\"");
        const auto parsed = address::parse(r.in);
        REQUIRE(error_of(parsed) == errc::ok);
        CHECK(printed(*parsed) == r.out);
        CHECK(error_of(address::parse(r.out)) == errc::ok);
        CHECK(*address::parse(r.out) == *parsed);
    }
}

TEST_CASE("what is not an address is invalid_argument") {
    constexpr std::string_view table[] = {
        "",
        " ",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "256.0.0.1",
        "01.2.3.4",
        "1.2.3.4 ",
        " 1.2.3.4",
        "0x7f.0.0.1",
        "+1.2.3.4",
        "1.2.3.-4",
        "1.2.3.4%1",
        ":",
        ":::",
        "1:",
        ":1",
        "1::2::3",
        "12345::",
        "g::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "1:2:3:4::5:6:7:8",
        "::1.2.3",
        "::1.2.3.4:5",
        "1.2.3.4::",
        "1:2:3:4:5:6:7:1.2.3.4",
        "fe80::1%",
        "fe80::1%x",
        "fe80::1%4294967296",
        "fe80::1%01",
        "%1",
        "[::1]",
        "::1 ",
        "localhost",
    };
    for (const std::string_view in : table) {
        INFO("parsing \"", std::string(in), "\"");
        CHECK(error_of(address::parse(in)) == errc::invalid_argument);
    }
    CHECK(error_of(address::parse(std::string_view("1.2.3.4\0", 8))) == errc::invalid_argument);
}

TEST_CASE("endpoints parse and print") {
    constexpr row table[] = {
        {"1.2.3.4:80", "1.2.3.4:80"},
        {":80", "0.0.0.0:80"},
        {"1.2.3.4:0", "1.2.3.4:0"},
        {"[::1]:65535", "[::1]:65535"},
        {"[fe80::1%2]:7000", "[fe80::1%2]:7000"},
        {"", ""},
        {"1.2.3.4", ""},
        {"1.2.3.4:", ""},
        {"1.2.3.4:65536", ""},
        {"1.2.3.4:080", ""},
        {"1.2.3.4:+1", ""},
        {"1.2.3.4:-1", ""},
        {"1.2.3.4: 1", ""},
        {"::1:80", ""},
        {"[::1]", ""},
        {"[::1]80", ""},
        {"[1.2.3.4]:80", ""},
        {"[]:80", ""},
        {"host:80", ""},
    };
    for (const row& r : table) {
        INFO("parsing \"", std::string(r.in), "\"");
        const auto parsed = endpoint::parse(r.in);
        CHECK(error_of(parsed) == (r.out.empty() ? errc::invalid_argument : errc::ok));
        if (parsed) {
            CHECK(printed(*parsed) == r.out);
        }
    }
}

TEST_CASE("the longest texts fit, and a short room gets nothing") {
    std::array<std::uint8_t, 16> ones{};
    ones.fill(0xff);
    const endpoint longest{address::v6(ones, std::numeric_limits<std::uint32_t>::max()), 65535};
    CHECK(printed(longest) == "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
    std::array<char, weft::endpoint_text_size - 1> short_room{};
    CHECK(weft::to_text(longest, short_room).empty());
}

} // namespace
} // namespace host_test

// print() writes what Python's print() writes for the same values.
#include <usocket/usocket.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <limits>
#include <string>
#include <unistd.h>

namespace {

/// What `write` puts into the standard output.
template <class F>
std::string printed(F write) {
    std::fflush(stdout);
    std::FILE* const kept = std::tmpfile();
    const int before = ::dup(STDOUT_FILENO);
    ::dup2(::fileno(kept), STDOUT_FILENO);
    write();
    std::fflush(stdout);
    ::dup2(before, STDOUT_FILENO);
    ::close(before);
    std::rewind(kept);
    std::string text;
    for (int c = std::fgetc(kept); c != EOF; c = std::fgetc(kept)) {
        text += static_cast<char>(c);
    }
    std::fclose(kept);
    return text;
}

template <class... T>
std::string print(const T&... values) {
    return printed([&] { usocket::print(values...); });
}

usocket::bytes binary(std::string_view text) {
    return *usocket::bytes::copy_of(std::as_bytes(std::span(text)));
}

} // namespace

TEST_CASE("print: values with a space between, and a line feed") {
    CHECK(print() == "\n");
    CHECK(print("rcv:", std::size_t{4096}) == "rcv: 4096\n");
    CHECK(
        print(-1, 0, 1U, std::numeric_limits<std::uint64_t>::max()) ==
        "-1 0 1 18446744073709551615\n");
    CHECK(print(true, false, usocket::None) == "True False None\n");
    CHECK(print(1.0, 0.5, -2.0, 1e300) == "1.0 0.5 -2.0 1e+300\n");
    CHECK(print(std::string("text"), std::string_view("view")) == "text view\n");
}

TEST_CASE("print: what may be None") {
    CHECK(print(std::optional<std::size_t>(), std::optional<std::size_t>(7)) == "None 7\n");
    CHECK(print(std::optional<double>(1.5)) == "1.5\n");
    CHECK(print(std::optional<usocket::bytes>(binary("x"))) == "b'x'\n");
}

TEST_CASE("print: bytes as their literal") {
    using namespace std::literals;
    CHECK(print(binary("rt-thread\r")) == "b'rt-thread\\r'\n");
    CHECK(print(binary("\x01\x7f\xff\0\n\t\\"sv)) == "b'\\x01\\x7f\\xff\\x00\\n\\t\\\\'\n");
    CHECK(print(binary("it's")) == "b\"it's\"\n");
    CHECK(print(binary("'\"")) == "b'\\'\"'\n");
    CHECK(print(usocket::bytes()) == "b''\n");
}

TEST_CASE("print: text as it is, repr() of it between quotes") {
    CHECK(print("地址\r\n") == "地址\r\n\n");
    CHECK(print(usocket::repr("地址\r\n")) == "'地址\\r\\n'\n");
    CHECK(print(usocket::repr("it's")) == "\"it's\"\n");
}

TEST_CASE("print: addresses and lists as tuples") {
    CHECK(print(usocket::sockaddr("127.0.0.1", 80)) == "('127.0.0.1', 80)\n");
    CHECK(print(usocket::sockaddr("2001:db8::1", 80)) == "('2001:db8::1', 80, 0, 0)\n");
    CHECK(
        print(usocket::getaddrinfo("10.0.0.1", 80)) ==
        "[(2, 1, 6, '', ('10.0.0.1', 80)), (2, 2, 17, '', ('10.0.0.1', 80))]\n");
    CHECK(
        print(usocket::getaddrinfo("::1", 9, 0, usocket::SOCK_DGRAM)[0]) ==
        "(10, 2, 17, '', ('::1', 9, 0, 0))\n");
    CHECK(
        print(usocket::inet_ntop(
            usocket::AF_INET, usocket::inet_pton(usocket::AF_INET, "1.2.3.4"))) == "1.2.3.4\n");
}

// What http.hpp takes for a request, what it refuses and with which status, and that neither
// depends on how the bytes were cut into pieces.
#include <doctest/doctest.h>

#include <http.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace {

struct seen {
    std::string method;
    std::string target;
    std::string body;
    bool keep_alive = true;
    bool operator==(const seen&) const = default;
};

struct reading {
    std::vector<seen> requests;
    int status = 0; // of the error that ended it
    bool operator==(const reading&) const = default;
};

/// Reads `text` in pieces of the given sizes; the last size repeats.
reading read_in_pieces(
    std::string_view text, const std::vector<std::size_t>& pieces,
    const http::limits& bounds = {}) {
    http::parser parser(bounds);
    reading result;
    seen current;
    std::size_t which = 0;
    while (true) {
        std::size_t size = std::min(pieces[which], text.size());
        which = std::min(which + 1, pieces.size() - 1);
        std::string piece(
            text.substr(0, size)); // its own memory: reading beyond it is seen by ASan
        text.remove_prefix(size);
        std::string_view input = piece;
        for (bool more = true; more;) {
            const http::step step = parser.next(input);
            REQUIRE(step.consumed <= input.size());
            switch (step.what) {
            case http::event::more:
                CHECK(step.consumed == input.size());
                more = false;
                break;
            case http::event::head:
                current = {
                    parser.message().method, parser.message().target, "",
                    parser.message().keep_alive};
                break;
            case http::event::body:
                CHECK(!step.body.empty());
                current.body += step.body;
                break;
            case http::event::end:
                result.requests.push_back(current);
                break;
            case http::event::error:
                result.status = step.status;
                return result;
            }
            input.remove_prefix(step.consumed);
        }
        if (text.empty()) {
            return result;
        }
    }
}

reading read(std::string_view text, const http::limits& bounds = {}) {
    return read_in_pieces(text, {text.size() + 1}, bounds);
}

int status_of(std::string_view text, const http::limits& bounds = {}) {
    return read(text, bounds).status;
}

std::string get_with(std::string_view fields) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

std::string chunked(std::string_view body) {
    return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body);
}

const std::string pipeline =
    "\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n"
    "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
    "4;name=value\r\nwik\r\r\n00a \r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
    "HEAD /d HTTP/1.0\r\n\r\n";

} // namespace

TEST_CASE("http: requests one behind the other, each with its body") {
    const reading got = read(pipeline);
    CHECK(got.status == 0);
    REQUIRE(got.requests.size() == 4);
    CHECK(got.requests[0] == seen{"GET", "/a", "", true});
    CHECK(got.requests[1] == seen{"POST", "/b", "hello", true});
    CHECK(got.requests[2] == seen{"POST", "/c", "wik\r0123456789", true});
    CHECK(got.requests[3] == seen{"HEAD", "/d", "", false});
}

TEST_CASE("http: cut at every byte, and into single bytes, it reads the same") {
    const reading whole = read(pipeline);
    CHECK(read_in_pieces(pipeline, {1}) == whole);
    for (std::size_t cut = 1; cut < pipeline.size(); ++cut) {
        CAPTURE(cut);
        CHECK(read_in_pieces(pipeline, {cut, pipeline.size()}) == whole);
    }
}

TEST_CASE("http: refusals do not depend on how the bytes were cut") {
    const std::string both = "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
                             "chunked\r\n\r\n0\r\n\r\n";
    for (const std::string& text : {both, chunked("g\r\n"), get_with("A: b\n")}) {
        for (std::size_t cut = 1; cut < text.size(); ++cut) {
            CAPTURE(cut);
            CHECK(read_in_pieces(text, {cut, text.size()}).status == 400);
        }
    }
}

TEST_CASE("http: request lines") {
    CHECK(status_of("GET / HTTP/1.1\r\n") == 0);
    CHECK(status_of("GET /\r\n") == 400);
    CHECK(status_of("GET  / HTTP/1.1\r\n") == 400);
    CHECK(status_of("GET /a b HTTP/1.1\r\n") == 400);
    CHECK(status_of(" GET / HTTP/1.1\r\n") == 400);
    CHECK(status_of("G(T / HTTP/1.1\r\n") == 400);
    CHECK(status_of("GET / HTTP/1.1 \r\n") == 400);
    CHECK(status_of("GET / http/1.1\r\n") == 400);
    CHECK(status_of("GET / HTTP/11\r\n") == 400);
    CHECK(status_of("GET / HTTP/2.0\r\n") == 505);
    CHECK(status_of("GET / HTTP/0.9\r\n") == 505);
    CHECK(status_of(std::string("GET /\0 HTTP/1.1\r\n", 17)) == 400);
    CHECK(status_of("GET / HTTP/1.1\n") == 400);
    CHECK(status_of("GET / HTTP/1.1\rX") == 400);
    CHECK(status_of("\n") == 400);
}

TEST_CASE("http: fields") {
    CHECK(status_of(get_with("A: b\r\n")) == 0);
    CHECK(status_of(get_with("A:\r\n")) == 0);
    CHECK(status_of(get_with("A: b\r\n folded\r\n")) == 400);
    CHECK(status_of(get_with("A: b\r\n\tfolded\r\n")) == 400);
    CHECK(status_of(get_with("A : b\r\n")) == 400);
    CHECK(status_of(get_with(": b\r\n")) == 400);
    CHECK(status_of(get_with("no colon\r\n")) == 400);
    CHECK(status_of(get_with("A: b\n")) == 400);
    CHECK(status_of(get_with("A: b\rc\r\n")) == 400);
    CHECK(status_of(get_with(std::string("A: b\0c\r\n", 8))) == 400);
    CHECK(status_of(get_with("A: \xc3\xa9\r\n")) == 0);
    CHECK(status_of("GET / HTTP/1.1\r\n\r\n") == 400);
    CHECK(status_of("GET / HTTP/1.0\r\n\r\n") == 0);
    CHECK(status_of(get_with("Host: b\r\n")) == 400);
}

TEST_CASE("http: where a body ends is never in doubt") {
    const auto post = [](std::string_view fields) {
        return status_of("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n");
    };
    CHECK(post("Content-Length: 3\r\n") == 0);
    CHECK(post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") == 400);
    CHECK(post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n") == 400);
    CHECK(post("Content-Length: 3\r\nContent-Length: 4\r\n") == 400);
    CHECK(post("Content-Length: 3\r\nContent-Length: 3\r\n") == 400);
    CHECK(post("Content-Length: 3, 3\r\n") == 400);
    CHECK(post("Content-Length: +3\r\n") == 400);
    CHECK(post("Content-Length: -3\r\n") == 400);
    CHECK(post("Content-Length: 0x3\r\n") == 400);
    CHECK(post("Content-Length:\r\n") == 400);
    CHECK(post("Content-Length: 18446744073709551617\r\n") == 413);
    CHECK(post("Content-Length : 3\r\n") == 400);
    CHECK(post("Transfer-Encoding: chunked, chunked\r\n") == 400);
    CHECK(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") == 400);
    CHECK(post("Transfer-Encoding: chunked, identity\r\n") == 400);
    CHECK(post("Transfer-Encoding: gzip, chunked\r\n") == 501);
    CHECK(post("Transfer-Encoding: xchunked\r\n") == 501);
    CHECK(
        post("Transfer-Encoding: \x0b"
             "chunked\r\n") == 400);
    CHECK(post("Transfer-Encoding:\r\n") == 400);
    CHECK(post("Transfer-Encoding: cHuNkEd\r\n") == 0);
    CHECK(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
}

TEST_CASE("http: chunks") {
    CHECK(status_of(chunked("3\r\nabc\r\n0\r\n\r\n")) == 0);
    CHECK(read(chunked("3\r\nabc\r\n0\r\n\r\n")).requests.at(0).body == "abc");
    CHECK(status_of(chunked("\r\n")) == 400);
    CHECK(status_of(chunked("g\r\n")) == 400);
    CHECK(status_of(chunked("-1\r\n")) == 400);
    CHECK(status_of(chunked("+1\r\n")) == 400);
    CHECK(status_of(chunked("0x1\r\n")) == 400);
    CHECK(status_of(chunked(" 1\r\n")) == 400);
    CHECK(status_of(chunked("1 1\r\n")) == 400);
    CHECK(status_of(chunked("1\na\n")) == 400);
    CHECK(status_of(chunked("3\r\nabcd\r\n")) == 400);
    CHECK(status_of(chunked("3\r\nabc\n")) == 400);
    CHECK(status_of(chunked("ffffffffffffffff\r\n")) == 400);
    CHECK(status_of(chunked("10000000000000001\r\n")) == 400);
    CHECK(status_of(chunked("fffffffffffffff\r\n")) == 413);
    CHECK(status_of(chunked("3;" + std::string(300, 'x'))) == 400);
    CHECK(status_of(chunked("0\r\nA: b\r\n folded\r\n\r\n")) == 400);
    CHECK(status_of(chunked("0\r\nnonsense\r\n\r\n")) == 400);
}

TEST_CASE("http: what a stranger can make us keep is bounded") {
    http::limits small;
    small.request_line = 64;
    small.head = 256;
    small.fields = 4;
    small.body = 10;
    CHECK(status_of("GET /" + std::string(100, 'a'), small) == 414);
    CHECK(status_of(get_with("A: " + std::string(300, 'a')), small) == 431);
    CHECK(status_of(get_with("A: 1\r\nB: 2\r\nC: 3\r\n"), small) == 0);
    CHECK(status_of(get_with("A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n"), small) == 431);
    CHECK(status_of(get_with("Content-Length: 10\r\n"), small) == 0);
    CHECK(status_of(get_with("Content-Length: 11\r\n"), small) == 413);
    CHECK(status_of(chunked("6\r\n123456\r\n5\r\n"), small) == 413);
    CHECK(status_of(chunked("0\r\nA: " + std::string(300, 'a')), small) == 431);
    std::string empty_lines;
    for (int i = 0; i < 200; ++i) {
        empty_lines += "\r\n";
    }
    CHECK(status_of(empty_lines, small) == 431);
}

TEST_CASE("http: who keeps the connection, and who waits for 100 Continue") {
    const auto message = [](std::string_view text) {
        http::parser parser;
        REQUIRE(parser.next(text).what == http::event::head);
        return parser.message();
    };
    CHECK(message(get_with("")).keep_alive);
    CHECK_FALSE(message(get_with("Connection: close\r\n")).keep_alive);
    CHECK_FALSE(message(get_with("Connection: x, Close\r\n")).keep_alive);
    CHECK_FALSE(message("GET / HTTP/1.0\r\n\r\n").keep_alive);
    CHECK(message("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
    CHECK(message(get_with("Expect: 100-Continue\r\n")).expects_continue);
    CHECK_FALSE(message("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expects_continue);
    CHECK(status_of(get_with("Expect: the-unexpected\r\n")) == 417);
}

// Any bytes, cut anywhere, parse the same as in one piece and stay within the parser's limits.
#include <http.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

void insist(bool truth, const char* what) {
    if (!truth) {
        std::fprintf(stderr, "not so: %s\n", what);
        std::abort();
    }
}

/// Everything that the parser told, with the parts of a body joined.
std::string told(std::string_view text, std::size_t first_piece, std::size_t later_pieces) {
    http::limits small;
    small.body = 1000;
    small.head = 600;
    http::parser parser(small);
    std::string all;
    std::size_t size = first_piece;
    while (!text.empty()) {
        const std::string piece(text.substr(0, size));
        text.remove_prefix(piece.size());
        size = later_pieces;
        std::string_view input = piece;
        while (true) {
            const http::step step = parser.next(input);
            insist(step.consumed <= input.size(), "no more is consumed than there was");
            input.remove_prefix(step.consumed);
            if (step.what == http::event::more) {
                insist(input.empty(), "more is asked for when all is consumed");
                break;
            }
            if (step.what == http::event::error) {
                return all + " error " + std::to_string(step.status);
            }
            if (step.what == http::event::head) {
                const http::request& message = parser.message();
                insist(!(message.chunked && message.content_length != 0), "one framing");
                all += message.method + ' ' + message.target + '\n';
                for (const auto& [name, value] : message.fields) {
                    all.append(name).append(":").append(value).append("\n");
                }
            } else if (step.what == http::event::body) {
                all += step.body;
            } else {
                all += " end\n";
            }
        }
    }
    return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
    const std::string whole = told(text, size, size);
    insist(told(text, 1U + data[0], 1U + data[1]) == whole, "cuts make no difference");
    insist(told(text, 1, 1) == whole, "single bytes make no difference");
    return 0;
}

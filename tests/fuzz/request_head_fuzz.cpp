// The status page's reader of requests with any bytes: however they are cut it says the same, and
// what it takes for a good request the HTTP server's parser does, too.
#include <http.hpp>
#include <request_head.hpp>

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

namespace {

struct outcome {
    programs::request_head head;
    std::size_t taken = 0;
};

/// Each piece is its own memory: reading beyond it is seen by ASan.
outcome read(std::string_view text, std::size_t size) {
    outcome made;
    while (made.taken < text.size() && !made.head.ended()) {
        const std::string piece(text.substr(made.taken, size));
        made.taken += made.head.take(std::as_bytes(std::span(piece)));
    }
    return made;
}

void require(bool good) {
    if (!good) {
        std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const outcome whole = read(text, size + 1);
    const outcome cut = read(text, 1);
    require(whole.taken == cut.taken && whole.head.ended() == cut.head.ended());
    require(whole.head.status() == cut.head.status() && whole.head.what() == cut.head.what());
    require(whole.head.stays() == cut.head.stays());
    require(whole.taken <= programs::request_head::longest_head + 1);
    if (whole.head.ended() && whole.head.status() == 200) {
        http::parser parser({.fields = 5000}); // it keeps them
        std::string_view rest = text.substr(0, whole.taken);
        const http::step step = parser.next(rest);
        // It knows codings and bounds bodies, which the status page does not read.
        const bool of_bodies = step.what == http::event::error &&
                               (step.status == 501 || step.status == 413 || step.status == 417);
        const bool codings =
            step.what == http::event::error && step.status == 400 && !whole.head.stays();
        require(step.what == http::event::head || of_bodies || codings);
        if (step.what == http::event::head) {
            require(step.consumed == whole.taken);
            require(!whole.head.stays() || parser.message().keep_alive);
        }
    }
    return 0;
}

// A server's context of the files that the harness has made.
#pragma once

#include "../host/server.hpp"

#include <weft/tls.hpp>

#include <fstream>
#include <iterator>
#include <string>

namespace bench {

inline std::string contents(const char* path) {
    std::ifstream file(path);
    std::string text(std::istreambuf_iterator<char>(file), {});
    if (text.empty()) {
        fail(path, "cannot be read");
    }
    return text;
}

inline weft::tls_context server_context(const char* certificate, const char* key) {
    const std::string shown = contents(certificate);
    const std::string secret = contents(key);
    auto made = weft::tls_context::server(
        {.certificate = shown, .key = secret, .verify = weft::tls_verify::none});
    if (!made) {
        fail("context", weft::message(made.error()));
    }
    return std::move(*made);
}

} // namespace bench

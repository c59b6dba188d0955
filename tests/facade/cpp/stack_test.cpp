// The words that choose a stack: what is wrong with them is told by name. None of these makes one.
#include <usocket/usocket.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>

namespace {

/// What usocket::use() throws, on a thread that has no stack yet.
std::string refused(std::string_view name) {
    std::string why = "nothing";
    std::thread([&] {
        try {
            usocket::use(name);
        } catch (const usocket::OSError& e) {
            why = e.what();
        }
    }).join();
    return why;
}

} // namespace

TEST_CASE("use: no such stack") {
    CHECK(
        refused("bsd") ==
        "[Errno 22] EINVAL: use: WEFT_STACK: this build has no stack named 'bsd'");
}

TEST_CASE("use: lwIP's settings") {
    const std::string link = "lwip:unix:/tmp/weft-own-" + std::to_string(::getpid()) +
                             ":/tmp/weft-peer-" + std::to_string(::getpid());
    const auto wrong = [&](const std::string& settings) {
        return refused(link + settings);
    };
    CHECK(
        wrong("+10.0.0.2/24+x") ==
        "[Errno 22] EINVAL: use: WEFT_STACK: x is no address with a prefix, no gateway and no "
        "dns:ADDRESS, or one too many");
    CHECK(
        wrong("+10.0.0.2/24+dns:") ==
        "[Errno 22] EINVAL: use: WEFT_STACK: dns: is no name server's address, or one too many");
    CHECK(
        wrong("+dns:example.org") == "[Errno 22] EINVAL: use: WEFT_STACK: dns:example.org is no "
                                     "name server's address, or one too many");
    CHECK(
        wrong("+dns:10.0.0.1+dns:10.0.0.2+dns:fd00::1+dns:10.0.0.4+dns:10.0.0.5") ==
        "[Errno 22] EINVAL: use: WEFT_STACK: dns:10.0.0.5 is no name server's address, or one too "
        "many");
    CHECK(wrong("+10.0.0.2/24+10.0.0.1+dns:10.0.0.1+dns:fd00::1+fd00::2/64") == "nothing");
}

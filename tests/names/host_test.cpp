// What the host's resolver reads from the system's files.
#include "files.hpp"
#include "world.hpp"

#include <weft/host.hpp>

namespace names_test {
namespace {

task<> hosts_file(world& w) {
    const auto net = w.asking(w.dnsmasq_at());
    auto both = co_await net->resolve("printer");
    CHECK(text(both) == "10.1.2.3 fd00::3");
    auto alias = co_await net->resolve("PRINTER.lan", families::ipv4);
    CHECK(text(alias) == "10.1.2.3");
}
TEST_CASE("the hosts file comes before the servers") {
    if (!here().on_lwip()) {
        run(hosts_file);
    }
}

task<> own_hosts_file(world& w) {
    const temporary_file file("10.9.9.9 plotter\n");
    weft::host_names names;
    const endpoint server = w.dnsmasq_at();
    names.servers = std::span(&server, 1);
    names.hosts_file = file.path().c_str();
    const auto net = weft::make_host_stack(w.home(), w.driver(), names);
    if (!net) { // c-ares before 1.19.1
        CHECK(error_of(net) == errc::not_supported);
        co_return;
    }
    auto found = co_await (*net)->resolve("plotter");
    CHECK(text(found) == "10.9.9.9");
    auto other = co_await (*net)->resolve("printer.test");
    CHECK(text(other) == "EAI_NONAME");
}
TEST_CASE("another hosts file, where c-ares can") {
    if (!here().on_lwip()) {
        run(own_hosts_file);
    }
}

task<> resolv_conf(world& w) {
    const temporary_file file("nameserver 127.0.0.1\nsearch nothing.test test\n");
    weft::host_names names;
    names.resolv_conf = file.path().c_str();
    const auto net = weft::make_host_stack(w.home(), w.driver(), names);
    REQUIRE(error_of(net) == errc::ok);
    auto found = co_await (*net)->resolve("both");
    CHECK(text(found) == "192.0.2.2 2001:db8::2");
    auto complete = co_await (*net)->resolve("both.");
    CHECK(text(complete) == "EAI_AGAIN"); // dnsmasq refuses what does not end in ".test"
}
TEST_CASE("resolv.conf: its server, its search list, and a last dot that keeps from it") {
    if (!here().on_lwip()) {
        run(resolv_conf);
    }
}

task<> second_server(world& w) {
    const std::array<endpoint, 2> servers{
        endpoint{address::v4(127, 0, 0, 9), 9}, w.dnsmasq_at()}; // the first refuses
    weft::host_names names;
    names.servers = servers;
    names.timeout = 200ms; // of two questions at once c-ares 1.18 hears for one that it is refused
    const auto net = weft::make_host_stack(w.home(), w.driver(), names);
    REQUIRE(error_of(net) == errc::ok);
    auto found = co_await (*net)->resolve("both.test");
    CHECK(text(found) == "192.0.2.2 2001:db8::2");

    names.servers = std::span(servers).first(1);
    names.tries = 1;
    const auto deaf = weft::make_host_stack(w.home(), w.driver(), names);
    REQUIRE(error_of(deaf) == errc::ok);
    auto refused = co_await (*deaf)->resolve("both.test");
    CHECK(text(refused) == "EAI_AGAIN");
}
TEST_CASE("a server that cannot be reached: the next is asked; without one it is EAI_AGAIN") {
    if (!here().on_lwip()) {
        run(second_server);
    }
}

TEST_CASE("options that make no sense are refused") {
    world& w = here();
    const std::array<endpoint, 9> too_many{};
    weft::host_names names;
    names.servers = too_many;
    CHECK(error_of(weft::make_host_stack(w.home(), w.driver(), names)) == errc::invalid_argument);
    names = {};
    names.tries = -1;
    CHECK(error_of(weft::make_host_stack(w.home(), w.driver(), names)) == errc::invalid_argument);
    names = {};
    names.timeout = -1ms;
    CHECK(error_of(weft::make_host_stack(w.home(), w.driver(), names)) == errc::invalid_argument);
}

} // namespace
} // namespace names_test

// What the example programs share: which stack and which link, from the command line; one line for
// what is wrong; and an orderly end on Ctrl-C.
//
//     int main(int argc, char** argv) {
//         example::program self("echo", "Sends back what it receives.");
//         const weft::endpoint& at = self.endpoint("--bind", "127.0.0.1:7000", "where to listen");
//         return self.run(argc, argv, [&](weft::stack& net) { return echo(net, at); });
//     }
#pragma once

#include "network.hpp"

#include <weft/fmt.hpp>
#include <weft/stack.hpp>
#include <weft/task.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace CLI { // its headers take longer to compile than any of the programs
class App;
class Option;
} // namespace CLI

namespace example {

/// False with --quiet.
bool talkative() noexcept;

/// A line on stdout, unless --quiet.
template <class... A>
void say(fmt::format_string<A...> text, A&&... arguments) {
    if (talkative()) {
        fmt::print("{}\n", fmt::format(text, std::forward<A>(arguments)...));
        std::fflush(stdout);
    }
}

/// The one line on stderr that says what was wrong and what to do. run() adds nothing to it.
void complain(const std::string& line);

/// The value of an option, or bad_choice, which run() reports.
weft::endpoint parse_endpoint(const std::string& option, const std::string& text);

class program {
  public:
    using job = std::function<weft::task<>(weft::stack&)>;

    program(std::string name, const std::string& what);
    program(const program&) = delete;
    ~program();

    /// An option that takes a whole number from `least` to `most`; `value` if it is not given.
    template <class T>
    void number(
        const std::string& option, T& value, std::type_identity_t<T> least,
        std::type_identity_t<T> most, const std::string& what) {
        add_number(
            option, what, static_cast<std::int64_t>(value), static_cast<std::int64_t>(least),
            static_cast<std::int64_t>(most),
            [&value](const std::int64_t& given) { value = static_cast<T>(given); });
    }
    /// Options that take any text, and any number of them.
    void text(const std::string& option, std::string& value, const std::string& what);
    void
    texts(const std::string& option, std::vector<std::string>& values, const std::string& what);

    /// An option that takes ADDR:PORT; valid from when run() calls the work. A name without dashes
    /// is a positional argument; `initial` empty: it must be given.
    const weft::endpoint&
    endpoint(const std::string& option, const std::string& initial, const std::string& what);

    /// Parses, makes the stack, runs `serve` on it until it ends or until SIGINT or SIGTERM cancel
    /// it, and lets what was sent arrive. With --link wire `visit` runs on a second lwIP host, and
    /// the program ends with it; without a `visit` there is no --link wire.
    ///
    /// Returns the exit status: 0, 1 if the network failed, 2 if it was asked for what cannot be.
    int run(int argc, char** argv, const job& serve, const job& visit = {});

    /// The same for a routine that waits in its calls: outside the loop, which those calls run.
    /// Signals are its own business; it returns the exit status.
    int run_blocking(int argc, char** argv, const std::function<int(weft::stack&)>& routine);

  private:
    struct given_endpoint {
        std::string option;
        std::string text;
        weft::endpoint value;
        CLI::Option* parsed;
    };

    void add_number(
        const std::string& option, const std::string& what, std::int64_t initial,
        std::int64_t least, std::int64_t most, std::function<void(const std::int64_t&)> take);
    void parse(int argc, char** argv);
    int on_network(
        int argc, char** argv, bool two_hosts_possible, const std::function<int(network&)>& work);
    int report(weft::errc error) const;

    std::unique_ptr<CLI::App> app_;
    network_choice choice_;
    bool quiet_ = false;
    std::deque<given_endpoint> endpoints_;
};

} // namespace example

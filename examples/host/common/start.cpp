#include "start.hpp"

#include <weft/loop.hpp>
#include <weft/scope.hpp>
#include <weft/sync_wait.hpp>
#include <weft/timeout.hpp>
#include <weft/when_any.hpp>

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>

namespace example {
namespace {

bool quiet = false;
bool complained = false;
std::string program_name;

/// What a signal handler can do: post. The loop then cancels the program's scope.
class stop_on_signal : weft::posted {
  public:
    stop_on_signal(weft::loop& home, weft::scope& work) noexcept
        : posted(&stop), home_(&home), work_(&work) {
        current_ = this;
        set(SIGINT, &handle);
        set(SIGTERM, &handle);
    }
    stop_on_signal(const stop_on_signal&) = delete;
    ~stop_on_signal() {
        set(SIGINT, SIG_DFL);
        set(SIGTERM, SIG_DFL);
        current_ = nullptr;
    }

  private:
    static void set(int signal, void (*handler)(int)) noexcept {
        struct sigaction action = {};
        action.sa_handler = handler;
        sigaction(signal, &action, nullptr);
    }
    static void handle(int) { current_->home_->post(*current_); }
    static void stop(posted& self) { static_cast<stop_on_signal&>(self).work_->cancel(); }

    static inline stop_on_signal* current_ = nullptr;
    weft::loop* home_;
    weft::scope* work_;
};

weft::task<> in_scope(weft::scope& stop, weft::task<> work) {
    const auto done = co_await weft::within(stop, std::move(work));
    if (!done) {
        co_await weft::fail(done.error());
    }
}

weft::task<> until_visited(weft::task<> serving, weft::task<> visiting) {
    const auto ended = co_await weft::when_any(std::move(serving), std::move(visiting));
    const auto& done = ended.index == 0 ? std::get<0>(ended.results) : std::get<1>(ended.results);
    if (!done) {
        co_await weft::fail(done.error());
    }
}

/// Runs the loop until everything sent has been delivered, or nobody takes it for a while.
void deliver(weft::loop& loop, const weft::stack& net) {
    const auto deadline = weft::deadline_after(loop.now(), std::chrono::seconds(2));
    while (!net.drained() && loop.now() < deadline) {
        const auto turned = loop.step(
            std::min(deadline, weft::deadline_after(loop.now(), std::chrono::milliseconds(20))));
        if (!turned) {
            return;
        }
    }
}

std::string advice(weft::errc error) {
    switch (error) {
    case weft::errc::address_in_use:
        return "; stop the program that has it, or choose another port";
    case weft::errc::address_not_available:
        return "; choose an address of this host, or :PORT for all of them";
    case weft::errc::permission_denied:
    case weft::errc::not_permitted:
        return "; ports below 1024 need root: choose another, or run as root";
    case weft::errc::connection_refused:
        return "; is the server running there?";
    default:
        return "";
    }
}

bool asked_wrongly(weft::errc error) noexcept {
    return error == weft::errc::address_in_use || error == weft::errc::address_not_available ||
           error == weft::errc::permission_denied || error == weft::errc::not_permitted ||
           error == weft::errc::invalid_argument || error == weft::errc::family_not_supported;
}

} // namespace

bool talkative() noexcept {
    return !quiet;
}

void complain(const std::string& line) {
    complained = true;
    std::fflush(stdout);
    fmt::print(stderr, "{}: {}\n", program_name, line);
}

weft::endpoint parse_endpoint(const std::string& option, const std::string& text) {
    const auto value = weft::endpoint::parse(text);
    if (!value) {
        throw bad_choice(fmt::format(
            "{} {}: no endpoint; write ADDR:PORT with a port from 0 to 65535, as in "
            "127.0.0.1:7000 or [::1]:7000",
            option, text));
    }
    return *value;
}

program::program(std::string name, const std::string& what)
    : app_(std::make_unique<CLI::App>(what, name)) {
    program_name = std::move(name);
    app_->add_option("--stack", choice_.stack, "host or lwip")->capture_default_str();
    app_->add_option("--poller", choice_.poller, "epoll, poll or select");
    app_->add_option("--link", choice_.link, "for lwip: tap:NAME, unix:MINE,PEER or wire");
    app_->add_option(
        "--address", choice_.address, "for lwip: ADDR/PREFIX, 10.0.0.2/24 if not given");
    app_->add_option("--gateway", choice_.gateway, "for lwip: ADDR");
    app_->add_option("--mtu", choice_.mtu, "of lwip's link, in bytes")->capture_default_str();
    app_->add_option("--pcap", choice_.pcap, "for lwip: write the link's frames to this file");
    app_->add_flag("--quiet", quiet_, "print nothing but errors");
}

program::~program() = default;

void program::add_number(
    const std::string& option, const std::string& what, std::int64_t initial, std::int64_t least,
    std::int64_t most, std::function<void(const std::int64_t&)> take) {
    app_->add_option_function(option, std::move(take), what)
        ->check(CLI::Range(least, most))
        ->default_str(std::to_string(initial));
}

void program::text(const std::string& option, std::string& value, const std::string& what) {
    app_->add_option(option, value, what);
}

void program::texts(
    const std::string& option, std::vector<std::string>& values, const std::string& what) {
    app_->add_option(option, values, what);
}

const weft::endpoint&
program::endpoint(const std::string& option, const std::string& initial, const std::string& what) {
    given_endpoint& made = endpoints_.emplace_back(given_endpoint{option, initial, {}, nullptr});
    made.parsed = app_->add_option(option, made.text, what + ", ADDR:PORT");
    if (initial.empty()) {
        made.parsed->required();
    } else {
        made.parsed->capture_default_str();
    }
    return made.value;
}

void program::parse(int argc, char** argv) {
    app_->parse(argc, argv);
    quiet = quiet_;
    for (given_endpoint& each : endpoints_) {
        if (choice_.stack == "lwip" && each.parsed->count() == 0) {
            each.text =
                each.text.substr(each.text.rfind(':')); // lwIP's own address, whatever it is
        }
        each.value = parse_endpoint(each.option, each.text);
    }
}

int program::report(weft::errc error) const {
    if (!complained) {
        const std::string where =
            endpoints_.empty()
                ? ""
                : fmt::format("{} {}: ", endpoints_.front().option, endpoints_.front().text);
        complain(fmt::format("{}{} ({:n}){}", where, error, error, advice(error)));
    }
    return asked_wrongly(error) ? 2 : 1;
}

int program::run(int argc, char** argv, const job& serve, const job& visit) {
    return on_network(argc, argv, visit != nullptr, [&](network& net) {
        weft::scope everything(net.loop());
        weft::result<> done;
        {
            const stop_on_signal stopping(net.loop(), everything);
            weft::task<> work = net.other() == nullptr
                                    ? serve(net.stack())
                                    : until_visited(serve(net.stack()), visit(*net.other()));
            done = weft::sync_wait(net.loop(), in_scope(everything, std::move(work)));
            deliver(net.loop(), net.stack());
        }
        if (!done && !everything.canceled()) {
            return report(done.error());
        }
        return complained ? 1 : 0;
    });
}

int program::run_blocking(int argc, char** argv, const std::function<int(weft::stack&)>& routine) {
    return on_network(argc, argv, false, [&](network& net) {
        const int status = routine(net.stack());
        deliver(net.loop(), net.stack());
        return status;
    });
}

int program::on_network(
    int argc, char** argv, bool two_hosts_possible, const std::function<int(network&)>& work) try {
    parse(argc, argv);
    network net(choice_, two_hosts_possible);
    return work(net);
} catch (const bad_choice& wrong) {
    complain(wrong.what());
    return 2;
} catch (const CLI::ParseError& wrong) {
    if (wrong.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
        return app_->exit(wrong); // --help
    }
    complain(fmt::format("{}; see {} --help", wrong.what(), program_name));
    return 2;
}

} // namespace example

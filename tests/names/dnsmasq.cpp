#include "dnsmasq.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace names_test {
namespace {

/// It listens for TCP once it serves.
bool accepts(const weft::endpoint& at) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(at.port);
    std::memcpy(&name.sin_addr, at.address.bytes().data(), 4);
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool connected =
        ::connect(probe, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
    ::close(probe);
    return connected;
}

/// In our own network namespace, so that a child of somebody who is not root may have port 53.
void free_low_ports() {
    const int file = ::open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_WRONLY | O_CLOEXEC);
    if (file >= 0) {
        const ssize_t written = ::write(file, "0", 1);
        (void)written; // then dnsmasq says that it may not
        ::close(file);
    }
}

} // namespace

std::string dnsmasq::start(
    const weft::endpoint& at, const std::string& hosts, const std::vector<std::string>& more) {
    std::array<char, weft::endpoint_text_size> room{};
    std::vector<std::string> words{
        "dnsmasq",
        "--conf-file=/dev/null",
        "--keep-in-foreground",
        "--pid-file",
        "--log-facility=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--local=/test/",
        "--bind-interfaces",
        "--addn-hosts=" + hosts,
        "--listen-address=" + std::string(weft::to_text(at.address, room)),
        "--port=" + std::to_string(at.port)};
    if (::geteuid() == 0) {
        words.emplace_back("--user=root"); // its files are ours alone
    }
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> arguments;
    for (std::string& each : words) {
        arguments.push_back(each.data());
    }
    arguments.push_back(nullptr);
    free_low_ports();
    child_ = ::fork();
    if (child_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL); // it does not outlive a test that crashes
        ::execvp("dnsmasq", arguments.data());
        ::execv("/usr/sbin/dnsmasq", arguments.data()); // outside most users' PATH
        ::_exit(127);
    }
    if (child_ < 0) {
        return std::string("fork: ") + std::strerror(errno);
    }
    for (int waits = 0; waits < 1000; ++waits) {
        int status = 0;
        if (::waitpid(child_, &status, WNOHANG) == child_) {
            child_ = -1;
            return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? "there is no dnsmasq here"
                                                                   : "dnsmasq does not start";
        }
        if (accepts(at)) {
            return "";
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return "dnsmasq does not answer";
}

dnsmasq::~dnsmasq() {
    if (child_ > 0) {
        ::kill(child_, SIGTERM);
        ::waitpid(child_, nullptr, 0);
    }
}

} // namespace names_test

#include "surroundings.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace frames {

namespace {
int wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
} // namespace

temporary_folder::temporary_folder() {
    char name[] = "/tmp/weft-link-XXXXXX";
    path_ = mkdtemp(name) != nullptr ? name : "";
    REQUIRE(!path_.empty());
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void skip(const char* why) {
    const char* const ci = std::getenv("CI");
    if (ci != nullptr && std::strcmp(ci, "true") == 0) {
        FAIL_CHECK("CI=true and this cannot run: ", why);
        return;
    }
    std::fprintf(stderr, "SKIP %s\n", why);
}

std::string read_all(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool exists(const std::string& file) {
    struct stat found;
    return lstat(file.c_str(), &found) == 0;
}

int run(const std::vector<std::string>& arguments, std::string* output) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::vector<char*> raw;
        for (const std::string& argument : arguments) {
            raw.push_back(const_cast<char*>(argument.c_str()));
        }
        raw.push_back(nullptr);
        if (output != nullptr) {
            dup2(ends[1], STDOUT_FILENO);
        }
        execvp(raw[0], raw.data());
        _exit(127);
    }
    close(ends[1]);
    char piece[4096];
    for (;;) {
        const ssize_t size = read(ends[0], piece, sizeof(piece));
        if (size <= 0 && !(size < 0 && errno == EINTR)) {
            break;
        }
        if (size > 0 && output != nullptr) {
            output->append(piece, static_cast<std::size_t>(size));
        }
    }
    close(ends[0]);
    return wait_for(child);
}

int in_child(const std::function<int()>& body) {
    std::fflush(nullptr);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        _exit(body());
    }
    return wait_for(child);
}

bool wait_readable(int descriptor) {
    pollfd watched{descriptor, POLLIN, 0};
    int ready = 0;
    do {
        ready = poll(&watched, 1, 10'000);
    } while (ready < 0 && errno == EINTR);
    return ready == 1 && (watched.revents & POLLIN) != 0;
}

} // namespace frames

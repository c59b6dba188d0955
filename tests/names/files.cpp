#include "files.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace names_test {

temporary_file::temporary_file(const std::string& content) {
    const char* parent = std::getenv("TMPDIR");
    directory_ = std::string(parent != nullptr ? parent : "/tmp") + "/weft-names-XXXXXX";
    if (::mkdtemp(directory_.data()) == nullptr) {
        std::perror("mkdtemp");
        std::abort();
    }
    path_ = directory_ + "/file";
    std::FILE* file = std::fopen(path_.c_str(), "w");
    if (file == nullptr || std::fputs(content.c_str(), file) < 0 || std::fclose(file) != 0) {
        std::perror(path_.c_str());
        std::abort();
    }
}

temporary_file::~temporary_file() {
    ::unlink(path_.c_str());
    ::rmdir(directory_.c_str());
}

std::string replace_hosts_file(const std::string& hosts) {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount(hosts.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr) != 0) {
        return std::string("/etc/hosts cannot be replaced: ") + std::strerror(errno);
    }
    return "";
}

std::string zone() {
    std::string text = "192.0.2.1 v4.test\n2001:db8::1 v6.test\n"
                       "192.0.2.2 both.test\n2001:db8::2 both.test\n";
    for (int i = 0; i < 60; ++i) {
        text += "198.51.100." + std::to_string(i) + " many.test\n";
    }
    for (int i = 0; i < 100; ++i) {
        const std::string n = std::to_string(i);
        text += "203.0.113." + n + " n" + n + ".test\n2001:db8::1:" + n + " n" + n + ".test\n";
    }
    return text;
}

} // namespace names_test

#include "descriptors.hpp"

#include <dirent.h>

#include <algorithm>
#include <cstdlib>

namespace parity {
namespace {

template <class F>
void for_each_descriptor(F visit) {
    DIR* listing = ::opendir("/proc/self/fd");
    if (listing == nullptr) {
        return;
    }
    while (const dirent* entry = ::readdir(listing)) {
        const int descriptor = std::atoi(entry->d_name);
        if (entry->d_name[0] != '.' && descriptor != ::dirfd(listing)) {
            visit(static_cast<std::size_t>(descriptor));
        }
    }
    ::closedir(listing);
}

} // namespace

std::size_t open_descriptors() {
    std::size_t count = 0;
    for_each_descriptor([&](std::size_t) { ++count; });
    return count;
}

std::size_t highest_descriptor() {
    std::size_t highest = 0;
    for_each_descriptor([&](std::size_t descriptor) { highest = std::max(highest, descriptor); });
    return highest;
}

void allow_descriptors(std::size_t wanted) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted);
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

descriptor_limit::descriptor_limit(std::size_t descriptors) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit lower = before_;
    lower.rlim_cur = descriptors;
    ::setrlimit(RLIMIT_NOFILE, &lower);
}

descriptor_limit::~descriptor_limit() {
    ::setrlimit(RLIMIT_NOFILE, &before_);
}

} // namespace parity

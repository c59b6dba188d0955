#include "stack/host/drivers.hpp"

#include "stack/host/system_errors.hpp"

#include <climits>
#include <cstdint>
#include <ctime>

#include <fcntl.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/eventfd.h>
#endif

namespace weft::host {

time_point monotonic_now() noexcept {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return time_point(std::chrono::seconds(t.tv_sec) + duration(t.tv_nsec));
}

const timespec* time_left(time_point deadline, timespec& room) noexcept {
    if (deadline == never) {
        return nullptr;
    }
    room = timespec{};
    if (deadline != at_once) {
        const time_point now = monotonic_now();
        if (now < deadline) {
            const auto seconds = std::chrono::floor<std::chrono::seconds>(deadline - now);
            room.tv_sec = static_cast<time_t>(seconds.count());
            room.tv_nsec = static_cast<long>((deadline - now - seconds).count());
        }
    }
    return &room;
}

int milliseconds_until(time_point deadline) noexcept {
    if (deadline == at_once) {
        return 0;
    }
    if (deadline == never) {
        return -1;
    }
    const time_point now = monotonic_now();
    if (deadline <= now) {
        return 0;
    }
    const auto rounded_up = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
    return rounded_up > INT_MAX ? INT_MAX : static_cast<int>(rounded_up);
}

wake_descriptor::~wake_descriptor() {
    if (read_ >= 0) {
        ::close(read_);
    }
    if (write_ >= 0 && write_ != read_) {
        ::close(write_);
    }
}

result<> wake_descriptor::open() noexcept {
#if defined(__linux__)
    read_ = write_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (read_ < 0) {
        return fail(last_error());
    }
#else
    int ends[2];
    if (::pipe(ends) != 0) {
        return fail(last_error());
    }
    read_ = ends[0];
    write_ = ends[1];
    for (const int end : ends) {
        ::fcntl(end, F_SETFL, O_NONBLOCK);
        ::fcntl(end, F_SETFD, FD_CLOEXEC);
    }
#endif
    return {};
}

void wake_descriptor::wake() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(write_, &one, sizeof one); // full: awake already
}

void wake_descriptor::drain() noexcept {
    std::uint64_t count = 0;
    while (::read(read_, &count, sizeof count) == static_cast<ssize_t>(sizeof count)) {
#if defined(__linux__)
        break; // an eventfd gives its whole count at once
#endif
    }
}

} // namespace weft::host

namespace weft {

const char* name(poller p) noexcept {
    switch (p) {
    case poller::epoll:
        return "epoll";
    case poller::poll:
        return "poll";
    case poller::select:
        return "select";
    }
    return "?";
}

std::optional<poller> poller_named(std::string_view text) noexcept {
    for (const poller p : {poller::epoll, poller::poll, poller::select}) {
        if (text == name(p)) {
            return p;
        }
    }
    return std::nullopt;
}

poller default_poller() noexcept {
#if defined(__linux__)
    return poller::epoll;
#else
    return poller::poll;
#endif
}

result<std::unique_ptr<descriptor_driver>> make_descriptor_driver(poller kind) noexcept {
    switch (kind) {
    case poller::epoll:
        return host::make_epoll_driver();
    case poller::poll:
        return host::make_poll_driver();
    case poller::select:
        return host::make_select_driver();
    }
    return fail(errc::invalid_argument);
}

} // namespace weft

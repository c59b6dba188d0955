#include "stack/host/drivers.hpp"

#include "stack/host/system_errors.hpp"

#if defined(__linux__)
#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace weft::host {

namespace {

class epoll_driver final : public descriptor_driver {
  public:
    epoll_driver() noexcept : descriptor_driver(true) {}
    ~epoll_driver() override {
        if (epoll_ >= 0) {
            ::close(epoll_);
        }
    }

    result<> open() noexcept {
        epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
        if (epoll_ < 0) {
            return fail(last_error());
        }
        if (const result<> opened = wake_.open(); !opened) {
            return opened;
        }
        epoll_event event{};
        event.events = EPOLLIN | EPOLLET; // each write is an edge: nothing needs to be read
        event.data.ptr = &ignored_;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_.descriptor(), &event) != 0) {
            return fail(last_error());
        }
        return {};
    }

    time_point now() noexcept override { return monotonic_now(); }
    poller kind() const noexcept override { return poller::epoll; }
    void wake() noexcept override { wake_.wake(); }
    [[nodiscard]] int descriptor() const noexcept override { return epoll_; }

    result<> add(descriptor_watch& watch, int descriptor) noexcept override {
        epoll_event event = edges_of(watch);
        watch.descriptor = descriptor;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
            watch.descriptor = -1;
            return fail(last_error());
        }
        return {};
    }

    void remove(descriptor_watch& watch) noexcept override {
        if (watch.descriptor < 0) {
            return;
        }
        epoll_event unused{};
        ::epoll_ctl(epoll_, EPOLL_CTL_DEL, watch.descriptor, &unused);
        watch.descriptor = -1;
        for (int i = 0; i < taken_; ++i) { // a callback removed a watch of the same batch
            if (events_[static_cast<std::size_t>(i)].data.ptr == &watch) {
                events_[static_cast<std::size_t>(i)].data.ptr = &ignored_;
            }
        }
    }

    void arm(descriptor_watch& watch, unsigned) noexcept override {
        epoll_event event = edges_of(watch);
        ::epoll_ctl(epoll_, EPOLL_CTL_MOD, watch.descriptor, &event); // tells what is there, again
    }

    bool wait(time_point deadline) noexcept override {
        taken_ = take(deadline);
        for (int i = 0; i < taken_; ++i) {
            const epoll_event& event = events_[static_cast<std::size_t>(i)];
            auto& watch = *static_cast<descriptor_watch*>(event.data.ptr);
            watch.happened(watch, event.events);
        }
        return true;
    }

  private:
    static constexpr int batch = 256;

    static epoll_event edges_of(descriptor_watch& watch) noexcept {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
        event.data.ptr = &watch;
        return event;
    }

    int take(time_point deadline) noexcept {
        if (deadline == never) [[likely]] {
            return ::epoll_wait(epoll_, events_.data(), batch, -1);
        }
        return take_until(deadline);
    }

    [[gnu::noinline]] int take_until(time_point deadline) noexcept {
        if (deadline == at_once) {
            return ::epoll_wait(epoll_, events_.data(), batch, 0);
        }
#if defined(SYS_epoll_pwait2)
        if (nanoseconds_) {
            timespec room;
            const timespec* left = time_left(deadline, room);
            const struct { // the kernel's own timespec, 64 bits everywhere
                std::int64_t seconds;
                std::int64_t nanoseconds;
            } limit{left->tv_sec, left->tv_nsec};
            const long n =
                ::syscall(SYS_epoll_pwait2, epoll_, events_.data(), batch, &limit, nullptr, 0);
            if (n >= 0 || errno == EINTR) {
                return static_cast<int>(n);
            }
            nanoseconds_ = false; // before Linux 5.11, or a filter that forbids it
        }
#endif
        return ::epoll_wait(epoll_, events_.data(), batch, milliseconds_until(deadline));
    }

    static_assert(descriptor_watch::readable == EPOLLIN && descriptor_watch::writable == EPOLLOUT);
    static_assert(descriptor_watch::failed == (EPOLLERR | EPOLLHUP));
    static_assert(descriptor_watch::finished == (EPOLLPRI | EPOLLRDHUP));

    int epoll_ = -1;
    int taken_ = 0;           // of events_, the last time; some may be told already
    bool nanoseconds_ = true; // as far as is known
    descriptor_watch ignored_{[](descriptor_watch&, unsigned) {
    }}; // woken, or removed meanwhile
    wake_descriptor wake_;
    std::array<epoll_event, batch> events_;
};

} // namespace

result<std::unique_ptr<descriptor_driver>> make_epoll_driver() noexcept {
    return make_opened<epoll_driver>();
}

} // namespace weft::host
#else
namespace weft::host {
result<std::unique_ptr<descriptor_driver>> make_epoll_driver() noexcept {
    return fail(errc::not_supported);
}
} // namespace weft::host
#endif

#include "stack/host/drivers.hpp"

#include "stack/host/system_errors.hpp"

#include <array>

#include <sys/select.h>

namespace weft::host {

namespace {

/// select(2): descriptors below FD_SETSIZE, found by number. Level-triggered like poll.
class select_driver final : public descriptor_driver {
  public:
    select_driver() noexcept : descriptor_driver(false) {
        FD_ZERO(&readable_);
        FD_ZERO(&writable_);
    }

    result<> open() noexcept {
        if (const result<> opened = wake_.open(); !opened) {
            return opened;
        }
        if (wake_.descriptor() >= FD_SETSIZE) {
            return fail(errc::out_of_range);
        }
        FD_SET(wake_.descriptor(), &readable_);
        highest_ = wake_.descriptor();
        return {};
    }

    time_point now() noexcept override { return monotonic_now(); }
    poller kind() const noexcept override { return poller::select; }
    void wake() noexcept override { wake_.wake(); }

    result<> add(descriptor_watch& watch, int descriptor) noexcept override {
        if (descriptor >= FD_SETSIZE) {
            return fail(errc::out_of_range);
        }
        watch.descriptor = descriptor;
        watches_[static_cast<std::size_t>(descriptor)] = &watch;
        FD_SET(descriptor, &readable_);
        FD_SET(descriptor, &writable_);
        highest_ = descriptor > highest_ ? descriptor : highest_;
        return {};
    }

    void remove(descriptor_watch& watch) noexcept override {
        if (watch.descriptor < 0) {
            return;
        }
        FD_CLR(watch.descriptor, &readable_);
        FD_CLR(watch.descriptor, &writable_);
        watches_[static_cast<std::size_t>(watch.descriptor)] = nullptr;
        watch.descriptor = -1;
        while (highest_ > wake_.descriptor() &&
               watches_[static_cast<std::size_t>(highest_)] == nullptr) {
            --highest_;
        }
    }

    void arm(descriptor_watch& watch, unsigned bits) noexcept override {
        if (watch.descriptor < 0) {
            return;
        }
        if ((bits & descriptor_watch::readable) != 0) {
            FD_SET(watch.descriptor, &readable_);
        }
        if ((bits & descriptor_watch::writable) != 0) {
            FD_SET(watch.descriptor, &writable_);
        }
    }

    bool wait(time_point deadline) noexcept override {
        fd_set readable = readable_;
        fd_set writable = writable_;
        timespec room;
        const int last = highest_;
        int left =
            ::pselect(last + 1, &readable, &writable, nullptr, time_left(deadline, room), nullptr);
        for (int descriptor = 0; left > 0 && descriptor <= last; ++descriptor) {
            unsigned bits = 0;
            if (FD_ISSET(descriptor, &readable)) {
                --left;
                bits |= descriptor_watch::readable;
            }
            if (FD_ISSET(descriptor, &writable)) {
                --left;
                bits |= descriptor_watch::writable;
            }
            if (bits == 0) {
                continue;
            }
            if (descriptor == wake_.descriptor()) {
                wake_.drain();
                continue;
            }
            descriptor_watch* watch = watches_[static_cast<std::size_t>(descriptor)];
            if (watch == nullptr) {
                continue; // removed by a callback of this batch
            }
            if ((bits & descriptor_watch::readable) != 0) {
                FD_CLR(descriptor, &readable_);
            }
            if ((bits & descriptor_watch::writable) != 0) {
                FD_CLR(descriptor, &writable_);
            }
            watch->happened(*watch, bits);
        }
        return true;
    }

  private:
    wake_descriptor wake_;
    fd_set readable_;
    fd_set writable_;
    int highest_ = -1;
    std::array<descriptor_watch*, FD_SETSIZE> watches_{};
};

} // namespace

result<std::unique_ptr<descriptor_driver>> make_select_driver() noexcept {
    return make_opened<select_driver>();
}

} // namespace weft::host

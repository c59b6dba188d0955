#include <weft/port.hpp>

namespace weft {

namespace {

/// Keeps interrupts away while the driver decides to sleep. WFI wakes for them nevertheless.
class masked_interrupts {
  public:
#if defined(__arm__)
    masked_interrupts() noexcept {
        asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(before_)::"memory");
    }
    ~masked_interrupts() { asm volatile("msr primask, %0" ::"r"(before_) : "memory"); }
#else
#error "port_driver: how are this processor's interrupts masked?"
#endif
    masked_interrupts(const masked_interrupts&) = delete;
    masked_interrupts& operator=(const masked_interrupts&) = delete;

  private:
    unsigned before_;
};

} // namespace

time_point port_driver::now() noexcept {
    return time_point(duration(weft_port_now()));
}

bool port_driver::wait(time_point deadline) noexcept {
    while (!woken_ && now() < deadline) {
        const masked_interrupts masked;
        if (!woken_) {
            weft_port_sleep(deadline.time_since_epoch().count());
        }
    }
    woken_ = false;
    return true;
}

void port_driver::wake() noexcept {
    woken_ = true;
}

} // namespace weft

extern "C" [[gnu::weak]] void weft_port_sleep(std::int64_t) {
    asm volatile("dsb\n\twfi" ::: "memory");
}

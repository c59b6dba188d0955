// A driver for tests with other threads.
#pragma once

#include <weft/driver.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace test {

/// Blocks for real, and is woken.
class waking_driver : public weft::driver {
  public:
    weft::time_point now() noexcept override {
        return weft::time_point(std::chrono::steady_clock::now().time_since_epoch());
    }
    bool wait(weft::time_point deadline) noexcept override {
        std::unique_lock lock(mutex_);
        if (deadline == weft::never) {
            changed_.wait(lock, [this] { return woken_; });
        } else if (deadline != weft::at_once) {
            changed_.wait_for(lock, deadline - now(), [this] { return woken_; });
        }
        woken_ = false;
        return true;
    }
    void wake() noexcept override {
        const std::lock_guard lock(mutex_);
        woken_ = true;
        changed_.notify_one();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
};

} // namespace test

// acceptor: what runs behind a server. For those who read the source; users name uasyncio::server.
#pragma once

#include <uasyncio/stream.hpp>

#include <weft/event.hpp>
#include <weft/task.hpp>
#include <weft/task_group.hpp>
#include <weft/tcp.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace uasyncio {

/// The callback of a server without its type.
class connection_callback {
  public:
    connection_callback(const connection_callback&) = delete;
    connection_callback& operator=(const connection_callback&) = delete;
    virtual ~connection_callback() = default;
    virtual weft::task<> serve(stream peer) = 0;
    /// What a stream is made of.
    virtual weft::result<weft::tcp_stream> take(weft::tcp_stream accepted) noexcept {
        return accepted;
    }

  protected:
    connection_callback() noexcept = default;
};

template <class Callable>
class connection_callback_of final : public connection_callback {
  public:
    template <class C>
    explicit connection_callback_of(C&& call) : call_(std::forward<C>(call)) {}
    weft::task<> serve(stream peer) override { return call_(std::move(peer)); }

  private:
    Callable call_;
};

/// The accept loop and a task for each connection, all in one group.
class acceptor {
  public:
    acceptor(
        weft::loop& home, weft::tcp_listener listener,
        std::unique_ptr<connection_callback> callback) noexcept
        : callback_(std::move(callback)), listener_(std::move(listener)), tasks_(home) {}

    /// errc::no_memory.
    weft::result<> start();
    void close() noexcept { listener_.close(); }

    /// Set when neither the accept loop nor a connection is left.
    [[nodiscard]] weft::event& ended() noexcept { return ended_; }
    [[nodiscard]] const weft::tcp_listener& listener() const noexcept { return listener_; }
    [[nodiscard]] std::size_t connections() const noexcept { return connections_; }
    [[nodiscard]] std::size_t failures() const noexcept { return failures_; }

  private:
    weft::task<> accept_all();
    weft::task<> run(stream peer);
    void begin(weft::tcp_stream accepted);
    void look_for_the_end() noexcept {
        if (!accepting_ && connections_ == 0) {
            ended_.set();
        }
    }

    std::unique_ptr<connection_callback> callback_; // outlives the tasks: they may run inside it
    weft::tcp_listener listener_;
    weft::event ended_;
    std::size_t connections_ = 0;
    std::size_t failures_ = 0;
    bool accepting_ = false;
    weft::task_group tasks_;
};

} // namespace uasyncio

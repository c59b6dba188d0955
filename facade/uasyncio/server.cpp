#include <uasyncio/server.hpp>

#include <weft/resolve.hpp>
#include <weft/sleep.hpp>

#include <chrono>

namespace uasyncio {

using weft::errc;

namespace {

/// After an error of accept that the listener survives.
constexpr auto accept_pause = std::chrono::milliseconds(50);

bool ends_accepting(errc error) noexcept {
    return error == errc::bad_handle || error == errc::canceled ||
           error == errc::invalid_argument || error == errc::already;
}

} // namespace

// --- acceptor ---------------------------------------------------------------------------------

weft::result<> acceptor::start() {
    accepting_ = true;
    const weft::result<> spawned = tasks_.spawn(accept_all());
    accepting_ = accepting_ && spawned;
    return spawned;
}

weft::task<> acceptor::accept_all() {
    while (true) {
        auto accepted = co_await listener_.accept();
        if (accepted) {
            begin(std::move(*accepted));
        } else if (ends_accepting(accepted.error())) {
            break;
        } else { // descriptors or memory have run out
            auto slept = co_await weft::sleep_for(accept_pause);
            (void)slept;
        }
    }
    accepting_ = false;
    look_for_the_end();
}

void acceptor::begin(weft::tcp_stream accepted) {
    ++connections_;
    weft::result<weft::tcp_stream> taken = callback_->take(std::move(accepted));
    weft::result<stream> peer =
        taken ? stream::over(std::move(*taken)) : weft::result<stream>(weft::fail(taken.error()));
    const weft::result<> spawned =
        peer ? tasks_.spawn(run(std::move(*peer))) : weft::result<>(weft::fail(peer.error()));
    if (!spawned) {
        ++failures_;
        --connections_;
    }
}

weft::task<> acceptor::run(stream peer) {
    bool failed = true;
#if defined(__cpp_exceptions)
    try {
#endif
        auto work = callback_->serve(std::move(peer));
        auto served = co_await std::move(work);
        failed = !served;
#if defined(__cpp_exceptions)
    } catch (...) { // one connection's exception is not the others' business
    }
#endif
    failures_ += failed ? 1 : 0;
    --connections_;
    look_for_the_end();
}

// --- server -----------------------------------------------------------------------------------

std::optional<weft::endpoint> server::sockname() const noexcept {
    if (acceptor_) {
        if (const weft::result<weft::endpoint> at = acceptor_->listener().local()) {
            return *at;
        }
    }
    return std::nullopt;
}

weft::task<server> start_listening(
    weft::stack& net, std::unique_ptr<connection_callback> callback, host_name host,
    std::uint16_t port, std::size_t backlog) {
    if (!callback) {
        co_return weft::fail(errc::no_memory);
    }
    weft::endpoint at{weft::address::any(), port};
    if (!host.view().empty()) {
        auto found = co_await net.resolve(host.view());
        if (!found) {
            co_return weft::fail(found.error());
        }
        at.address = found->front();
    }
    weft::result<weft::tcp_listener> listener = net.listen(at, backlog);
    if (!listener) {
        co_return weft::fail(listener.error());
    }
    std::unique_ptr<acceptor> running(
        new (std::nothrow) acceptor(net.loop(), std::move(*listener), std::move(callback)));
    if (!running) {
        co_return weft::fail(errc::no_memory);
    }
    const weft::result<> started = running->start();
    if (!started) {
        co_return weft::fail(started.error());
    }
    co_return server(std::move(running));
}

} // namespace uasyncio

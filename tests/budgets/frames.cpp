// Prints the frame size of coroutines that programs are made of, as the compiler asks for it (the
// pool rounds up). tests/budgets/budgets.py compares it with the budgets.
#include <weft/event.hpp>
#include <weft/mutex.hpp>
#include <weft/sleep.hpp>
#include <weft/stack.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>
#include <weft/when_any.hpp>

#include <chrono>
#include <cstdio>
#include <span>

namespace {

std::size_t last_frame = 0;

/// A coroutine whose first parameter is this has its frame measured; it is never run.
struct measured {};

template <class T>
struct measuring_promise : weft::promise<T> {
    static void* operator new(std::size_t size) noexcept {
        last_frame = size;
        return weft::promise_base::operator new(size);
    }
};

} // namespace

template <class T, class... A>
struct std::coroutine_traits<weft::task<T>, measured, A...> {
    using promise_type = measuring_promise<T>;
};

namespace {

using namespace std::chrono_literals;

weft::task<> nothing(measured) {
    co_return;
}

weft::task<int> value(measured) {
    co_return 1;
}

weft::task<> pause(measured) {
    const auto slept = co_await weft::sleep_for(1ms);
    if (!slept) {
        co_await weft::fail(slept.error());
    }
}

weft::task<> child(weft::task<> work) {
    const auto done = co_await std::move(work);
    if (!done) {
        co_await weft::fail(done.error());
    }
}

weft::task<> parent(measured, weft::task<> (*start)()) {
    const auto done = co_await start();
    if (!done) {
        co_await weft::fail(done.error());
    }
}

weft::task<> echo(measured, weft::tcp_stream peer, std::span<std::byte> buffer) {
    while (true) {
        const auto received = co_await peer.recv(buffer);
        if (!received || *received == 0) {
            co_return;
        }
        const auto sent = co_await peer.send_all(buffer.data(), *received);
        if (!sent) {
            co_return;
        }
    }
}

weft::task<> echo_datagrams(measured, weft::udp_socket socket, std::span<std::byte> buffer) {
    while (true) {
        const auto got = co_await socket.recv_from(buffer);
        if (!got) {
            co_return;
        }
        const auto sent = co_await socket.send_to(buffer.first(got->size), got->from);
        if (!sent) {
            co_return;
        }
    }
}

weft::task<> accept_loop(measured, weft::tcp_listener listener, weft::task_group& peers) {
    while (true) {
        auto peer = co_await listener.accept();
        if (!peer) {
            co_return;
        }
        const auto spawned = peers.spawn(child({}));
        if (!spawned) {
            co_return;
        }
    }
}

weft::task<> connect(measured, weft::stack& net, weft::endpoint to) {
    const auto peer = co_await net.connect(to);
    if (!peer) {
        co_await weft::fail(peer.error());
    }
}

weft::task<std::size_t>
recv_in_time(measured, weft::tcp_stream& peer, std::span<std::byte> buffer) {
    co_return co_await weft::timeout(peer.recv(buffer), 1s);
}

weft::task<>
recv_or_stop(measured, weft::tcp_stream& peer, std::span<std::byte> buffer, weft::event& stop) {
    const auto first = co_await weft::when_any(peer.recv(buffer), stop.wait());
    if (first.index == 1) {
        co_return;
    }
}

weft::task<> both(measured, weft::task<> (*start)()) {
    const auto done = co_await weft::when_all(start(), start());
    if (!std::get<0>(done)) {
        co_return;
    }
}

weft::task<> locked(measured, weft::mutex& m) {
    const auto held = co_await m.lock();
    if (!held) {
        co_return;
    }
}

template <class T>
void print(const char* name, weft::task<T> made) {
    std::printf("frame.%s %zu\n", name, made.valid() ? last_frame : 0);
}

} // namespace

int main() {
    // Never started, so what they are given is never touched.
    auto* nobody = reinterpret_cast<weft::tcp_stream*>(&last_frame);
    auto* net = reinterpret_cast<weft::stack*>(&last_frame);
    auto* group = reinterpret_cast<weft::task_group*>(&last_frame);
    weft::event stop;
    weft::mutex m;
    print("nothing", nothing({}));
    print("value", value({}));
    print("sleep_for", pause({}));
    print("await_task", parent({}, nullptr));
    print("echo", echo({}, weft::tcp_stream(), {}));
    print("echo_datagrams", echo_datagrams({}, weft::udp_socket(), {}));
    print("accept", accept_loop({}, weft::tcp_listener(), *group));
    print("connect", connect({}, *net, {}));
    print("timeout_recv", recv_in_time({}, *nobody, {}));
    print("when_any", recv_or_stop({}, *nobody, {}, stop));
    print("when_all", both({}, nullptr));
    print("lock", locked({}, m));
}

// Echo over libuv as its users write a fast one: one shared buffer, uv_try_write first, and a
// queued uv_write with a copy of the rest only when the socket is full.

#include <cstring>
#include <string>
#include <vector>

#include <uv.h>

#include "server.hpp"

namespace {

std::vector<char> buffer;
uv_tcp_t listener;
int live = 0;

// A write that waits, and the bytes that it owns.
struct pending_write {
    uv_write_t request;
    std::string bytes;
};

void closed(uv_handle_t* handle) {
    delete reinterpret_cast<uv_tcp_t*>(handle);
    if (--live == 0)
        uv_close(reinterpret_cast<uv_handle_t*>(&listener), nullptr);
}

void drop(uv_stream_t* stream) {
    auto* handle = reinterpret_cast<uv_handle_t*>(stream);
    if (!uv_is_closing(handle))
        uv_close(handle, closed);
}

void written(uv_write_t* request, int status) {
    uv_stream_t* stream = request->handle;
    delete static_cast<pending_write*>(request->data);
    if (status < 0)
        drop(stream);
}

void give_buffer(uv_handle_t*, std::size_t, uv_buf_t* out) {
    *out = uv_buf_init(buffer.data(), static_cast<unsigned>(buffer.size()));
}

void received(uv_stream_t* stream, ssize_t n, const uv_buf_t* bytes) {
    if (n < 0)
        return drop(stream);
    if (n == 0)
        return;
    const uv_buf_t out = uv_buf_init(bytes->base, static_cast<unsigned>(n));
    int sent = uv_try_write(stream, &out, 1);
    if (sent == n)
        return;
    if (sent == UV_EAGAIN)
        sent = 0;
    if (sent < 0)
        return drop(stream);
    auto* rest = new pending_write{{}, std::string(bytes->base + sent, bytes->base + n)};
    rest->request.data = rest;
    const uv_buf_t left =
        uv_buf_init(rest->bytes.data(), static_cast<unsigned>(rest->bytes.size()));
    if (uv_write(&rest->request, stream, &left, 1, written) != 0) {
        delete rest;
        drop(stream);
    }
}

void connected(uv_stream_t* server, int status) {
    if (status < 0)
        return;
    auto* peer = new uv_tcp_t;
    uv_tcp_init(server->loop, peer);
    ++live;
    auto* stream = reinterpret_cast<uv_stream_t*>(peer);
    if (uv_accept(server, stream) != 0)
        return drop(stream);
    uv_tcp_nodelay(peer, 1);
    uv_read_start(stream, give_buffer, received);
}

void check(const char* what, int status) {
    if (status < 0)
        bench::fail(what, uv_strerror(status));
}

} // namespace

int main(int argc, char** argv) {
    const auto options = bench::parse(argc, argv);
    buffer.resize(options.buffer);
    uv_loop_t* loop = uv_default_loop();
    sockaddr_in at{};
    uv_ip4_addr("127.0.0.1", options.port, &at);
    check("uv_tcp_init", uv_tcp_init(loop, &listener));
    check("uv_tcp_bind", uv_tcp_bind(&listener, reinterpret_cast<sockaddr*>(&at), 0));
    check(
        "uv_listen",
        uv_listen(reinterpret_cast<uv_stream_t*>(&listener), bench::backlog, connected));
    int length = sizeof at;
    check(
        "uv_tcp_getsockname",
        uv_tcp_getsockname(&listener, reinterpret_cast<sockaddr*>(&at), &length));
    bench::announce(ntohs(at.sin_port));
    uv_run(loop, UV_RUN_DEFAULT);
    return uv_loop_close(loop) == 0 ? 0 : 1;
}

"""The contract's row close(), and what becomes of a socket that nobody refers to."""

from harness import *


@test("close(): idempotent, returns None", also=BOTH)
@families
def _(af):
    s = socket.socket(af)
    same(s.close(), None)
    same(s.close(), None)


@test("close(): every later call on the object is EBADF, but close() None and fileno() -1")
def _():
    for kind in (SOCK_STREAM, SOCK_DGRAM):
        s = socket.socket(AF_INET, kind)
        holds(s.fileno() > 0, "fileno() is %d" % s.fileno())
        s.close()
        to = ("127.0.0.1", 9)
        for name, words in (
                ("bind", (to,)), ("listen", (1,)), ("listen", ()), ("accept", ()),
                ("connect", (to,)), ("send", (b"x",)), ("sendall", (b"x",)),
                ("sendto", (b"x", to)), ("recv", (1,)), ("recvfrom", (1,)),
                ("setsockopt", (SOL_SOCKET, socket.SO_REUSEADDR, 1)),
                ("setsockopt", (SOL_SOCKET, socket.SO_CALLBACK, None)),
                ("setsockopt", (SOL_SOCKET, socket.SO_CALLBACK, print)),
                ("getsockopt", (SOL_SOCKET, socket.SO_ERROR)), ("settimeout", (1,)),
                ("gettimeout", ()), ("setblocking", (True,)), ("makefile", ()), ("read", ()),
                ("read", (1,)), ("readinto", (bytearray(4),)), ("readline", ()),
                ("write", (b"x",)), ("shutdown", (1,)), ("getsockname", ()), ("getpeername", ())):
            fails(EBADF, lambda: getattr(s, name)(*words), name)
        s.close()
        same(s.fileno(), -1)


@test("close(): data already accepted for sending is delivered, then FIN", also=BOTH)
@families
def _(af):
    server, client = connected(af)
    client.setblocking(False)
    taken = client.send(known(0, 40000))
    client.close()
    read_known(server, taken)
    same(server.recv(1), b"")


@test("close(): with received data unread what was sent is still delivered, then FIN")
@families
def _(af):
    for server_closes in (False, True):
        server, client = connected(af)
        closing, other = (server, client) if server_closes else (client, server)
        other.sendall(known(0, 5000))
        becomes(closing, IN | OUT)
        settle()
        closing.sendall(b"the answer")
        closing.close()
        same(other.read(), b"the answer")


@test("close(): input that arrives later may reset: EPIPE or ECONNRESET, and no crash", also=BOTH)
def _():
    server, client = connected()
    client.close()
    server.setblocking(True)
    number = 0
    for _ in range(1000):
        number = number_of(lambda: server.send(b"nobody hears this"))
        if number:
            break
        settle(5)
    one_of(number, EPIPE, ECONNRESET)


@test("close(): leaving `with`, by an exception too", also=CPYTHON)
def _():
    for raises in (False, True):
        server, client = connected()
        try:
            with client as s:
                holds(s is client, "`as` gives another object")
                s.send(b"last words")
                if raises:
                    raise ValueError()
        except ValueError:
            pass
        same(client.fileno(), -1)
        same(server.recv(100), b"last words")
        same(server.recv(100), b"")


@test("close(): a dropped socket is closed when it is collected: FIN to its peer", also=CPYTHON)
def _():
    def drop():
        server, client = connected()
        client.send(b"last words")
        return server

    server = drop()
    sweep()
    server.setblocking(True)
    same(server.recv(100), b"last words")
    server.setblocking(False)
    holds(until(lambda: number_of(lambda: server.recv(100)) == 0), "there is no end")


@test("close(): of 300 dropped sockets no descriptor is left", also=CPYTHON)
def _():
    settle(1)
    sweep()
    before = descriptors()
    for i in range(300):
        s = socket.socket(AF_INET, SOCK_DGRAM if i % 2 else SOCK_STREAM)
        if i % 3 == 0:
            bound(s)
        s = None
        if i % 50 == 49:
            sweep()
    sweep()
    holds(descriptors() <= before + 3, "%d descriptors, %d before" % (descriptors(), before))


@test("close(): of 300 dropped connections no descriptor is left", also=CPYTHON)
def _():
    settle(1)
    l, address = listener()
    sweep()
    before = descriptors()
    for i in range(300):
        c = socket.socket()
        c.connect(address)
        s = l.accept()[0]
        c = s = None
        if i % 50 == 49:
            sweep()
    sweep()
    until(lambda: descriptors() <= before + 4)
    holds(descriptors() <= before + 4, "%d descriptors, %d before" % (descriptors(), before))


@test("close(): a dropped listener frees its address")
def _():
    def drop():
        return listener()[1]

    address = drop()
    sweep()
    s = socket.socket()
    holds(until(lambda: number_of(lambda: s.bind(address)) == 0), "the address is in use")


@test("close(): __del__ may be called, and is close()")
def _():
    server, client = connected()
    if hasattr(client, "__del__"):
        client.__del__()
    else:
        client.close()
    same(client.fileno(), -1)
    same(server.recv(1), b"")


@test("close(): a collected socket's number is nobody else's")
def _():
    numbers = set()
    for i in range(100):
        numbers.add(socket.socket().fileno())
        if i % 20 == 0:
            sweep()
    same(len(numbers), 100)


run()

"""The contract's row connect(), and shutdown(), getsockname(), getpeername() and fileno()."""

from harness import *


@test("connect(): refused ECONNREFUSED, never told as a reset", also=BOTH)
@families
def _(af):
    to, holder = closed_port(af)
    for _ in range(3):
        c = socket.socket(af)
        fails(ECONNREFUSED, lambda: c.connect(to))


@test("connect(): nobody answers: ETIMEDOUT when the timeout strikes", also=CPYTHON)
@families
def _(af):
    u = Unanswered(af)
    c = socket.socket(af)
    c.settimeout(0.15)
    times_out(150, lambda: c.connect(u.address))


@test("connect(): connected already, or a listener, EISCONN", also=BOTH)
@families
def _(af):
    server, client = connected(af)
    l, to = listener(af)
    fails(EISCONN, lambda: client.connect(to), "client")
    fails(EISCONN, lambda: server.connect(to), "server")
    fails(EISCONN, lambda: l.connect(to), "listener")
    client.setblocking(False)
    fails(EISCONN, lambda: client.connect(to), "not blocking")


@test("connect(): non-blocking EINPROGRESS, then EALREADY", also=BOTH)
@families
def _(af):
    u = Unanswered(af)
    fails(EALREADY, lambda: u.client.connect(u.address))
    if WHO != "stock":
        same(u.client.getsockopt(SOL_SOCKET, socket.SO_ERROR), 0)
        fails(ENOTCONN, lambda: u.client.getpeername())


@test("connect(): non-blocking EINPROGRESS, then it is connected", also=CPYTHON)
@families
def _(af):
    l, address = listener(af)
    c = socket.socket(af)
    c.setblocking(False)
    fails(EINPROGRESS, lambda: c.connect(address))
    becomes(c, OUT)
    same(c.getsockopt(SOL_SOCKET, socket.SO_ERROR), 0)
    same(c.getpeername(), address)
    fails(EISCONN, lambda: c.connect(address) or c.connect(address))


@test("connect(): after a non-blocking one SO_ERROR tells the outcome, once", also=CPYTHON)
@families
def _(af):
    c, to, holder = refused(af)
    same(c.getsockopt(SOL_SOCKET, socket.SO_ERROR), ECONNREFUSED)
    same(c.getsockopt(SOL_SOCKET, socket.SO_ERROR), 0)


@test("connect(): a second call tells a refusal once, a third tries again", also=CPYTHON)
@families
def _(af):
    c, to, holder = refused(af)
    fails(ECONNREFUSED, lambda: c.connect(to))
    l, address = listener(af)
    fails(EINPROGRESS, lambda: c.connect(address))
    becomes(c, OUT)


@test("connect(): a failed one leaves a socket that can be closed, and no descriptor", also=BOTH)
@families
def _(af):
    to, holder = closed_port(af)
    sweep()
    before = descriptors()
    for _ in range(50):
        c = socket.socket(af)
        fails(ECONNREFUSED, lambda: c.connect(to))
        c.close()
    holds(descriptors() <= before, "%d descriptors, %d before" % (descriptors(), before))


@test("connect(): again after a failure it connects, with the options that it was given",
      also=CPYTHON)
@families
def _(af):
    nobody, holder = closed_port(af)
    l, address = listener(af)
    c = socket.socket(af)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    c.setsockopt(SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for _ in range(3):
        fails(ECONNREFUSED, lambda: c.connect(nobody))
    c.connect(address)
    holds(c.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "TCP_NODELAY is lost")
    holds(c.getsockopt(SOL_SOCKET, socket.SO_KEEPALIVE), "SO_KEEPALIVE is lost")
    s = l.accept()[0]
    c.send(b"after all")
    same(s.recv(100), b"after all")


@test("connect(): after a timeout it may be tried again")
def _():
    u = Unanswered()
    l, address = listener()
    c = socket.socket()
    c.settimeout(0.08)
    fails(ETIMEDOUT, lambda: c.connect(u.address))
    fails(0, lambda: c.connect(address))
    same(c.getpeername(), address)


@test("connect(): an address of the other family EINVAL or EAFNOSUPPORT, and it stays usable")
@families
def _(af):
    c = socket.socket(af)
    other = ("2001:db8::1", 80) if af == AF_INET else ("192.0.2.1", 80)
    one_of(number_of(lambda: c.connect(other)), EINVAL, EAFNOSUPPORT)
    l, address = listener(af)
    fails(0, lambda: c.connect(address))


@test("getsockname(), getpeername(): new, connected, after a failure", also=CPYTHON)
@families
def _(af):
    c = socket.socket(af)
    same(c.getsockname()[:2], ("0.0.0.0" if af == AF_INET else "::", 0))
    fails(ENOTCONN, lambda: c.getpeername())
    to, holder = closed_port(af)
    fails(ECONNREFUSED, lambda: c.connect(to))
    fails(ENOTCONN, lambda: c.getpeername())
    l, address = listener(af)
    c.connect(address)
    same(c.getpeername(), address)
    holds(c.getsockname()[1] != 0, "no port")
    fails(ENOTCONN, lambda: l.getpeername())
    d, _ = datagrams(af)
    fails(ENOTCONN, lambda: d.getpeername())
    d.connect(address)
    same(d.getpeername(), address)


@test("shutdown(): SHUT_WR sends FIN after what was sent, and receiving goes on", also=CPYTHON)
@families
def _(af):
    server, client = connected(af)
    client.send(b"question")
    client.shutdown(1)
    same((server.recv(100), server.recv(100)), (b"question", b""))
    server.send(b"answer")
    server.close()
    same(client.recv(100), b"answer")
    fails(EPIPE, lambda: client.send(b"x"))


@test("shutdown(): SHUT_RD ends receiving here, and sending goes on", also=CPYTHON)
@families
def _(af):
    server, client = connected(af)
    client.shutdown(0)
    same(client.recv(1), b"")
    holds(mask(client) & IN, "it is not readable")
    client.send(b"still talking")
    client.shutdown(2)
    same((server.recv(100), server.recv(100)), (b"still talking", b""))


@test("shutdown(): not connected ENOTCONN, another number EINVAL")
def _():
    c = socket.socket()
    for how in (0, 1, 2):
        fails(ENOTCONN, lambda: c.shutdown(how))
    for how in (3, -1):
        fails(EINVAL, lambda: c.shutdown(how))


@test("fileno(): a number that is this socket's alone, for good")
def _():
    a, b = socket.socket(), socket.socket()
    number = a.fileno()
    holds(number > 0 and number != b.fileno(), "%d and %d" % (number, b.fileno()))
    a.close()
    for _ in range(100):
        s = socket.socket()
        holds(s.fileno() != number, "it came again")
        s.close()


run()

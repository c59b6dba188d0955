"""The contract's rows setsockopt(), getsockopt(), settimeout(), gettimeout(), setblocking()."""

from harness import *


def four(n):
    return struct.pack("i", n)


if WHO != "stock":
    FLAGS = [(SOL_SOCKET, socket.SO_REUSEADDR, SOCK_STREAM),
             (SOL_SOCKET, socket.SO_KEEPALIVE, SOCK_STREAM),
             (socket.IPPROTO_TCP, socket.TCP_NODELAY, SOCK_STREAM),
             (SOL_SOCKET, socket.SO_BROADCAST, SOCK_DGRAM)]


@test("setsockopt(): value an integer or bytes", also=CPYTHON)
@families
def _(af):
    for level, option, kind in FLAGS:
        s = socket.socket(af, kind)
        same(s.getsockopt(level, option), 0)
        for given, told in ((1, 1), (four(0), 0), (four(1), 1), (bytearray(four(0)), 0)):
            same(s.setsockopt(level, option, given), None)
            same(s.getsockopt(level, option), told, str(option))


@test("setsockopt(): True and False are integers", also=CPYTHON)
def _():
    s = socket.socket()
    s.setsockopt(SOL_SOCKET, socket.SO_REUSEADDR, True)
    same(s.getsockopt(SOL_SOCKET, socket.SO_REUSEADDR), 1)
    s.setsockopt(SOL_SOCKET, socket.SO_REUSEADDR, False)


@test("setsockopt(): unknown option ENOPROTOOPT, wrong length EINVAL, never silence")
@families
def _(af):
    for kind in (SOCK_STREAM, SOCK_DGRAM):
        s = socket.socket(af, kind)
        for level, option, value in (
                (SOL_SOCKET, 0x7777, 1), (SOL_SOCKET, 0x7777, four(1)),
                (99, socket.SO_REUSEADDR, 1), (1, socket.SO_REUSEADDR, 1),  # the host's SOL_SOCKET
                (SOL_SOCKET, socket.SO_ERROR, 1)):
            fails(ENOPROTOOPT, lambda: s.setsockopt(level, option, value), str((level, option)))
        for value in (b"", b"x", b"12345"):
            fails(EINVAL, lambda: s.setsockopt(SOL_SOCKET, socket.SO_REUSEADDR, value), str(value))
        fails(EINVAL, lambda: s.setsockopt(SOL_SOCKET, SO_LINGER, b"x"))
        fails(ENOPROTOOPT, lambda: s.getsockopt(SOL_SOCKET, 0x7777))
        fails(ENOPROTOOPT, lambda: s.getsockopt(99, 1))
    d = socket.socket(af, SOCK_DGRAM)
    fails(ENOPROTOOPT, lambda: d.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1))


@test("setsockopt(): a value that is neither number nor buffer is a TypeError")
def _():
    s = socket.socket()
    for wrong in (1.5, [], {}, print):
        try:
            s.setsockopt(SOL_SOCKET, socket.SO_REUSEADDR, wrong)
        except TypeError:
            continue
        except OSError as error:
            one_of(error.args[0], EINVAL, ENOPROTOOPT)
            continue
        fail("%r is taken" % (wrong,))


@test("setsockopt(): SO_SNDBUF and SO_RCVBUF: set, or refused; never silence")
def _():
    s = socket.socket()
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        before = s.getsockopt(SOL_SOCKET, option)
        holds(before > 0, "it is %d" % before)
        number = number_of(lambda: s.setsockopt(SOL_SOCKET, option, 32768))
        one_of(number, 0, ENOPROTOOPT)
        after = s.getsockopt(SOL_SOCKET, option)
        holds(after >= 32768 if number == 0 else after == before, "it is %d" % after)
        fails(EINVAL, lambda: s.setsockopt(SOL_SOCKET, option, -1))


@test("setsockopt(): SO_BINDTODEVICE: an interface's name where it means something")
def _():
    s = socket.socket(AF_INET, SOCK_DGRAM)
    name = getattr(socket, "SO_BINDTODEVICE", 0x100B)
    number = number_of(lambda: s.setsockopt(SOL_SOCKET, name, b"no-such-one"))
    one_of(number, 19, ENOPROTOOPT)


@test("setsockopt(): SO_LINGER with no time resets at close()", also=BOTH)
@families
def _(af):
    server, client = connected(af)
    client.setsockopt(SOL_SOCKET, SO_LINGER, linger(0))
    client.close()
    fails(ECONNRESET, lambda: server.recv(1))


@test("setsockopt(): SO_LINGER as an integer, seconds: 0 resets at close()")
def _():
    server, client = connected()
    client.setsockopt(SOL_SOCKET, SO_LINGER, 0)
    same(client.getsockopt(SOL_SOCKET, SO_LINGER), 0)
    client.close()
    fails(ECONNRESET, lambda: server.recv(1))
    fails(EINVAL, lambda: server.setsockopt(SOL_SOCKET, SO_LINGER, -1))


@test("setsockopt(): SO_LINGER with a time, or off, delivers", also=BOTH)
@families
def _(af):
    for value in (linger(5), linger(0, 0), linger(3)):
        server, client = connected(af)
        client.setsockopt(SOL_SOCKET, SO_LINGER, value)
        client.send(b"delivered")
        client.close()
        same((server.recv(100), server.recv(100)), (b"delivered", b""))


# --- SO_CALLBACK


def on_ready(s, callback):
    s.setsockopt(SOL_SOCKET, socket.SO_CALLBACK, callback)


@test("SO_CALLBACK: takes a callable, called with the socket when there is something to receive")
@families
def _(af):
    server, client = connected(af)
    client.setblocking(False)
    got = []
    on_ready(client, lambda s: got.append((s is client, s.read(100))))
    settle()
    same(got, [])
    server.send(b"one")
    until(lambda: len(got) == 1)
    server.send(b"two")
    until(lambda: len(got) == 2)
    same(got, [(True, b"one"), (True, b"two")])


@test("SO_CALLBACK: None ends it, and data stays")
def _():
    server, client = connected()
    got = []
    on_ready(client, lambda s: got.append(s))
    on_ready(client, None)
    server.send(b"three")
    becomes(client, IN | OUT)
    settle()
    same(got, [])
    same(client.recv(100), b"three")


@test("SO_CALLBACK: of a listener it is called for a connection, of UDP for a datagram")
def _():
    l, address = listener()
    accepted, got = [], []
    l.setblocking(False)
    on_ready(l, lambda s: accepted.append(s.accept()[1]))
    c = socket.socket()
    c.connect(address)
    until(lambda: accepted)
    same(accepted, [c.getsockname()])
    d, where = datagrams()
    on_ready(d, lambda s: got.append(s.recvfrom(100, 0x40)))
    e, at_e = datagrams()
    e.sendto(b"datagram", where)
    until(lambda: got)
    same(got, [(b"datagram", at_e)])


@test("SO_CALLBACK: called for what was there before it, through the scheduler and not from inside")
def _():
    server, client = connected()
    server.send(b"early")
    becomes(client, IN | OUT)
    got, inside = [], [True]
    # a scheduled call runs between two bytecodes, so only what setsockopt itself does is inside
    on_ready(client, lambda s: got.append(s.recv(10, 0x40)))
    holds(until(lambda: got), "it is never called")
    same(got, [b"early"])


@test("SO_CALLBACK: a callable may close its own socket, or another's")
def _():
    server, client = connected()
    other, peer_of_other = connected()
    closed = []

    def close_both(s):
        s.close()
        other.close()
        closed.append(1)

    on_ready(client, close_both)
    server.send(b"x")
    until(lambda: closed)
    same(client.fileno(), -1)
    same(peer_of_other.recv(1), b"")


@test("SO_CALLBACK: what a callable raises does not reach whoever waits, and the socket goes on")
def _():
    server, client = connected()
    got = []

    def bad(s):
        got.append(s.recv(100))
        raise ValueError("printed, as the scheduler prints it")

    on_ready(client, bad)
    server.send(b"x")
    until(lambda: got)
    on_ready(client, None)
    server.send(b"y")
    same(client.recv(1), b"y")


@test("SO_CALLBACK: a closed socket's callable is not called any more")
def _():
    server, client = connected()
    got = []
    on_ready(client, got.append)
    server.send(b"x")
    client.close()
    settle()
    same([each for each in got if each.fileno() == -1 and len(got) > 1], [])


@test("SO_CALLBACK: a socket that nobody else refers to is collected, and its callable with it")
def _():
    def drop():
        server, client = connected()
        on_ready(client, lambda s: s.recv(1))
        return server

    server = drop()
    sweep()
    server.setblocking(False)
    holds(until(lambda: number_of(lambda: server.recv(1)) == 0), "it lives")


@test("SO_CALLBACK: what is not callable: TypeError or EINVAL; None without one before is fine")
def _():
    s = socket.socket()
    on_ready(s, None)
    for wrong in (1, b"x", "x", []):
        try:
            on_ready(s, wrong)
        except TypeError:
            continue
        except OSError as error:
            one_of(error.args[0], EINVAL, ENOPROTOOPT)
            continue
        fail("%r is taken" % (wrong,))


# --- getsockopt()


@test("getsockopt(): SO_TYPE, and SO_ERROR 0 on a healthy socket", also=CPYTHON)
@families
def _(af):
    server, client = connected(af)
    same(client.getsockopt(SOL_SOCKET, socket.SO_TYPE), SOCK_STREAM)
    for s in (client, server, socket.socket(af), socket.socket(af, SOCK_DGRAM)):
        same(s.getsockopt(SOL_SOCKET, socket.SO_ERROR), 0)


@test("getsockopt(): SO_ERROR after a reset tells it once", also=CPYTHON)
@families
def _(af):
    server, client = connected(af)
    reset(server)
    becomes(client, 29)
    same(client.getsockopt(SOL_SOCKET, socket.SO_ERROR), ECONNRESET)
    same(client.getsockopt(SOL_SOCKET, socket.SO_ERROR), 0)
    same(client.recv(1), b"")


# --- settimeout(), setblocking()


@test("settimeout(): seconds, fractions kept to 1 ms: 0.0004 is 1 ms, not 0")
def _():
    s = socket.socket()
    for given, told in ((1, 1.0), (0.0004, 0.001), (1e-9, 0.001), (0.001, 0.001), (0.25, 0.25),
                        (1.5, 1.5), (0.0015, 0.002)):
        s.settimeout(given)
        holds(abs(s.gettimeout() - told) < 1e-9, "%r is %r" % (given, s.gettimeout()))
    s.settimeout(1e300)
    holds(s.gettimeout() > 1e8, "1e300 is %r" % s.gettimeout())


@test("settimeout(): 0.0004 waits for 1 ms", also=CPYTHON)
def _():
    server, client = connected()
    client.settimeout(0.0004)
    fails(ETIMEDOUT, lambda: client.recv(1))


@test("settimeout(): None blocks, 0 is non-blocking", also=CPYTHON)
def _():
    server, client = connected()
    client.settimeout(0)
    same(client.gettimeout(), 0.0)
    fails(EAGAIN, lambda: client.recv(1))
    client.settimeout(-0.0)
    same(client.gettimeout(), 0.0)
    client.settimeout(None)
    same(client.gettimeout(), None)


@test("settimeout(): negative and NaN EINVAL, and the old one stays")
def _():
    s = socket.socket()
    s.settimeout(2)
    for wrong in (-1, -0.0001, float("nan"), float("-inf")):
        fails(EINVAL, lambda: s.settimeout(wrong), str(wrong))
        same(s.gettimeout(), 2.0)
    try:
        s.settimeout("1")
    except TypeError:
        return
    fail("a text is taken")


@test("setblocking(True) is settimeout(None) and clears an earlier timeout", also=CPYTHON,
      peer=True)
def _():
    s = peer(("sleep", 200), ("send", "much later"))
    s.settimeout(0.05)
    s.setblocking(True)
    same(s.gettimeout(), None)
    same(s.recv(100), b"much later")


@test("setblocking(False) is settimeout(0)", also=CPYTHON)
def _():
    server, client = connected()
    client.settimeout(5)
    client.setblocking(False)
    same(client.gettimeout(), 0.0)
    fails(EAGAIN, lambda: client.recv(1))


run()

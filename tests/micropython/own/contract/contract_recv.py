"""The contract's row recv()."""

from harness import *


@test("recv(n): up to n, at least 1", also=BOTH)
@families
def _(af):
    server, client = connected(af)
    server.send(b"hello world")
    becomes(client, IN | OUT)
    same(client.recv(5), b"hello")
    same(client.recv(1), b" ")
    same(client.recv(1000), b"world")


@test("recv(n): gives what came, however much was asked for", also=BOTH)
def _():
    server, client = connected()
    server.send(b"x")
    same(client.recv(1000000), b"x")


@test("recv(n): waits for what comes later", also=BOTH, peer=True)
def _():
    s = peer(("sleep", 60), ("send", "at last"))
    same(s.recv(100), b"at last")
    same(s.recv(100), b"")


@test("recv(n): b'' at EOF, for good", also=BOTH)
@families
def _(af):
    server, client = connected(af)
    server.send(b"bye")
    server.close()
    same(client.recv(10), b"bye")
    for limit in (0, 5, None):
        client.settimeout(limit)
        same(client.recv(10), b"")
        same(client.recv(10), b"")


@test("recv(0) is b'' at once, and takes nothing", also=BOTH)
@families
def _(af):
    server, client = connected(af)
    if WHO != "stock":  # which asks the system, and waits
        same(client.recv(0), b"")
    server.send(b"x")
    becomes(client, IN | OUT)
    same(client.recv(0), b"")
    same(client.recv(1), b"x")


@test("recv(n): n < 0 EINVAL")
def _():
    server, client = connected()
    fails(EINVAL, lambda: client.recv(-1))
    fails(EINVAL, lambda: client.recvfrom(-1))
    server.send(b"x")
    same(client.recv(1), b"x")


@test("recv(n): n beyond memory is an error, and takes nothing")
def _():
    server, client = connected()
    server.send(b"x")
    for n in (1 << 40, 1 << 62):
        try:
            holds(client.recv(n) == b"x", "other bytes")
            server.send(b"x")
        except MemoryError:
            pass
        except OSError as error:
            one_of(error.args[0], ENOMEM, EINVAL)
        except OverflowError:
            pass
    same(client.recv(10), b"x")


@test("recv after RST: unread data first, then ECONNRESET once, then b''", also=CPYTHON)
@families
def _(af):
    server, client = connected(af)
    reset(server)
    becomes(client, 29)
    fails(ECONNRESET, lambda: client.recv(10))
    for _ in range(3):
        same(client.recv(10), b"")


@test("recv after RST: data that was not read yet is still there")
@families
def _(af):
    sender, receiver = connected(af)
    sender.send(b"unread")
    becomes(receiver, IN | OUT)
    settle()
    reset(sender)
    becomes(receiver, 29)
    same(receiver.recv(3), b"unr")
    same(receiver.recv(10), b"ead")
    fails(ECONNRESET, lambda: receiver.recv(10))
    same(receiver.recv(10), b"")


@test("recv: timeout ETIMEDOUT, not EAGAIN", also=CPYTHON)
@families
def _(af):
    server, client = connected(af)
    client.settimeout(0.08)
    times_out(80, lambda: client.recv(10))


@test("recv: would block EAGAIN, not b''", also=BOTH)
@families
def _(af):
    server, client = connected(af)
    client.setblocking(False)
    fails(EAGAIN, lambda: client.recv(10))
    client.setblocking(True)
    fails(EAGAIN, lambda: client.recv(10, socket.MSG_DONTWAIT))


@test("recv: connecting, or UDP with nothing queued, EAGAIN when non-blocking", also=CPYTHON)
@families
def _(af):
    u = Unanswered(af)
    fails(EAGAIN, lambda: u.client.recv(1))
    d, _ = datagrams(af)
    d.setblocking(False)
    fails(EAGAIN, lambda: d.recv(1))
    fails(EAGAIN, lambda: d.recvfrom(1))


@test("recv: with a timeout, connecting still: ETIMEDOUT; connected meanwhile it receives")
def _():
    u = Unanswered()
    u.client.settimeout(0.08)
    times_out(80, lambda: u.client.recv(1))
    l, address = listener()
    c = socket.socket()
    c.setblocking(False)
    fails(EINPROGRESS, lambda: c.connect(address))
    s = l.accept()[0]
    s.send(b"welcome")
    c.settimeout(5)
    same(c.recv(100), b"welcome")


@test("recv: TCP never connected, or listening, ENOTCONN", also=STOCK)
@families
def _(af):
    c = socket.socket(af)
    l, _ = listener(af)
    for limit in (0, 5, None):
        c.settimeout(limit)
        l.settimeout(limit)
        fails(ENOTCONN, lambda: c.recv(1))
        fails(ENOTCONN, lambda: c.recvfrom(1))
        fails(ENOTCONN, lambda: l.recv(1))


@test("read(), readline(), readinto(): TCP never connected ENOTCONN", also=STOCK)
def _():
    c = socket.socket()
    fails(ENOTCONN, lambda: c.read(1))
    fails(ENOTCONN, lambda: c.readline())
    fails(ENOTCONN, lambda: c.readinto(bytearray(1)))


@test("recv: refused: the error once, then b''", also=CPYTHON)
@families
def _(af):
    c, to, holder = refused(af)
    fails(ECONNREFUSED, lambda: c.recv(1))
    if WHO == "weft":
        same(c.recv(1), b"")


@test("recv: MSG_PEEK leaves what it shows, with MSG_DONTWAIT it does not wait", also=CPYTHON)
@families
def _(af):
    server, client = connected(af)
    peek, dontwait = 2, 0x40
    fails(EAGAIN, lambda: client.recv(4, peek | dontwait))
    server.send(b"peeked")
    becomes(client, IN | OUT)
    same(client.recv(3, peek), b"pee")
    same(client.recv(100, peek), b"peeked")
    same(mask(client), IN | OUT)
    same(client.recv(4), b"peek")
    same(client.recv(100, peek), b"ed")
    same(client.recv(2), b"ed")
    same(mask(client), OUT)
    server.close()
    same(client.recv(1, peek), b"")
    same(client.recv(1), b"")


run()

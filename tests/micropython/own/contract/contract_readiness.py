"""The contract's table "Readiness": each state with its exact mask, as select.poll tells it."""

from harness import *


@test("readiness: new: OUT and HUP (20)", also=BOTH)
@families
def _(af):
    s = socket.socket(af)
    same([mask(s, asked) for asked in (IN | OUT, OUT, IN)], [20, 20, 16])
    b = socket.socket(af)
    bound(b, af)
    same(mask(b), 20)


@test("readiness: listening: nothing; IN when a connection waits", also=BOTH)
@families
def _(af):
    l, address = listener(af)
    settle()
    same(mask(l), 0)
    c = socket.socket(af)
    c.connect(address)
    becomes(l, IN)
    same((mask(l, IN), mask(l, OUT)), (1, 0))
    s = l.accept()[0]
    same(mask(l), 0)


@test("readiness: connecting: nothing", also=BOTH)
@families
def _(af):
    u = Unanswered(af)
    same([mask(u.client, asked) for asked in (IN | OUT, IN, OUT)], [0, 0, 0])


@test("readiness: connected: OUT; IN with data", also=BOTH)
@families
def _(af):
    server, client = connected(af)
    settle()
    for s in (server, client):
        same((mask(s), mask(s, IN)), (4, 0))
    server.send(b"xy")
    becomes(client, 5)
    same((mask(client, IN), mask(client, OUT)), (1, 4))
    same(client.recv(1), b"x")
    same(mask(client), 5)
    same(client.recv(1), b"y")  # exactly all
    same(mask(client), 4)


@test("readiness: connected: no OUT while nothing more is taken, OUT again when there is room",
      also=BOTH)
def _():
    server, client = connected()
    taken = fill_up(client)
    for _ in range(20):  # a probe of the full window may have made room for another byte
        if mask(client) == 0:
            break
        taken = fill_up(client, taken)
    same(mask(client), 0)
    read_known(server, taken)
    becomes(client, 4)


@test("readiness: peer sent FIN: IN and OUT, no HUP", also=CPYTHON)
@families
def _(af):
    server, client = connected(af)
    server.close()
    becomes(client, 5)
    same(client.recv(1), b"")
    same((mask(client), mask(client, IN)), (5, 1))


@test("readiness: reset: IN OUT ERR HUP (29); ERR and HUP whatever was asked for", also=BOTH)
@families
def _(af):
    server, client = connected(af)
    reset(server)
    becomes(client, 29)
    same([mask(client, asked) for asked in (IN, OUT, 0)], [25, 28, 24])


@test("readiness: refused: IN OUT ERR HUP (29)", also=BOTH)
@families
def _(af):
    c, to, holder = refused(af)
    same((mask(c, IN), mask(c, 0)), (25, 24))


@test("readiness: error already reported: IN, OUT and HUP (21); 17 where only IN was asked for",
      also=BOTH)
@families
def _(af):
    server, client = connected(af)
    reset(server)
    becomes(client, 29)
    fails(ECONNRESET, lambda: client.recv(1))
    same([mask(client, asked) for asked in (IN | OUT, IN, OUT)], [21, 17, 20])


@test("readiness: both sides ended: IN, OUT and HUP (21); 17 where only IN was asked for",
      also=CPYTHON)
@families
def _(af):
    server, client = connected(af)
    client.shutdown(1)
    same(mask(client), 4)  # ours alone
    server.shutdown(1)
    for s in (client, server):
        becomes(s, 21)
        same(mask(s, IN), 17)


@test("readiness: blocking connect failed: OUT and HUP (20)", also=BOTH)
@families
def _(af):
    to, holder = closed_port(af)
    c = socket.socket(af)
    fails(ECONNREFUSED, lambda: c.connect(to))
    same((mask(c), mask(c, IN)), (20, 16))


@test("readiness: connect that timed out: OUT and HUP (20)")
def _():
    u = Unanswered()
    d = socket.socket()
    d.settimeout(0.05)
    fails(ETIMEDOUT, lambda: d.connect(u.address))
    same(mask(d), 20)


@test("readiness: UDP, connected, refused: OUT and ERR (12)", also=BOTH)
@families
def _(af):
    gone, to = datagrams(af)
    gone.close()
    c = socket.socket(af, SOCK_DGRAM)
    c.connect(to)
    same(mask(c), 4)
    c.send(b"x")
    becomes(c, 12)
    same(mask(c, IN), 8)
    c.setblocking(False)
    fails(ECONNREFUSED, lambda: c.recv(1))
    same(mask(c), 4)


@test("readiness: UDP: OUT, and IN with a datagram queued; never HUP on a healthy socket",
      also=BOTH)
@families
def _(af):
    fresh = socket.socket(af, SOCK_DGRAM)
    same((mask(fresh), mask(fresh, IN)), (4, 0))
    s, at_s = datagrams(af)
    same(mask(s), 4)
    s.sendto(b"x", at_s)
    becomes(s, 5)
    same(mask(s, IN), 1)
    same(s.recv(1), b"x")
    same(mask(s), 4)


@test("readiness: closed: NVAL")
def _():
    for kind in (SOCK_STREAM, SOCK_DGRAM):
        s = socket.socket(AF_INET, kind)
        poller = select.poll()
        poller.register(s, IN | OUT)
        s.close()
        same([each[1] for each in poller.poll(0)], [NVAL])


@test("readiness: bytes that the socket keeps count as IN, and asyncio is told of them")
@families
def _(af):
    server, client = connected(af)
    server.send(b"line\nmore")
    becomes(client, 5)
    settle()
    same(client.readline(), b"line\n")
    same((mask(client), mask(client, IN)), (5, 1))
    poller = select.poll()
    poller.register(client, IN)
    same(len(poller.poll(-1)), 1)
    same(client.recv(100), b"more")
    same(mask(client), 4)


run()

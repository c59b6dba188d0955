"""Timeouts are measured over the whole call, by a monotonic clock; and time.sleep()."""

from harness import *


def dripping():
    """A connection on which a byte comes every 90 ms, against a timeout of 100 ms."""
    s = peer(("trickle", 90, "x" * 50))
    s.settimeout(0.1)
    return s


def ends_in_time(call):
    """At 100 ms: with the third byte it would have been past 180."""
    begun = now()
    fails(ETIMEDOUT, call)
    holds(99 <= since(begun), "it ended after %d ms" % since(begun))


for name, call in (
        ("read(1000)", lambda s: s.read(1000)), ("read()", lambda s: s.read()),
        ("readinto()", lambda s: s.readinto(bytearray(1000))), ("readline()",
                                                               lambda s: s.readline())):

    @test("a byte each 90 ms does not keep %s with a 100 ms timeout alive" % name, peer=True)
    def _(call=call):
        s = dripping()
        ends_in_time(lambda: call(s))
        s.settimeout(5)
        got = s.recv(1000)
        holds(1 <= len(got) < 20, "%d bytes are kept" % len(got))
        s.close()


for name in ("send", "sendall", "write"):

    @test("a peer that takes a little each 90 ms does not keep %s() with 100 ms alive" % name,
          peer=True)
    def _(name=name):
        s = peer(("sip", 90, 3000))
        fill_up(s, quiets=1)  # it is full for a moment only
        s.settimeout(0.1)
        begun = now()
        number = number_of(lambda: getattr(s, name)(known(0, 20000000)))
        one_of(number, *((ETIMEDOUT,) if name != "send" else (ETIMEDOUT, 0)))
        holds(99 <= since(begun) < 5000, "it ended after %d ms" % since(begun))
        s.close()


@test("each call with a timeout ends not before it", also=CPYTHON)
def _():
    server, client = connected()
    l, _ = listener()
    d, _ = datagrams()
    for s in (client, l, d):
        s.settimeout(0.04)
    for call in (lambda: client.recv(1), lambda: l.accept(), lambda: d.recv(1),
                 lambda: d.recvfrom(1), lambda: client.recvfrom(1)):
        times_out(40, call)


@test("each stream call with a timeout ends not before it")
def _():
    server, client = connected()
    client.settimeout(0.04)
    for call in (lambda: client.read(1), lambda: client.read(), lambda: client.readline(),
                 lambda: client.readinto(bytearray(1)), lambda: client.makefile().read(1)):
        times_out(40, call)


@test("a timeout of a month or more does not strike at once", also=CPYTHON, peer=True)
def _():
    for limit in (3e6, 1e9):
        s = peer(("sleep", 30), ("send", "x"))
        s.settimeout(limit)
        same(s.recv(1), b"x")
        s.close()


@test("getaddrinfo(): a name that nobody knows fails with a negative number, in time")
def _():
    begun = now()
    number = number_of(lambda: socket.getaddrinfo("no-such-host.invalid", 80))
    holds(number < 0, "it is %d" % number)
    holds(since(begun) < 15000, "it took %d ms" % since(begun))


@test("time.sleep() drives the stack: what comes meanwhile is answered", peer=True)
def _():
    # nobody calls the socket module while 200 ms pass; on lwIP the handshake needs the stack
    l = socket.socket()
    l.bind((own_host(), 0))
    l.listen(1)
    c = peer(("connect", own_host(), l.getsockname()[1], "hello"), ("shutdown",), ("hold",))
    time.sleep(0.2)
    l.setblocking(False)
    conn, _ = l.accept()
    conn.setblocking(False)
    same(conn.recv(10), b"hello")
    c.close()


@test("time.sleep(), sleep_ms(): not shorter than asked", also=STOCK)
def _():
    for call, ms in ((lambda: time.sleep(0.05), 50), (lambda: time.sleep_ms(50), 50),
                     (lambda: time.sleep_us(5000), 5)):
        begun = now()
        call()
        holds(since(begun) >= ms - 1, "it ended after %d of %d ms" % (since(begun), ms))


run()

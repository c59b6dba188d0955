"""The contract's rows send() and sendall()."""

from harness import *


@test("send(): takes str, bytes, bytearray and memoryview; the count is bytes", also=STOCK)
@families
def _(af):
    server, client = connected(af)
    same(client.send("micropython"), 11)
    same(client.send(b"bytes"), 5)
    same(client.send(bytearray(b"array")), 5)
    same(client.send(memoryview(b"a view")[2:]), 4)
    same(client.send("套接字"), 9)
    same(server.recv(11), b"micropython")
    same(server.recv(5), b"bytes")
    same(server.recv(100), b"arrayview" + "套接字".encode())


@test("send(): what has no buffer is a TypeError, and nothing is sent", also=BOTH)
def _():
    server, client = connected()
    for wrong in (None, 5, 1.5, ["x"], (1, 2), {}):
        for name in ("send", "sendall", "write"):
            try:
                getattr(client, name, client.send)(wrong)
            except (TypeError, AttributeError):
                continue
            fail("%s(%r) is taken" % (name, wrong))
    client.close()
    same(server.recv(10), b"")


@test("send(): no bytes 0", also=BOTH)
@families
def _(af):
    server, client = connected(af)
    same(client.send(b""), 0)
    client.setblocking(False)
    same(client.send(b""), 0)


@test("send(): non-blocking 1..len, or EAGAIN", also=BOTH)
@families
def _(af):
    server, client = connected(af)
    client.setblocking(False)
    some = 0
    while True:
        n = client.send(known(some, 500000))
        holds(1 <= n <= 500000, "send gives %d" % n)
        some += n
        if n < 500000:
            break
    taken = fill_up(client, some)
    number = 0
    for _ in range(100):  # a probe of the full window may have made room for another byte
        number = number_of(lambda: client.send(known(taken, 1)))
        if number:
            break
        taken += 1
    same(number, EAGAIN)
    read_known(server, taken)


@test("send(): with a timeout all, or the count taken when it struck")
@families
def _(af):
    server, client = connected(af)
    client.settimeout(0.2)
    begun = now()
    taken = client.send(known(0, 20000000))
    holds(0 < taken < 20000000, "it took %d" % taken)
    holds(since(begun) >= 199, "it ended after %d ms" % since(begun))
    read_known(server, taken)
    same(client.send(b"x"), 1)
    same(server.recv(10), b"x")


@test("send(): with a timeout and nothing taken ETIMEDOUT", also=CPYTHON)
def _():
    server, client = connected()
    taken = fill_up(client)
    client.settimeout(0.1)
    number = 0
    for _ in range(100):  # a kernel's buffer may grow
        try:
            taken += client.send(known(taken, 50000))
        except OSError as error:
            number = number_of(lambda: raise_again(error))
            break
    same(number, ETIMEDOUT)
    read_known(server, taken)


def raise_again(error):
    raise error


@test("send(): connecting EAGAIN", also=CPYTHON)
@families
def _(af):
    u = Unanswered(af)
    fails(EAGAIN, lambda: u.client.send(b"x"))


@test("send(), sendall(), write(): connecting EAGAIN, EAGAIN, None")
def _():
    u = Unanswered()
    fails(EAGAIN, lambda: u.client.sendall(b"x"))
    same(u.client.write(b"x"), None)


@test("send(): with a timeout, connecting still: it waits for the connection, then sends")
def _():
    l, address = listener()
    c = socket.socket()
    c.setblocking(False)
    fails(EINPROGRESS, lambda: c.connect(address))
    c.settimeout(5)
    same(c.send(b"first"), 5)
    same(l.accept()[0].recv(10), b"first")


@test("send(): TCP not connected ENOTCONN, a listener too")
@families
def _(af):
    c = socket.socket(af)
    for name in ("send", "sendall", "write"):
        fails(ENOTCONN, lambda: getattr(c, name)(b"x"), name)
    fails(ENOTCONN, lambda: c.sendto(b"x", (HOSTS[af], 9)), "sendto")
    c.setblocking(False)
    fails(ENOTCONN, lambda: c.send(b"x"), "not blocking")
    l, _ = listener(af)
    fails(ENOTCONN, lambda: l.send(b"x"), "a listener")


@test("send(): UDP without a peer EDESTADDRREQ", also=BOTH)
@families
def _(af):
    d = socket.socket(af, SOCK_DGRAM)
    for name in ("send", "sendall", "write"):
        if hasattr(d, name):
            fails(EDESTADDRREQ, lambda: getattr(d, name)(b"x"), name)


@test("send(): peer gone ECONNRESET once, then EPIPE; nothing crashes", also=BOTH)
@families
def _(af):
    server, client = connected(af)
    reset(server)
    becomes(client, 29)
    fails(ECONNRESET, lambda: client.send(b"x"))
    for _ in range(5):
        for name in ("send", "sendall", "write"):
            if hasattr(client, name):
                fails(EPIPE, lambda: getattr(client, name)(b"x"), name)


@test("send(): RST in the middle of a large write: ECONNRESET or EPIPE, and no crash",
      also=CPYTHON, peer=True)
def _():
    for name in ("send", "sendall", "write"):
        s = peer(("sleep", 40), ("reset",))
        call = getattr(s, name, s.send)
        number = 0
        for _ in range(100):
            number = number_of(lambda: call(known(0, 1000000)))
            if number:
                break
        one_of(number, ECONNRESET, EPIPE)
        same(s.recv(1), b"") if number == ECONNRESET else one_of(number_of(lambda: s.recv(1)), 0,
                                                                ECONNRESET)
        s.close()


@test("send(): MSG_DONTWAIT does not wait", also=CPYTHON)
def _():
    server, client = connected()
    fill_up(client)
    client.setblocking(True)
    number = 0
    for _ in range(1000):  # a kernel's buffer may grow
        number = number_of(lambda: client.send(known(0, 50000), socket.MSG_DONTWAIT))
        if number:
            break
    same(number, EAGAIN)


@test("send(): blocking it takes all, however slowly the peer reads", also=STOCK, peer=True)
def _():
    s = peer(("sleep", 30), ("sip", 1, 60000))
    # stock's send is the system's: it takes all too, where the socket blocks
    same(s.send(known(0, 2000000)), 2000000)
    s.close()


@test("sendall(), write(): all, however slowly the peer reads", peer=True)
def _():
    s = peer(("sleep", 30), ("sip", 1, 60000))
    same(s.sendall(known(0, 2000000)), None)
    same(s.write(known(0, 2000000)), 2000000)
    s.close()


@test("sendall(): all, None, echoed byte for byte", peer=True)
def _():
    s = peer(("echo",))
    done = 0
    while done < 1000000:
        s.sendall(known(done, 30000))
        read_known(s, 30000, done)
        done += 30000


@test("sendall(): the timeout spans the call, and as many as were taken arrive")
def _():
    server, client = connected()
    client.settimeout(0.15)
    times_out(150, lambda: client.sendall(known(0, 20000000)))
    client.close()
    server.settimeout(5)
    taken = 0
    while True:
        part = server.recv(50000)
        if not part:
            break
        holds(is_known(part, taken), "other bytes behind %d" % taken)
        taken += len(part)
    holds(0 < taken < 20000000, "it took %d" % taken)


@test("sendall(): non-blocking EAGAIN before anything is sent if not all fits")
@families
def _(af):
    server, client = connected(af)
    client.setblocking(False)
    fails(EAGAIN, lambda: client.sendall(bytes(20000000)))
    client.sendall(b"fits")
    same(server.recv(100), b"fits")


@test("sendall(): UDP one datagram")
def _():
    d, where = datagrams()
    e = socket.socket(AF_INET, SOCK_DGRAM)
    e.connect(where)
    e.sendall(b"one")
    same(d.recv(10), b"one")


run()

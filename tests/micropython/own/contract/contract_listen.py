"""The contract's rows bind(), listen() and accept()."""

from harness import *


@test("bind(): in use EADDRINUSE; and it can be bound elsewhere then", also=CPYTHON)
@families
def _(af):
    l, address = listener(af)
    s = socket.socket(af)
    fails(EADDRINUSE, lambda: s.bind(address))
    bound(s, af)
    d, where = datagrams(af)
    e = socket.socket(af, SOCK_DGRAM)
    fails(EADDRINUSE, lambda: e.bind(where))
    bound(e, af)


@test("bind(): bound already EINVAL", also=CPYTHON)
@families
def _(af):
    free = (HOSTS[af], 0)
    s = socket.socket(af)
    s.bind(free)
    fails(EINVAL, lambda: s.bind(free), "a bound socket")
    l, _ = listener(af)
    fails(EINVAL, lambda: l.bind(free), "a listener")
    server, client = connected(af)
    fails(EINVAL, lambda: client.bind(free), "a client")
    fails(EINVAL, lambda: server.bind(free), "a server")
    d, _ = datagrams(af)
    fails(EINVAL, lambda: d.bind(free), "datagrams")


@test("bind(): an address that is not ours EADDRNOTAVAIL", also=BOTH)
def _():
    s = socket.socket()
    fails(EADDRNOTAVAIL, lambda: s.bind(at("192.0.2.77", 0)))


@test("bind(): before connect() chooses the client's port", also=CPYTHON)
@families
def _(af):
    l, address = listener(af)
    c = socket.socket(af)
    name = bound(c, af)
    c.connect(address)
    same(l.accept()[1], name)


@test("listen(): unbound it takes an ephemeral port", also=CPYTHON)
@families
def _(af):
    l = socket.socket(af)
    l.listen(4)
    port = l.getsockname()[1]
    holds(port != 0, "no port")
    c = socket.socket(af)
    c.connect((HOSTS[af], port))
    l.accept()[0].close()


@test("listen(): negative is 0, and nobody is refused for it", also=BOTH)
@families
def _(af):
    for backlog in (-1, -1000, 0):
        l, address = listener(af, backlog)
        c = socket.socket(af)
        c.connect(address)
        l.accept()[0].close()
        l.close()


def waiting(l, address, wanted):
    """How many connections wait before any is accepted, of `wanted`."""
    clients = []
    for _ in range(wanted):
        c = socket.socket()
        c.setblocking(False)
        fails(EINPROGRESS, lambda: c.connect(address))
        clients.append(c)
    settle()
    l.setblocking(False)
    accepted = []
    while number_of(lambda: accepted.append(l.accept())) == 0:
        pass
    return len(accepted)


@test("listen(): without a number a default that takes a burst", also=CPYTHON)
def _():
    l = socket.socket()
    address = bound(l)
    l.listen()
    same(waiting(l, address, 50), 50)


@test("listen(): large values are never wrapped: listen(256), listen(65536)", also=CPYTHON)
def _():
    for backlog in (256, 512, 65536, 1 << 24, 0x7FFFFFFF):
        l, address = listener(AF_INET, backlog)
        same(waiting(l, address, 60), 60, str(backlog))


@test("listen(): UDP EOPNOTSUPP, and accept() there too", also=BOTH)
@families
def _(af):
    d, _ = datagrams(af)
    fails(EOPNOTSUPP, lambda: d.listen(1))
    fails(EOPNOTSUPP, lambda: d.accept())


@test("listen(): twice changes the backlog", also=CPYTHON)
def _():
    l, address = listener(AF_INET, 1)
    l.listen(40)
    same(waiting(l, address, 30), 30)


@test("listen(): a connected socket EINVAL", also=BOTH)
def _():
    server, client = connected()
    fails(EINVAL, lambda: client.listen(1))
    fails(EINVAL, lambda: server.listen(1))


@test("accept(): (conn, address), a tuple, of the client", also=CPYTHON)
@families
def _(af):
    l, where = listener(af)
    c = socket.socket(af)
    c.connect(where)
    accepted = l.accept()
    same((type(accepted), len(accepted)), (tuple, 2))
    conn, address = accepted
    holds(type(conn) is socket.socket, "conn is a %s" % type(conn))
    same(address, c.getsockname())
    same(conn.getpeername(), address)
    same(conn.getsockname(), where)
    c.send(b"ping")
    same(conn.recv(10), b"ping")


@test("accept(): conn starts blocking, whatever the listener is", also=CPYTHON)
def _():
    for limit in (0, 5, None):
        l, address = listener()
        l.settimeout(limit)
        c = socket.socket()
        c.connect(address)
        becomes(l, IN)
        same(l.accept()[0].gettimeout(), None)
        same(l.gettimeout(), limit)


@test("accept(): timeout ETIMEDOUT, non-blocking with none EAGAIN", also=CPYTHON)
@families
def _(af):
    l, _ = listener(af)
    l.settimeout(0.08)
    times_out(80, lambda: l.accept())
    l.settimeout(0)
    fails(EAGAIN, lambda: l.accept())


@test("accept(): not listening EINVAL", also=BOTH)
@families
def _(af):
    s = socket.socket(af)
    fails(EINVAL, lambda: s.accept(), "new")
    bound(s, af)
    fails(EINVAL, lambda: s.accept(), "bound")
    server, client = connected(af)
    fails(EINVAL, lambda: client.accept(), "connected")


@test("accept(): in the order in which they came", also=CPYTHON)
def _():
    l, address = listener(AF_INET, 8)
    clients = []
    for _ in range(5):
        clients.append(socket.socket())
        clients[-1].connect(address)
    same([l.accept()[1] for _ in range(5)], [each.getsockname() for each in clients])


@test("accept(): closing a listener with connections pending resets them", also=CPYTHON)
@families
def _(af):
    l, address = listener(af, 8)
    clients = []
    for _ in range(5):
        clients.append(socket.socket(af))
        clients[-1].connect(address)
    becomes(l, IN)
    settle()
    before = descriptors()
    l.close()
    for each in clients:
        fails(ECONNRESET, lambda: each.recv(1))
        each.close()
    holds(descriptors() <= before, "%d descriptors, %d before" % (descriptors(), before))


@test("accept(): blocks until a client comes", also=CPYTHON, peer=True)
def _():
    l = socket.socket()
    l.bind((own_host(), 0))
    l.listen(1)
    c = peer(("sleep", 60), ("connect", own_host(), l.getsockname()[1], "hello"), ("hold",))
    conn, address = l.accept()
    same(address[0], peer_host())
    same(conn.recv(10), b"hello")
    c.close()


run()

"""The checklist of the documents' names, and what the objects look like."""

from harness import *

CALLS = ("close bind listen accept connect send recv sendto recvfrom setsockopt settimeout "
         "setblocking read readinto readline write sendall makefile").split()
BESIDE = "getsockopt getsockname getpeername shutdown fileno gettimeout __enter__ __exit__".split()


@test("documents: every method of the five documents is there, and what users ask for beside")
def _():
    s = socket.socket()
    same([name for name in CALLS + BESIDE if not callable(getattr(s, name, None))], [])


@test("documents: every method works")
@families
def _(af):
    l = socket.socket(af, SOCK_STREAM)
    l.setsockopt(SOL_SOCKET, socket.SO_REUSEADDR, 1)
    l.bind((HOSTS[af], 0))
    l.listen(5)
    l.settimeout(20)
    c = socket.socket(af, SOCK_STREAM)
    c.connect(l.getsockname())
    conn, address = l.accept()
    conn.setblocking(True)
    same((c.send("a line\n"), c.sendall("sent all"), c.write("written")), (7, None, 7))
    same((conn.readline(), conn.read(8)), (b"a line\n", b"sent all"))
    room = bytearray(8)
    same((conn.readinto(room, 3), conn.recv(100)), (3, b"tten"))
    c.makefile("rwb").write(b"more")
    c.close()
    same(conn.read(), b"more")
    d, at_d = datagrams(af)
    same(d.sendto(b"datagram", at_d), 8)
    same(d.recvfrom(100)[0], b"datagram")
    conn.close()
    l.close()


@test("documents: a constructor with a third positional argument, proto 0", also=BOTH)
def _():
    socket.socket(AF_INET, SOCK_STREAM, 0).close()


@test("documents: e.args[0] < 0 tells getaddrinfo's errors from errnos", also=CPYTHON)
def _():
    try:
        socket.getaddrinfo("no number", 80, 0, 0, 0, 4)
    except OSError as e:
        holds(e.args[0] < 0, "it is %s" % e.args[0])
    try:
        socket.socket().bind(("192.0.2.77", 0))
    except OSError as e:
        holds(e.args[0] > 0, "it is %s" % e.args[0])


@test("objects: bytes come as bytes, what __str__ says is a socket's", also=BOTH)
def _():
    server, client = connected()
    server.send(b"x")
    same(type(client.recv(1)), bytes)
    holds("socket" in repr(client), repr(client))


@test("objects: a socket is no list, has no length, and equals itself alone", also=BOTH)
def _():
    a, b = socket.socket(), socket.socket()
    holds(a == a and a != b, "equality")
    holds(a in {a: 1} and b not in {a: 1}, "as a key")
    try:
        len(a)
    except TypeError:
        return
    fail("it has a length")


@test("objects: calls with too many, too few or wrong arguments are TypeErrors, not crashes",
      also=CPYTHON)
def _():
    s = socket.socket()
    for call in (lambda: s.bind(), lambda: s.recv(), lambda: s.recv("1"), lambda: s.send(),
                 lambda: s.sendto(b"x"), lambda: s.setsockopt(1), lambda: s.settimeout(),
                 lambda: s.settimeout([]), lambda: s.connect(), lambda: s.listen("x"),
                 lambda: s.accept(1), lambda: s.close(1), lambda: s.setblocking(),
                 lambda: s.recv(None), lambda: socket.socket("x"), lambda: socket.getaddrinfo(),
                 lambda: socket.getaddrinfo("x"), lambda: socket.inet_pton(2),
                 lambda: socket.inet_ntop(2, 5), lambda: socket.inet_pton(2, 5)):
        try:
            call()
        except TypeError:
            continue
        fail("taken")


@test("objects: a subclass is a socket too", also=CPYTHON)
def _():
    class Talking(socket.socket):
        def greet(self):
            return self.send(b"hello")

    l, address = listener()
    c = Talking()
    c.connect(address)
    same(c.greet(), 5)
    same(l.accept()[0].recv(10), b"hello")
    c.close()
    fails(EBADF, lambda: c.greet())


@test("network.LAN(): active(), isconnected(), ifconfig(): the stack's own, both ways of naming it")
def _():
    import network

    lan = network.LAN()
    same((lan.active(), lan.isconnected()), (True, True))
    address, mask_of_it, gateway, names = lan.ifconfig()
    for text in (address, mask_of_it, gateway, names):
        socket.inet_pton(AF_INET, text)
    if ON_LWIP:
        same(address, "127.0.0.1")


@test("threads: from another thread a socket's calls work, or say EPERM; nothing crashes")
def _():
    import _thread

    server, client = connected()
    told = []

    def other():
        told.append(number_of(lambda: client.send(b"x")))

    _thread.start_new_thread(other, ())
    holds(until(lambda: told), "the thread does not end")
    one_of(told[0], 0, EPERM)
    same(client.send(b"y"), 1)
    server.settimeout(5)
    same(server.recv(10)[-1:] in (b"x", b"y"), True)


@test("threads: a thread has sockets of its own, or is told EPERM or EBUSY; nothing crashes")
def _():
    import _thread

    told = []

    def other():
        def talk():
            server, client = connected()
            client.send(b"x")
            same(server.recv(1), b"x")

        told.append(number_of(talk))

    _thread.start_new_thread(other, ())
    holds(until(lambda: told), "the thread does not end")
    one_of(told[0], 0, EPERM, 16)
    connected()


run()

"""The contract's row sendto() / recvfrom()."""

from harness import *


@test("sendto(), recvfrom(): a datagram and where it comes from", also=CPYTHON)
@families
def _(af):
    s, at_s = datagrams(af)
    c, at_c = datagrams(af)
    same(c.sendto(b"ping", at_s), 4)
    same(s.recvfrom(100), (b"ping", at_c))
    same(s.sendto(b"pong", at_c), 4)
    same(c.recv(100), b"pong")


@test("sendto(): str, bytearray and memoryview", also=STOCK)
def _():
    s, at_s = datagrams()
    for given, arrives in (("套", "套".encode()), (bytearray(b"ab"), b"ab"),
                           (memoryview(b"abc")[1:], b"bc")):
        same(s.sendto(given, at_s), len(arrives))
        same(s.recv(100), arrives)


@test("recvfrom(): what it gives as an address may be sent to", also=BOTH)
def _():
    s, at_s = datagrams()
    c, at_c = datagrams()
    c.sendto(b"ping", at_s)
    data, address = s.recvfrom(100)
    same(s.sendto(b"pong", address), 4)
    same(c.recv(100), b"pong")


@test("recvfrom(): boundaries are kept, a longer datagram is cut to n", also=BOTH)
@families
def _(af):
    s, at_s = datagrams(af)
    for each in (b"first", b"second", b"third"):
        s.sendto(each, at_s)
    same(s.recvfrom(3)[0], b"fir")
    same(s.recvfrom(1000)[0], b"second")
    same(s.recv(1000), b"third")


@test("recvfrom(): empty datagrams are real", also=BOTH)
@families
def _(af):
    s, at_s = datagrams(af)
    same(s.sendto(b"", at_s), 0)
    same(s.sendto(b"after it", at_s), 8)
    becomes(s, IN | OUT)
    same(s.recvfrom(100)[0], b"")
    same(s.recv(100), b"after it")
    s.setblocking(False)
    fails(EAGAIN, lambda: s.recv(1))  # unlike b"", nothing is EAGAIN


@test("sendto(): too long EMSGSIZE, and nothing is sent", also=BOTH)
@families
def _(af):
    s, at_s = datagrams(af)
    for size in (65536, 100000):
        fails(EMSGSIZE, lambda: s.sendto(bytes(size), at_s))
    s.sendto(b"short", at_s)
    same(s.recv(100), b"short")


@test("sendto(): a datagram of several fragments arrives whole", also=BOTH)
@families
def _(af):
    s, at_s = datagrams(af)
    same(s.sendto(known(0, 4000), at_s), 4000)
    same(s.recv(65536) == known(0, 4000), True)


@test("recvfrom() on TCP gives the peer")
@families
def _(af):
    server, client = connected(af)
    client.send(b"stream")
    same(server.recvfrom(100), (b"stream", client.getsockname()))


@test("sendto() on connected TCP sends to the peer", also=CPYTHON)
@families
def _(af):
    server, client = connected(af)
    same(client.sendto(b"to whom else", server.getsockname()), 12)
    same(server.recv(100), b"to whom else")


@test("UDP: connect() fixes the peer: others' datagrams are not received", also=CPYTHON)
@families
def _(af):
    s, at_s = datagrams(af)
    c, at_c = datagrams(af)
    stranger, _ = datagrams(af)
    s.connect(at_c)
    same(s.getpeername(), at_c)
    stranger.sendto(b"from a stranger", at_s)
    c.sendto(b"from the peer", at_s)
    same(s.recv(100), b"from the peer")
    s.setblocking(False)
    settle()
    fails(EAGAIN, lambda: s.recv(100))
    same(s.send(b"answer"), 6)
    same(c.recv(100), b"answer")


@test("UDP: recvfrom() with a timeout ETIMEDOUT", also=CPYTHON)
@families
def _(af):
    s, _ = datagrams(af)
    s.settimeout(0.08)
    times_out(80, lambda: s.recvfrom(10))
    times_out(80, lambda: s.recv(10))


@test("UDP: recvfrom() waits for what comes in time", also=CPYTHON, peer=True)
def _():
    s = socket.socket(AF_INET, SOCK_DGRAM)
    s.bind((own_host(), 0))
    s.settimeout(20)
    c = peer(("sleep", 60), ("datagrams", own_host(), s.getsockname()[1], 1, 8), ("hold",))
    data, (host, port) = s.recvfrom(100)
    same((data, host), (b"0000xxxx", peer_host()))
    c.close()


@test("UDP: a peer that is not there: ECONNREFUSED once, then the socket goes on", also=CPYTHON)
@families
def _(af):
    gone, to = datagrams(af)
    gone.close()
    c = socket.socket(af, SOCK_DGRAM)
    c.connect(to)
    c.send(b"anybody?")
    becomes(c, 12)
    c.setblocking(False)
    fails(ECONNREFUSED, lambda: c.recv(10))
    fails(EAGAIN, lambda: c.recv(10))
    same(mask(c), OUT)


@test("UDP: MSG_PEEK shows a datagram and leaves it whole, an empty one too", also=CPYTHON)
@families
def _(af):
    s, at_s = datagrams(af)
    for each in (b"one", b"", b"two"):
        s.sendto(each, at_s)
    same(s.recv(2, 2), b"on")
    same(s.recvfrom(100, 2), (b"one", at_s))
    same(mask(s), IN | OUT)
    same(s.recvfrom(2)[0], b"on")  # cut, and the rest is gone
    same(s.recv(10, 2), b"")
    same(s.recv(10), b"")
    same(s.recv(100), b"two")
    fails(EAGAIN, lambda: s.recv(1, 0x40))


@test("UDP: a burst of 10, 30 and 100 datagrams is kept", also=BOTH)
@families
def _(af):
    for burst in (10, 30, 100):
        s, at_s = datagrams(af)
        c = socket.socket(af, SOCK_DGRAM)
        for i in range(burst):
            c.sendto(b"%d" % i, at_s)
        settle()
        s.settimeout(5)
        same([int(s.recv(100)) for _ in range(burst)], list(range(burst)))


@test("UDP: a burst of 100 from another host is kept", also=CPYTHON, peer=True)
def _():
    s = socket.socket(AF_INET, SOCK_DGRAM)
    s.bind((own_host(), 0))
    s.settimeout(5)
    c = peer(("datagrams", own_host(), s.getsockname()[1], 100, 200), ("hold",))
    same([int(s.recv(300)[:4]) for _ in range(100)], list(range(100)))
    c.close()


@test("UDP: read(), readinto() and write() are one datagram; None where there is none",
      also=STOCK)
def _():
    s, at_s = datagrams()
    c = socket.socket(AF_INET, SOCK_DGRAM)
    c.connect(at_s)
    same(c.write(b"one"), 3)
    same(c.write(b"two"), 3)
    s.setblocking(False)
    becomes(s, IN | OUT)
    settle()
    if WHO == "weft":
        same(s.read(100), b"one")
    else:
        same(s.recv(100), b"one")
    same(s.readinto(bytearray(3)), 3)
    same(s.read(100), None)
    same(s.readinto(bytearray(3)), None)


def mreq(group, host="127.0.0.1"):
    return socket.inet_pton(AF_INET, group) + socket.inet_pton(AF_INET, host)


@test("multicast membership: twice EADDRINUSE, leaving twice EADDRNOTAVAIL, closing leaves",
      peer=True)  # lwIP's loopback has no groups
def _():
    ip, join, leave = socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.IP_DROP_MEMBERSHIP
    group = mreq("224.1.2.4", own_host())
    for _ in range(2):
        s = socket.socket(AF_INET, SOCK_DGRAM)
        s.setsockopt(ip, join, group)
        fails(EADDRINUSE, lambda: s.setsockopt(ip, join, group))
        s.setsockopt(ip, leave, group)
        fails(EADDRNOTAVAIL, lambda: s.setsockopt(ip, leave, group))
        s.setsockopt(ip, join, group)
        s.close()


@test("multicast membership: not an address of a group, a wrong length, a stream")
def _():
    ip, join = socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP
    s = socket.socket(AF_INET, SOCK_DGRAM)
    for wrong in (mreq("127.0.0.1"), mreq("224.1.2.3")[:4], mreq("224.1.2.3") + b"x", 1):
        fails(EINVAL, lambda: s.setsockopt(ip, join, wrong), str(wrong))
    fails(ENOPROTOOPT, lambda: socket.socket().setsockopt(ip, join, mreq("224.1.2.3")))


run()

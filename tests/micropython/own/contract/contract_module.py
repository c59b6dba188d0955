"""The contract's table "Module"."""

from harness import *

NUMBERS = dict(
    AF_INET=2, AF_INET6=10, SOCK_STREAM=1, SOCK_DGRAM=2, SOCK_RAW=3, IPPROTO_IP=0, IPPROTO_TCP=6,
    IPPROTO_UDP=17, IPPROTO_SEC=100, SOL_SOCKET=0xFFF, SO_REUSEADDR=4, SO_KEEPALIVE=8,
    SO_CALLBACK=20, SO_BROADCAST=0x20, SO_LINGER=0x80, SO_SNDBUF=0x1001, SO_RCVBUF=0x1002,
    SO_ERROR=0x1007, TCP_NODELAY=0x40, IP_ADD_MEMBERSHIP=0x400, IP_DROP_MEMBERSHIP=0x401,
    MSG_PEEK=2, MSG_DONTWAIT=0x40)


@test("constants: one table of numbers, the same on both stacks")
def _():
    for name, number in NUMBERS.items():
        same(getattr(socket, name, None), number, name)


@test("constants: families and types have the numbers that everyone gives them", also=BOTH)
def _():
    for name in ("AF_INET", "AF_INET6", "SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW"):
        same(int(getattr(socket, name)), NUMBERS[name], name)


@test("constants: select's: IN 1, OUT 4, ERR 8, HUP 16", also=BOTH)
def _():
    same((select.POLLIN, select.POLLOUT, select.POLLERR, select.POLLHUP), (1, 4, 8, 16))


@test("modules: socket and usocket, select and uselect are the same", also=STOCK)
def _():
    import uselect
    import usocket

    holds(usocket.socket is socket.socket, "usocket.socket is another class")
    holds(uselect.poll is select.poll, "uselect.poll is another function")


@test("modules: from usocket import * gives every name")
def _():
    here = {}
    exec("from usocket import *", here)
    for name in NUMBERS:
        same(here.get(name), NUMBERS[name], name)
    for name in ("socket", "getaddrinfo", "inet_pton", "inet_ntop"):
        holds(name in here, name + " is missing")
    here["socket"](here["AF_INET"], here["SOCK_STREAM"]).close()
    here["socket"](here["AF_INET"], here["SOCK_DGRAM"]).close()


@test("absent on purpose: error, gaierror and timeout", also=STOCK)
def _():
    for name in ("error", "gaierror", "timeout", "herror"):
        holds(not hasattr(socket, name), name + " is there")


@test("errors: OSError itself, whose args[0] is the number and errno too", also=STOCK)
def _():
    s = socket.socket()
    try:
        s.bind(at("127.0.0.1", 0))
        s.setblocking(False)
        s.accept()
    except OSError as error:
        holds(type(error) is OSError, "%s is raised" % type(error))
        one_of(error.args[0], EINVAL, EAGAIN)
        same(error.errno, error.args[0])
    else:
        fail("nothing was raised")


@test("errors: Linux's numbers, as the errno module has them", also=BOTH)
def _():
    for name, number in (
            ("EAGAIN", 11), ("EBADF", 9), ("EINVAL", 22), ("ENOMEM", 12), ("EADDRINUSE", 98),
            ("ECONNRESET", 104), ("ENOTCONN", 107), ("ETIMEDOUT", 110), ("ECONNREFUSED", 111),
            ("EHOSTUNREACH", 113), ("EALREADY", 114), ("EINPROGRESS", 115)):
        same(getattr(errno, name), number, name)


@test("sockaddr(): stock's reader of opaque addresses is there", also=STOCK)
def _():
    holds(callable(socket.sockaddr), "socket.sockaddr is missing")


# --- socket()


@test("socket(): AF_INET, SOCK_STREAM, blocking, unless told otherwise", also=CPYTHON)
def _():
    s = socket.socket()
    same(s.gettimeout(), None)
    same(s.getsockname()[0], "0.0.0.0")
    same(s.getsockopt(SOL_SOCKET, socket.SO_TYPE), SOCK_STREAM)


@test("socket(): proto 0 or omitted follows the type", also=CPYTHON)
@families
def _(af):
    for words, kind in (
            ((af, SOCK_DGRAM), SOCK_DGRAM), ((af, SOCK_DGRAM, 0), SOCK_DGRAM),
            ((af, SOCK_DGRAM, socket.IPPROTO_UDP), SOCK_DGRAM), ((af, SOCK_STREAM, 0), SOCK_STREAM),
            ((af, SOCK_STREAM, socket.IPPROTO_TCP), SOCK_STREAM)):
        same(socket.socket(*words).getsockopt(SOL_SOCKET, socket.SO_TYPE), kind, str(words))


@test("socket(): af, type and proto as keywords")
def _():
    same(socket.socket(af=AF_INET6, type=SOCK_DGRAM, proto=0).getsockname()[0], "::")
    same(socket.socket(type=SOCK_DGRAM).getsockopt(SOL_SOCKET, socket.SO_TYPE), SOCK_DGRAM)
    try:
        socket.socket(kind=1)
    except TypeError:
        return
    fail("an unknown keyword is accepted")


@test("socket(): unknown family EAFNOSUPPORT, type EINVAL, another type's proto EPROTONOSUPPORT")
def _():
    for family in (0, 1, 99, -1):
        fails(EAFNOSUPPORT, lambda: socket.socket(family, SOCK_STREAM), str(family))
    for kind in (0, 99, -1):
        fails(EINVAL, lambda: socket.socket(AF_INET, kind), str(kind))
    fails(EPROTONOSUPPORT, lambda: socket.socket(AF_INET, SOCK_STREAM, socket.IPPROTO_UDP))
    fails(EPROTONOSUPPORT, lambda: socket.socket(AF_INET, SOCK_STREAM, 99))


@test("socket(): no resources left: EMFILE or ENOMEM, and there are some again")
def _():
    held = []
    number = 0
    while not number and len(held) < 20000:
        number = number_of(lambda: held.append(socket.socket(AF_INET, SOCK_DGRAM)))
    one_of(number, EMFILE, ENOMEM)
    held.pop().close()
    fails(0, lambda: held.append(socket.socket(AF_INET, SOCK_DGRAM)))
    for each in held:
        each.close()


# --- getaddrinfo()


@test("getaddrinfo(): (family, type, proto, canonname, sockaddr), a stream first", also=CPYTHON)
def _():
    found = socket.getaddrinfo("10.1.2.3", 8080)
    same(tuple(found[0]), (2, 1, 6, "", ("10.1.2.3", 8080)))
    same(tuple(found[1]), (2, 2, 17, "", ("10.1.2.3", 8080)))
    same(socket.getaddrinfo("::1", 80)[0][-1], ("::1", 80, 0, 0))


@test("getaddrinfo(): all families and types that fit, AF_INET first, a stream before datagrams")
def _():
    found = socket.getaddrinfo("", 80)
    same([each[:2] for each in found], [(2, 1), (2, 2), (10, 1), (10, 2)])
    same(found[0][-1][0], "0.0.0.0")
    same(found[2][-1][0], "::")
    same(type(found), list)
    same([type(each) for each in found], [tuple] * 4)


@test("getaddrinfo(): family, type and proto filter", also=CPYTHON)
def _():
    same(len(socket.getaddrinfo("::1", 80, AF_INET6)) >= 2, True)
    same([each[1] for each in socket.getaddrinfo("127.0.0.1", 80, 0, SOCK_DGRAM)], [SOCK_DGRAM])
    same(len(socket.getaddrinfo("127.0.0.1", 80, AF_INET, SOCK_STREAM)), 1)
    same([each[1] for each in socket.getaddrinfo("::1", 80, 0, 0, 17)], [SOCK_DGRAM])


@test("getaddrinfo(): af, type, proto and flags, which have defaults, as keywords")
def _():
    same(len(socket.getaddrinfo("127.0.0.1", 80, af=0, type=SOCK_STREAM, proto=6, flags=0)), 1)


@test("getaddrinfo(): a filter finds an address to connect to", also=BOTH)
def _():
    l, address = listener()
    s = socket.socket()
    s.connect(socket.getaddrinfo("127.0.0.1", port_of(address), 0, SOCK_STREAM)[0][-1])
    l.accept()[0].close()


@test("getaddrinfo(): the port is a number 0..65535 or the name of a service", also=CPYTHON)
def _():
    for port, number in ((0, 0), (65535, 65535), ("http", 80), ("443", 443)):
        same(socket.getaddrinfo("::1", port)[0][-1][1], number)
    fails(-8, lambda: socket.getaddrinfo("::1", "no-such-service"))


@test("getaddrinfo(): a port out of range EINVAL")
def _():
    fails(EINVAL, lambda: socket.getaddrinfo("::1", 65536))
    fails(EINVAL, lambda: socket.getaddrinfo("::1", -1))


@test("getaddrinfo(): a failure is OSError with glibc's negative EAI_* number", also=CPYTHON)
def _():
    fails(-2, lambda: socket.getaddrinfo("not a number", 80, 0, 0, 0, 4))
    fails(-6, lambda: socket.getaddrinfo("127.0.0.1", 80, 99))
    fails(-1, lambda: socket.getaddrinfo("127.0.0.1", 80, 0, 0, 0, 1 << 20))


@test("getaddrinfo(): -5 no address of that family, -7 no such type")
def _():
    fails(-5, lambda: socket.getaddrinfo("127.0.0.1", 80, AF_INET6))
    fails(-7, lambda: socket.getaddrinfo("127.0.0.1", 80, 0, socket.SOCK_RAW))


@test("getaddrinfo(): numeric hosts never ask a server: at once", also=BOTH)
def _():
    begun = now()
    for _ in range(50):
        socket.getaddrinfo("192.0.2.1", 80)
        socket.getaddrinfo("2001:db8::1", 80, AF_INET6)
    holds(since(begun) < 2000, "100 numbers took %d ms" % since(begun))


@test("getaddrinfo_async(): awaited, the same list")
def _():
    import asyncio

    async def ask():
        return await socket.getaddrinfo_async("192.0.2.7", 80, AF_INET, SOCK_STREAM)

    same(asyncio.run(ask()), [(2, 1, 6, "", ("192.0.2.7", 80))])


# --- inet_pton(), inet_ntop()


@test("inet_pton(), inet_ntop(): both families, there and back", also=BOTH)
def _():
    same(socket.inet_ntop(AF_INET, b"\x7f\0\0\1"), "127.0.0.1")
    same(socket.inet_pton(AF_INET, "1.2.3.4"), b"\x01\x02\x03\x04")
    for text in ("2001:db8::1", "::", "fe80::1", "::ffff:1.2.3.4"):
        six = socket.inet_pton(AF_INET6, text)
        same(len(six), 16)
        same(socket.inet_ntop(AF_INET6, six), text)


@test("inet_pton(): wrong text EINVAL, unknown family EAFNOSUPPORT")
def _():
    for wrong in ("", "1.2.3", "1.2.3.4.5", "1.2.3.256", "host", "::1", " 1.2.3.4"):
        fails(EINVAL, lambda: socket.inet_pton(AF_INET, wrong), wrong)
    for wrong in ("", "1.2.3.4", ":::", "1::2::3", "12345::", "fe80::1%2"):
        fails(EINVAL, lambda: socket.inet_pton(AF_INET6, wrong), wrong)
    fails(EAFNOSUPPORT, lambda: socket.inet_pton(99, "1.2.3.4"))


@test("inet_ntop(): wrong length EINVAL, unknown family EAFNOSUPPORT")
def _():
    for size in (0, 1, 3, 5, 16):
        fails(EINVAL, lambda: socket.inet_ntop(AF_INET, b"x" * size), str(size))
    for size in (0, 4, 15, 17):
        fails(EINVAL, lambda: socket.inet_ntop(AF_INET6, b"x" * size), str(size))
    fails(EAFNOSUPPORT, lambda: socket.inet_ntop(99, b"1234"))


# --- addresses


@test("addresses: (host, port), or (host, port, flowinfo, scope id) for IPv6", also=CPYTHON)
def _():
    l, address = listener()
    same(address, ("127.0.0.1", address[1]))
    l6, six = listener(AF_INET6)
    same(six, ("::1", six[1], 0, 0))
    for address in (six, six[:2], ("0:0:0:0:0:0:0:1", six[1], 0, 0)):
        s = socket.socket(AF_INET6)
        s.connect(address)
        same(s.getpeername(), six)
        l6.accept()[0].close()


@test("addresses: a list is as good as a tuple")
def _():
    l, address = listener()
    socket.socket().connect(list(address))
    l.accept()[0].close()
    d, where = datagrams()
    same(d.sendto(b"x", list(where)), 1)
    socket.socket().bind(["127.0.0.1", 0])


@test("addresses: '' is any", also=CPYTHON)
@families
def _(af):
    s = socket.socket(af)
    s.bind(("", 0))
    same(s.getsockname()[0], "0.0.0.0" if af == AF_INET else "::")
    holds(s.getsockname()[1] != 0, "no port")


@test("addresses: what getaddrinfo gives is taken everywhere an address is", also=BOTH)
def _():
    any_port = socket.getaddrinfo("127.0.0.1", 0)[0][-1]
    socket.socket().bind(any_port)
    socket.socket(AF_INET, SOCK_DGRAM).bind(any_port)
    d, where = datagrams()
    if WHO != "stock":
        where = socket.getaddrinfo(where[0], where[1])[0][-1]
    same(d.sendto(b"x", where), 1)
    same(d.recv(5), b"x")


def calls(s, address):
    yield "bind", lambda: s.bind(address)
    yield "connect", lambda: s.connect(address)
    yield "sendto", lambda: s.sendto(b"x", address)


def is_wrong(address, number=EINVAL, family=AF_INET):
    for kind in (SOCK_STREAM, SOCK_DGRAM):
        s = socket.socket(family, kind)
        for name, call in calls(s, address):
            if kind == SOCK_DGRAM or name != "sendto":
                fails(number, call, "%s(%s)" % (name, address))
        s.close()


@test("addresses: a host name outside getaddrinfo is EINVAL")
def _():
    for host in ("localhost", "www.micropython.org", "1.2.3"):
        is_wrong((host, 80))


@test("addresses: a port outside 0..65535 is EINVAL, never wrapped")
def _():
    for port in (65536, 65616, -1, (1 << 32) + 80):
        is_wrong(("127.0.0.1", port))
        is_wrong(("::1", port), family=AF_INET6)
    try:
        fails(EINVAL, lambda: socket.socket().connect(("127.0.0.1", 1 << 80)))
    except OverflowError:  # no machine has such a number
        pass


@test("addresses: flowinfo must be 0, a scope id fits 32 bits")
def _():
    is_wrong(("::1", 80, 1, 0), family=AF_INET6)
    is_wrong(("::1", 80, 0, -1), family=AF_INET6)
    is_wrong(("::1", 80, 0, 1 << 32), family=AF_INET6)


@test("addresses: what is none: TypeError, EINVAL or ValueError, and the socket stays usable")
def _():
    for wrong in (None, 80, "127.0.0.1", (), ("127.0.0.1",), (1, 2), ("127.0.0.1", "80"),
                  ("::1", 80, 0, 0, 0), ("127.0.0.1", None), {}):
        s = socket.socket()
        for call in (s.bind, s.connect):
            try:
                call(wrong)
            except (TypeError, ValueError):
                continue
            except OSError as error:
                same(error.args[0], EINVAL, str(wrong))
                continue
            fail("%s is an address" % (wrong,))
        s.bind(("127.0.0.1", 0))


run()

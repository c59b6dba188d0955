"""What the contract's files share. It runs on MicroPython and on CPython 3.

    from harness import *

    @test("recv(0) is b'' at once", also=CPYTHON + STOCK)
    def _():
        server, client = connected()
        same(client.recv(0), b"")

    run()

A test holds for weft's socket module, and for those named in `also`: stock MicroPython's and
CPython's. CONTRACT_WHO says whom it runs on. It prints one line a test, `ok - NAME` or
`not ok - NAME: why`, and the exit status is 1 if one was not. CONTRACT_PEER, "host,port,own host",
is where peer.py listens; tests with `peer=True` run only then, and with CONTRACT_ONLY=peer only they.
"""

import errno
import gc
import os
import select
import socket
import struct
import sys
import time

CPYTHON, STOCK = ("cpython",), ("stock",)
BOTH = CPYTHON + STOCK

ON_CPYTHON = sys.implementation.name == "cpython"
WHO = os.getenv("CONTRACT_WHO") or ("cpython" if ON_CPYTHON else "weft")
STACK = os.getenv("WEFT_STACK") or "host"
ON_LWIP = WHO == "weft" and STACK.startswith("lwip")
PEER = os.getenv("CONTRACT_PEER") or ""
ONLY_PEER = os.getenv("CONTRACT_ONLY") == "peer"

EPERM, ENOENT, EINTR, EBADF, EAGAIN, ENOMEM, EINVAL, EMFILE, EPIPE = 1, 2, 4, 9, 11, 12, 22, 24, 32
EDEADLK, EDESTADDRREQ, EMSGSIZE, ENOPROTOOPT, EPROTONOSUPPORT = 35, 89, 90, 92, 93
EOPNOTSUPP, EAFNOSUPPORT, EADDRINUSE, EADDRNOTAVAIL, ENETUNREACH = 95, 97, 98, 99, 101
ECONNRESET, EISCONN, ENOTCONN, ETIMEDOUT, ECONNREFUSED = 104, 106, 107, 110, 111
EHOSTUNREACH, EALREADY, EINPROGRESS = 113, 114, 115
IN, OUT, ERR, HUP, NVAL = 1, 4, 8, 16, 32

AF_INET, AF_INET6 = socket.AF_INET, socket.AF_INET6
SOCK_STREAM, SOCK_DGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM
SOL_SOCKET = socket.SOL_SOCKET
SO_LINGER = getattr(socket, "SO_LINGER", 13)
HOSTS = {AF_INET: "127.0.0.1", AF_INET6: "::1"}
PATIENCE = 5000  # ms, for what takes a few

_tests = []


class Failure(Exception):
    pass


def test(name, also=(), peer=False):
    def keep(f):
        _tests.append((name, also, peer, f))
        return f

    return keep


def families(f):
    """Runs a test's body once with IPv4 and once with IPv6; stock has no IPv6 of its own."""

    def both():
        for family in (AF_INET,) if WHO == "stock" else (AF_INET, AF_INET6):
            try:
                f(family)
            except Failure as failure:
                raise Failure("%s: %s" % ("IPv4" if family == AF_INET else "IPv6", failure))

    return both


def run():
    failed = 0
    only = sys.argv[1:]
    for name, also, peer, f in _tests:
        if (WHO != "weft" and WHO not in also) or (peer and not PEER) or (
                ONLY_PEER and not peer):
            continue
        if only and not any(word in name for word in only):
            continue
        why = None
        try:
            f()
        except Failure as failure:
            why = str(failure)
        except Exception as error:  # a test must not end those behind it
            why = "%s: %s" % (type(error).__name__, error)
            if hasattr(sys, "print_exception"):
                sys.print_exception(error)
            else:
                import traceback

                traceback.print_exc()
        f = None
        print("ok - " + name if why is None else "not ok - %s: %s" % (name, why))
        failed += why is not None
        sweep()
    sys.exit(1 if failed else 0)


# --- checks


def fail(why):
    raise Failure(why)


def same(got, expected, what=""):
    if got != expected:
        fail("%sgot %s, expected %s" % (what and what + ": ", shown(got), shown(expected)))


def one_of(got, *expected):
    if got not in expected:
        fail("got %s, expected one of %s" % (shown(got), expected))


def holds(truth, what):
    if not truth:
        fail(what)


def shown(value):
    text = repr(value)
    return text if len(text) < 200 else "%s... (%d)" % (text[:200], len(value))


def number_of(f):
    """The number of the error that ends `f`, 0 if none does."""
    try:
        f()
    except OSError as error:
        if error.args and isinstance(error.args[0], int):
            return error.args[0]
        return ETIMEDOUT if type(error).__name__ == "TimeoutError" else -9999
    return 0


def fails(number, f, what=""):
    same(number_of(f), number, what)


# --- time


if ON_CPYTHON:

    def now():
        return time.monotonic_ns() // 1000000

    def since(begun):
        return now() - begun
else:

    def now():
        return time.ticks_ms()

    def since(begun):
        return time.ticks_diff(time.ticks_ms(), begun)


_idle = None


def settle(ms=30):
    """Long enough for what is on its way to arrive; the stack runs meanwhile."""
    global _idle
    if _idle is None:
        _idle = socket.socket(AF_INET, SOCK_DGRAM)
    poller = select.poll()
    poller.register(_idle, IN)
    end = now()
    while since(end) < ms:
        poller.poll(ms - since(end))


def until(truth):
    begun = now()
    while not truth():
        if since(begun) > PATIENCE:
            return False
        settle(2)
    return True


def times_out(ms, f):
    """`f` ends with ETIMEDOUT, not before `ms`."""
    begun = now()
    fails(ETIMEDOUT, f)
    # MicroPython's clock and the stack's are read at different moments
    holds(since(begun) >= ms - 1, "it ended after %d of %d ms" % (since(begun), ms))


# --- readiness


def mask(s, asked=IN | OUT):
    poller = select.poll()
    poller.register(s, asked)
    for each in poller.poll(0):
        return each[1]
    return 0


def becomes(s, expected, asked=IN | OUT):
    until(lambda: mask(s, asked) == expected)
    same(mask(s, asked), expected, "readiness")


# --- sockets


_port = [20000 + (time.time_ns() // 1000000) % 20000]


def at(host, port):
    """An address as this module takes it: stock takes what getaddrinfo gives, and nothing else."""
    if WHO == "stock":
        return socket.getaddrinfo(host, port)[0][-1]
    return (host, port)


def bound(s, family=AF_INET, host=None):
    """Binds to a port that is free; the address."""
    host = host or HOSTS[family]
    if hasattr(s, "getsockname"):
        s.bind((host, 0))
        return s.getsockname()
    while True:
        _port[0] += 1
        address = at(host, _port[0])
        if number_of(lambda: s.bind(address)) != EADDRINUSE:
            return address


def port_of(address):
    return socket.sockaddr(address)[2] if WHO == "stock" else address[1]


def listener(family=AF_INET, backlog=5):
    """A listening socket, and where."""
    s = socket.socket(family, SOCK_STREAM)
    address = bound(s, family)
    s.listen(backlog)
    return s, address


def connected(family=AF_INET):
    """Two ends of a connection: server and client."""
    l, address = listener(family)
    client = socket.socket(family, SOCK_STREAM)
    client.connect(address)
    server = l.accept()[0]
    l.close()
    return server, client


def datagrams(family=AF_INET):
    s = socket.socket(family, SOCK_DGRAM)
    return s, bound(s, family)


def linger(seconds, on=1):
    return struct.pack("ii", on, seconds)


def reset(s):
    s.setsockopt(SOL_SOCKET, SO_LINGER, linger(0))
    s.close()


def closed_port(family=AF_INET):
    """An address where nobody listens, and the socket that keeps it so."""
    holder = socket.socket(family, SOCK_STREAM)
    return bound(holder, family), holder


def refused(family=AF_INET):
    """A non-blocking socket whose connect() nobody took, which it has not been told yet; where that
    was, and the socket that keeps it so."""
    to, holder = closed_port(family)
    s = socket.socket(family)
    s.setblocking(False)
    fails(EINPROGRESS, lambda: s.connect(to))
    becomes(s, 29)
    return s, to, holder


class Unanswered:
    """A connection attempt that gets no answer: the listener's queue is full."""

    def __init__(self, family=AF_INET):
        self.listener, self.address = listener(family, 1)
        self.queued = []
        while True:
            self.client = socket.socket(family, SOCK_STREAM)
            self.client.setblocking(False)
            fails(EINPROGRESS, lambda: self.client.connect(self.address))
            settle()
            if mask(self.client) == 0:
                return
            self.queued.append(self.client)
            holds(len(self.queued) < 64, "the listener's queue has no end")


# --- bytes


_block = bytes(range(251)) * 262  # 65,762 bytes; a shift of one byte shows


def known(begin, size):
    """`size` bytes of a sequence that shows what is lost or comes twice, from `begin` on."""
    begin %= 251
    if begin + size <= len(_block):
        return _block[begin:begin + size]
    return (_block * ((begin + size) // len(_block) + 1))[begin:begin + size]


def is_known(data, begin):
    """All of `data` are the sequence's bytes from `begin` on."""
    step = 251 * 200
    return all(
        data[i:i + step] == known(begin + i, min(step, len(data) - i))
        for i in range(0, len(data), step))


def read_known(s, size, begin=0):
    """Reads `size` bytes of the sequence."""
    done = 0
    while done < size:
        part = s.recv(min(size - done, 50000))
        holds(part, "the end came after %d of %d bytes" % (done, size))
        holds(is_known(part, begin + done), "other bytes behind %d" % (begin + done))
        done += len(part)


def fill_up(s, begin=0, quiets=6):
    """Sends until nothing more is taken, so often in a row; how many bytes of the sequence were."""
    s.setblocking(False)
    taken, quiet = begin, 0
    while True:
        n = 0
        try:
            n = s.send(known(taken, 50000))
        except OSError:
            try:
                n = s.send(known(taken, 1))  # where many do not fit, one may
            except OSError:
                pass
        taken += n
        quiet = 0 if n else quiet + 1
        if quiet == quiets:
            return taken  # at once: a byte of room may come in any pause
        if not n:
            settle(60)  # a kernel delays its acknowledgement of less than a segment by 200 ms at most


# --- what is left behind


def sweep():
    """Collects what nothing refers to, below the stack's old words too."""

    def deep(n):
        return [n, n, n, deep(n - 1)] if n else []

    for _ in range(2):
        deep(20)
        gc.collect()


def descriptors():
    """Open descriptors of this process, this look's own among them."""
    return len(os.listdir("/proc/self/fd"))


# --- the other host


def peer(*steps, family=None):
    """A connection to peer.py, which does `steps` with it."""
    import json

    host, port, _ = PEER.split(",")
    s = socket.socket(AF_INET6 if ":" in host else AF_INET, SOCK_STREAM)
    s.connect(at(host, int(port)))
    s.send((json.dumps(steps) + "\n").encode())
    return s


def own_host():
    """This host's address as the peer knows it."""
    return PEER.split(",")[2]


def peer_host():
    return PEER.split(",")[0]

"""One blocking call that Ctrl-C ends, several times over.

    blocking.py CASE ROUNDS

Says "blocking" when it is about to block, and "interrupted" when KeyboardInterrupt came. Behind each
round it looks whether the socket is closed or works on, and whether a descriptor was left; at the end
it says "well", or else what was wrong. The name server that getaddrinfo asks never answers.
"""

import asyncio
import gc
import os
import select
import socket
import sys
import time

EBADF = 9
ROUNDS = int(sys.argv[2])
KNOWN = bytes(range(251)) * 40000


def same(got, expected, what):
    if got != expected:
        print("%s: %r, not %r" % (what, got, expected))
        sys.exit(1)


def sweep():
    """Collects, the stack's old words overwritten."""

    def deep(n):
        return [n, n, n, deep(n - 1)] if n else []

    deep(20)
    gc.collect()


def descriptors():
    sweep()
    return len(os.listdir("/proc/self/fd"))


def listener(backlog=5):
    l = socket.socket()
    l.bind(("127.0.0.1", 0))
    l.listen(backlog)
    return l


def connected():
    l = listener()
    c = socket.socket()
    c.connect(l.getsockname())
    s = l.accept()[0]
    l.close()
    return s, c


def datagrams():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    return s


# Each case: sets up, gives (call, look). `call` blocks; `look` sees what is left afterwards.


def case_accept():
    l = listener()

    def look():
        c = socket.socket()
        c.connect(l.getsockname())
        s, address = l.accept()
        same(address, c.getsockname(), "the next client")
        s.close()
        c.close()

    return l.accept, look


def case_connect():
    """To a listener whose queue is full."""
    full = listener(1)
    queued = []
    while True:
        c = socket.socket()
        c.setblocking(False)
        try:
            c.connect(full.getsockname())
        except OSError:
            pass
        poller = select.poll()
        poller.register(c, select.POLLOUT)
        queued.append(c)
        if not poller.poll(100):
            break
    l = listener()

    def call():
        s = socket.socket()
        try:
            s.connect(full.getsockname())
        except KeyboardInterrupt:
            # usable or closed, never in between
            s.settimeout(5)
            try:
                s.connect(l.getsockname())
                l.accept()[0].close()
            except OSError as error:
                if error.args[0] not in (EBADF, 114):
                    raise
            s.close()
            raise

    return call, lambda: None


def reading(call, partial=b"", rest=b"hello\n"):
    s, c = connected()

    def look():
        """What had come is first in line."""
        s.send(rest)
        got = b""
        while len(got) < len(partial) * ROUNDS_DONE[0] + len(rest):
            got += c.recv(100)
        same(got, partial * ROUNDS_DONE[0] + rest, "what comes next")
        ROUNDS_DONE[0] = 0

    def block():
        ROUNDS_DONE[0] += 1
        if partial:
            s.send(partial)
        return call(c)

    return block, look


ROUNDS_DONE = [0]


def case_recv():
    return reading(lambda c: c.recv(10))


def case_recv_with_timeout():
    def call(c):
        c.settimeout(20)
        try:
            return c.recv(10)
        finally:
            c.settimeout(None)

    return reading(call)


def case_recvfrom_stream():
    return reading(lambda c: c.recvfrom(10))


def case_read_n():
    return reading(lambda c: c.read(100), b"part ")


def case_read():
    return reading(lambda c: c.read(), b"part ")


def case_readinto():
    return reading(lambda c: c.readinto(bytearray(100)), b"part ")


def case_readline():
    return reading(lambda c: c.readline(), b"no line yet ")


def case_makefile_read():
    return reading(lambda c: c.makefile().read(100), b"part ")


def case_poll():
    def call(c):
        poller = select.poll()
        poller.register(c, select.POLLIN)
        return poller.poll()

    return reading(call)


def case_poll_ms():
    def call(c):
        poller = select.poll()
        poller.register(c, select.POLLIN)
        return poller.poll(20000)

    return reading(call)


def case_ipoll():
    def call(c):
        poller = select.poll()
        poller.register(c, select.POLLIN)
        for _ in poller.ipoll():
            pass

    return reading(call)


def case_select():
    return reading(lambda c: select.select([c], [], []))


def case_sleep():
    return reading(lambda c: time.sleep(20))


def case_recvfrom():
    s, c = datagrams(), datagrams()

    def look():
        c.sendto(b"hello", s.getsockname())
        same(s.recvfrom(10), (b"hello", c.getsockname()), "the next datagram")

    return lambda: s.recvfrom(10), look


def writing(call):
    """What was taken arrives, in order, and nothing else."""
    ends = []

    def block():
        ends[:] = connected()
        call(ends[1])

    def look():
        s, c = ends
        c.close()
        got = 0
        while True:
            part = s.recv(251 * 200)
            if not part:
                break
            same(part == KNOWN[got % 251:got % 251 + len(part)], True, "bytes behind %d" % got)
            got += len(part)
        s.close()
        same(0 < got < len(KNOWN), True, "what arrives, %d bytes" % got)

    return block, look


def case_send():
    return writing(lambda c: c.send(KNOWN))


def case_sendall():
    return writing(lambda c: c.sendall(KNOWN))


def case_write():
    return writing(lambda c: c.write(KNOWN))


def case_makefile_write():
    return writing(lambda c: c.makefile("wb").write(KNOWN))


def case_getaddrinfo():
    def look():
        same(socket.getaddrinfo("127.0.0.1", 80)[0][-1], ("127.0.0.1", 80), "a number")

    return lambda: socket.getaddrinfo("silence.example", 80), look


def loops(main):
    def call():
        try:
            asyncio.run(main())
        finally:
            asyncio.new_event_loop()

    def look():
        async def fine():
            await asyncio.sleep(0)
            return 5

        same(asyncio.run(fine()), 5, "another loop")
        asyncio.new_event_loop()

    return call, look


def case_asyncio_sleep():
    async def main():
        await asyncio.sleep(20)

    return loops(main)


def case_asyncio_read():
    s, c = connected()

    async def main():
        await asyncio.StreamReader(c).read(10)

    return loops(main)


def case_asyncio_server():
    """Its loop is dropped as it is; the collector closes the listener."""
    ports = iter(range(7011, 8000))

    async def main():
        server = await asyncio.start_server(None, "127.0.0.1", next(ports))
        await server.wait_closed()

    return loops(main)


def case_getaddrinfo_async():
    async def main():
        await socket.getaddrinfo_async("silence.example", 80)

    return loops(main)


def main(call, look):
    before = None
    for i in range(ROUNDS):
        try:
            print("blocking")
            result = call()
        except KeyboardInterrupt:
            print("interrupted")
        else:
            print("it returned %r" % (result,))
            sys.exit(1)
        if i % 2 == 1:  # twice in a row first
            look()
            if before is None:
                before = descriptors()
            same(descriptors() <= before, True, "%d descriptors, not %d" % (descriptors(), before))
    print("well")


main(*globals()["case_" + sys.argv[1]]())

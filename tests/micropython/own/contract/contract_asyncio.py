"""asyncio's streams on the sockets: what each does, and what cancelling it leaves."""

from harness import *

import asyncio

if ON_CPYTHON:

    async def sleep_ms(ms):
        await asyncio.sleep(ms / 1000)
else:
    sleep_ms = asyncio.sleep_ms

_ports = [30000 + (time.time_ns() // 1000000) % 20000]


async def served(handler):
    """A server whose address nobody else has."""
    while True:
        _ports[0] += 1
        try:
            return await asyncio.start_server(handler, "127.0.0.1", _ports[0]), _ports[0]
        except OSError as error:
            same(error.args[0], EADDRINUSE)


async def closed(writer):
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        pass


class Pair:
    """A connection, one end of it in a handler that leaves it alone."""

    async def open(self):
        accepted = []
        gone = asyncio.Event()

        async def handler(reader, writer):
            accepted.append((reader, writer))
            await gone.wait()

        self.gone = gone
        self.server, self.port = await served(handler)
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        while not accepted:
            await sleep_ms(1)
        self.its_reader, self.its_writer = accepted[0]
        return self

    async def close(self):
        self.gone.set()
        await closed(self.writer)
        await closed(self.its_writer)
        self.server.close()
        await self.server.wait_closed()


def in_asyncio(f):
    """Runs a coroutine as a test's body, and sees that no descriptor is left."""

    def body():
        settle(1)
        sweep()
        before = descriptors()
        asyncio.run(asyncio.wait_for(f(), 20))
        if not ON_CPYTHON:
            asyncio.new_event_loop()
        sweep()
        until(lambda: descriptors() <= before)
        holds(descriptors() <= before, "%d descriptors, %d before" % (descriptors(), before))

    return body


async def canceled(coroutine, after=10):
    """Starts it, cancels it while it waits; whether it was canceled."""
    task = asyncio.create_task(coroutine)
    await sleep_ms(after)
    holds(not task.done(), "it does not wait")
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return True
    return False


@test("asyncio: a server and a client", also=BOTH)
@in_asyncio
async def _():
    pair = await Pair().open()
    pair.writer.write(b"ping\n")
    await pair.writer.drain()
    same(await pair.its_reader.readline(), b"ping\n")
    pair.its_writer.write(b"pong pong")
    await pair.its_writer.drain()
    same(await pair.reader.readexactly(4), b"pong")
    same(await pair.reader.read(100), b" pong")
    await closed(pair.its_writer)
    same(await pair.reader.read(100), b"")
    same(await pair.reader.read(100), b"")
    await pair.close()


@test("asyncio: readexactly() at the end raises EOFError", also=BOTH)
@in_asyncio
async def _():
    pair = await Pair().open()
    pair.its_writer.write(b"abc")
    await pair.its_writer.drain()
    await closed(pair.its_writer)
    try:
        await pair.reader.readexactly(4)
    except EOFError:
        pass
    else:
        fail("it does not raise")
    await pair.close()


@test("asyncio: a write of 2 MB in one piece, drained, arrives whole", also=BOTH)
@in_asyncio
async def _():
    pair = await Pair().open()
    size = 2000000

    async def send():
        pair.writer.write(known(0, size))
        await pair.writer.drain()
        await closed(pair.writer)

    task = asyncio.create_task(send())
    at = 0
    while True:
        part = await pair.its_reader.read(50000)
        if not part:
            break
        holds(is_known(part, at), "other bytes behind %d" % at)
        at += len(part)
    same(at, size)
    await task
    await pair.close()


@test("asyncio: readinto()", also=STOCK)
@in_asyncio
async def _():
    pair = await Pair().open()
    pair.its_writer.write(b"abc")
    await pair.its_writer.drain()
    room = bytearray(10)
    same(await pair.reader.readinto(room), 3)
    same(room[:3], b"abc")
    await pair.close()


@test("asyncio: get_extra_info('peername') is the client's address", also=CPYTHON)
@in_asyncio
async def _():
    pair = await Pair().open()
    same(tuple(pair.its_writer.get_extra_info("peername"))[0], "127.0.0.1")
    await pair.close()


@test("asyncio: open_connection() to nobody: an error there or at the first use, no hang",
      also=BOTH)
@in_asyncio
async def _():
    to, holder = closed_port()
    port = port_of(to)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await reader.read(1)
        finally:
            await closed(writer)
    except OSError as error:
        same(error.args[0], ECONNREFUSED)
    else:
        fail("no error")
    holder.close()


@test("asyncio: a reset while it reads is ECONNRESET", also=BOTH)
@in_asyncio
async def _():
    pair = await Pair().open()

    async def read():
        return await pair.reader.read(10)

    task = asyncio.create_task(read())
    await sleep_ms(5)
    s = pair.its_writer.get_extra_info("socket") if ON_CPYTHON else pair.its_writer.s
    s.setsockopt(SOL_SOCKET, SO_LINGER, linger(0))
    pair.its_writer.transport.abort() if ON_CPYTHON else s.close()
    try:
        await task
    except OSError as error:
        same(error.args[0], ECONNRESET)
    else:
        fail("no error")
    await pair.close()


for name, call in (("read(n)", lambda r: r.read(10)), ("read()", lambda r: r.read()),
                   ("readexactly(n)", lambda r: r.readexactly(10)),
                   ("readline()", lambda r: r.readline())):

    @test("asyncio: canceling %s loses nothing that comes later, and the stream goes on" % name,
          also=BOTH)
    @in_asyncio
    async def _(call=call):
        pair = await Pair().open()
        for i in range(3):
            same(await canceled(call(pair.reader)), True)
            pair.its_writer.write(b"line %d, all\n" % i)
            await pair.its_writer.drain()
            same(await pair.reader.readexactly(11), b"line %d, all" % i)
            same(await pair.reader.readline(), b"\n")
        await pair.close()


@test("asyncio: canceling readinto() loses nothing", also=STOCK)
@in_asyncio
async def _():
    pair = await Pair().open()
    room = bytearray(10)
    same(await canceled(pair.reader.readinto(room)), True)
    pair.its_writer.write(b"later")
    await pair.its_writer.drain()
    same(await pair.reader.readinto(room), 5)
    await pair.close()


@test("asyncio: canceling drain() of a write that fits no more: what was taken arrives, in order",
      also=STOCK)
@in_asyncio
async def _():
    pair = await Pair().open()

    async def send():
        pair.writer.write(known(0, 12000000))
        await pair.writer.drain()

    same(await canceled(send(), 60), True)
    await closed(pair.writer)
    taken = 0
    while True:
        part = await pair.its_reader.read(50000)
        if not part:
            break
        holds(is_known(part, taken), "other bytes behind %d" % taken)
        taken += len(part)
    holds(0 < taken < 12000000, "%d bytes arrive" % taken)
    await pair.close()


@test("asyncio: canceling open_connection() in time, no descriptor left", also=CPYTHON)
@in_asyncio
async def _():
    u = Unanswered()
    for _ in range(5):
        same(await canceled(asyncio.open_connection("127.0.0.1", port_of(u.address)), 30), True)
    for each in u.queued + [u.listener, u.client]:
        each.close()


@test("asyncio: wait_for() ends a read that gets nothing, and the stream goes on", also=BOTH)
@in_asyncio
async def _():
    pair = await Pair().open()
    try:
        await asyncio.wait_for(pair.reader.read(1), 0.03)
    except asyncio.TimeoutError:
        pass
    else:
        fail("it does not end")
    pair.its_writer.write(b"x")
    await pair.its_writer.drain()
    same(await pair.reader.read(1), b"x")
    await pair.close()


@test("asyncio: canceling a wait in wait_closed(): the socket is closed", also=STOCK)
@in_asyncio
async def _():
    pair = await Pair().open()

    async def end():
        pair.writer.close()
        await pair.writer.wait_closed()

    task = asyncio.create_task(end())
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    await closed(pair.writer)
    same(await pair.its_reader.read(1), b"")
    await pair.close()


@test("asyncio: canceling a server ends it, frees its port, and leaves its connections",
      also=STOCK)
@in_asyncio
async def _():
    pair = await Pair().open()
    pair.server.close()
    await pair.server.wait_closed()
    s = socket.socket()
    fails(ECONNREFUSED, lambda: s.connect(at("127.0.0.1", pair.port)))
    s.close()
    pair.writer.write(b"still\n")
    await pair.writer.drain()
    same(await pair.its_reader.readline(), b"still\n")
    pair.gone.set()
    await closed(pair.writer)
    await closed(pair.its_writer)


@test("asyncio: reader and writer of one stream wait at once", also=BOTH)
@in_asyncio
async def _():
    pair = await Pair().open()
    size = 3000000

    async def echo():
        while True:
            part = await pair.its_reader.read(20000)
            if not part:
                break
            pair.its_writer.write(part)
            await pair.its_writer.drain()

    async def send():
        at = 0
        while at < size:
            pair.writer.write(known(at, 60000))
            await pair.writer.drain()
            at += 60000

    tasks = [asyncio.create_task(echo()), asyncio.create_task(send())]
    at = 0
    while at < size:
        part = await pair.reader.read(30000)
        holds(is_known(part, at), "other bytes behind %d" % at)
        at += len(part)
    await tasks[1]
    await closed(pair.writer)
    await tasks[0]
    await pair.close()


@test("asyncio: 5 clients at once, 1,000 requests each, all answered", also=STOCK)
@in_asyncio
async def _():
    async def handler(reader, writer):
        while True:
            line = await reader.readline()
            if not line:
                break
            writer.write(line)
            await writer.drain()
        await closed(writer)

    server, port = await served(handler)
    done = [0] * 5

    async def client(n):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for i in range(1000):
            line = b"client %d, request %d\n" % (n, i)
            writer.write(line)
            await writer.drain()
            same(await reader.readline(), line)
            done[n] += 1
        await closed(writer)

    await asyncio.gather(*[client(n) for n in range(5)])
    same(done, [1000] * 5)
    await sleep_ms(20)
    server.close()
    await server.wait_closed()


@test("asyncio: a UDP socket and a listener wait together with streams", also=STOCK)
@in_asyncio
async def _():
    d, where = datagrams()
    d.setblocking(False)
    stream = asyncio.StreamReader(d)
    pair = await Pair().open()
    waiting = asyncio.create_task(stream.read(100))
    await sleep_ms(5)
    pair.writer.write(b"x")
    await pair.writer.drain()
    same(await pair.its_reader.read(1), b"x")
    holds(not waiting.done(), "a datagram from nowhere")
    d.sendto(b"datagram", where)
    same(await waiting, b"datagram")
    await pair.close()
    d.close()


run()

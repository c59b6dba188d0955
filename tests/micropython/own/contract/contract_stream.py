"""The contract's rows makefile(), and read(), readinto(), readline() and write()."""

from harness import *

import io

# CPython's sockets are streams through makefile(), and those keep nothing after a timeout.


@test("makefile(): rb, wb, rwb; others EINVAL; the buffering is ignored")
def _():
    server, client = connected()
    client.makefile()
    for mode in ("rb", "wb", "rwb"):
        client.makefile(mode)
        client.makefile(mode, 4096)
        client.makefile(mode=mode, buffering=0)
    for mode in ("r", "w", "", "rt", "b", "rb+", "wrb", "a"):
        fails(EINVAL, lambda: client.makefile(mode), mode)


@test("makefile(): reads and writes the socket; closing it closes the socket")
@families
def _(af):
    server, client = connected(af)
    f = client.makefile("rwb")
    same(f.write(b"GET /\n"), 6)
    if hasattr(f, "flush"):
        f.flush()
    same(server.readline(), b"GET /\n")
    server.send(b"line\nrest")
    server.close()
    same(f.readline(), b"line\n")
    same(f.readinto(bytearray(2)), 2)
    same(f.read(), b"st")
    f.close()
    same(client.fileno(), -1)
    fails(EBADF, lambda: client.recv(1))
    fails(EBADF, lambda: f.read(1))
    f.close()


@test("makefile(): a socket closed is closed for its file")
def _():
    server, client = connected()
    f = client.makefile()
    client.close()
    fails(EBADF, lambda: f.read(1))


@test("makefile(): the file's read, readline and write are the socket's own", also=BOTH)
def _():
    server, client = connected()
    f = client.makefile("rwb", 0)
    same(f.write(b"GET /\n"), 6)
    same(server.recv(100), b"GET /\n")
    server.send(b"line\nrest")
    server.close()
    same(f.readline(), b"line\n")
    same(f.read(2), b"re")
    same(f.read(), b"st")


@test("read(n): no short reads on a blocking socket: n bytes, however they come", also=STOCK,
      peer=True)
def _():
    s = peer(("trickle", 5, "one by one"), ("hold",))
    same(s.read(10), b"one by one")
    s.close()


@test("read(n), readinto(): fewer only at EOF", also=STOCK, peer=True)
def _():
    s = peer(("trickle", 5, "short"))
    same(s.read(3), b"sho")
    room = bytearray(100)
    same(s.readinto(room), 2)
    same(room[:3], b"rt\0")
    same(s.read(10), b"")
    same(s.readinto(room), 0)
    same(s.readline(), b"")


@test("read(): all until EOF; read(-1) too", also=STOCK, peer=True)
def _():
    same(peer(("trickle", 5, "everything")).read(), b"everything")
    same(peer(("trickle", 5, "minus one")).read(-1), b"minus one")
    data = peer(("fill", 100400)).read()
    same((len(data), is_known(data, 0)), (100400, True))


@test("read(0) is b'' at once, readinto() of no room 0", also=STOCK)
def _():
    server, client = connected()
    client.setblocking(WHO != "stock")
    same(client.read(0), b"")
    if WHO != "stock":
        same(client.readinto(bytearray(0)), 0)
        same(client.readinto(bytearray(4), 0), 0)


@test("readinto(buf, n): n bytes at most, buf's length otherwise", also=STOCK)
@families
def _(af):
    server, client = connected(af)
    server.send(b"abcdefgh")
    room = bytearray(8)
    same(client.readinto(room, 3), 3)
    same(room, b"abc\0\0\0\0\0")
    same(client.readinto(memoryview(room)[5:7]), 2)
    same(room, b"abc\0\0de\0")
    same(client.readinto(memoryview(room)[:3], 100), 3)
    same(room[:3], b"fgh")


@test("readinto(): an array of numbers takes bytes", also=STOCK)
def _():
    import array

    server, client = connected()
    room = array.array("H", [0, 0])
    server.send(b"\1\0\2\0")
    same(client.readinto(room), 4)
    same(list(room), [1, 2])


@test("readinto(): bytes cannot be written to: TypeError, and nothing is taken", also=STOCK)
def _():
    server, client = connected()
    server.send(b"x")
    for wrong in (b"xx", "xx", None, 5):
        try:
            client.readinto(wrong)
        except TypeError:
            continue
        fail("%r is taken" % (wrong,))
    same(client.recv(10), b"x")


@test("readline(): up to and with a line feed, the last one without", also=STOCK, peer=True)
def _():
    s = peer(("trickle", 2, "one\n\ntwo\r\nlast"))
    same([s.readline() for _ in range(5)], [b"one\n", b"\n", b"two\r\n", b"last", b""])


@test("readline(): what is behind the line stays for every other call", also=STOCK)
@families
def _(af):
    server, client = connected(af)
    server.send(b"line\nabcdefgh\nrest")
    same(client.readline(), b"line\n")
    same(client.recv(2), b"ab")
    same(client.read(2), b"cd")
    same(client.readinto(bytearray(2)), 2)
    same(client.readline(), b"gh\n")
    same(client.recvfrom(100)[0], b"rest")


@test("readline(n): n bytes of a longer line", also=STOCK)
def _():
    server, client = connected()
    server.send(b"a longer line\n")
    same(client.readline(6), b"a long")
    same(client.readline(100), b"er line\n")


@test("readline(): a line of 200,000 bytes", peer=True)
def _():
    s = peer(("long", 200000), ("send", "\ny"))
    got = s.readline()
    same((len(got), got[-3:]), (200001, b"xx\n"))
    same(s.read(1), b"y")


@test("write(): no short writes on a blocking socket; the count is all", also=STOCK)
@families
def _(af):
    server, client = connected(af)
    same(client.write(b"hello"), 5)
    same(client.write("é"), 2)
    same(client.write(bytearray(3000)), 3000)
    client.close()
    same(len(server.read()), 3007)


@test("write(buf, n), write(buf, off, n): a part", also=STOCK)
def _():
    server, client = connected()
    same(client.write(b"abcdef", 2), 2)
    same(client.write(b"abcdef", 3, 2), 2)
    same(server.read(4), b"abde")


@test("non-blocking: read(), readinto(), readline(): what there is; None when there is nothing",
      also=STOCK)
@families
def _(af):
    server, client = connected(af)
    client.setblocking(False)
    room = bytearray(100)
    if WHO != "stock":
        same(client.read(), None)
    same(client.read(10), None)
    same(client.readinto(room), None)
    same(client.readline(), None)
    server.send(b"what")
    becomes(client, IN | OUT)
    same(client.read(10), b"what")
    same(client.read(10), None)
    server.send(b"there")
    becomes(client, IN | OUT)
    same(client.readinto(room), 5)
    server.send(b"is")
    becomes(client, IN | OUT)
    same(client.read(), b"is")
    server.close()
    becomes(client, IN | OUT)
    same(client.read(), b"")
    same(client.readinto(room), 0)
    same(client.readline(), b"")


@test("non-blocking: a partial line is returned as far as it goes", also=STOCK)
@families
def _(af):
    server, client = connected(af)
    client.setblocking(False)
    server.send(b"part")
    becomes(client, IN | OUT)
    same(client.readline(), b"part")
    same(client.readline(), None)
    server.send(b"ial\nnext")
    becomes(client, IN | OUT)
    same(client.readline(), b"ial\n")
    same(client.readline(), b"next")


@test("non-blocking: write() what fits, None when nothing does", also=STOCK)
def _():
    server, client = connected()
    client.setblocking(False)
    taken = 0
    n = client.write(known(0, 20000000))
    holds(n is not None and 0 < n < 20000000, "write gives %s" % n)
    taken = fill_up(client, n)
    for _ in range(100):  # a probe of the full window may have made room for some more
        n = client.write(known(taken, 50000))
        if n is None:
            break
        taken += n
    same(n, None)
    read_known(server, taken)


@test("connecting: read(), readinto(), readline() and write() are None")
@families
def _(af):
    u = Unanswered(af)
    same((u.client.read(), u.client.read(4), u.client.readinto(bytearray(4)), u.client.readline(),
          u.client.write(b"x")), (None,) * 5)


@test("a timeout midway raises, and keeps the bytes: first in line, and readiness says IN")
@families
def _(af):
    server, client = connected(af)
    client.settimeout(0.06)
    server.send(b"half")
    room = bytearray(8)
    for call in (lambda: client.read(8), lambda: client.readline(), lambda: client.read(),
                 lambda: client.readinto(room), lambda: client.read(8)):
        times_out(60, call)
        same(mask(client), IN | OUT)
    server.send(b"line\n")
    same(client.readline(), b"halfline\n")
    same(mask(client), OUT)


@test("a timeout midway keeps the bytes for each other call")
def _():
    for take in (lambda s: s.recv(4), lambda s: s.read(4), lambda s: s.recvfrom(4)[0],
                 lambda s: s.makefile().read(4)):
        server, client = connected()
        client.settimeout(0.02)
        server.send(b"half")
        fails(ETIMEDOUT, lambda: client.read(8))
        same(take(client), b"half")
        fails(ETIMEDOUT, lambda: client.recv(1))


@test("a timeout midway: 50 of them lose nothing", peer=True)
def _():
    text = "".join("%03d" % i for i in range(100))
    s = peer(("trickle", 1, text), ("hold",))
    s.settimeout(0.004)
    got, struck = b"", 0
    while len(got) < 300:
        try:
            got += s.read(min(50, 300 - len(got)))
        except OSError as error:
            same(error.args[0], ETIMEDOUT)
            struck += 1
    same(got, text.encode())
    holds(struck > 5, "the timeout struck %d times only" % struck)
    s.close()


@test("bytes that are kept: at EOF they come first")
def _():
    server, client = connected()
    client.settimeout(0.02)
    server.send(b"half")
    fails(ETIMEDOUT, lambda: client.read(8))
    server.close()
    same(client.read(8), b"half")
    same(client.read(8), b"")


@test("an error midway raises, and keeps the bytes: ECONNRESET in read(n), then the data")
@families
def _(af):
    server, client = connected(af)
    server.send(b"before")
    becomes(client, IN | OUT)
    settle()
    reset(server)
    becomes(client, 29)
    fails(ECONNRESET, lambda: client.read(100))
    holds(mask(client) & IN, "readiness does not say IN")
    same(client.read(100), b"before")
    same(client.recv(1), b"")


@test("a timeout midway in write(): what was written arrives, and no more")
def _():
    server, client = connected()
    client.settimeout(0.1)
    times_out(100, lambda: client.write(known(0, 20000000)))
    client.close()
    server.settimeout(5)
    data, taken = b"x", 0
    while data:
        data = server.recv(50000)
        holds(is_known(data, taken), "other bytes behind %d" % taken)
        taken += len(data)
    holds(0 < taken < 20000000, "%d bytes arrive" % taken)


@test("streams: json, print and struct read and write a socket as they do any stream", also=STOCK)
def _():
    import json

    server, client = connected()
    json.dump({"a": [1, 2]}, client)
    print("text", 5, file=client)
    client.close()
    if WHO == "stock":
        same(server.read(), b'{"a": [1, 2]}text 5\n')
    else:
        same(json.load(io.BytesIO(server.read(13))), {"a": [1, 2]})
        same(server.readline(), b"text 5\n")
        same(server.readline(), b"")


run()

# What the board runs, each behind its name; all in one session of the interpreter.
# --- a connection of the board with itself, which the next ones use too
import socket
def connected(port):
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen(1)
    client = socket.socket()
    client.setblocking(False)
    try:
        client.connect(("127.0.0.1", port))
    except OSError as e:
        assert e.errno == 115, e
    server, address = listener.accept()
    assert address[0] == "127.0.0.1"
    listener.close()
    return client, server
for s in connected(8004):
    s.close()
# --- blocking, non-blocking and timeout sockets over lwIP's loopback
import time
client, server = connected(8000)
assert client.send(b"hello") == 5
assert server.recv(10) == b"hello"
server.settimeout(0.05)
before = time.ticks_ms()
try:
    server.recv(1)
    assert False
except OSError as e:
    assert e.errno == 110, e
assert time.ticks_diff(time.ticks_ms(), before) >= 50
try:
    client.recv(1)
    assert False
except OSError as e:
    assert e.errno == 11, e
server.send(b"line\nrest")
client.setblocking(True)
assert client.readline() == b"line\n"
server.close()
assert client.read() == b"rest"
client.close()
# --- 10 kB in both directions at once, by select
import select
a, b = connected(8001)
b.setblocking(False)
poller = select.poll()
sent = {}
got = {}
for s in (a, b):
    poller.register(s, select.POLLIN | select.POLLOUT)
    sent[id(s)] = got[id(s)] = 0
while min(got.values()) < 10000:
    for s, events in poller.poll(5000):
        if events & select.POLLIN:
            got[id(s)] += len(s.recv(1000))
        if events & select.POLLOUT:
            n = min(700, 10000 - sent[id(s)])
            if n == 0:
                poller.modify(s, select.POLLIN)
            else:
                sent[id(s)] += s.send(bytes(n))
assert sorted(got.values()) == [10000, 10000]
a.close()
b.close()
# --- datagrams, and getaddrinfo of numbers
import socket
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
two = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.bind(socket.getaddrinfo("127.0.0.1", 9000)[0][-1])
one.settimeout(5)
two.sendto(b"datagram", ("127.0.0.1", 9000))
data, sender = one.recvfrom(100)
assert data == b"datagram" and sender[0] == "127.0.0.1"
one.close()
two.close()
# --- a refused connection, and numbers as on Linux
import socket
s = socket.socket()
try:
    s.connect(("127.0.0.1", 1))
    assert False
except OSError as e:
    assert e.errno == 111, e
s.close()
try:
    s.recv(1)
    assert False
except OSError as e:
    assert e.errno == 9, e
# --- asyncio streams: five clients, twenty lines each
import asyncio
async def serve(reader, writer):
    while True:
        line = await reader.readline()
        if not line:
            break
        writer.write(line)
        await writer.drain()
    writer.close()
    await writer.wait_closed()
async def client(n):
    reader, writer = await asyncio.open_connection("127.0.0.1", 9001)
    for i in range(20):
        line = b"client %d line %d\n" % (n, i)
        writer.write(line)
        await writer.drain()
        assert await reader.readline() == line
    writer.close()
    await writer.wait_closed()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 9001)
    await asyncio.gather(*(client(n) for n in range(5)))
    server.close()
    await server.wait_closed()
asyncio.run(main())
# --- SO_CALLBACK through the scheduler
import socket, time
called = []
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 9002))
s.setsockopt(socket.SOL_SOCKET, socket.SO_CALLBACK, lambda which: called.append(which.recv(10)))
s.sendto(b"ring", ("127.0.0.1", 9002))
time.sleep_ms(50)
assert called == [b"ring"], called
s.close()
# --- memory that runs out is ENOMEM, and what was there goes on
a, b = connected(8003)
taken = 0
try:
    while True:
        taken += a.send(bytes(500))
except OSError as e:
    assert e.errno in (11, 12), e
assert taken > 0
b.settimeout(5)
assert len(b.read(taken)) == taken
assert a.send(b"again") == 5
assert b.recv(10) == b"again"
for s in (a, b):
    s.close()

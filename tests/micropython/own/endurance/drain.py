"""Sends, and ends at once in some way: drain.py HOST PORT SIZE WAY. All of it must arrive."""

import socket
import sys

host, port, size, way = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
data = (bytes(range(251)) * (size // 251 + 1))[:size]


def connect():
    s = socket.socket()
    s.connect((host, port))
    return s


def in_asyncio():
    import asyncio

    async def main():
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(data)
        await writer.drain()

    asyncio.run(main())


if way == "asyncio":
    in_asyncio()
elif way == "file":
    connect().makefile("wb").write(data)
else:
    s = connect()
    if way == "nonblocking":  # as much as is taken at once
        s.setblocking(False)
        print(s.send(data))
    else:
        s.send(data)
    if way == "close":
        s.close()
    elif way == "exit":
        sys.exit(3)
    elif way == "exception":
        raise ValueError("on purpose")

"""An echo server on asyncio's streams: echo_asyncio.py PORT. It ends with its last connection."""

import asyncio
import sys

open_now = 0
over = asyncio.Event()


async def echo(reader, writer):
    global open_now
    open_now += 1
    while True:
        data = await reader.read(1024)
        if not data:
            break
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()
    open_now -= 1
    if open_now == 0:
        over.set()


async def main():
    await asyncio.start_server(echo, "127.0.0.1", int(sys.argv[1]), 128)
    print("listening", sys.argv[1])
    await over.wait()


asyncio.run(main())

"""An asyncio server with one connection on which nothing happens: idle.py HOST PORT plain|tls SERVER|CLIENT
[FOLDER with certificates]. Says "idle" when the connection stands and both ends wait; ends with stdin."""

import asyncio
import sys

host, port, kind, side = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
context = None
if kind == "tls":
    import ssl

    if side == "server":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[5] + "/ec_cert.der", sys.argv[5] + "/ec_key.der")
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_NONE


async def handler(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    print("idle")
    await reader.readline()
    print("it ended")


async def serve():
    server = await asyncio.start_server(handler, host, port, ssl=context)
    print("ready")
    await server.wait_closed()


async def ask():
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    writer.write(b"hello\n")
    await writer.drain()
    print((await reader.readline()).decode().strip())
    await reader.readline()


asyncio.run(serve() if side == "server" else ask())

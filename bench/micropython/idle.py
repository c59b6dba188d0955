"""An asyncio server that answers a line and then waits for another: idle.py PORT [FOLDER]. With a folder of
certificates it speaks TLS."""

import asyncio
import sys

context = None
if len(sys.argv) > 2:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2] + "/ec_cert.der", sys.argv[2] + "/ec_key.der")


async def answer(reader, writer):
    while True:
        line = await reader.readline()
        if not line:
            break
        writer.write(line)
        await writer.drain()


async def main():
    await asyncio.start_server(answer, "127.0.0.1", int(sys.argv[1]), ssl=context)
    print("listening", sys.argv[1])
    await asyncio.Event().wait()


asyncio.run(main())

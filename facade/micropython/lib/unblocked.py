# asyncio.open_connection() and start_server() that let other tasks run while a name is looked up:
#
#     from unblocked import open_connection
#     reader, writer = await open_connection("micropython.org", 80)
#
# They find the address first, with weft's socket.getaddrinfo_async(), and give asyncio's own a
# number, for which nobody is asked.
import asyncio
import socket


async def number_of(host, port):
    return (await socket.getaddrinfo_async(host, port, 0, socket.SOCK_STREAM))[0][-1][0]


async def open_connection(host, port, ssl=None, server_hostname=None):
    number = await number_of(host, port)
    if ssl and not server_hostname:
        server_hostname = host
    return await asyncio.open_connection(number, port, ssl, server_hostname)


async def start_server(cb, host, port, backlog=5, ssl=None):
    return await asyncio.start_server(cb, await number_of(host, port), port, backlog, ssl)

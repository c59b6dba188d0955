"""Tasks go on while a name server is silent; a canceled question leaves nothing; 40 of them in a row."""

import asyncio
import os
import socket


async def tick(counted):
    while True:
        await asyncio.sleep_ms(5)
        counted[0] += 1


async def main():
    counted = [0]
    ticking = asyncio.create_task(tick(counted))
    for i in range(40):
        before = counted[0]
        asking = asyncio.create_task(socket.getaddrinfo_async("silence%d.example" % i, 80))
        while counted[0] < before + 3:
            await asyncio.sleep_ms(5)
        assert not asking.done()
        asking.cancel()
        try:
            await asking
        except asyncio.CancelledError:
            pass
        else:
            raise ValueError("it was not canceled")
        if i == 2:
            descriptors = len(os.listdir("/proc/self/fd"))
    ticking.cancel()
    assert len(os.listdir("/proc/self/fd")) <= descriptors, "descriptors are left"
    numeric = await socket.getaddrinfo_async("192.0.2.1", 80)
    assert numeric[0][-1] == ("192.0.2.1", 80)
    print("well")


asyncio.run(main())

"""20,000 connections, one after another, both ends here. Prints what the process uses after a tenth of
them and after all of them: the heap's used bytes, VmRSS in kB, descriptors."""

import gc
import os
import socket
import sys

COUNT = int(sys.argv[1])


def used():
    gc.collect()
    gc.collect()
    with open("/proc/self/status") as status:
        rss = [int(line.split()[1]) for line in status if line.startswith("VmRSS")][0]
    return gc.mem_alloc(), rss, len(os.listdir("/proc/self/fd"))


def touch():
    """The whole heap: what it has not used yet is no memory of the kernel's either."""
    held = []
    try:
        while True:
            held.append(bytearray(10000))
    except MemoryError:
        pass


def one(listener, address, room):
    client = socket.socket()
    client.connect(address)
    server, _ = listener.accept()
    client.send(b"question")
    server.readinto(room)
    server.send(b"answer!!")
    client.readinto(room)
    client.close()  # it alone ends in TIME_WAIT: were both, the next SYN might meet the other's
    server.readinto(room)
    server.close()


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(5)
address = listener.getsockname()
room = bytearray(8)
touch()
for i in range(COUNT):
    one(listener, address, room)
    if i == COUNT // 10:
        before = used()
print(*before, *used())

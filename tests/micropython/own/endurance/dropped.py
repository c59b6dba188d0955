"""Sockets that nobody closes: three times as many as the stack has room for at once, of each type. If
one were not freed by the collector, socket() would fail."""

import gc
import os
import socket
import sys

COUNTS = {socket.SOCK_STREAM: int(sys.argv[1]), socket.SOCK_DGRAM: int(sys.argv[2])}


def drop(kind):
    s = socket.socket(socket.AF_INET, kind)
    s.bind(("127.0.0.1", 0))


for kind, count in COUNTS.items():
    for i in range(count):
        drop(kind)
        if i % 100 == 99:
            gc.collect()
gc.collect()
print(len(os.listdir("/proc/self/fd")))

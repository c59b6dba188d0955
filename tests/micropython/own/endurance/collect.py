"""Takes one connection after another to its end: collect.py HOST PORT PAUSE_MS. A line for each: how many
bytes came, and whether they were the right ones; "ready" before the first."""

import socket
import sys
import time

l = socket.socket()
l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind((sys.argv[1], int(sys.argv[2])))
l.listen(5)
print("ready")
if hasattr(sys.stdout, "flush"):
    sys.stdout.flush()
block = bytes(range(251)) * 300
while True:
    s, _ = l.accept()
    size, right = 0, True
    try:
        while True:
            time.sleep(int(sys.argv[3]) / 1000)
            part = s.recv(50000)
            if not part:
                break
            begin = size % 251
            right = right and part == block[begin:begin + len(part)]
            size += len(part)
    except OSError as error:
        right = error.args[0]
    s.close()
    print(size, right)
    if hasattr(sys.stdout, "flush"):
        sys.stdout.flush()

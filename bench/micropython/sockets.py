"""Holds connections, both ends: sockets.py PORT COUNT. Prints the collected heap's bytes, and waits for a
line of input."""

import gc
import socket
import sys

listener = socket.socket()
address = socket.getaddrinfo("127.0.0.1", int(sys.argv[1]))[0][-1]
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(address)
listener.listen(5)
held = [None] * 2000
for i in range(int(sys.argv[2])):
    client = socket.socket()
    client.connect(address)
    client.send(b"x")
    server = listener.accept()[0]
    server.recv(1)
    held[2 * i], held[2 * i + 1] = client, server
gc.collect()
print(gc.mem_alloc())
sys.stdin.readline()

"""An echo server for one connection, which blocks: echo_blocking.py PORT."""

import socket
import sys

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(socket.getaddrinfo("127.0.0.1", int(sys.argv[1]))[0][-1])
listener.listen(5)
print("listening", sys.argv[1])
connection = listener.accept()[0]
while True:
    data = connection.recv(1024)
    if not data:
        break
    connection.send(data)
connection.close()

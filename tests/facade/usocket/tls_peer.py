"""The other end of tls_peers_test.cpp: Python's ssl. Ends with 0 if all was as it should be.

    tls_peer.py DIRECTORY serve        prints its port, and echoes to the end
    tls_peer.py DIRECTORY ask PORT     asks for an echo"""

import socket
import ssl
import sys

SENT = bytes(i * 7 % 251 for i in range(100_000))
directory, role, *where = sys.argv[1:]


def serve():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{directory}/server.pem", f"{directory}/server.key")
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    peer = context.wrap_socket(listener.accept()[0], server_side=True, suppress_ragged_eofs=False)
    while received := peer.recv(10_000):
        peer.sendall(received)
    peer.unwrap().close()


def ask(port):
    context = ssl.create_default_context(cafile=f"{directory}/authority.pem")
    plain = socket.create_connection(("127.0.0.1", port))
    peer = context.wrap_socket(plain, server_hostname="weft.test", suppress_ragged_eofs=False)
    got = b""
    for begin in range(0, len(SENT), 25_000):
        peer.sendall(SENT[begin:begin + 25_000])
        while len(got) < begin + 25_000:
            got += peer.recv(25_000)
    assert got == SENT, "not what was sent"
    peer.unwrap().close()


if role == "serve":
    serve()
else:
    ask(int(where[0]))

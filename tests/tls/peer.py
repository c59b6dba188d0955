"""The other end of tests/tls/peers_test.cpp: OpenSSL, by Python's ssl. Ends with 0 if all was as it
should be, for this end.

    peer.py DIRECTORY server MODE         prints its port
    peer.py DIRECTORY client MODE PORT

Modes: echo (to the end, which is close_notify both ways), cut (FIN without close_notify behind
"half"), reset (RST instead), stranger (whom the other end must not trust)."""

import socket
import ssl
import struct
import sys

SIZE = 300_000


def serve(directory, mode):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    who = "strange" if mode == "stranger" else "server"
    context.load_cert_chain(f"{directory}/{who}.pem", f"{directory}/{who}.key")
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    plain, _ = listener.accept()
    if mode == "stranger":
        try:
            context.wrap_socket(plain, server_side=True)
        except ssl.SSLError as error:
            assert "alert unknown ca" in str(error), error
            return
        raise AssertionError("was trusted")
    peer = context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False)
    if mode == "echo":
        while received := peer.recv(10_000):
            peer.sendall(received)
        peer.unwrap().close()
    else:
        peer.sendall(b"half")
        peer.recv(1)
        if mode == "reset":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()  # which says nothing


def ask(directory, mode, port):
    authority = "stranger" if mode == "stranger" else "authority"
    context = ssl.create_default_context(cafile=f"{directory}/{authority}.pem")
    plain = socket.create_connection(("127.0.0.1", port))
    if mode == "stranger":
        try:
            context.wrap_socket(plain, server_hostname="weft.test")
        except ssl.SSLCertVerificationError:
            return
        raise AssertionError("was trusted")
    peer = context.wrap_socket(plain, server_hostname="weft.test", suppress_ragged_eofs=False)
    sent = bytes(i * 7 % 251 for i in range(SIZE))
    got = b""
    while len(got) < SIZE:
        piece = sent[len(got):len(got) + 50_000]
        peer.sendall(piece)
        end = len(got) + len(piece)
        while len(got) < end:
            got += peer.recv(end - len(got))
    assert got == sent, "not what was sent"
    peer.unwrap().close()


if __name__ == "__main__":
    where, role, how, *rest = sys.argv[1:]
    if role == "server":
        serve(where, how)
    else:
        ask(where, how, int(rest[0]))

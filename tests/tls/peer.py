"""The other end of tests/tls/peers_test.cpp: Python's ssl, openssl, curl and nginx. Ends with 0 if
all was as it should be, for this end.

    peer.py DIRECTORY serve MODE              prints its port
    peer.py DIRECTORY ask MODE ADDRESS PORT

The functions below are the modes. DIRECTORY has certificates and keys, NAME.pem and NAME.key."""

import ctypes
import pathlib
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time

SIZE = 300_000
BYTES = bytes(i * 7 % 251 for i in range(SIZE))
NAME = "weft.test"
DIRECTORY, ROLE, MODE, *WHERE = sys.argv[1:]


def of(name):
    return f"{DIRECTORY}/{name}"


def dies_with_us():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def run(*command, **more):
    return subprocess.run(command, capture_output=True, timeout=60, preexec_fn=dies_with_us, **more)


# ---- weft asks: Python serves


def listening():
    listener = socket.create_server(("", 0))
    print(listener.getsockname()[1], flush=True)
    return listener


def server_context(who="server"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(of(f"{who}.pem"), of(f"{who}.key"))
    return context


def accepted(context, listener):
    plain, _ = listener.accept()
    return context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False)


def echo_to_end(peer):
    while received := peer.recv(10_000):
        peer.sendall(received)
    peer.unwrap().close()


def serve_echo():
    """To the end, which is close_notify both ways; an intermediate authority; SNI and ALPN."""
    context = server_context("chain")
    context.set_alpn_protocols(["weft/1"])
    asked = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    peer = accepted(context, listening())
    assert asked == [NAME], asked
    assert peer.selected_alpn_protocol() == "weft/1"
    echo_to_end(peer)


def serve_rudely(reset):
    """`half`, and the end of TCP without close_notify."""
    peer = accepted(server_context(), listening())
    peer.sendall(b"half")
    peer.recv(1)
    if reset:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()  # which says nothing


def serve_stranger(who="strange", alert="unknown ca"):
    try:
        accepted(server_context(who), listening())
    except ssl.SSLError as error:
        assert f"alert {alert}" in str(error), error
        return
    raise AssertionError("was trusted")


def serve_certified():
    context = server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(of("authority.pem"))
    peer = accepted(context, listening())
    assert peer.getpeercert()["subject"] == ((("commonName", "client"),),)
    echo_to_end(peer)


def serve_again(tickets):
    context = server_context()
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
    listener = listening()
    for resumed in (False, True):
        peer = accepted(context, listener)
        assert peer.session_reused == resumed, resumed
        echo_to_end(peer)


# ---- weft asks: programs serve


def free_port():
    with socket.create_server(("", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        with open("/proc/net/tcp") as table:
            if any(f":{port:04X} 00000000:0000 0A" in line for line in table):
                print(port, flush=True)
                return
        time.sleep(0.05)
    raise AssertionError("does not listen")


def serve_openssl():
    """Its status page, to two connections; the second resumes by session id."""
    port = free_port()
    with subprocess.Popen(
            ["openssl", "s_server", "-accept", f"0.0.0.0:{port}", "-www", "-naccept", "2", "-no_ticket",
             "-cert", of("rsa.pem"), "-key", of("rsa.key"), "-alpn", "weft/1"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=dies_with_us) as server:
        wait_for(port)
        assert server.wait(60) == 0


def serve_nginx():
    """A file, by two names with a certificate each."""
    port = free_port()
    work = pathlib.Path(of("nginx"))
    work.mkdir()
    (work / "file").write_bytes(BYTES)
    site = """
        server {{ listen {port} ssl; server_name {name}; root {work}; ssl_session_tickets on;
            ssl_certificate {who}.pem; ssl_certificate_key {who}.key; }}"""
    sites = "".join(site.format(port=port, name=name, work=work, who=of(who))
                    for name, who in (("other.test", "other"), (NAME, "chain")))
    places = "".join(f"{kind}_temp_path {work}/{kind};\n"
                     for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (work / "conf").write_text(f"""
        daemon off; master_process off; pid {work}/pid; error_log {work}/error.log;
        events {{}}
        http {{ access_log {work}/access.log; {places} {sites} }}""")
    with subprocess.Popen(["/usr/sbin/nginx", "-e", f"{work}/error.log", "-p", str(work), "-c", str(work / "conf")],
                          preexec_fn=dies_with_us) as server:
        wait_for(port)
        for _ in range(600):
            if (work / "access.log").read_text().count("\n") == 3:
                break
            time.sleep(0.05)
        server.kill()
    assert (work / "access.log").read_text().count(f'"GET /file HTTP/1.0" 200 {SIZE}') == 3


# ---- weft serves: Python asks


def client_context(authority="authority"):
    return ssl.create_default_context(cafile=of(f"{authority}.pem"))


def connected(context, name=NAME, **more):
    plain = socket.create_connection(WHERE)
    return context.wrap_socket(plain, server_hostname=name, suppress_ragged_eofs=False, **more)


def compare_echo(peer, size=SIZE):
    got = b""
    while len(got) < size:
        piece = BYTES[len(got):min(size, len(got) + 50_000)]
        peer.sendall(piece)
        end = len(got) + len(piece)
        while len(got) < end:
            got += peer.recv(end - len(got))
    assert got == BYTES[:size], "not what was sent"
    peer.unwrap().close()


def ask_echo():
    context = client_context()
    context.set_alpn_protocols(["http/1.1", "weft/1"])
    context.load_cert_chain(of("client.pem"), of("client.key"))
    peer = connected(context)
    assert peer.selected_alpn_protocol() == "weft/1"
    assert peer.cipher()[0] == "ECDHE-ECDSA-CHACHA20-POLY1305", peer.cipher()
    compare_echo(peer)


def ask_stranger(authority="stranger", name=NAME):
    try:
        connected(client_context(authority), name)
    except ssl.SSLCertVerificationError:
        return
    raise AssertionError("was trusted")


def ask_again():
    context = client_context()
    session = None
    for resumed in (False, True):
        peer = connected(context, session=session)
        assert peer.session_reused == resumed, resumed
        session = peer.session
        compare_echo(peer, 10)


# ---- weft serves: programs ask


def s_client(*more):
    return ["openssl", "s_client", "-connect", ":".join(WHERE), "-servername", NAME, "-verify_hostname", NAME,
            "-verify_return_error", "-CAfile", of("authority.pem"), *more]


def ask_openssl():
    """Two connections; the second resumes by session id."""
    for option, what in (("-sess_out", "New"), ("-sess_in", "Reused")):
        done = run(*s_client("-no_ticket", "-alpn", "weft/1", option, of("session")), stdin=subprocess.DEVNULL)
        said = done.stdout.decode()
        assert f"{what}, TLSv1.2, Cipher is" in said, (what, said)
        assert "ALPN protocol: weft/1" in said or what == "Reused", said
        assert "Verify return code: 0 (ok)" in said, said


def ask_renegotiation():
    with subprocess.Popen(s_client(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, preexec_fn=dies_with_us) as client:
        client.stdin.write(b"hello\n")
        client.stdin.flush()
        while client.stdout.readline() != b"hello\n":  # the echo
            pass
        client.stdin.write(b"R\n")
        client.stdin.flush()
        said, _ = client.communicate(timeout=60)
    assert b"RENEGOTIATING" in said and b"no renegotiation" in said, said


class RawClient:
    """libssl between two buffers, so that this end decides when bytes go and come. TLS 1.2, nobody is verified."""

    def __init__(self, plain):
        self.plain = plain
        self.lib = lib = ctypes.CDLL("libssl.so.3")
        for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new", "BIO_new", "BIO_s_mem"):
            getattr(lib, name).restype = ctypes.c_void_p
        context = ctypes.c_void_p(lib.SSL_CTX_new(ctypes.c_void_p(lib.TLS_client_method())))
        lib.SSL_CTX_ctrl(context, 124, ctypes.c_long(0x0303), None)  # SSL_CTRL_SET_MAX_PROTO_VERSION
        self.ssl = ctypes.c_void_p(lib.SSL_new(context))
        self.into, self.out = (ctypes.c_void_p(lib.BIO_new(ctypes.c_void_p(lib.BIO_s_mem()))) for _ in range(2))
        lib.SSL_set_bio(self.ssl, self.into, self.out)
        lib.SSL_set_connect_state(self.ssl)
        self.room = ctypes.create_string_buffer(100_000)

    def give(self):
        """What is to be sent, to the socket."""
        while (n := self.lib.BIO_read(self.out, self.room, len(self.room))) > 0:
            self.plain.sendall(self.room.raw[:n])

    def take(self):
        """Something from the socket; false: it has ended."""
        piece = self.plain.recv(len(self.room))
        self.lib.BIO_write(self.into, piece, len(piece))
        return bool(piece)

    def connect(self):
        while self.lib.SSL_do_handshake(self.ssl) != 1:
            self.give()
            assert self.take()
        self.give()

    def read(self):
        """To the end, or until libssl fails: what, and why."""
        got = bytearray()
        while True:
            n = self.lib.SSL_read(self.ssl, self.room, len(self.room))
            if n > 0:
                got += self.room.raw[:n]
                continue
            error = self.lib.SSL_get_error(self.ssl, n)
            if error != 2:  # SSL_ERROR_WANT_READ
                text = ctypes.create_string_buffer(256)
                self.lib.ERR_error_string_n(ctypes.c_ulong(self.lib.ERR_get_error()), text, len(text))
                return bytes(got), text.value.decode() if error == 1 else "end"
            if not self.take():
                return bytes(got), "cut"


def ask_renegotiation_in_a_record():
    """While the server is in a record of which this end has taken nothing for long. What comes is that record, whole,
    and what was sent behind it."""
    control, plain = socket.create_connection(WHERE), socket.socket(
        socket.AF_INET6 if ":" in WHERE[0] else socket.AF_INET)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 10_000)
    plain.connect((WHERE[0], int(WHERE[1])))
    client = RawClient(plain)
    client.connect()
    assert control.recv(1) == b"!"  # it cannot send on
    client.lib.SSL_write(client.ssl, b"a", 1)
    client.give()
    assert control.recv(1) == b"!"  # and has that
    plain.settimeout(0.1)
    drained = []
    try:
        while True:
            drained.append(plain.recv(100_000))
    except TimeoutError:
        plain.settimeout(None)
    client.lib.SSL_renegotiate(client.ssl)
    client.lib.SSL_do_handshake(client.ssl)
    client.give()
    print("asked", flush=True)
    size = int(control.makefile().readline())
    for piece in drained:
        client.lib.BIO_write(client.into, piece, len(piece))
    got, why = client.read()
    assert got == (BYTES[:251] * (len(got) // 251 + 1))[:len(got)], "not what was sent"
    # mbedTLS lets the refusal fall if it was in a record
    assert (len(got), why) == (size, "end"), (len(got), size, why)


def curl(name, *more):
    address, port = WHERE
    return run("curl", "--silent", "--show-error", "--cacert", of("authority.pem"), "--resolve",
               f"{name}:{port}:{address}", *more, f"https://{name}:{port}/")


def ask_curl():
    done = curl(NAME)
    assert done.returncode == 0 and done.stdout == BYTES, (done.returncode, done.stderr)


def ask_curl_wrong_name():
    assert curl("another.test").returncode == 60  # CURLE_PEER_FAILED_VERIFICATION


MODES = {
    "serve": {
        "echo": serve_echo, "cut": lambda: serve_rudely(False), "reset": lambda: serve_rudely(True),
        "stranger": serve_stranger, "itself": lambda: serve_stranger("itself"),
        "other": lambda: serve_stranger("other", "bad certificate"),
        "expired": lambda: serve_stranger("expired", "certificate expired"),
        "certified": serve_certified, "tickets": lambda: serve_again(True),
        "ids": lambda: serve_again(False), "openssl": serve_openssl, "nginx": serve_nginx,
    },
    "ask": {
        "echo": ask_echo, "stranger": ask_stranger,
        "other": lambda: ask_stranger("authority", "another.test"),
        "by name": lambda: compare_echo(connected(client_context(), "other.test")), "again": ask_again,
        "openssl": ask_openssl, "renegotiation": ask_renegotiation,
        "renegotiation in a record": ask_renegotiation_in_a_record, "curl": ask_curl,
        "curl wrong name": ask_curl_wrong_name,
    },
}

if __name__ == "__main__":
    MODES[ROLE][MODE]()

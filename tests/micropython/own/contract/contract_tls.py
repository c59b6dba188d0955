"""The contract's row IPPROTO_SEC: sockets that are TLS by weft's own, not by the module tls."""

from harness import *

# "weft.test", signed by itself, for a hundred years; of use to nobody else
CERT = """\
-----BEGIN CERTIFICATE-----
MIIBlDCCATugAwIBAgIUWjQHfIL2nwOLEermeZJ057Gb1dIwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJd2VmdC50ZXN0MCAXDTI2MTEyMjAzMDA0NloYDzIxMjYxMDI5
MDMwMDQ2WjAUMRIwEAYDVQQDDAl3ZWZ0LnRlc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASSV+g74DMX64wInYNWInrSdbEgnkixWZhHUOOAochDMdSND3Q0bMKS
PCIqPum0JJnT72nx3UVBpoJclg6PvlIqo2kwZzAdBgNVHQ4EFgQUfmOIiDI1w2m3
gaXbE61DlXXrxHgwHwYDVR0jBBgwFoAUfmOIiDI1w2m3gaXbE61DlXXrxHgwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALggl3ZWZ0LnRlc3QwCgYIKoZIzj0EAwID
RwAwRAIgEQHZxFepsdbhM49p3CY/dOPNc07YjdD11obXWJ84lbYCIGhWR+wxc1M7
+6aux9MMiCcJnCqgbz/ZpQxw/rmVlKGK
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZ4BKJNxlf7zq2yhH
PBOEiqQzxTaTZkJM/5Fq3M538CuhRANCAASSV+g74DMX64wInYNWInrSdbEgnkix
WZhHUOOAochDMdSND3Q0bMKSPCIqPum0JJnT72nx3UVBpoJclg6PvlIq
-----END PRIVATE KEY-----
"""
REFUSED, ALERT = -0x2700, -0x7780


def secure_socket():
    return socket.socket(AF_INET, SOCK_STREAM, socket.IPPROTO_SEC)


def secure_listener():
    s = secure_socket()
    s.bind(("127.0.0.1", 0))
    s.listen(2)
    return s.secure(server_side=True, cert=CERT, key=KEY)


def meet(listener, client):
    """The server's end; the client's handshake is over, or has failed."""
    client.setblocking(False)
    fails(EINPROGRESS, lambda: client.connect(listener.getsockname()))
    server, _ = listener.accept()
    poller = select.poll()
    poller.register(client, select.POLLOUT)
    same(len(poller.poll(PATIENCE)), 1, "the handshake")
    client.setblocking(True)
    return server


@test("IPPROTO_SEC: connect() shakes hands, and every call is over TLS")
def _():
    listener, client = secure_listener(), secure_socket()
    server = meet(listener, client)
    same(client.send(b"hello"), 5)
    same(server.recv(10), b"hello")
    same(server.write(b"one\ntwo"), 7)
    same(client.readline(), b"one\n")
    poller = select.poll()
    poller.register(client, select.POLLIN)
    same(client.recv(1), b"t")
    same([event for _, event in poller.poll(0)], [IN])  # TLS holds the rest
    server.close()
    same(client.read(), b"wo")
    same(client.read(), b"")


@test("IPPROTO_SEC: secure() before connect() verifies; another name is OSError -0x2700")
def _():
    listener = secure_listener()
    known = secure_socket().secure(cert_reqs=2, cadata=CERT, server_hostname="weft.test")
    server = meet(listener, known)
    known.send(b"x")
    same(server.recv(1), b"x")
    for name in ("other.test", "weft.tes"):
        stranger = secure_socket().secure(cert_reqs=2, cadata=CERT, server_hostname=name)
        server = meet(listener, stranger)
        fails(REFUSED, lambda: stranger.recv(1), name)
        fails(ALERT, lambda: server.recv(1), name)


@test("IPPROTO_SEC: secure() after connect() of a plain socket, both ends; never twice")
def _():
    server, client = connected()
    server.setblocking(False)
    server.secure(server_side=True, cert=CERT, key=KEY)
    client.secure()
    client.send(b"x")
    server.setblocking(True)
    same(server.recv(1), b"x")
    fails(EISCONN, lambda: client.secure())
    fails(EINVAL, lambda: socket.socket().secure(cert="no certificate", key=KEY))
    fails(EINVAL, lambda: secure_socket().secure(cert_reqs=2, cadata=CERT))  # without a name: anybody's would do


@test("IPPROTO_SEC: the module tls and weft's TLS understand each other")
def _():
    import tls

    listener = secure_listener()
    client = socket.socket()
    client.connect(listener.getsockname())
    server, _ = listener.accept()
    client.setblocking(False)
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_NONE
    wrapped = context.wrap_socket(client, do_handshake_on_connect=False)
    sent = None
    server.settimeout(0)
    poller = select.poll()
    poller.register(server, select.POLLIN)
    for _ in range(1000):
        if sent is None:
            sent = wrapped.write(b"hello")
        if poller.poll(5):
            break
    same(server.recv(10), b"hello")
    server.close()
    wrapped.close()


@test("IPPROTO_SEC: asyncio's streams shake hands in their first reads and writes")
def _():
    import asyncio

    listener, client = secure_listener(), secure_socket()
    client.setblocking(False)
    fails(EINPROGRESS, lambda: client.connect(listener.getsockname()))
    server, _ = listener.accept()
    server.setblocking(False)

    async def echo():
        stream = asyncio.StreamReader(server)
        stream.write(await stream.readline())
        await stream.drain()
        stream.close()
        await stream.wait_closed()

    async def ask():
        serving = asyncio.create_task(echo())
        stream = asyncio.StreamReader(client)
        stream.write(b"line\n")
        await stream.drain()
        got = await stream.read(-1)
        await serving
        return got

    same(asyncio.run(asyncio.wait_for(ask(), PATIENCE // 1000)), b"line\n")


@test("IPPROTO_SEC: without a certificate nobody accepts: EINVAL")
def _():
    listener = secure_socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    fails(EINVAL, lambda: listener.accept())


run()

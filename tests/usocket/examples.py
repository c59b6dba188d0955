"""examples/usocket: each program of the documents against a real peer at the document's own address:
what it prints and what its peer was told, byte for byte, on the host's sockets and on lwIP.

    examples.py            both, each in a world of its own, at once
    examples.py STACK      one of them; it must be in a network of its own already
"""

import os
import pathlib
import random
import socket
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/interop"))

from checks import check, finish  # noqa: E402
from world import (  # noqa: E402
    PATIENCE, THERE, Peer, Segments, World, connect, try_both_stacks, until, why_no_network)

PROGRAMS = ROOT / os.environ.get("WEFT_PROGRAMS", "build") / "examples/usocket"

CLIENTS_SERVER = "192.168.10.110"
UPLOADS_SERVER = "192.168.0.183"
K230S_SERVER = "10.100.228.5"
MICROPYTHON, SIPEED = "203.0.113.80", "203.0.113.81"
NAMES = f"{MICROPYTHON} www.micropython.org\n2001:db8::80 www.micropython.org\n{SIPEED} dl.sipeed.com\n"
ADDRESSES = (CLIENTS_SERVER, UPLOADS_SERVER, K230S_SERVER, MICROPYTHON, SIPEED)
REQUEST = (b"GET /MAIX/MaixPy/assets/Alice.bmp HTTP/1.1\nHost: dl.sipeed.com\n"
           b"cache-control: no-cache\n\n")


# Nobody but a machine's own kernel is its 127.0.0.1.
NOT_HERE = {"host": set(), "lwip": {"maixpy_sockaddr", "w60x_sockaddr"}}


def picture(width=320, height=240):
    """A bitmap of a board's display."""
    pixels = random.Random(1).randbytes(width * height * 3)
    return (b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) +
            struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(pixels), 2835, 2835, 0, 0) +
            pixels)


class Trial:
    def __init__(self, world):
        self.world = world
        self.tried = set()

    def launch(self, name, *arguments):
        self.tried.add(name)
        return self.world.launch(PROGRAMS / name, *arguments)

    def ends(self, name, program, output, status=0, errors=b""):
        try:
            out, said = program.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            program.kill()
            out, said = program.communicate()
        got = (out, said, program.returncode)
        self.same(f"{name} prints what the document says" if status == 0 else f"{name} says why", got,
                  (output, errors, status))

    def runs(self, name, *arguments, output=b"", **more):
        self.ends(name, self.launch(name, *arguments), output, **more)

    def same(self, name, got, expected):
        check(f"{self.world.stack}: {name}", got == expected, f"got      {got!r:.2000}\nexpected {expected!r:.2000}")

    def told(self, name, peer, *expected):
        self.same(name, peer.end(len(expected)), list(expected))


def rt_thread(t):
    server = t.launch("rt_thread_tcp_server")
    if t.world.stack == "lwip":
        until("the program has opened the TAP device", t.world.link_is_used)
    with connect(THERE, 6001) as client:
        client.settimeout(PATIENCE)
        client.sendall(b"rt-thread\r")
        t.same("rt_thread_tcp_server ends its connection", client.recv(1), b"")
    t.ends("rt_thread_tcp_server", server, b"b'rt-thread\\r'\n")

    peer = Peer(t.world.listener(CLIENTS_SERVER, 6000))
    t.runs("rt_thread_tcp_client", output=b"11\n")
    t.told("rt_thread_tcp_client's peer hears it", peer, b"micropython")
    t.runs("rt_thread_tcp_client", status=1,
           errors=b"OSError: [Errno 111] ECONNREFUSED: connect: connection refused\n")

    web_site(t, "rt_thread_web_site")


def web_site(t, name, connections=1):
    peer = Peer(t.world.listener(MICROPYTHON, 80))
    t.runs(name)
    t.told(f"{name} connects and says nothing", peer, *[b""] * connections)


def sockaddr(t, name):
    if name in NOT_HERE[t.world.stack]:
        return
    peer = Peer(t.world.listener("127.0.0.1", 80, there=True))
    t.runs(name, output=f"('{MICROPYTHON}', 80)\n('127.0.0.1', 80)\n".encode())
    t.told(f"{name} connects to the second", peer, b"")


def timeout_or_poll(t, name):
    peer = Peer(t.world.listener(MICROPYTHON, 80))
    t.runs(name, output=b"OSError: 110\ns is still not ready for input, i.e. operation timed out\n")
    t.told(f"{name} is told nothing", peer, b"")
    peer = Peer(t.world.listener(MICROPYTHON, 80), b"0123456789ABC")
    t.runs(name, output=b"b'0123456789'\nready: True 1\n")
    t.told(f"{name} is told enough", peer, b"")


def maixpy(t):
    sockaddr(t, "maixpy_sockaddr")
    web_site(t, "maixpy_getaddrinfo", connections=2)
    t.runs("maixpy_inet", output=b"'127.0.0.1'\nb'\\x01\\x02\\x03\\x04'\n")
    t.runs("maixpy_sockets")
    timeout_or_poll(t, "maixpy_timeout_or_poll")
    download(t)
    upload(t)


def download(t):
    place = t.world.directory
    (place / "www/MAIX/MaixPy/assets").mkdir(parents=True)
    (place / "www/MAIX/MaixPy/assets/Alice.bmp").write_bytes(picture())
    t.world.web_server(SIPEED, "$request|$host|$http_cache_control|$status|$body_bytes_sent")
    header = header_of(SIPEED)
    (place / "access").write_text("")

    saved = place / "Alice.bmp"
    segments = Segments(80)
    program = t.launch("maixpy_picture_download", saved)
    output, errors = program.communicate(timeout=PATIENCE)
    t.same("nginx's header is a segment of its own", segments.seen()[:1], [header])
    lines = output.decode().splitlines()
    pieces = [line for line in lines if line.startswith("rcv: ")]
    sizes = [int(line[5:]) for line in pieces]
    t.same("maixpy_picture_download takes at most 4,096 at a time, and something",
           [size for size in sizes if not 0 < size <= 4096], [])
    t.same("maixpy_picture_download takes all", sum(sizes), header + len(picture()))
    t.same("maixpy_picture_download prints what the document says",
           (lines[len(pieces):], lines[:len(pieces)] == pieces, errors, program.returncode),
           ([str(header + len(picture())), str(len(picture())), f"save to {saved}", "save ok"], True,
            b"", 0))
    t.same("maixpy_picture_download saves the picture", saved.read_bytes(), picture())
    until("nginx has logged it", lambda: (place / "access").read_text())
    t.same("maixpy_picture_download asks nginx for it", (place / "access").read_text(),
           "GET /MAIX/MaixPy/assets/Alice.bmp HTTP/1.1|dl.sipeed.com|no-cache|200|"
           f"{len(picture())}\n")


def header_of(server):
    """How long nginx's header is: its date is always as long."""
    with socket.create_connection((server, 80), timeout=PATIENCE) as probe:
        probe.sendall(REQUEST)
        told = b""
        while part := probe.recv(65536):
            told += part
    return told.index(b"\r\n\r\n") + 4


def upload(t):
    path = t.world.directory / "upload.bmp"
    path.write_bytes(picture())
    peer = Peer(t.world.listener(UPLOADS_SERVER, 3456))
    t.runs("maixpy_picture_upload", path)
    t.told("maixpy_picture_upload sends all of it", peer, picture())


def w60x(t):
    sockaddr(t, "w60x_sockaddr")
    t.runs("w60x_sockets")
    web_site(t, "w60x_url")
    timeout_or_poll(t, "w60x_timeout_or_poll")


def k230(t):
    timeout_or_poll(t, "k230_timeout_or_poll")
    for name, infos, address, line, end in (
            ("k230_client", "Address infos:", "Connect address:", "K230 tcp client send test {0} \r\n", "end"),
            ("k230_client_utf8", "地址信息:", "连接地址:", "K230 TCP 客户端发送测试 {0} \r\n", "结束")):
        lines = [line.format(i) for i in range(10)]
        at = f"('{K230S_SERVER}', 60000)"
        expected = f"{infos} [(2, 1, 6, '', {at}), (2, 2, 17, '', {at})]\n{address} {at}\n"
        expected += "".join(f"{each}\n{len(each.encode())}\n" for each in lines) + end + "\n"
        peer = Peer(t.world.listener(K230S_SERVER, 60000))
        t.runs(name, output=expected.encode())
        t.told(f"{name}'s peer hears ten lines", peer, "".join(lines).encode())


def one_stack(stack):
    with tempfile.TemporaryDirectory(prefix="weft-usocket-") as directory:
        world = World(stack, ADDRESSES, directory)
        try:
            world.name_server(NAMES)
            trial = Trial(world)
            for each in (rt_thread, maixpy, w60x, k230):
                each(trial)
            written = {path.stem for path in (ROOT / "examples/usocket").glob("*.cpp")}
            trial.same("every program is tried", trial.tried, written - NOT_HERE[stack])
        finally:
            world.stop()
    finish()


def both_stacks():
    if why := why_no_network():
        print(f"ok - examples/usocket # SKIP {why}")
        sys.exit(77)
    try_both_stacks(__file__)


if __name__ == "__main__":
    one_stack(sys.argv[1]) if len(sys.argv) == 2 else both_stacks()

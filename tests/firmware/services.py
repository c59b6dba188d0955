#!/usr/bin/env python3
"""What a device needs of its network, on the board: DHCP, router announcements and ping against QEMU's user network,
names by a dnsmasq behind it, a cable that is pulled, and a watchdog that bites when a task hangs. All of it in a network
namespace with nothing but loopback, and with an /etc/resolv.conf of its own: nothing can leave."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts/lib"), str(ROOT / "tests/interop")]

import firmware  # noqa: E402
from checks import check, finish  # noqa: E402

CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
DNSMASQ = shutil.which("dnsmasq") or "/usr/sbin/dnsmasq"
# RFC 2131: the magic cookie, and as lwIP's first option the message's type.
REQUEST = b"\x63\x82\x53\x63\x35\x01\x03"
HOST_NAME = b"\x0c\x04mps2"


def isolate(directory):
    """From here on this process sees loopback and its own resolv.conf; ends as a skipped test if it cannot."""
    why = None
    if os.geteuid() != 0:
        why = "not root"
    elif not os.path.exists(DNSMASQ) or shutil.which("ip") is None:
        why = "no dnsmasq, or no ip (package iproute2)"
    elif ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS | CLONE_NEWNET) != 0:
        why = f"unshare: {os.strerror(ctypes.get_errno())}"
    if why is not None:
        print(f"no network namespace: {why}")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    resolv = pathlib.Path(directory) / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.1\n")
    for step in (["ip", "link", "set", "lo", "up"], ["mount", "--make-rprivate", "/"],
                 ["mount", "--bind", str(resolv), os.path.realpath("/etc/resolv.conf")]):
        subprocess.run(step, check=True)


@contextlib.contextmanager
def name_server():
    """Knows service.test, and of .test nothing else; asks nobody."""
    server = subprocess.Popen([DNSMASQ, "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file", "--no-resolv",
                               "--no-hosts", "--local=/test/", "--host-record=service.test,192.0.2.7", "--user=root",
                               "--listen-address=127.0.0.1", "--bind-interfaces", "--log-facility=/dev/null"])
    try:
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", 53), 1):
                break
            time.sleep(0.02)
        yield
    finally:
        server.terminate()
        server.wait()


def echoed(connection, data):
    connection.sendall(data)
    back = b""
    while len(back) < len(data):
        part = connection.recv(4096)
        if not part:
            break
        back += part
    return back


def lines_after(board, text):
    return board.printed[board.printed.index(text):].splitlines()


def check_services(board):
    board.until("looked around")
    said = lines_after(board, "started")
    for line in ("up: 10.0.2.15/24", "gateway: 10.0.2.2", "name server: 10.0.2.3", "ping 10.0.2.2: answered",
                 "name service.test: 192.0.2.7", "name nobody.test: name not found", "ping fec0::2: answered"):
        check(f"says '{line}'", line in said, board.printed)
    own = [line for line in said if line.startswith("address: fec0::")]
    check("has an address in the prefix that the router announces", len(own) == 1, board.printed)


def check_cable(board, dump):
    with board.connect(7) as connection:
        check("echoes before the cable is pulled", echoed(connection, b"before") == b"before")
        before = dump.read_bytes().count(REQUEST)
        for turn in range(2):
            downs, ups = board.printed.count("down\n"), board.printed.count("up: 10.0.2.15/24\n")
            board.command("set_link net off")
            until_count(board, "down\n", downs + 1)
            board.command("set_link net on")
            until_count(board, "up: 10.0.2.15/24\n", ups + 1)
            check(f"pulled {turn + 1} times, the lease is asked for again", dump.read_bytes().count(REQUEST) >
                  before + turn, f"{before} requests before")
        connection.settimeout(30)
        check("the connection from before goes on", echoed(connection, b"behind") == b"behind")
    check("the server learns the board's name", HOST_NAME in dump.read_bytes())


def until_count(board, text, count):
    """Waits until the board has printed this text so often."""
    deadline = time.monotonic() + firmware.LIMIT
    while board.printed.count(text) < count:
        board.read(0.5)
        if time.monotonic() > deadline:
            raise RuntimeError(f"the board did not say {text!r} {count} times but {board.printed[-500:]!r}")


def check_watchdog(board):
    for key, why in (("h", "a task hangs"), ("s", "the loop stands still")):
        starts = board.printed.count("started")
        bites = board.printed.count("the watchdog bites")
        check("a watchdog that is fed does not bite", bites == starts - 1, board.printed)
        board.type(key)
        until_count(board, f"the watchdog bites: {why}", 1)
        until_count(board, "started", starts + 1)
        until_count(board, "looked around", starts + 1)
        check(f"bites when {why}, and the board starts again", True)


def main():
    firmware.need_tools()
    [image] = firmware.build("cortex-m3", ["tests/firmware/board/services.elf"])
    with tempfile.TemporaryDirectory(prefix="weft-services-") as directory:
        isolate(directory)
        dump = pathlib.Path(directory) / "frames.pcap"
        more = ["-object", f"filter-dump,id=dump,netdev=net,file={dump}"]
        with name_server(), firmware.Board(image, ports=[7], more=more, user="ipv4=on,ipv6=on") as board:
            check_services(board)
            check_cable(board, dump)
            time.sleep(5)  # longer than an unfed watchdog takes
            check_watchdog(board)
            check("a 'q' on the console ends it with status 0", board.quit() == 0, board.printed)
        subprocess.run(["umount", os.path.realpath("/etc/resolv.conf")], check=True)
    finish()


main()

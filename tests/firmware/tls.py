#!/usr/bin/env python3
"""TLS on a board: curl, OpenSSL and Python against its status page, more of them than its memory holds, and what a
connection costs a Cortex-M3 in RAM, flash and instructions, which is printed."""

import http.client
import json
import pathlib
import re
import ssl
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts/lib"), str(ROOT / "tests/interop")]

import firmware  # noqa: E402
from checks import check, finish  # noqa: E402

HTTPS, LOOPBACK = "examples/firmware/mps2-an385/https.elf", "tests/firmware/board/tls.elf"
ROUNDS = 50
HELLO = bytes.fromhex("160301020001000100")  # the beginning of one


def memory_of(status):
    return next(pool for pool in status["pools"] if pool["name"] == "TLS")


class Page:
    """A connection to the status page, which it keeps open."""

    def __init__(self, board, authority, name="board.test"):
        context = ssl.create_default_context(cafile=authority)
        plain = board.connect(443)
        try:
            self.secure = context.wrap_socket(plain, server_hostname=name)
        except OSError:
            plain.close()
            raise

    def get(self):
        """status.json."""
        self.secure.sendall(b"GET /status.json HTTP/1.1\r\nHost: board.test\r\n\r\n")
        answer = http.client.HTTPResponse(self.secure)
        answer.begin()
        return json.loads(answer.read())

    def memory(self):
        return memory_of(self.get())

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.secure.close()


def curl(board, authority, *more):
    port = board.port[443]
    return subprocess.run(["curl", "-sS", "--max-time", "20", "--cacert", authority, *more,
                           "--resolve", f"board.test:{port}:127.0.0.1", f"https://board.test:{port}/status.json"],
                          capture_output=True, text=True)


def clients(board, authority):
    done = curl(board, authority)
    check("curl believes the board's certificate, and gets the page", done.returncode == 0, done.stderr)
    first = memory_of(json.loads(done.stdout))
    port = board.port[443]
    done = subprocess.run(["curl", "-sS", "--max-time", "20", "--cacert", authority, f"https://127.0.0.1:{port}/"],
                          capture_output=True, text=True)
    check("curl refuses it under another name", done.returncode == 60, done.stderr)
    done = subprocess.run(["curl", "-sS", "--max-time", "20", f"https://127.0.0.1:{port}/"], capture_output=True,
                          text=True)
    board.until("a handshake: the peer refused by a TLS alert")
    check("curl refuses an authority that it does not know, and the board is told", done.returncode == 60, done.stderr)
    for size in ("512", "1024"):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "board.test", "-CAfile", authority,
             "-verify_return_error", "-verify_hostname", "board.test", "-maxfraglen", size, "-tlsextdebug", "-ign_eof"],
            input=b"GET / HTTP/1.0\r\n\r\n", capture_output=True, timeout=30)
        said = done.stdout.decode(errors="replace")
        check(f"OpenSSL asks for records of {size} bytes, which the board grants, and gets the page",
              'TLS server extension "max fragment length" (id=1)' in said and "</html>" in said and
              "Verify return code: 0 (ok)" in said, said[-1000:] + done.stderr.decode()[-500:])
    return first


def rounds(board, authority):
    """Handshakes and ends of all kinds leave nothing behind."""
    used = []
    for n in range(ROUNDS):
        with Page(board, authority) as page:
            used.append(page.memory()["used"])
        if n % 10 == 3:
            with board.connect(443) as hasty:
                hasty.sendall(HELLO[:n])
    check(f"{ROUNDS} connections, and each has as much memory as the first", used[-1] == used[0], used)
    return used[0]


def crowd(board, authority, one):
    """More of them than there is memory for."""
    before = board.printed.count("a handshake: out of memory")
    kept = []
    refused = None
    try:
        while refused is None and len(kept) < 6:
            try:
                kept.append(Page(board, authority))
            except OSError as why:
                refused = why
        check("four connections have memory, a fifth is refused", len(kept) == 4, f"{len(kept)}; {refused!r}")
        board.until("a handshake: out of memory")
        check("the board says why", board.printed.count("a handshake: out of memory") > before, board.printed[-300:])
        deadline = time.monotonic() + 10
        memory = []
        while len({now["used"] for now in memory}) != 1 and time.monotonic() < deadline:  # the refused one is closing
            memory = [page.memory() for page in kept]
        last = memory[-1]
        check("the others go on, and it is counted", len({now["used"] for now in memory}) == 1 and
              last["failed"] > 0 and last["most"] <= last["size"], memory)
        each = (last["used"] - one) // (len(kept) - 1)
    finally:
        for page in kept:
            page.secure.close()
    deadline = time.monotonic() + 20
    now = None
    while now != one and time.monotonic() < deadline:
        try:
            with Page(board, authority) as page:
                now = page.memory()["used"]
        except OSError as why:  # the board has not noticed yet that they are gone
            now = str(why)
    check("then another is served, with as much as the first had", now == one, f"{now} is not {one}")
    return each


def serve(image, authority):
    with firmware.Board(image, ports=[443]) as board:
        board.until("a status page over TLS at port 443")
        with board.connect(443) as stalling:
            stalling.sendall(HELLO)
            first = clients(board, authority)
            board.until("a handshake: timed out")
            check("a client that stalls in its handshake keeps nobody waiting, and is closed",
                  stalling.recv(1) == b"")
        one = rounds(board, authority)
        each = crowd(board, authority, one)
        check("it ends with status 0", board.quit() == 0, board.printed[-500:])
        return {"tls.m3.ram.connection": each, "tls.m3.ram.server": one - each,
                "tls.m3.ram.handshake": first["most"] - first["used"]}


def loopback(image):
    """Both ends on the board, by QEMU's clock, which counts instructions."""
    with firmware.Board(image, more=("-icount", "shift=0,sleep=off"), network=False) as board:
        status = board.wait()
        said = dict(line.split(" ", 1) for line in board.printed.splitlines() if " " in line)
    check("both ends on one board: it ends with status 0", status == 0, board.printed)
    check("they agree on TLS 1.2 with ChaCha20-Poly1305, which is the quickest without AES in hardware",
          said.get("cipher") == "TLS-ECDHE-ECDSA-WITH-CHACHA20-POLY1305-SHA256", said)
    longest = {end: (said.get(f"full.{end}.message"), int(said.get(f"full.{end}.longest", 0)))
               for end in ("client", "server")}
    check("a client's elliptic curves go in steps; a server's, but for the key exchange's, too",
          0 < longest["client"][1] < 2_000_000 and longest["server"][0] == "ClientKeyExchange" and
          longest["server"][1] * 7 < int(said["full.instructions"]), longest)
    check("a session is resumed, without elliptic curves", said.get("resumed") == "1" and
          int(said["resumed.instructions"]) * 50 < int(said["full.instructions"]), said)
    check("handshakes that are cancelled, wherever they are, leave nothing", said.get("cut") == "13" and
          "wrong at" not in board.printed, board.printed)
    check("a handshake without memory is errc::no_memory; with memory it succeeds again",
          said.get("exhausted.error") == "out of memory" and said.get("exhausted.again") == "no error", said)
    check("however small the arena, contexts and handshakes succeed or are errc::no_memory, and leave nothing",
          int(said.get("sizes.refused", 0)) >= 5 and int(said.get("sizes.succeeded", 0)) >= 1 and
          "wrong at" not in board.printed, board.printed)
    check("in the end the arena has what it had at the beginning", said.get("left") == "0", said)
    return {"tls.m3.context.instructions": said["server_context.instructions"],
            "tls.m3.handshake.instructions": said["full.instructions"],
            "tls.m3.handshake.longest.client": longest["client"][1],
            "tls.m3.handshake.longest.server": longest["server"][1],
            "tls.m3.resumed.instructions": said["resumed.instructions"],
            "tls.m3.echo.instructions": said["echo.instructions"],
            "tls.m3.ram.both_ends": said["full.kept"],
            "tls.m3.ram.stack": said["stack"]}


def link_without_random(image):
    """What the linker says of the image if its port has no weft_port_random."""
    place = image.parents[HTTPS.count("/")]
    link = subprocess.run(["ninja", "-t", "commands", "-s", HTTPS], cwd=place, check=True, capture_output=True,
                          text=True).stdout.strip()
    port = next(part for part in link.split() if part.endswith("port.c.o"))
    subprocess.run(["arm-none-eabi-objcopy", "--redefine-sym", "weft_port_random=another_name", port, "without.o"],
                   cwd=place, check=True)
    told = subprocess.run(link.replace(port, "without.o").replace(f"-o {HTTPS}", "-o without.elf"), shell=True,
                          cwd=place, capture_output=True, text=True)
    return told.returncode, set(re.findall(r"undefined reference to `(\w+)'", told.stderr))


def main():
    firmware.need_tools("openssl", "curl")
    https, both = firmware.build("cortex-m3", [HTTPS, LOOPBACK], ["-Dtls=enabled"], "firmware-tls")
    told = link_without_random(https)
    check("without random numbers of its port it does not link", told == (1, {"weft_port_random"}), told)
    symbols = subprocess.run(["arm-none-eabi-nm", https], check=True, capture_output=True, text=True).stdout
    banned = re.findall(r" (_?(?:malloc|calloc|realloc|free|sbrk)(?:_r)?|\w*printf\w*|__cxa_\w+|time|fopen)$", symbols,
                        re.M)
    check("the image has no heap, no files, no clock of the C library", not set(banned) - {"__cxa_pure_virtual"},
          banned)
    measured = loopback(both)
    measured |= serve(https, https.parent / "authority.pem")
    size = firmware.image_sizes(https)
    measured |= {"tls.m3.flash": size["text"] + size["data"]}
    for name, value in measured.items():
        print(f"# {name} {value}", flush=True)
    finish()


main()

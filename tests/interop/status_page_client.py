"""What is checked of a status page wherever it runs: by curl, and by sockets that misbehave.

    status_page_client.py ADDRESS PORT PATIENCE_SECONDS

The server has 4 connections at a time.
"""

import json
import random
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree

from checks import check, finish

GET = b"GET /status.json HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
LIMIT = 60  # seconds for what takes few
COUNTS = {"server": ("connections", "open", "refused", "timeouts", "answers", "errors"),
          "sockets": ("tcp_active", "tcp_listening", "tcp_time_wait", "udp"),
          "frames": ("in_use", "reserved", "most", "size", "failed")}


class Page:
    def __init__(self, address, port, patience):
        self.at, self.patience = (address, int(port)), float(patience)

    def curl(self, path, *arguments):
        told = subprocess.run(["curl", "-sS", "-g", "--noproxy", "*", "-m", "30", *arguments,
                               f"http://{self.at[0]}:{self.at[1]}{path}"], capture_output=True)
        return told.stdout, f"{told.stdout[:500]} {told.stderr.decode()}"

    def status(self):
        return json.loads(self.curl("/status.json")[0])

    def connect(self):
        return socket.create_connection(self.at, timeout=LIMIT)

    def raw(self, data, cut=0):
        """Sends this, in pieces of `cut` bytes; what comes back until the end."""
        with self.connect() as peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                for at in range(0, len(data), cut or len(data)):
                    peer.sendall(data[at:at + (cut or len(data))])
            except OSError:
                pass  # it has heard enough
            return read_to_end(peer)


def read_to_end(peer):
    got = b""
    try:
        while part := peer.recv(65536):
            got += part
    except TimeoutError:
        return got + b" and no end"
    except OSError:
        pass
    return got.decode("latin-1")


def as_browsers_and_programs_see_it(page):
    body, said = page.curl("/", "-i")
    head, _, text = body.decode().partition("\r\n\r\n")
    check("/ is an HTML page", "HTTP/1.1 200 OK" in head and "Content-Type: text/html" in head, said)
    tree = xml.etree.ElementTree.fromstring(text)
    refresh = [each.get("content") for each in tree.iter("meta") if each.get("http-equiv") == "refresh"]
    check("it is well formed, in English, has a title and renews itself",
          text.startswith("<!DOCTYPE html>\n<html lang=\"en\">") and tree.find("head/title").text and
          refresh == ["5"], said)
    cells = [each.text for each in tree.iter("td")]
    check("and numbers in its tables", sum(str(each or "").isdigit() for each in cells) >= 8, cells)

    body, said = page.curl("/status.json", "-i")
    check("/status.json says that it is JSON", b"Content-Type: application/json" in body, said)
    first, second = page.status(), page.status()
    wrong = [f"{part}.{name}" for part, names in COUNTS.items() for name in names
             if not isinstance(first[part].get(name, ""), (int, type(None)))]
    check("it parses, and has every number", not wrong and set(COUNTS) < set(first), wrong or first)
    check("the next one has a connection and an answer more", second["server"]["connections"] ==
          first["server"]["connections"] + 1 and second["server"]["answers"] == first["server"]["answers"] + 1,
          f"{first['server']} {second['server']}")
    body, said = page.curl("/", "-I")
    check("HEAD has the head and no body", body.startswith(b"HTTP/1.1 200 OK") and body.endswith(b"\r\n\r\n"), said)
    body, said = page.curl("/status.json", "--http1.0", "-i")
    head, _, text = body.decode().partition("\r\n\r\n")
    check("HTTP/1.0 gets it whole, not in chunks", json.loads(text) and "chunked" not in head and
          "Connection: close" in head, said)
    url = f"http://{page.at[0]}:{page.at[1]}/"
    body, said = page.curl("/", "-o", "/dev/null", url, "-o", "/dev/null", "-w", "%{num_connects} ")
    check("two requests, one connection", sorted(body.split()) == [b"0", b"1"], said)
    body, said = page.curl("/status.json?x=1")
    check("a query is let pass", b"uptime_s" in body, said)


def what_is_refused(page):
    for name, expected, path, arguments in (
            ("nothing there", "404", "/nothing", []), ("no path into a device", "404", "/../etc/passwd",
                                                       ["--path-as-is"]),
            ("POST", "405", "/", ["-d", "x"]), ("an unknown method", "405", "/", ["-X", "BREW"]),
            ("a target too long", "414", "/" + "x" * 5000, []),
            ("a field name too long", "431", "/", ["-H", "x" * 300 + ": 1"]),
            ("fields too long", "431", "/", ["-H", "X: " + "x" * 5000])):
        told, said = page.curl(path, "-o", "/dev/null", "-w", "%{http_code}", *arguments)
        check(f"{name} is {expected}", told.decode() == expected, said)
    told, said = page.curl("/", "-i", "-X", "DELETE")
    check("405 says what is allowed", b"\r\nAllow: GET, HEAD\r\n" in told, said)
    start = b"GET / HTTP/1.1\r\nHost: a\r\n"
    for name, expected, data in (
            ("both lengths", 400, start + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"),
            ("a length that is none", 400, start + b"Content-Length: 4x\r\n\r\n"),
            ("two lengths", 400, start + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n"),
            ("a bare LF", 400, b"GET / HTTP/1.1\nHost: a\n\n"),
            ("a folded line", 400, start + b"A: b\r\n c\r\n\r\n"),
            ("a blank before a colon", 400, start + b"A : b\r\n\r\n"),
            ("no host", 400, b"GET / HTTP/1.1\r\n\r\n"), ("two hosts", 400, start + b"Host: b\r\n\r\n"),
            ("a NUL", 400, b"GET /\0 HTTP/1.1\r\n"), ("no version", 400, b"GET /\r\n"),
            ("HTTP/2.0", 505, b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
            ("TLS", 400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)))):
        told = page.raw(data)
        check(f"{name} is {expected} and the end of the connection",
              told.startswith(f"HTTP/1.1 {expected} ") and told.count("HTTP/1.1") == 1 and
              "Connection: close" in told and not told.endswith("no end"), told)


def what_strangers_do(page):
    told = page.raw(GET * 5 + LAST)
    check("six requests in one packet are answered in order", told.count("HTTP/1.1 200 OK") == 6 and
          told.endswith("\r\n0\r\n\r\n"), told)
    check("the same in pieces of one byte", page.raw(GET + LAST, cut=1).count("HTTP/1.1 200 OK") == 2)
    told = page.raw(b"\r\n\r\n" + LAST)
    check("empty lines before a request are let pass", told.startswith("HTTP/1.1 200 OK"), told)
    random.seed(5)
    answers = [page.raw(random.randbytes(random.randrange(1, 400)) + b"\n") for _ in range(20)]
    check("twenty times random bytes: 400 or 414 each, and an end",
          all(each[:12] in ("HTTP/1.1 400", "HTTP/1.1 414") for each in answers), answers)
    for _ in range(20):
        with page.connect() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            peer.sendall(GET)
    check("twenty peers that reset: it serves on", page.status()["server"]["open"] >= 1)


def who_takes_too_long(page):
    before = page.status()["server"]
    with page.connect() as silent, page.connect() as slow:
        begun = time.monotonic()
        slow.sendall(b"GET / HTTP/1.1\r\nHo")
        told = read_to_end(slow)
        check("half a request is 408 in the end", told.startswith("HTTP/1.1 408 "), told)
        told = read_to_end(silent)
        check("a peer that says nothing is left without a word", told == "", told)
        check("and not before its time", time.monotonic() - begun >= page.patience * 0.9,
              time.monotonic() - begun)
    with page.connect() as drip:
        ended = False
        deadline = time.monotonic() + LIMIT
        while not ended and time.monotonic() < deadline:
            try:
                drip.sendall(b"G")
                time.sleep(page.patience / 20)
            except OSError:
                ended = True
        check("a byte at a time keeps nobody connected", ended)
    with page.connect() as deaf:
        deaf.settimeout(LIMIT)
        try:
            while True:
                deaf.sendall(GET * 100)  # and reads nothing: until it is told
        except TimeoutError:
            check("a peer that stops reading is reset", False, "it was not")
        except OSError:
            check("a peer that stops reading is reset", True)
    after = page.status()["server"]
    check("these four are counted", after["timeouts"] - before["timeouts"] == 4 and after["open"] == 1,
          f"{before} {after}")


def fifth(page):
    """What a fifth connection is told."""
    waiting = [page.connect() for _ in range(4)]
    try:
        for each in waiting:  # a connection that is used is one that the server has
            each.sendall(GET)
            each.recv(1)
        return page.raw(LAST)
    finally:
        for each in waiting:
            each.close()


def too_many(page):
    before = page.status()["server"]
    deadline = time.monotonic() + LIMIT  # on a busy machine one of the four may have waited too long by then
    while not (told := fifth(page)).startswith("HTTP/1.1 503 ") and time.monotonic() < deadline:
        pass
    check("a fifth connection is told 503", told.startswith("HTTP/1.1 503 ") and "Retry-After" in told, told)
    deadline = time.monotonic() + LIMIT
    while (told := page.raw(LAST)).startswith("HTTP/1.1 503") and time.monotonic() < deadline:
        time.sleep(0.05)
    check("and served when there is room again", told.startswith("HTTP/1.1 200 OK"), told)
    after = page.status()["server"]
    check("what was refused is counted", after["refused"] > before["refused"], f"{before} {after}")


def everything(page):
    as_browsers_and_programs_see_it(page)
    what_is_refused(page)
    what_strangers_do(page)
    who_takes_too_long(page)
    too_many(page)


if __name__ == "__main__":
    everything(Page(*sys.argv[1:]))
    finish()

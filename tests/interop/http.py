"""examples/host/http_server against curl, wrk and raw sockets: on the host's stack, and on lwIP over
a TAP device with the kernel as its client."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

from checks import PROGRAMS, QUICK, ROOT, check, finish, skip
from sandbox import Sandbox, Unavailable

# Runs inside the namespace, where this process is not: sends bytes, prints what comes back.
RAW = """
import socket, sys, time
peer = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10)
cut = int(sys.argv[3])
data = sys.stdin.buffer.read()
try:
    for at in range(0, len(data), cut or len(data)):
        peer.sendall(data[at:at + (cut or len(data))])
        if cut:
            time.sleep(0.001)
    if sys.argv[4] == 'shut':
        peer.shutdown(socket.SHUT_WR)
except OSError:
    pass
while part := peer.recv(65536):
    sys.stdout.buffer.write(part)
"""


class Server:
    def __init__(self, sandbox, stack, address, port):
        self.sandbox, self.stack, self.address, self.port = sandbox, stack, address, port
        self.url = f"http://{address}:{port}"

    def check(self, name, good, why=""):
        check(f"{self.stack}: {name}", good, why)

    def curl(self, path, *arguments, data=None):
        told = subprocess.run(
            self.sandbox.inside(["curl", "-sS", "-g", "--noproxy", "*", "-m", "60", *arguments,
                                 self.url + path]),
            input=data, capture_output=True)
        return told.returncode, told.stdout, told.stderr.decode()

    def raw(self, data, cut=0, shut=False):
        told = subprocess.run(
            self.sandbox.inside([sys.executable, "-c", RAW, self.address, str(self.port), str(cut),
                                 "shut" if shut else "open"]),
            input=data, capture_output=True, timeout=60)
        return told.stdout.decode("latin-1")

    def status(self, path, *arguments, data=None):
        return self.curl(path, "-o", "/dev/null", "-w", "%{http_code}", *arguments,
                         data=data)[1].decode()


def with_curl(server, directory):
    status, body, said = server.curl("/")
    server.check("curl gets /", status == 0 and b"weft" in body, said)
    status, body, said = server.curl("/", "-I")
    server.check("HEAD has the length and no body",
                 status == 0 and b"200 OK" in body and re.search(rb"Content-Length: [1-9]", body), said)
    sizes = (0, 1, 1000, 16384, 16385, 1_000_000, 20_000_000)
    for size in sizes[:-1] if QUICK else sizes:
        status, plain, said = server.curl(f"/bytes/{size}")
        server.check(f"{size} bytes", status == 0 and len(plain) == size, said)
        status, chunked, said = server.curl(f"/bytes/{size}?chunked")
        server.check(f"{size} bytes in chunks are the same", status == 0 and chunked == plain, said)
    status, body, said = server.curl("/bytes/100", "--http1.0")
    server.check("HTTP/1.0", status == 0 and len(body) == 100, said)
    status, body, said = server.curl("/bytes/100?chunked", "--http1.0")
    server.check("HTTP/1.0 gets no chunks", status == 0 and len(body) == 100, said)

    status, told, said = server.curl(
        "/bytes/10", "-o", "/dev/null", server.url + "/bytes/20", "-o", "/dev/null",
        "-w", "%{num_connects} ")
    server.check("two requests, one connection", told.split() == [b"1", b"0"] or
                 told.split() == [b"0", b"1"], f"{told} {said}")

    big = os.urandom(900_000)
    for name, arguments in (("with a length", []), ("in chunks", ["-H", "Transfer-Encoding: chunked"]),
                            ("after 100 Continue", ["-H", "Expect: 100-continue"])):
        status, body, said = server.curl("/echo", "--data-binary", "@-", *arguments, data=big)
        server.check(f"POST of 900 kB {name} comes back",
                     status == 0 and hashlib.sha256(body).digest() == hashlib.sha256(big).digest(), said)
    for name, expected, path, arguments in (
            ("nothing there", "404", "/nothing", []),
            ("POST to /", "405", "/", ["-d", "x"]),
            ("GET of /echo", "405", "/echo", []),
            ("an unknown method", "501", "/", ["-X", "BREW"]),
            ("a number that is none", "400", "/bytes/ten", []),
            ("a field too long", "431", "/", ["-H", "X: " + "x" * 20000]),
            ("a target too long", "414", "/" + "x" * 5000, []),
            ("a body too long", "413", "/echo", ["--data-binary", f"@{directory}/2M"]),
            ("a body too long, in chunks", "413", "/echo",
             ["-H", "Transfer-Encoding: chunked", "--data-binary", f"@{directory}/2M"])):
        told = server.status(path, *arguments)
        server.check(f"{name} is {expected}", told == expected, told)


def with_bytes(server):
    end = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    first = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    told = server.raw(first * 5 + end)
    server.check("six requests in one packet are answered in order",
                 told.count("HTTP/1.1 200 OK") == 6 and told.count("abc") == 5 and
                 told.rstrip().endswith("stacks."), told)
    server.check("the same in pieces of one byte",
                 server.raw(first + end, cut=1).count("HTTP/1.1 200 OK") == 2)
    told = server.raw(end.replace(b"Connection: close\r\n", b""), shut=True)
    server.check("a client that half closes gets its answer", told.count("200 OK") == 1, told)
    smuggled = (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /bytes/7 HTTP/1.1\r\nHost: a\r\n\r\n")
    for name, expected, data in (
            ("both lengths", 400, smuggled),
            ("a bare LF", 400, b"GET / HTTP/1.1\nHost: a\n\n"),
            ("a folded line", 400, b"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n"),
            ("no host", 400, b"GET / HTTP/1.1\r\n\r\n"),
            ("a bad chunk", 400,
             b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
            ("HTTP/2.0", 505, b"GET / HTTP/2.0\r\nHost: a\r\n\r\n")):
        told = server.raw(data)
        server.check(f"{name} is {expected} and the end of the connection",
                     told.startswith(f"HTTP/1.1 {expected} ") and told.count("HTTP/1.1") == 1 and
                     "Connection: close" in told, told)


def with_wrk(server):
    seconds = 1 if QUICK else 3
    for path, connections in (("/", 1), ("/", 32), ("/bytes/10000?chunked", 32)):
        told = server.sandbox.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
                                   server.url + path])
        requests = re.search(r"(\d+) requests in", told.stdout)
        server.check(f"wrk with {connections} connections to {path}: "
                     f"{requests.group(1) if requests else 0} requests, no error",
                     told.returncode == 0 and requests and int(requests.group(1)) > 100 and
                     "Socket errors" not in told.stdout and "Non-2xx" not in told.stdout,
                     told.stdout + told.stderr)


def everything(sandbox, directory, stack, address, arguments):
    program, line = sandbox.start(
        [PROGRAMS / "http_server", "--stack", stack, *arguments], f"{directory}/{stack}.log", "http://")
    port = line.split(" over ")[0].rstrip("/").rsplit(":", 1)[1]
    server = Server(sandbox, stack, address, port)
    with_curl(server, directory)
    with_bytes(server)
    with_wrk(server)
    server.check("it is still there", program.poll() is None, open(f"{directory}/{stack}.log").read())
    server.check("SIGTERM ends it well", sandbox.end(program) == 0,
                 open(f"{directory}/{stack}.log").read())


def main():
    for tool in ("curl", "wrk"):
        if shutil.which(tool) is None:
            sys.exit(f"not ok - {tool} is missing: apt-get install {tool}")
    with tempfile.TemporaryDirectory(prefix="weft-http-") as directory, Sandbox() as sandbox:
        with open(f"{directory}/2M", "wb") as big:
            big.write(bytes(2_000_000))
        try:
            sandbox.isolate()
        except Unavailable as why:
            skip("lwIP over TAP", why)
        else:
            everything(sandbox, directory, "lwip", "10.0.0.2",
                       ["--link", "tap:tap0", "--address", "10.0.0.2/24", "--bind", ":8080"])
        for poller in ("epoll",) if QUICK else ("epoll", "poll", "select"):
            everything(sandbox, directory, "host", "127.0.0.1",
                       ["--poller", poller, "--bind", "127.0.0.1:0"])
    finish()


main()

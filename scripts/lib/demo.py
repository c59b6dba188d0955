"""The demo, once the programs are built. Started by scripts/demo."""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from sandbox import Sandbox, Unavailable

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")


class Failed(Exception):
    """One line for the user."""


def title(text):
    print(f"\n{BOLD}{text}{PLAIN}", flush=True)


def show(command):
    print(f"  {DIM}${PLAIN} {command}", flush=True)


def indent(text, by="    "):
    for line in text.splitlines():
        print(by + line)


class Demo:
    def __init__(self, options, sandbox, directory):
        self.options = options
        self.sandbox = sandbox
        self.directory = pathlib.Path(directory)
        self.programs = pathlib.Path(options.programs)
        self.bytes = 10_000_000 if options.quick else 100_000_000
        self.rows = []

    def serve(self, program, arguments, until):
        """Starts one of the examples; returns it, its log and the port it listens on."""
        command = [self.programs / program, *arguments]
        show(f"{program} {' '.join(arguments)} &")
        log = self.directory / f"{program}-{len(self.rows)}.log"
        running, line = self.sandbox.start(command, log, until)
        return running, log, line

    def client(self, shown, command, text=None):
        show(shown)
        told = self.sandbox.run(command, input=text)
        indent(told.stdout or told.stderr)
        if told.returncode != 0:
            raise Failed(f"{command[0]} failed with status {told.returncode}")
        return told.stdout

    def transfer(self, stack, address, port):
        print(f"  {self.bytes // 1_000_000} MB to it and back at the same time, kernel TCP in Python:",
              flush=True)
        told = subprocess.run(
            self.sandbox.inside([sys.executable, ROOT / "scripts/lib/transfer.py", address, port,
                                 self.bytes]),
            stdout=subprocess.PIPE, text=True, timeout=300)
        if told.returncode != 0 or len(told.stdout.split()) != 3:
            raise Failed(f"the transfer over {stack} failed")
        seconds, sent, back = told.stdout.split()
        print(f"    sent sha256 {sent[:32]}...\n    back sha256 {back[:32]}...  "
              f"{'equal' if sent == back else 'DIFFERENT'}")
        self.rows.append((stack, float(seconds), sent == back))

    def session(self, stack, address, link):
        """nc, curl and a transfer against the examples on one stack."""
        bind = [":7000", ":8080"] if link else ["127.0.0.1:0", "127.0.0.1:0"]
        running, log, line = self.serve(
            "echo", ["--stack", stack, *link, "--bind", bind[0]], "echoing on")
        port = line.split(" over ")[0].rsplit(":", 1)[1]
        words = f"hello, {stack}"
        if words not in self.client(f"echo '{words}' | nc -N {address} {port}",
                                    ["nc", "-N", "-w", "5", address, port], words + "\n"):
            raise Failed("nc did not get its line back")
        self.transfer(stack, address, port)
        self.finish("echo", running, log)
        running, log, line = self.serve(
            "http_server", ["--stack", stack, *link, "--bind", bind[1]], "http://")
        port = line.split(" over ")[0].rstrip("/").rsplit(":", 1)[1]
        self.client(f"curl http://{address}:{port}/",
                    ["curl", "-sS", "--noproxy", "*", "-m", "10", f"http://{address}:{port}/"])
        self.finish("http_server", running, log)

    def finish(self, name, running, log):
        status = self.sandbox.end(running)
        if name == "echo":
            print("  the server's own words:")
            indent(log.read_text())
        if status != 0:
            raise Failed(f"{name} ended with status {status}; it said: {log.read_text().strip()}")

    def wire(self):
        """Both ends in one process: a second lwIP host is the peer."""
        arguments = ["--stack", "lwip", "--link", "wire", "--bytes", str(self.bytes)]
        show("echo " + " ".join(arguments))
        told = subprocess.run([self.programs / "echo", *arguments], text=True,
                              stdout=subprocess.PIPE, timeout=300)
        indent(told.stdout)
        if told.returncode != 0:
            raise Failed("the exchange over the wire failed")
        seconds = float(told.stdout.split(" each way in ")[1].split(" s")[0])
        self.rows.append(("lwip", max(seconds, 1e-3), True))

    def run(self):
        print(f"{BOLD}weft: one coroutine program, two network stacks{PLAIN}")
        print("The program is examples/host/echo.cpp; --stack chooses what is underneath.")
        try:
            self.sandbox.isolate()
            title("1. Over lwIP, on a TAP device; the kernel is the client")
            print("  in a network namespace of its own: kernel 10.0.0.1 <- tap0 -> lwIP 10.0.0.2")
            self.session("lwip", "10.0.0.2", ["--link", "tap:tap0", "--address", "10.0.0.2/24"])
        except Unavailable as why:
            title("1. Over lwIP, on a wire in memory; a second lwIP host is the client")
            print(f"  ({why}: so no TAP device; run this as root to see the kernel's TCP as its client)")
            self.wire()
        title("2. The same program over the host's sockets and epoll")
        self.session("host", "127.0.0.1", [])

        title("What happened")
        for stack, seconds, equal in self.rows:
            under = "lwIP" if stack == "lwip" else "host sockets, epoll"
            print(f"  {under:20} {self.bytes // 1_000_000:4} MB each way in {seconds:6.2f} s"
                  f" {self.bytes * 8e-6 / seconds:7.0f} Mbit/s each way,"
                  f" bytes {'equal' if equal else 'DIFFERENT'}")
        title("Where to look next")
        print("  examples/host/echo.cpp   the program that just ran, on both\n"
              "  README.md                forty lines to start from, and the picture of the layers\n"
              "  include/weft/            the headers, each with an example\n"
              "  scripts/test             every test;  scripts/bench: the numbers")
        return 0 if all(equal for _, _, equal in self.rows) else 1


def main():
    parser = argparse.ArgumentParser(prog="scripts/demo")
    parser.add_argument("--programs", required=True)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    # an interrupt unwinds the with statements below, which end and remove everything
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="weft-demo-") as directory, Sandbox() as sandbox:
            return Demo(options, sandbox, directory).run()
    except (Failed, RuntimeError, subprocess.TimeoutExpired) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; everything is cleaned up", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())

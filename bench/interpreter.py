"""How the MicroPython module is measured: against stock MicroPython's own sockets, both built alike."""

import functools
import json
import mmap
import os
import pathlib
import re
import socket
import ssl
import struct
import subprocess
import sys
import time

from processes import BenchError, finish, read_line, start, stop

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAMS = ROOT / "bench/micropython"
WHO = ("weft", "stock")

sys.path.insert(0, str(ROOT / "scripts/lib"))
import micropython  # noqa: E402


def free_port():
    """Stock MicroPython cannot say which port it was given."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Interpreter:
    """Part of report.Bench, which has what these use."""

    def interpreter_measures(self):
        return {
            "micropython.asyncio.rps.1": lambda: self.python_echo("echo_asyncio", 1),
            "micropython.asyncio.rps.50": lambda: self.python_echo("echo_asyncio", 50),
            "micropython.blocking.rps": lambda: self.python_echo("echo_blocking", 1, one_core=True),
            "micropython.idle.wakeups": lambda: self.python_wakeups(()),
            "micropython.idle.wakeups.tls": lambda: self.python_wakeups((self.certificates(),)),
            "micropython.socket.bytes": self.python_socket_bytes,
        }

    @functools.cached_property
    def interpreters(self):
        try:
            return {who: str(micropython.executable(who)) for who in WHO}
        except micropython.Unbuilt as why:
            raise BenchError(str(why)) from why

    @staticmethod
    def certificates():
        return str(micropython.tree() / "tests/multi_net")

    def python(self, who, program, *arguments, **more):
        """Starts a program, weft's on the host's sockets."""
        environment = dict(os.environ, WEFT_STACK="host", MICROPYPATH=f".frozen:{ROOT / 'tests/micropython/lib'}")
        environment.update(more)
        command = [self.interpreters[who], "-X", "heapsize=2M", str(PROGRAMS / f"{program}.py")]
        return start(command + [str(each) for each in arguments], self.server_cpu, environment,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def python_echo(self, program, connections, one_core=False):
        """In turn, one beginning each second round."""
        trips = 4000 if self.quick else 40000
        rounds = []
        for i in range(self.rounds):
            order = WHO[::-1] if i % 2 else WHO
            rounds.append({who: self.python_served(who, program, connections, trips, one_core)
                           for who in order})
        return rounds

    def python_served(self, who, program, connections, trips, one_core):
        """Requests a second. On one core a blocking server sleeps while its client works."""
        port = free_port()
        server = self.python(who, program, port)
        said = read_line(server, program)
        if not re.fullmatch(r"listening \d+", said):
            raise BenchError(f"{program} of {who} said {said!r}, not its port")
        load = [self.path("load"), str(port), "--connections", str(connections), "--round-trips", str(trips),
                "--warm-up", str(20 * connections), "--server-pid", str(server.pid)]
        client = start(load, self.server_cpu if one_core else self.load_cpu, stdout=subprocess.PIPE)
        output, _ = client.communicate(timeout=120)
        finish(client, f"load of {program}")
        finish(server, program, 30)
        server.stdout.close()
        server.stdin.close()
        return json.loads(output)["rps"]

    def python_wakeups(self, certificates):
        """How often an asyncio server with one idle connection sleeps anew in a second."""
        return {who: self.python_idle(who, certificates) for who in WHO}

    def python_idle(self, who, certificates):
        seconds = 1 if self.quick else 5
        port = free_port()
        server = self.python(who, "idle", port, *certificates)
        read_line(server, "idle")
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        if certificates:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection = context.wrap_socket(connection)
        with connection:
            connection.sendall(b"hello\n")
            if connection.recv(100) != b"hello\n":
                raise BenchError(f"idle of {who} does not answer")
            time.sleep(0.3)
            before = sleeps(server.pid)
            time.sleep(seconds)
            counted = sleeps(server.pid) - before
        stop(server)
        return counted / seconds

    def python_socket_bytes(self):
        """Of the collected heap and of malloc, for each end of a connection."""
        few, many = 50, 350
        return {who: (self.python_live_bytes(who, many) - self.python_live_bytes(who, few)) / (2 * (many - few))
                for who in WHO}

    def python_live_bytes(self, who, count):
        counts = self.scratch_file("counts")
        open(counts, "w").close()
        program = self.python(who, "sockets", free_port(), count, WEFT_COUNT_FILE=counts,
                              LD_PRELOAD=os.path.abspath(self.path("libcount.so")))
        collected = int(read_line(program, "sockets"))
        with open(counts, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as at:
            live = struct.unpack_from("q", at, len(at) - 8)[0]  # live_bytes is the last in count.h
        stop(program)
        return collected + live


def sleeps(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", text, re.M).group(1))

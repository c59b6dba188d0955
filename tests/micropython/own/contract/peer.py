"""The other host of the contract's tests: it does with each connection what the connection's first
line says, a list of steps in JSON.

    peer.py HOST PORT       prints "ready"; ends when its input does

    ["send", text]  ["long", size]  ["fill", size]  ["trickle", ms, text]  ["sleep", ms]  ["read", n]
    ["sip", ms, n]  ["echo"]  ["shutdown"]  ["close"]  ["reset"]  ["hold"]
    ["connect", host, port, text]  ["datagrams", host, port, count, size]

It runs on MicroPython and on CPython 3, and needs no asyncio.
"""

import json
import select
import socket
import struct
import sys
import time

IN, OUT = 1, 4
MICRO = sys.implementation.name == "micropython"


def now():
    return time.ticks_ms() if MICRO else time.monotonic_ns() // 1000000


def left(deadline):
    return max(0, time.ticks_diff(deadline, now()) if MICRO else deadline - now())


class Connection:
    """One connection and its steps: a generator that yields what it waits for, (mask, deadline)."""

    def __init__(self, s):
        self.s = s
        s.setblocking(False)
        self.steps = self.run()
        self.wants = 0, now()

    def take(self, n):
        """Up to n bytes, None if there are none yet."""
        try:
            return self.s.recv(n)
        except OSError as error:
            if error.args[0] == 11:
                return None
            return b""

    def give(self, data):
        done = 0
        while done < len(data):
            try:
                done += self.s.send(memoryview(data)[done:])
            except OSError as error:
                if error.args[0] != 11:
                    return
                yield OUT, None

    def pause(self, ms):
        end = now() + ms
        while left(end):
            yield 0, end

    def run(self):
        line = b""
        while not line.endswith(b"\n"):
            byte = self.take(1)
            if byte is None:
                yield IN, None
            elif not byte:
                self.s.close()
                return
            else:
                line += byte
        for name, *words in json.loads(line):
            for wants in getattr(self, "do_" + name)(*words):
                yield wants
        self.s.close()

    def do_send(self, text):
        return self.give(text.encode())

    def do_fill(self, size):
        block = bytes(range(251)) * 40
        at = 0
        while at < size:
            some = min(size - at, len(block))
            for wants in self.give(block[:some]):
                yield wants
            at += some

    def do_long(self, size):
        return self.give(b"x" * size)

    def do_trickle(self, ms, text):
        if hasattr(socket, "TCP_NODELAY"):
            self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for character in text:
            for wants in self.pause(ms):
                yield wants
            for wants in self.give(character.encode()):
                yield wants

    def do_sleep(self, ms):
        return self.pause(ms)

    def do_read(self, n):
        while n > 0:
            part = self.take(min(n, 65536))
            if part is None:
                yield IN, None
            elif not part:
                return
            else:
                n -= len(part)

    def do_sip(self, ms, n):
        """Takes a little now and then, until the end."""
        while self.take(n) != b"":
            for wants in self.pause(ms):
                yield wants

    def do_echo(self):
        while True:
            part = self.take(65536)
            if part is None:
                yield IN, None
            elif not part:
                return
            else:
                for wants in self.give(part):
                    yield wants

    def do_hold(self):
        """Until the other side ends, without reading."""
        while True:
            yield 0, now() + 1000

    def do_shutdown(self):
        self.s.shutdown(1)
        return ()

    def do_close(self):
        self.s.close()
        return ()

    def do_reset(self):
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.s.close()
        return ()

    def do_connect(self, host, port, text):
        other = socket.socket()
        other.connect((host, port))
        other.send(text.encode())
        self.other = other  # until the end of this connection
        return ()

    def do_datagrams(self, host, port, count, size):
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for i in range(count):
            other.sendto(("%04d" % i).encode() + b"x" * (size - 4), (host, port))
        other.close()
        return ()


def main(host, port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(50)
    print("ready")
    if MICRO:
        sys.stdout.flush() if hasattr(sys.stdout, "flush") else None
    else:
        sys.stdout.flush()
    connections = []
    while True:
        poller = select.poll()
        poller.register(listener, IN)
        poller.register(sys.stdin, IN)
        timeout = -1
        for each in connections:
            wanted, deadline = each.wants
            if wanted:
                poller.register(each.s, wanted)
            if deadline is not None:
                timeout = left(deadline) if timeout < 0 else min(timeout, left(deadline))
        ready = [one[0] for one in poller.poll(timeout)]
        names = [one if isinstance(one, int) else id(one) for one in ready]

        def is_ready(s):
            return (id(s) if MICRO else s.fileno()) in names

        if is_ready(sys.stdin):
            return
        going = []
        for each in connections:
            wanted, deadline = each.wants
            if (wanted and is_ready(each.s)) or (deadline is not None and not left(deadline)):
                try:
                    each.wants = next(each.steps)
                except StopIteration:
                    continue
                except OSError as error:
                    print("peer:", error)
                    each.s.close()
                    continue
            going.append(each)
        if is_ready(listener):
            going.append(Connection(listener.accept()[0]))
        connections = going


main(sys.argv[1], int(sys.argv[2]))

#!/usr/bin/env python3
"""What a board must survive: more peers than it has memory for, peers that stall, lie, vanish and flood, a cable
that comes loose. After each it serves, its counters tell what it was, and in the end nothing is missing."""

import os
import pathlib
import selectors
import socket
import struct
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "scripts/lib"), str(ROOT / "tests/interop")]

import firmware  # noqa: E402
import strangers  # noqa: E402
import wire  # noqa: E402
from checks import check, finish  # noqa: E402

ECHO, DISCARD, GREET, GENERATE = 7, 9, 13, 19
SERVICES = {ECHO, DISCARD, GREET, GENERATE}
ROUNDS = int(os.environ.get("WEFT_ROUNDS", "1000"))
# What is in use; all else in a report only grows.
IN_USE = ("frames.used", "pcbs.active", "pcbs.listening", "pcbs.bound", "pcbs.time_wait", "pcbs.udp", "heap.used",
          "pcb.used", "segment.used", "pbuf.used", "pool_pbuf.used", "arp_queue.used", "fragments.used")


class Sufferer(firmware.Board):
    """The board, its reports as dictionaries."""

    def report(self):
        seen = self.printed.count("report ")
        self.type("r")
        deadline = time.monotonic() + 20
        while self.printed.count("report ") == seen or not self.printed.endswith("\n"):
            if not self.read(1) or time.monotonic() > deadline:
                raise RuntimeError(f"no report; the board said {self.printed[-500:]!r}")
        line = self.printed[self.printed.rindex("report "):]
        return {name: int(number) for name, number in (each.split("=") for each in line.split()[1:])}

    def rest(self, start, seconds):
        """A report once nothing but what was in use at the start is; what differs after so many seconds."""
        deadline = time.monotonic() + seconds
        while True:
            now = self.report()
            differs = {name: f"{start[name]} -> {now[name]}" for name in IN_USE if start[name] != now[name]}
            if not differs or time.monotonic() > deadline:
                return differs
            time.sleep(0.25)


def grown(before, after):
    return {name: after[name] - before[name] for name in after
            if after[name] != before[name] and name not in IN_USE}


def receive_all(s):
    got = b""
    while part := s.recv(65536):
        got += part
    return got


def echoes(seconds=10):
    """One round trip of an honest peer: True, or why not."""
    try:
        with wire.connect(ECHO, seconds) as s:
            token = os.urandom(32)
            s.sendall(token)
            got = b""
            while len(got) < len(token) and (part := s.recv(64)):
                got += part
            return True if got == token else f"{got!r} came back"
    except OSError as why:
        return str(why)


def echoes_at(port, says):
    """Whether a service says this and closes: True, or why not."""
    try:
        with wire.connect(port) as s:
            got = receive_all(s)
            return True if got == says else f"{got!r} came"
    except OSError as why:
        return str(why)


def serves_within(seconds):
    """An honest peer that tries again is served in this time."""
    deadline = time.monotonic() + seconds
    why = "not tried"
    while time.monotonic() < deadline:
        why = echoes(max(1, min(5, deadline - time.monotonic())))
        if why is True:
            return True
        time.sleep(0.2)
    return why


def served(board, what, seconds=30):
    why = serves_within(seconds)
    check(f"{what}: the board serves", why is True, why)


def counted(what, before, after, expected):
    """Each counter of `expected` grew by a number that its test accepts."""
    more = grown(before, after)
    wrong = [name for name, fits in expected.items() if not fits(more.get(name, 0))]
    check(f"{what}: {', '.join(expected)} tell it", not wrong, f"{', '.join(wrong)} do not: {more}")


def some(n):
    return n > 0


# --- hardships

def close_with_reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def round_of(kind):
    """One connection, ended in one of ten ways."""
    if kind == 0:
        assert echoes() is True
        return
    with wire.connect(GREET if kind == 1 else GENERATE if kind in (2, 3) else DISCARD if kind == 4 else ECHO) as s:
        if kind == 1:  # the board closes first
            assert receive_all(s) == b"good day\n"
        elif kind == 2:  # closed while the board sends
            s.recv(1000)
        elif kind == 3:  # reset while it sends
            s.recv(1000)
            close_with_reset(s)
        elif kind == 4:  # reset behind data
            s.sendall(bytes(3000))
            close_with_reset(s)
        elif kind == 5:  # half closed, then read to the end
            s.sendall(b"x" * 2000)
            s.shutdown(socket.SHUT_WR)
            assert receive_all(s) == b"x" * 2000
        elif kind == 6:  # opened and closed
            pass
        elif kind == 7:  # opened and reset
            close_with_reset(s)
        elif kind == 8:  # closed with the echo unread, which resets
            s.sendall(b"y" * 1000)
            time.sleep(0.002)
        elif kind == 9:  # given up before the handshake is over
            with socket.socket() as hasty:
                hasty.setblocking(False)
                hasty.connect_ex((wire.BOARD, ECHO))
                close_with_reset(hasty)


def rounds(board, start):
    before = board.report()
    failed = {}
    for n in range(ROUNDS):
        try:
            round_of(n % 10)
        except (AssertionError, OSError) as why:
            failed[n] = repr(why)
    check(f"{ROUNDS} connections, ended in ten ways: each got what it asked for", not failed,
          f"{len(failed)}: {list(failed.items())[:5]}")
    differs = board.rest(start, 10)
    check(f"{ROUNDS} connections leave nothing behind", not differs, differs)
    counted("they", before, board.report(), {"served.accepted": lambda n: ROUNDS * 0.8 <= n <= ROUNDS * 1.1,
                                             "served.broken": some})


def crowd(board, start):
    """20 peers at a time against 8 pcbs: those that find none try again, as TCP does, and are served in the end."""
    before = board.report()
    waiting = selectors.DefaultSelector()
    left = {}
    most = 0
    for _ in range(20):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex((wire.BOARD, ECHO))
        left[s] = os.urandom(16)
        waiting.register(s, selectors.EVENT_WRITE)
    answered = []
    started = time.monotonic()
    wrong = []
    while left and time.monotonic() - started < 60:
        for key, events in waiting.select(1):
            s = key.fileobj
            if events & selectors.EVENT_WRITE:
                if s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    s.send(left[s])
                waiting.modify(s, selectors.EVENT_READ)
                continue
            try:
                got = s.recv(64)
            except OSError as why:
                got = str(why)
            if got != left[s]:
                wrong.append(got)
            answered.append(s)  # and stays, so that its pcb is taken
            waiting.unregister(s)
            del left[s]
        most = max(most, len(answered))
        if time.monotonic() - started > 3.5:  # a SYN is sent again after 1 s, and 2 s later
            for s in answered:
                s.close()
            answered.clear()
    check("20 peers, 8 pcbs: 8 are served at a time", most == 8, most)
    check("20 peers, 8 pcbs: all are served in the end", not left and not wrong, f"{len(left)} are not; {wrong}")
    for s in answered + list(left):
        s.close()
    after = board.report()
    counted("20 peers, 8 pcbs", before, after, {"pcb.refused": some, "served.accepted": lambda n: n >= 20})
    served(board, "20 peers, 8 pcbs")
    settled(board, start, "20 peers, 8 pcbs")


def given_up(board, before, what, count):
    """The board gives up on these peers; progress of one byte starts its patience anew."""
    deadline = time.monotonic() + 60
    while (after := board.report())["served.stalled"] - before["served.stalled"] < count:
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    counted(what, before, after, {"served.stalled": lambda n: n == count})


def settled(board, start, what, seconds=30):
    differs = board.rest(start, seconds)
    check(f"{what}: nothing is left of it", not differs, differs)


def exhausted_arena(board, start):
    """Coroutines of 3 KB each: the arena holds some of them, and the next connection is closed at once."""
    before = board.report()
    with wire.many(7, lambda: wire.connect(DISCARD)) as peers:
        kept = 0
        for s in peers:
            s.settimeout(1)
            try:
                s.sendall(b"z" * 100)
                if s.recv(1) == b"":
                    continue
            except TimeoutError:
                kept += 1
            except OSError:
                pass
        after = board.report()
        check("frames run out: connections that got one go on, the others are closed at once",
              1 <= kept <= 5 and after["served.no_frame"] - before["served.no_frame"] == 7 - kept, f"{kept} go on")
        check("frames run out: the arena is never exceeded", after["frames.most"] <= after["frames.arena"], after)
        counted("frames run out", before, after, {"frames.refused": some, "served.no_frame": some})
    served(board, "frames run out")
    settled(board, start, "frames run out")


def stalled_readers(board, start):
    """Peers that never read what they asked for: what is kept for them takes most of the heap. The board hears
    others nevertheless, and gives up on them after its patience of 10 s."""
    def silent():
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.connect((wire.BOARD, GENERATE))
        return s
    before = board.report()
    with wire.many(5, silent):
        time.sleep(2)
        during = board.report()
        check("peers do not read: the heap is as good as used up", during["heap.used"] > 14 * 1024 or
              during["heap.refused"] > before["heap.refused"], during)
        served(board, "peers do not read", 8)
        given_up(board, before, "peers do not read", 5)
    settled(board, start, "peers do not read")


def talkers(board, start):
    """Peers that send and do not read the echo: both directions fill up."""
    before = board.report()
    def talker():
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.connect((wire.BOARD, ECHO))
        s.setblocking(False)
        return s
    with wire.many(5, talker) as peers:
        sent = 0
        for _ in range(20):
            for s in peers:
                try:
                    sent += s.send(b"t" * 4096)
                except OSError:
                    pass
            time.sleep(0.05)
        check("peers send and do not read: what they sent waits in the pool, and leaves the heap to others",
              board.report()["pool_pbuf.used"] >= 8, board.report())
        served(board, "peers send and do not read", 8)
        given_up(board, before, "peers send and do not read", 5)
    settled(board, start, "peers send and do not read")


def loose_cable(board, start):
    """The link goes for two seconds in a transfer each way: neither loses a byte."""
    before = board.report()
    pattern = bytes(i % 251 for i in range(1024))
    size = 8_000_000
    download, wrong = wire.connect(GENERATE, 30), []
    upload = wire.connect(ECHO, 30)
    payload = os.urandom(1_000_000)
    back = bytearray()
    flowing = threading.Event()

    def read():
        at = 0
        while at < size:
            if at > 100_000:
                flowing.set()
            part = download.recv(4096)
            want = (pattern * (len(part) // 1024 + 2))[at % 1024:at % 1024 + len(part)]
            if part != want or not part:
                wrong.append(at)
                return
            at += len(part)

    def send():
        upload.sendall(payload)
        upload.shutdown(socket.SHUT_WR)

    def collect():
        back.extend(receive_all(upload))
    threads = [threading.Thread(target=each, daemon=True) for each in (read, send, collect)]
    for each in threads:
        each.start()
    cuts = 0
    # What the board sends between the cut and its next look at the cable is dropped and counted. If
    # it sent nothing just then: again.
    while cuts < 8 and board.report().get("ethernet.send_drops", 0) == before.get("ethernet.send_drops", 0):
        flowing.clear()
        flowing.wait(30)
        board.command("set_link net off")
        cuts += 1
        if cuts == 1:
            under_way = any(each.is_alive() for each in threads)
        time.sleep(2 if cuts == 1 else 0.2)
        board.command("set_link net on")
    for each in threads:
        each.join(60)
    check("the cable comes loose in a transfer: it was under way", under_way)
    check("the cable comes loose in a transfer: all bytes come, in order", not wrong and back == payload and
          not any(each.is_alive() for each in threads), f"wrong at {wrong}; {len(back)} of {len(payload)} came back")
    download.close()
    upload.close()
    counted("the cable comes loose in a transfer", before, board.report(),
            {"ethernet.link_changes": lambda n: n == 2 * cuts, "ethernet.send_drops": some})
    served(board, "the cable comes loose in a transfer")
    settled(board, start, "the cable comes loose in a transfer")


def main():
    [image] = firmware.build("cortex-m3", ["tests/firmware/board/hardship.elf"],
                             ["-Dlwip_overrides=tests/firmware/board/hardship_lwip.h"], "firmware-hardship")
    wire.isolate()
    with Sufferer(image, tap=wire.TAP) as board:
        board.until("serving")
        served(board, "at rest")
        time.sleep(1.5)
        start = board.report()
        chosen = sys.argv[1:]
        for hardship in HARDSHIPS:
            if not chosen or hardship.__name__ in chosen:
                hardship(board, start)
        for hardship in STRANGE:
            if not chosen or hardship.__name__ in chosen:
                hardship(board, start, sys.modules[__name__])
        status = board.quit()
        check("it ends with status 0", status == 0, board.printed[-2000:])
    finish()


STRANGE = (strangers.port_scan, strangers.syn_flood, strangers.silence, strangers.garbage, strangers.floods,
           strangers.closed_window)
HARDSHIPS = (crowd, exhausted_arena, stalled_readers, talkers, loose_cable, rounds)

main()

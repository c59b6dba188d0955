#!/usr/bin/env python3
"""The examples on boards of QEMU's, each with real clients on this host: nc, curl, a collector, a sensor."""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts/lib"), str(ROOT / "tests/interop")]

import firmware  # noqa: E402
import status_page_client  # noqa: E402
from checks import check, finish  # noqa: E402

PEERS = ROOT / "tests/interop/peers.py"
WHERE = "examples/firmware/mps2-an385/"


@contextlib.contextmanager
def peer(kind, *behaviours):
    """A collector or a sensor on this host: its port, and a function that tells what it has said."""
    with tempfile.TemporaryFile("w+") as log:
        program = subprocess.Popen([sys.executable, PEERS, kind, "127.0.0.1", "0", *behaviours],
                                   stdout=log, stderr=subprocess.STDOUT)

        def said():
            log.seek(0)
            return log.read()
        try:
            deadline = time.monotonic() + firmware.LIMIT
            while "listening on" not in said() and program.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            yield int(said().split()[2]), said
        finally:
            program.terminate()
            program.wait()


def end(cpu, name, board):
    check(f"{cpu}: a 'q' on the console ends {name} with status 0", board.quit() == 0, board.printed)


def with_nc(board, size):
    """What comes back of `size` random bytes that nc sends while it receives."""
    data = os.urandom(size)
    told = subprocess.run(["nc", "-N", "-w", "30", "127.0.0.1", str(board.port[7])], input=data,
                          stdout=subprocess.PIPE, timeout=60)
    return told.stdout, data


def echo(cpu, image):
    with firmware.Board(image, cpu, ports=[7]) as board:
        board.until("echoing at port 7")
        for size in (1, 1000, 1_000_000):
            back, data = with_nc(board, size)
            check(f"{cpu}: echo: nc gets {size} bytes back as it sent them", back == data, f"{len(back)} bytes came")
        with board.connect(7) as s:
            lines = [f"line {n}\n".encode() for n in range(100)]
            back = []
            for each in lines:
                s.sendall(each)
                back.append(s.recv(100))
        check(f"{cpu}: echo: a hundred lines, each before the next", back == lines, back)
        end(cpu, "echo", board)


def status_page(cpu, image):
    with firmware.Board(image, cpu, ports=[80]) as board:
        board.until("a status page at port 80")
        page = status_page_client.Page("127.0.0.1", board.port[80], 3)
        status_page_client.everything(page)
        told = page.status()
        sockets, frames = told["sockets"], told["frames"]
        check(f"{cpu}: the link is up, and one socket listens", told["link"] == "up" and
              sockets["tcp_listening"] == 1 and sockets["tcp_active"] >= 1, told)
        check(f"{cpu}: frames: all in use are in the arena, and none was refused",
              0 < frames["in_use"] <= frames["most"] <= frames["size"] and frames["failed"] == 0, told)
        pools = {each["name"]: each for each in told["pools"]}
        check(f"{cpu}: lwIP's pools are there, and connections were the most that fit at a time",
              4 <= pools["TCP_PCB"]["most"] <= pools["TCP_PCB"]["size"] and pools["TCP_PCB_LISTEN"]["used"] == 1 and
              0 < pools["HEAP"]["most"] < pools["HEAP"]["size"], told)
        check(f"{cpu}: no connection is left but this one", told["server"]["open"] == 1, told)
        first = page.status()["uptime_s"]
        deadline = time.monotonic() + 20
        while page.status()["uptime_s"] == first and time.monotonic() < deadline:
            time.sleep(0.2)
        check(f"{cpu}: its time goes on", page.status()["uptime_s"] > first)
        board.command("set_link net off")
        board.command("set_link net on")
        told = page.status()
        check(f"{cpu}: it serves on after the link was away", told["link"] == "up", told)
        end(cpu, "the status page", board)


def telemetry(cpu, image):
    behaviours = ["reset:3", "close", "deaf", "babble", "early", "ack:4", "ack"]
    with peer("collector", *behaviours) as (port, said), \
            firmware.Board(image, cpu, servers={7001: port}) as board:
        board.until("acknowledged 60")
        end(cpu, "telemetry", board)
        seen = [int(n) for n in re.findall(r"reading (\d+)", said())]
        lost = max(map(int, re.findall(r"lost (\d+)", said())))
        check(f"{cpu}: telemetry: each reading arrives, whatever the collector does, or is counted as lost",
              len(set(range(1, 61)) - set(seen)) <= lost, f"{lost} lost\n{said()}")
        check(f"{cpu}: telemetry: it comes back to a collector that resets, closes, is silent, babbles",
              said().count("connection ") >= len(behaviours) and board.printed.count("again in") >= 6 and
              "timed out" in board.printed and "protocol error" in board.printed, board.printed + said())


def link_lost(cpu, image):
    with peer("collector", "ack") as (port, said), firmware.Board(image, cpu, servers={7001: port}) as board:
        board.until("acknowledged 5")
        board.command("set_link net off")
        board.until("not connected: ")
        board.command("set_link net on")
        connections = said().count("connection ")
        board.until("connected\nacknowledged ")
        printed = len(board.printed)
        board.until("acknowledged 60")
        check(f"{cpu}: telemetry: the link goes and comes back: it connects again and sends the rest",
              printed and said().count("connection ") >= connections, board.printed + said())
        end(cpu, "telemetry", board)


def sensor(cpu, image):
    with peer("sensor", "answer=T 21.50\\n", "close", "answer=T -0.25\\n", "mute", "answer=ERROR 1\\n",
              "answer=T 7\\n", "answer=T nonsense\\n", "answer=T 100.00\\n") as (port, said), \
            firmware.Board(image, cpu, servers={7002: port}) as board:
        board.until("100.00 degrees")
        told = [line for line in board.printed.splitlines()[1:]]
        wanted = ["21.50 degrees", "a try failed: connection reset by peer", "-0.25 degrees",
                  "a try failed: timed out", "a try failed: input/output error", "7.00 degrees",
                  "a try failed: protocol error", "100.00 degrees"]
        check(f"{cpu}: sensor: each answer and each failure, in order", told[:len(wanted)] == wanted,
              board.printed + said())
        end(cpu, "the sensor's routine", board)
    with peer("sensor", "mute") as (port, said), firmware.Board(image, cpu, servers={7002: port}) as board:
        board.until("reading the sensor")
        end(cpu, "the sensor's routine in the middle of a wait", board)


# The status page shows lwIP's pools if lwIP counts them, which costs all the others 0.5 KB.
OPTIONS = {"status_page": firmware.THOROUGH}
PROGRAMS = {"echo": [echo], "status_page": [status_page], "telemetry": [telemetry, link_lost], "sensor": [sensor]}
# All of them on one processor, and on the others what needs no build of its own.
PLAIN = [name for name in PROGRAMS if name not in OPTIONS]
WHICH = {"cortex-m3": list(PROGRAMS), "cortex-m0plus": PLAIN, "cortex-m4f": PLAIN}


def main():
    firmware.need_tools("nc", "curl")
    for cpu, names in WHICH.items():
        for name in names:
            [image] = firmware.build(cpu, [f"{WHERE}{name}.elf"], *OPTIONS.get(name, ()))
            for trial in PROGRAMS[name]:
                try:
                    trial(cpu, image)
                except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
                    check(f"{cpu}: {trial.__name__}", False, error)
    finish()


main()

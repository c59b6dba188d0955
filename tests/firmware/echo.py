#!/usr/bin/env python3
"""The echo server on a board of QEMU's, with Python for a client."""

import os
import pathlib
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts/lib"), str(ROOT / "tests/interop")]

import firmware  # noqa: E402
from checks import check, finish  # noqa: E402


def exchange(board, size):
    """Sends `size` random bytes while it reads; what came back, and what was sent."""
    sent = os.urandom(size)
    back = b""
    with board.connect(7) as s:
        def send():
            s.sendall(sent)
            s.shutdown(1)
        sender = threading.Thread(target=send)
        sender.start()
        while part := s.recv(65536):
            back += part
        sender.join()
    return back, sent


# What the image is built for, and how. The board that runs it goes by the processor.
BUILDS = {
    "Cortex-M3": ("cortex-m3", (), None),
    "Cortex-M4F": ("cortex-m4f", (), None),
    "Cortex-M0+, profile tiny, no IPv6": (
        "cortex-m0plus", ("-Dlwip_profile=tiny", "-Dlwip_ipv6=false"), "firmware-cortex-m0plus-tiny"),
    "Cortex-M3, optimized at link time": ("cortex-m3", ("-Db_lto=true",), "firmware-cortex-m3-lto"),
}


def main():
    firmware.need_tools()
    for name, (cpu, options, directory) in BUILDS.items():
        [image] = firmware.build(cpu, ["examples/firmware/mps2-an385/echo.elf"], options, directory)
        with firmware.Board(image, cpu, ports=[7]) as board:
            board.until("echoing at port 7")
            for size in (1, 1000, 1_000_000):
                back, sent = exchange(board, size)
                check(f"{name}: {size} bytes come back as they were sent", back == sent,
                      f"{len(back)} bytes came")
            check(f"{name}: a 'q' on the console ends it with status 0", board.quit() == 0, board.printed)
    finish()


main()

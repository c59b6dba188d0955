#!/usr/bin/env python3
"""weft's module on a Cortex-M3 without an operating system: MicroPython's ports/qemu, booted on an mps2-an385,
with lwIP's loopback for a network. Prints what the image weighs."""

import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE), str(ROOT / "scripts/lib"), str(ROOT / "tests/interop")]

import board  # noqa: E402
import micropython  # noqa: E402
from checks import check, finish  # noqa: E402

# MicroPython's own, as far as they need no other machine and no file of this one.
UPSTREAM = ("socket_tcp_basic socket_udp_nonblock select_poll_basic select_poll_udp select_poll_custom "
            "select_ipoll asyncio_basic asyncio_basic2 asyncio_await_return asyncio_cancel_fair "
            "asyncio_cancel_self asyncio_cancel_task asyncio_event asyncio_exception asyncio_gather asyncio_lock "
            "asyncio_threadsafeflag asyncio_wait_for asyncio_wait_task").split()


def scripts():
    """Name, code: each prints "good" and raises nothing."""
    text = (HERE / "scripts.py").read_text()
    for part in text.split("\n# --- ")[1:]:
        name, code = part.split("\n", 1)
        yield name, code + '\nprint("good")\n'


def expected(test):
    """What MicroPython's own test is to print: its .exp, else what CPython prints."""
    known = test.with_suffix(".py.exp")
    if known.exists():
        return known.read_text()
    return subprocess.run([sys.executable, test], capture_output=True, text=True, timeout=60).stdout


def try_scripts(image):
    with board.Board(image) as b:
        for name, code in scripts():
            printed, raised = b.run(code)
            check(name, printed.endswith("good\n") and not raised, printed + raised)


def try_upstream(image):
    tests = micropython.tree() / "tests/extmod"
    with board.Board(image) as b:
        for name in UPSTREAM:
            printed, raised = b.run((tests / f"{name}.py").read_text())
            check(f"MicroPython's {name}", printed == expected(tests / f"{name}.py"), printed + raised)
            check(f"a soft reset after {name}", b.soft_reset())


def count_sockets(b):
    """How many can be open at a time."""
    printed, raised = b.run("""
import socket
keep = []
try:
    while True:
        keep.append(socket.socket())
        keep[-1].bind(("127.0.0.1", 7000 + len(keep)))
        keep[-1].listen(1) if len(keep) < 4 else None
except OSError as e:
    print(len(keep), e.errno)
""")
    return printed.split(), printed + raised


def try_soft_reset(image):
    with board.Board(image) as b:
        first, said = count_sockets(b)
        check("so many sockets, then ENOMEM or EMFILE", len(first) == 2 and int(first[0]) > 8 and first[1] in ("12", "24"),
              said)
        for _ in range(3):
            b.soft_reset()
            again, said = count_sockets(b)
            check("a soft reset closes every socket: as many can be opened again, at the same ports", again == first,
                  f"{first}, then {again}\n{said}")
        b.soft_reset()
        dropped = ("import socket, gc\nfor i in range(200):\n s = socket.socket()\n s.bind(('127.0.0.1', 6000))\n"
                   " s = None\n gc.collect()\nprint('good')")
        printed, raised = b.run(dropped)
        check("200 dropped sockets at one port: collecting closes them", printed == "good\n", printed + raised)


def print_sizes(with_weft, without):
    print(f"{'bytes':24} {'text':>8} {'data':>8} {'bss':>8}")
    for what, image in (("ports/qemu with weft", with_weft), ("the same without", without)):
        print(f"{what:24} " + " ".join(f"{board.sections(image)[each]:8,}" for each in ("text", "data", "bss")))
    more = {each: board.sections(with_weft)[each] - board.sections(without)[each] for each in ("text", "data", "bss")}
    print(f"{'weft, lwIP and the glue':24} " + " ".join(f"{more[each]:8,}" for each in ("text", "data", "bss")))
    check("the image with sockets is larger than the one without, and by less than 192 KB of flash",
          0 < more["text"] < 192 * 1024, more)


def main():
    missing = [tool for tool in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(tool) is None]
    if missing:
        print(f"{', '.join(missing)} missing; on Debian: apt-get install gcc-arm-none-eabi qemu-system-arm")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    try:
        images = board.build("weft"), board.build("bare")
    except micropython.Unbuilt as why:
        check("ports/qemu builds", False, why)
        finish()
    print_sizes(*images)
    try_scripts(images[0])
    try_soft_reset(images[0])
    try_upstream(images[0])
    finish()


if __name__ == "__main__":
    main()

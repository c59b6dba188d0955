#!/usr/bin/env python3
"""The runtime's unit tests on the processors themselves: a Cortex-M0 (QEMU's microbit), an M3 and an M4F.

Time is counted in instructions there (-icount): a run repeats, and a slow host changes nothing."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts/lib"), str(ROOT / "tests/interop")]

import firmware  # noqa: E402
from checks import check, finish  # noqa: E402

# What it is compiled for, QEMU's board with such a processor, and what is special about the build.
BOARDS = (("cortex-m0plus", "microbit", ()), ("cortex-m3", "mps2-an385", ()),
          ("cortex-m4f", "mps2-an386", ("-Db_ndebug=false",)))
OPTIONS = ("-Dtests=true", "-Dexamples=false", "-Dlwip_stack=false")
FOLDER = "tests/firmware/unit"
LIMIT = 300


def report(board, printed, status):
    """Passes on what an image printed; whatever is missing is a failure."""
    seen = 0
    notes = ""
    for line in printed.splitlines():
        if line.startswith("#"):
            notes += line + "\n"
        elif match := re.match(r"(ok|not ok) - (.*)", line):
            check(f"{board}: {match.group(2)}", match.group(1) == "ok", notes)
            notes = ""
            seen += 1
    announced = re.findall(r"^1\.\.(\d+)$", printed, re.M)
    check(f"{board}: all tests ran, and the image ended with status 0",
          announced == [str(seen)] and status == 0,
          f"announced {announced}, saw {seen}, status {status}: {printed[-400:]}")


def run(image, machine, *more):
    """What it printed, and its exit status; or why there is none."""
    counted = ("-icount", "shift=0,sleep=off", *more)
    with firmware.Board(image, machine, more=counted, network=False) as board:
        try:
            status = board.wait(LIMIT)
        except RuntimeError as why:
            status = why
        return board.printed, status


def main():
    firmware.need_tools()
    for cpu, machine, more in BOARDS:
        name = f"{cpu} with assertions" if more else cpu
        unit, storm, fault, library = firmware.build(
            cpu, [*(f"{FOLDER}/{program}.elf" for program in ("unit", "storm", "fault")), "src/libweft.a"],
            OPTIONS + more, f"firmware-unit-{cpu}")
        wanted = subprocess.run(["arm-none-eabi-nm", "-u", library], check=True, capture_output=True,
                                text=True).stdout
        atomics = sorted(set(re.findall(r"__atomic_\w+|__sync_\w+", wanted)))
        check(f"{name}: the runtime wants no atomic operation of a library", not atomics, atomics)
        printed, status = run(unit, machine)
        report(name, printed, status)
        for note in re.findall(r"^# stack: .*$", printed, re.M):
            print(f"{note} ({name})")
        # QEMU looks for interrupts between blocks of code; so between any two instructions:
        printed, status = run(storm, machine, "-singlestep")
        report(f"{name}, step by step", printed, status)
        again, _ = run(storm, machine)
        took = [re.findall(r"^# (\d+) ns$", each, re.M) for each in (printed, again)]
        check(f"{name}: a run takes as many instructions as the one before", took[0] and took[0] == took[1],
              took)
        printed, status = run(fault, machine)
        check(f"{name}: a fault says where, and ends with a status of its own",
              status == 60 and re.search(r"fault: hard fault at pc 0x[0-9a-f]{8}, called from", printed),
              f"{status}: {printed}")
    finish()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A program that fails says what failed and where, and ends with a status of its own: built for each processor
that the board may have."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts/lib"), str(ROOT / "tests/interop")]

import firmware  # noqa: E402
from checks import check, finish  # noqa: E402

FAULT, ASSERTION = 60, 61
PLACE = r" at pc 0x[0-9a-f]{8}, called from 0x[0-9a-f]{8}"
# What the program does; what an ARMv7-M says of it; what the code for an ARMv6-M, which keeps no reasons, says.
FAULTS = (
    ("null", PLACE + ", cfsr 0x00020000, a call of what is no code", PLACE),
    ("bus", PLACE + ", cfsr 0x00008200, nothing to read or write there, address 0xa0000000", PLACE),
    ("unaligned", PLACE + ", cfsr 0x01000000, an address that is not aligned", PLACE),
    ("undefined", PLACE + ", cfsr 0x00010000, an undefined instruction", PLACE),
    ("stack", ", the stack is used up, cfsr 0x[0-9a-f]{8}, no access to data.*", ", the stack is used up"),
    ("division", PLACE + ", cfsr 0x02000000, a division by zero", None),  # libgcc's: nothing faults
)
INTERRUPT = r"fault: interrupt without a handler 0x00000005" + PLACE
ASSERTIONS = (("port", "the port's"), ("assert", "weft's"), ("lwip", "pbuf_free: p->ref > 0"))


def fails(image, cpu, how):
    """The exit status and what was printed after "alive"."""
    with firmware.Board(image, cpu, more=["-append", how], network=False) as board:
        try:
            status = board.wait(20)
        except RuntimeError as why:
            status = str(why)
        return status, board.printed.partition("alive\n")[2]


def says(name, image, cpu, how, status, pattern):
    got, printed = fails(image, cpu, how)
    check(name, got == status and re.fullmatch(r"\s*" + pattern + r"\s*", printed), f"status {got}: {printed}")


def main():
    firmware.need_tools()
    target = "tests/firmware/board/faults.elf"
    for cpu in ("cortex-m3", "cortex-m0plus", "cortex-m4f"):
        [image] = firmware.build(cpu, [target])
        for how, with_reason, without in FAULTS:
            pattern = without if cpu == "cortex-m0plus" else with_reason
            if pattern is not None:
                says(f"{cpu}: {how}", image, cpu, how, FAULT, "fault: hard fault" + pattern)
        says(f"{cpu}: an interrupt without a handler", image, cpu, "interrupt", FAULT,
             INTERRUPT + ("" if cpu == "cortex-m0plus" else ", cfsr 0x00000000"))
        says(f"{cpu}: weft_port_failed()", image, cpu, "port", ASSERTION, "assertion: the port's")
        status, printed = fails(image, cpu, "nothing")
        check(f"{cpu}: a program that does not fail ends with status 0", (status, printed) == (0, "still alive\n"),
              f"status {status}: {printed}")
    [image] = firmware.build("cortex-m3", [target], *firmware.THOROUGH)
    for how, what in ASSERTIONS:
        says(f"with assertions: {how}", image, "cortex-m3", how, ASSERTION, f"assertion: .*{re.escape(what)}.*")
    finish()


main()

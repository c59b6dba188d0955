#!/usr/bin/env python3
"""What each example weighs on each processor, against sizes.json, and what must not be in any image.

    sizes.py [--update]        --update writes what was measured; say why in the commit

An image that has grown or shrunk by more than 1% fails: growth is to be seen, and the table to be true. The table of
docs/porting.md is made of the same numbers.
"""

import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "scripts/lib"), str(ROOT / "tests/interop")]

import firmware  # noqa: E402
from checks import check, finish  # noqa: E402

TABLE = HERE / "sizes.json"
PAGE = ROOT / "docs/porting.md"
CHANGE = 0.01
EXAMPLES = "examples/firmware/mps2-an385"
# The heap, exceptions and their tables, RTTI, formatted output, what runs at exit, threads' locks.
BANNED = re.compile(r"""^(_?(malloc|calloc|realloc|memalign|free|sbrk)(_r)?|_Zn[wa]j|__cxa_(throw|allocate_exception|
    begin_catch|atexit|guard_acquire)|_Unwind_\w+|_ZT[IS]\w*|_?v?[sf]?n?i?printf(_r)?|_?v?fi?printf_r|puts|fwrite|
    atexit|__register_exitproc|__aeabi_atexit|__udivmoddi4|__aeabi_d(add|mul|div)|_impure_ptr)$""", re.X)


def symbols(image):
    listed = subprocess.run(["arm-none-eabi-nm", image], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1] for line in listed.splitlines()}


def measure(cpu):
    """name: {flash, ram} of each example, as built for `cpu`. Flash is code and initial values; RAM is all that is
    static, pools of lwIP, frame arena and stack among them."""
    place = firmware.configure(cpu)
    names = sorted(pathlib.Path(target).name.removesuffix(".elf") for target in firmware.images(place)
                   if str(target).startswith(EXAMPLES))
    firmware.step(["ninja", "-C", place, *(f"{EXAMPLES}/{name}.elf" for name in names)], place, "ninja")
    for name in names:
        image = place / EXAMPLES / f"{name}.elf"
        found = sorted(each for each in symbols(image) if BANNED.match(each))
        check(f"{name} on {cpu}: no heap, no exceptions, no printf in its symbols", not found, " ".join(found))
        size = firmware.image_sizes(image)
        yield name, {"flash": size["text"] + size["data"], "ram": size["data"] + size["bss"]}


def table_of(measured):
    """The rows of the page: an example a row, flash and RAM a processor."""
    cpus = list(measured)
    for name in sorted({name for sizes in measured.values() for name in sizes}):
        cells = (f"{measured[cpu][name]['flash']:,} | {measured[cpu][name]['ram']:,}" for cpu in cpus)
        yield f"| {name} | {' | '.join(cells)} |"


def main():
    firmware.need_tools()
    update = "--update" in sys.argv[1:]
    before = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    measured = {cpu: dict(measure(cpu)) for cpu in firmware.MACHINES}
    if update:
        TABLE.write_text(json.dumps(measured, indent=4) + "\n")
        print("\n".join(table_of(measured)))
        finish()
    for cpu, sizes in measured.items():
        for name, size in sizes.items():
            for kind, now in size.items():
                then = before.get(cpu, {}).get(name, {}).get(kind, 0)
                check(f"{name} on {cpu}: {now:,} bytes of {kind}, {then:,} in the table",
                      abs(now - then) <= CHANGE * then,
                      f"{now - then:+} bytes; if that is meant: tests/firmware/sizes.py --update")
    gone = [f"{name} on {cpu}" for cpu, sizes in before.items() for name in sizes if name not in measured.get(cpu, {})]
    check("nothing is in the table that is not built", not gone, gone)
    page = PAGE.read_text()
    missing = [row for row in table_of(before) if row not in page]
    check(f"{PAGE.relative_to(ROOT)} has the table", not missing, "\n".join(missing))
    finish()


main()

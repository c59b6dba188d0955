"""What the tests over real programs share: where the programs are, and one line for each check."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts/lib"))

PROGRAMS = ROOT / os.environ.get("WEFT_PROGRAMS", "build/demo") / "examples/host"
QUICK = "WEFT_TEST_QUICK" in os.environ

_failed = 0


def check(name, good, why=""):
    global _failed
    print(f"{'ok' if good else 'not ok'} - {name}", flush=True)
    if not good:
        _failed += 1
        for line in str(why).splitlines():
            print("    " + line, flush=True)


def skip(name, why):
    print(f"ok - {name} # SKIP {why}", flush=True)


def finish():
    sys.exit(1 if _failed else 0)

"""Counts that do not depend on the machine's speed, against budgets.json: instructions by callgrind,
allocations, and bytes of coroutine frames. One that has grown by more than 3% fails.

    budgets.py [--update]        --update writes what was counted; say why in the commit
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUDGETS = ROOT / "tests/budgets/budgets.json"
BUILD = ROOT / os.environ.get("WEFT_PROGRAMS", "build-test/release")
GROWTH = 1.03
sys.path.insert(0, str(ROOT / "bench"))
import report  # noqa: E402

report.HOST = ["weft"]  # weft alone: the peers are scripts/bench's business
MEASURED = [
    "runtime.await.instructions", "runtime.spawn.instructions", "runtime.yield.instructions",
    "runtime.timer.instructions.1", "runtime.timer.instructions.1000",
    "runtime.timer.instructions.100000", "runtime.mutex.instructions",
    "runtime.channel.instructions", "host.echo.instructions", "host.echo.instructions.64",
    "lwip.echo.instructions", "steady.allocations", "facade.recv.instructions",
    "facade.poll.scale.1000", "facade.steady.allocations",
]


def frames(compiler, directory):
    """Frame sizes by name, as this compiler at -O2 asks for them."""
    program = f"{directory}/frames"
    subprocess.run(
        [compiler, "-std=c++20", "-O2", "-DNDEBUG", "-Iinclude", "tests/budgets/frames.cpp",
         str(BUILD / "src/libweft.a"), "-o", program], cwd=ROOT, check=True)
    lines = subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()
    return {name: int(size) for name, size in map(str.split, lines)}


def counts(directory):
    bench = report.Bench(str(BUILD / "bench"), directory, quick=True, rounds=1)
    bench.micro_alone = bench.micro
    bench.micro = lambda name, peers, pending=None: bench.micro_alone(name, [], pending)
    bench.lwip_echo = lambda: {"weft": bench.instructions_each("lwip_echo_weft", (), 1000)}
    for name in MEASURED:
        row = report.Row(name, bench.measure(name), clang=False)
        if row.weft is None:
            raise report.BenchError(f"weft has no program for {name} in {BUILD}/bench")
        yield name, round(row.weft, 2)


def main():
    update = "--update" in sys.argv[1:]
    budgets = json.loads(BUDGETS.read_text()) if BUDGETS.exists() else {}
    counted = {}
    failed = False

    def judge(name, value):
        nonlocal failed
        counted[name] = value
        budget = budgets.get(name)
        good = update or (budget is not None and value <= budget * GROWTH)
        failed |= not good
        better = " (less: lower the budget)" if budget and value < budget / GROWTH else ""
        print(f"{'ok' if good else 'not ok'} - {name}: {value:g}, budget {budget}{better}", flush=True)

    with tempfile.TemporaryDirectory(prefix="weft-budgets-") as directory:
        try:
            for compiler, short in (("g++", "gcc"), ("clang++-19", "clang")):
                for name, size in frames(compiler, directory).items():
                    judge(f"{name}.{short}", size)
            for name, value in counts(directory):
                judge(name, value)
        except (report.BenchError, subprocess.CalledProcessError) as error:
            print(f"not ok - {error}")
            failed = True
        finally:
            report.end_everything()
    for name in budgets.keys() - counted.keys():
        print(f"not ok - {name} has a budget and was not counted")
        failed = True
    if update and not failed:
        BUDGETS.write_text(json.dumps(counted, indent=4) + "\n")
    return 1 if failed else 0


sys.exit(main())

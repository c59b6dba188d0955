"""Builds each fuzz target with clang's libFuzzer and runs it for a few seconds from an empty corpus.

    run.py [SECONDS]
"""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGETS = {"http": ["-Iexamples/host"]}
seconds = sys.argv[1] if len(sys.argv) > 1 else "20"
work = ROOT / "build-test/fuzz"
work.mkdir(parents=True, exist_ok=True)
failed = False
for name, flags in TARGETS.items():
    program = work / name
    built = subprocess.run(
        ["clang++-19", "-std=c++20", "-g", "-O1", "-fsanitize=fuzzer,address,undefined",
         "-fno-sanitize-recover=all", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror",
         *flags, f"tests/fuzz/{name}_fuzz.cpp", "-o", str(program)], cwd=ROOT)
    good = built.returncode == 0 and subprocess.run(
        [program, f"-max_total_time={seconds}", "-max_len=2000", "-print_final_stats=1",
         "-verbosity=0", f"-dict=tests/fuzz/{name}.dict", f"-artifact_prefix={work}/{name}-"],
        cwd=ROOT).returncode == 0
    print(f"{'ok' if good else 'not ok'} - {name}: {seconds} s of libFuzzer", flush=True)
    failed |= not good
sys.exit(1 if failed else 0)

"""Compiles snippets with several compilers and says ok or not ok for each, as TAP has it."""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-fsyntax-only",
         "-I" + str(ROOT / "include"), "-I" + str(ROOT / "facade")]


def compile_one(job):
    compiler, name, code, more = job
    told = subprocess.run([compiler, *FLAGS, *more, "-x", "c++", "-"], input=code,
                          capture_output=True, text=True, cwd=ROOT)
    return f"{name} ({compiler})", told.returncode, told.stderr


def compile_all(compilers, snippets):
    """`snippets` are (name, code, further flags)."""
    jobs = [(compiler, *snippet) for compiler in compilers for snippet in snippets]
    for compiler in compilers:
        if shutil.which(compiler) is None:
            sys.exit(f"not ok - {compiler} is missing")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, status, errors in pool.map(compile_one, jobs):
            print(f"{'ok' if status == 0 else 'not ok'} - {name}")
            if status != 0:
                failed += 1
                print(errors, flush=True)
    sys.exit(1 if failed else 0)


def public_headers():
    return sorted((ROOT / "include/weft").glob("*.hpp"))


def facade_headers():
    """usocket's, that people include; core/ is behind them. uasyncio's have a test of their own."""
    return sorted((ROOT / "facade/usocket").glob("*.hpp"))


def included(header):
    """How people write it."""
    return f"{header.parent.name}/{header.name}"

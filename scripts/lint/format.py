#!/usr/bin/env python3
"""The C and C++ of the tree are as clang-format 19 leaves them."""

import shutil
import subprocess
import sys

import sources

PROGRAM = next((p for p in ("clang-format-19", "clang-format") if shutil.which(p)), None)


def check(path, text):
    told = subprocess.run(
        [PROGRAM, f"--assume-filename={sources.ROOT / path}", "--dry-run", "-Werror"],
        input=text, capture_output=True, text=True, cwd=sources.ROOT)
    if told.returncode != 0:
        where = told.stderr.split(":", 3)
        yield (int(where[1]) if len(where) > 1 and where[1].isdigit() else 1,
               f"run {PROGRAM} -i {path}")


if __name__ == "__main__":
    if PROGRAM is None:
        sys.exit("clang-format-19 is missing: apt-get install clang-format-19")
    sources.run(__doc__, check, [("src/a.cpp", "int  f( ){return 1 ;}\n")],
                [("src/b.cpp", "int f() {\n    return 1;\n}\n")])

#!/usr/bin/env python3
"""A file is one idea, and none of ours has needed more than 600 lines for one."""

import sources

LIMIT = 600


def check(path, text):
    lines = text.count("\n")
    if lines > LIMIT and not path.startswith("subprojects/"):
        yield lines, f"{lines} lines; is this still one idea? The limit is {LIMIT}"


if __name__ == "__main__":
    sources.run(__doc__, check, [("long.cpp", "x\n" * (LIMIT + 1))], [("short.cpp", "x\n" * LIMIT)],
                endings=sources.CPP + (".py", ".sh"))

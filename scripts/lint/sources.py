"""What the lints share: the files of the tree, C++ without its comments, and how a lint runs.

A lint is a function from (path, text) to complaints (line, what), and samples that it must and must
not complain about; run() checks the samples first, so that a lint that has gone blind fails.
"""

import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPP = (".cpp", ".hpp", ".h", ".c")

_TOKENS = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)


def code_only(text, keep_strings=False):
    """C++ with comments (and strings) blanked; every character that stays keeps its place."""

    def blank(match):
        token = match.group(0)
        if token[0] == "/" or not keep_strings:
            return re.sub(r"[^\n]", " ", token)
        return token

    # 1'000 is a number, not the start of a character
    text = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "_", text)
    return _TOKENS.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def tracked(endings=None, under=None):
    """The tree's own text files: what git knows, and what it would if it were added."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in sorted(set(filter(None, listed.split("\0")))):
        path = ROOT / name
        if (endings and not name.endswith(endings)) or (under and not name.startswith(under)):
            continue
        if not path.is_file() or path.is_symlink():
            continue
        try:
            yield name, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def run(what, check, bad, good, endings=CPP, under=None):
    """`bad` and `good` are (path, text) samples. Prints complaints as PATH:LINE: WHAT."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--self-test", action="store_true", help="check the samples alone")
    options = parser.parse_args()
    for path, text in bad:
        if not list(check(path, text)):
            sys.exit(f"this lint is blind: it does not complain about {path}:\n{text}")
    for path, text in good:
        for line, complaint in check(path, text):
            sys.exit(f"this lint is wrong: {path}:{line}: {complaint}\n{text}")
    if options.self_test:
        print(f"{len(bad)} bad samples found, {len(good)} good ones left alone")
        return
    found = [f"{path}:{line}: {complaint}" for path, text in tracked(endings, under)
             for line, complaint in check(path, text)]
    print("\n".join(found) if found else "nothing to complain about")
    sys.exit(1 if found else 0)

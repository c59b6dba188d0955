"""An example of the documents that somebody pastes into a file of his own, with nothing before it but
`#include <usocket/usocket.hpp>` and a main around it, builds against an installed weft; so does every
piece of code in docs/usocket.md; and the first program there runs.

docs/usocket.md's pieces stand in a function with the names of CONTEXT, unless they have a main or
functions of their own. A C piece is a file as it stands.
"""

import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/interop"))

from checks import check, finish  # noqa: E402

build = ROOT / os.environ["WEFT_PROGRAMS"]
COMPILERS = ("g++", "clang++-19")
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
INCLUDE = "#include <usocket/usocket.hpp>\n"
# open() is the file system's, not usocket's
FILES = "#include <fstream>\n"
# A piece need not use what it shows, and may name a result that nobody reads.
RELAXED = ["-Wno-unused", "-Wno-unused-result", "-Wno-shadow"]
CONTEXT = """
extern usocket::socket s, other, listener;
extern std::array<std::byte, 512> buffer;
"""


def pasted(text):
    """An example without our header, its other includes and its way to tell an error."""
    code = text[text.index(INCLUDE) + len(INCLUDE):]
    code = re.sub(r"#include <\w+>\n", "", code)
    code = re.sub(r"(int main\(.*\)) try \{", r"\1 {", code)
    code = re.sub(r"\} catch \(const (usocket::)?OSError& e\) \{\n    std::fprintf.*\n    return 1;\n\}", "}",
                  code)
    return INCLUDE + (FILES if "fstream" in code else "") + code


def of_document(code):
    """A C++ piece of docs/usocket.md as a file."""
    includes = "".join(line + "\n" for line in code.splitlines() if line.startswith("#include"))
    rest = "".join(line + "\n" for line in code.splitlines() if not line.startswith("#include"))
    if "int main(" in rest:
        return includes + rest
    if re.search(r"^(weft::task<|int |void |struct |extern )", rest, re.M):
        return (includes or INCLUDE) + "namespace piece {\n" + CONTEXT + rest + "}\n"
    return (INCLUDE + includes + "namespace piece {\n" + CONTEXT + "void piece();\nvoid piece() {\n" +
            rest + "}\n}\n")


def compiled(job):
    name, compiler, code, flags = job
    language = "c" if compiler == "cc" else "c++"
    told = subprocess.run([compiler, *WARNINGS, "-fsyntax-only", *flags, "-x", language, "-"], input=code,
                          capture_output=True, text=True)
    return f"{name} ({compiler})", told.returncode == 0, told.stderr


with tempfile.TemporaryDirectory(prefix="weft-installed-") as directory:
    told = subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", directory],
                          capture_output=True, text=True)
    check("meson install", told.returncode == 0, told.stdout + told.stderr)
    config = next(pathlib.Path(directory).rglob("weft-usocket.pc"), None)
    check("installs a pkg-config file for usocket", config is not None)
    told = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "--static", "weft-usocket"], capture_output=True, text=True,
        env=os.environ | {"PKG_CONFIG_PATH": str(config.parent), "PKG_CONFIG_SYSROOT_DIR": directory})
    check("which pkg-config reads", told.returncode == 0, told.stderr)
    flags = shlex.split(told.stdout)
    headers = [flag for flag in flags if flag.startswith("-I")]

    there = {path.name for path in pathlib.Path(directory).rglob("*") if path.suffix in (".h", ".hpp", ".inc")}
    ours = {path.name for pattern in ("usocket/*.hpp", "usocket/*.inc", "usocket/core/*.hpp", "c/*.h")
            for path in (ROOT / "facade").glob(pattern)}
    check("every header of the façade is installed", ours <= there, ours - there)

    cpp20 = ["-std=c++20", *headers]
    examples = {path.stem: pasted(path.read_text())
                for path in sorted((ROOT / "examples/usocket").glob("*.cpp"))}
    jobs = [(f"{name} pasted", COMPILERS[0], code, cpp20) for name, code in examples.items()]
    check("pasting leaves a program", all("int main(" in code and "fprintf" not in code
                                          for code in examples.values()))

    document = (ROOT / "docs/usocket.md").read_text()
    pieces = re.findall(r"```(\w+)\n(.*?)```", document, re.S)
    first = next(code for language, code in pieces if language == "cpp")
    for number, (language, code) in enumerate(pieces, 1):
        name = f"docs/usocket.md, piece {number}, {code.strip().splitlines()[0][:40]!r}"
        if language == "cpp":
            without = ["-fno-exceptions", "-fno-rtti"] if "-fno-exceptions" in code else []
            jobs += [(name, compiler, of_document(code), cpp20 + RELAXED + without)
                     for compiler in COMPILERS]
        elif language == "c":
            jobs.append((name, "cc", code, ["-std=c99", "-Wpedantic", *headers]))
    wrong = [(f"a piece that is wrong does not compile", compiler, of_document("s.recieve(10);\n"),
              cpp20) for compiler in COMPILERS]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, good, errors in pool.map(compiled, jobs):
            check(name, good, errors)
        for name, good, _ in pool.map(compiled, wrong):
            check(name, not good)

    for name, language, code, expected in (
            ("maixpy_inet", "c++", examples["maixpy_inet"], "'127.0.0.1'\nb'\\x01\\x02\\x03\\x04'\n"),
            ("docs/usocket.md's first program", "c++", first, "b'hello'\n"),
            ("docs/usocket.md's C program", "c", next(c for l, c in pieces if l == "c"), "hello\n")):
        program = f"{directory}/program"
        source = [] if language == "c++" else ["-c", "-o", f"{program}.o"]
        commands = ([["g++", "-std=c++20", "-x", "c++", "-", "-x", "none", "-o", program, *flags]]
                    if language == "c++" else
                    [["cc", "-std=c99", *headers, "-x", "c", "-", "-c", "-o", f"{program}.o"],
                     ["g++", f"{program}.o", "-o", program, *flags]])
        for command in commands:
            told = subprocess.run(command, input=code, capture_output=True, text=True)
            check(f"{name} builds", told.returncode == 0, told.stderr)
        for stack in ("host", "lwip"):
            told = subprocess.run([program], capture_output=True, text=True, timeout=20,
                                  env=os.environ | {"WEFT_STACK": stack})
            check(f"{name} runs on {stack}", (told.stdout, told.returncode) == (expected, 0),
                  told.stdout + told.stderr)
finish()

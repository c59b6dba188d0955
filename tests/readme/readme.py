"""README.md's forty lines build against an installed weft, through its pkg-config file, and echo; the
commands it names are there."""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/interop"), str(ROOT / "scripts/lib")]

from checks import check, finish  # noqa: E402
from sandbox import Sandbox, Unavailable  # noqa: E402

build = ROOT / os.environ["WEFT_PROGRAMS"]
readme = (ROOT / "README.md").read_text()
code = re.findall(r"```cpp\n(.*?)```", readme, re.S)
check("README has one program", len(code) == 1, len(code))
check("of about forty lines", len([l for l in code[0].splitlines() if l.strip()]) <= 42)
for command in sorted(set(re.findall(r"\bscripts/[\w/-]+|\.ci/run", readme))):
    check(f"{command} can be run", os.access(ROOT / command, os.X_OK))
for name in ("LICENSE", "NOTICE", "CHANGELOG.md", "CONTRIBUTING.md"):
    check(f"{name} is there", (ROOT / name).is_file())

with tempfile.TemporaryDirectory(prefix="weft-readme-") as directory, Sandbox() as sandbox:
    told = subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", directory],
                          capture_output=True, text=True)
    check("meson install", told.returncode == 0, told.stdout + told.stderr)
    config = next(pathlib.Path(directory).rglob("weft.pc"), None)
    check("installs a pkg-config file", config is not None)
    told = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "--static", "weft"], capture_output=True, text=True,
        env=os.environ | {"PKG_CONFIG_PATH": str(config.parent), "PKG_CONFIG_SYSROOT_DIR": directory})
    check("which pkg-config reads", told.returncode == 0, told.stderr)
    flags = shlex.split(told.stdout)
    try:
        sandbox.isolate()
    except Unavailable:
        pass
    pathlib.Path(f"{directory}/echo.cpp").write_text(code[0])
    for compiler in ("g++", "clang++-19"):
        program = f"{directory}/{compiler}"
        told = subprocess.run(
            [compiler, "-std=c++20", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror",
             f"{directory}/echo.cpp", "-o", program, *flags],
            capture_output=True, text=True)
        check(f"README's program builds with {compiler}", told.returncode == 0, told.stderr)
        if told.returncode == 0:
            server, _ = sandbox.start([program], f"{directory}/log")
            words = "forty lines\n"
            told = sandbox.run(["sh", "-c", "sleep 0.3; nc -N -w 5 127.0.0.1 7000"], input=words)
            check("and echoes", told.stdout == words, told.stdout + told.stderr)
            sandbox.end(server)
finish()

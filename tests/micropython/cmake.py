#!/usr/bin/env python3
"""micropython.cmake, as a port that is built with CMake includes it: the same sources as micropython.mk has, and they
compile and link with WEFT_LIBS."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts/lib"), str(ROOT / "tests/interop")]

import micropython  # noqa: E402
from checks import check, finish  # noqa: E402

MODULE = micropython.MODULE / "weft"
# What ports do: their modules are INTERFACE libraries that `usermod` collects (py/usermod.cmake).
PORT = """
cmake_minimum_required(VERSION 3.13)
project(port C)
add_library(usermod INTERFACE)
include(${USER_C_MODULES})
add_library(port OBJECT)
target_link_libraries(port usermod)
get_target_property(OF_MODULE usermod_weft INTERFACE_LINK_LIBRARIES)
message(STATUS "linked: ${OF_MODULE}")
"""


def run(*command):
    return subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def main():
    if shutil.which("cmake") is None:
        print("cmake is missing; on Debian: apt-get install cmake")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    built = pathlib.Path(micropython.executable('weft')).parent
    tree = micropython.tree()
    sources = sorted(path.name for path in MODULE.glob("*.c"))
    for name in ("micropython.mk", "micropython.cmake"):
        listed = sorted(re.findall(r"(\w+\.c)\b", (MODULE / name).read_text()))
        check(f"{name} has every source of the module", listed == sources, f"{listed}\n{sources}")
    with tempfile.TemporaryDirectory(prefix="weft-cmake-") as directory:
        place = pathlib.Path(directory)
        (place / "CMakeLists.txt").write_text(PORT)
        flags = " ".join([*(f"-I{each}" for each in (
            tree, tree / "ports/unix", built, micropython.MODULE / "unix")), "-DMICROPY_PY_SOCKET=0", "-Wall", "-Werror"])
        said = run("cmake", "-S", place, "-B", place / "b", f"-DCMAKE_C_FLAGS={flags}",
                   f"-DUSER_C_MODULES={MODULE / 'micropython.cmake'}", "-DWEFT_LIBS=libweft-usocket.a;libweft.a")
        check("a port's CMake takes it", said.returncode == 0, said.stdout)
        check("and links what WEFT_LIBS says", "linked: libweft-usocket.a;libweft.a" in said.stdout, said.stdout)
        said = run("cmake", "--build", place / "b", "-j", micropython.JOBS)
        check("and compiles it", said.returncode == 0, said.stdout)
        objects = sorted(path.name for path in (place / "b").rglob("*.c.o"))
        check("each source of it", objects == [f"{name}.o" for name in sources], objects)
    finish()


if __name__ == "__main__":
    main()

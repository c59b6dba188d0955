#!/usr/bin/env python3
"""Builds MicroPython's unix port: stock, and with weft's module in place of its own sockets.

    scripts/lib/micropython.py build stock|weft [--build DIR]

The last line printed is the path of the executable, DIR/stock/micropython or DIR/weft/micropython; DIR
is build-test/micropython unless told otherwise. The source is copied into DIR and never edited. Both are
built alike (mbedTLS, Debian's frozen modules); weft's core is built in DIR/core without exceptions, or is
in the Meson build directory that WEFT_BUILD names. Nothing happens when nothing has changed.
"""

import argparse
import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSION = "1.25.0"
SOURCE = ROOT / f"subprojects/micropython-{VERSION}"
BUILD = ROOT / "build-test/micropython"
MODULE = ROOT / "facade/micropython"
JOBS = os.cpu_count() or 2

# As Debian configures it; its own command line adds only what hardens.
SETTINGS = ("MICROPY_SSL_AXTLS=0", "MICROPY_SSL_MBEDTLS=1", "MICROPY_PY_BTREE=0", "V=",
            # the tests of TLS streams call their ioctl, which only the coverage variant shows to Python
            "CFLAGS_EXTRA=$(if $(findstring modtls_mbedtls,$@),-DMICROPY_UNIX_COVERAGE=1)")
# Errors of mbedTLS 3 in MicroPython's table of names, which Debian's mbedTLS 2.28 does not have.
NEVER = "-0x7fff"
NEWER_ERRORS = tuple(f"-DMBEDTLS_ERR_{name}={NEVER}" for name in """
    GCM_BUFFER_TOO_SMALL PK_BUFFER_TOO_SMALL SSL_BAD_CERTIFICATE SSL_BAD_PROTOCOL_VERSION
    SSL_CACHE_ENTRY_NOT_FOUND SSL_CANNOT_READ_EARLY_DATA SSL_CANNOT_WRITE_EARLY_DATA SSL_DECODE_ERROR
    SSL_HANDSHAKE_FAILURE SSL_ILLEGAL_PARAMETER SSL_NO_APPLICATION_PROTOCOL SSL_RECEIVED_NEW_SESSION_TICKET
    SSL_UNRECOGNIZED_NAME SSL_UNSUPPORTED_EXTENSION""".split())
# Assertions off: the benches measure what is built here.
CORE_OPTIONS = ("-Doptimization=2", "-Ddebug=false", "-Db_ndebug=true", "-Dexceptions=false",
                "-Dtests=false", "-Dexamples=false", "-Ddefault_library=static")


class Unbuilt(Exception):
    """Says in one line what is missing, or what failed and where the log is."""


def tree(build=BUILD):
    """The copy of MicroPython's source that is built, and whose tests run."""
    return pathlib.Path(build).resolve() / "source"


def executable(kind, build=BUILD):
    """The path of the executable "stock" or "weft", built if need be."""
    build = pathlib.Path(build).resolve()
    build.mkdir(parents=True, exist_ok=True)
    look_for_tools()
    with alone(build):
        copy_source(build)
        make(build, "mpy-cross", tree(build) / "mpy-cross")
        compile_error_names(build)
        return {"stock": build_stock, "weft": build_weft}[kind](build)


def look_for_tools():
    for tool, package in (("gcc", "gcc"), ("g++", "g++"), ("make", "make"), ("meson", "meson"),
                          ("ninja", "ninja-build"), ("pkg-config", "pkg-config")):
        if shutil.which(tool) is None:
            raise Unbuilt(f"{tool} is missing; on Debian: apt-get install {package}")
    for header, package in (("ffi.h", "libffi-dev"), ("mbedtls/ssl.h", "libmbedtls-dev")):
        found = subprocess.run(["gcc", "-E", "-x", "c", "-"], input=f"#include <{header}>\n", text=True,
                               capture_output=True)
        if found.returncode != 0:
            raise Unbuilt(f"{header} is missing; on Debian: apt-get install {package}")


@contextlib.contextmanager
def alone(build):
    """Two programs may want the same executable at once; one builds it."""
    with (build / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def copy_source(build):
    if not SOURCE.exists():
        step(build, "fetch", [ROOT / "scripts/lib/fetch-source", "micropython", VERSION])
    if tree(build).exists():
        return
    half = build / "source.half"
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(SOURCE, half, symlinks=True)
    half.rename(tree(build))


def error_names(build):
    return build / "mbedtls_errors.o"


def compile_error_names(build):
    """MicroPython's tests expect its own short names of errors, which Debian leaves to mbedTLS's library."""
    if not error_names(build).exists():
        source = tree(build) / "lib/mbedtls_errors/mp_mbedtls_errors.c"
        step(build, "mbedtls-errors", ["gcc", "-O2", *NEWER_ERRORS, "-c", source, "-o", error_names(build)])


def build_stock(build):
    return port(build, "stock")


def build_weft(build):
    if not (MODULE / "weft/micropython.mk").exists():
        raise Unbuilt(f"there is no {MODULE / 'weft/micropython.mk'}")
    core = pathlib.Path(os.environ["WEFT_BUILD"]).resolve() if "WEFT_BUILD" in os.environ else build / "core"
    if "WEFT_BUILD" not in os.environ and not (core / "build.ninja").exists():
        step(build, "core-setup", ["meson", "setup", *CORE_OPTIONS, core, ROOT])
    archives = ["src/libweft.a", "facade/usocket/libweft-usocket.a"]
    step(build, "core", ["ninja", "-C", core, f"-j{JOBS}", *archives])
    place = build / "weft"
    forget_stale(place, place / "micropython", [core / each for each in archives])
    return port(build, "weft", f"USER_C_MODULES={MODULE}", f"VARIANT_DIR={MODULE / 'unix'}",
                env={"WEFT_BUILD": str(core)})


def forget_stale(place, program, archives):
    """What MicroPython's make does not see: archives; and that frozen modules number names that ours may use too."""
    for made, files in ((program, archives), (place / "frozen_content.c", MODULE.rglob("*"))):
        if made.exists() and any(each.stat().st_mtime > made.stat().st_mtime for each in files):
            made.unlink()


def port(build, kind, *settings, env=None):
    manifest = tree(build) / "debian/config/manifest.py"
    make(build, kind, tree(build) / "ports/unix", *SETTINGS, f"FROZEN_MANIFEST={manifest}",
         f"BUILD={build / kind}", "PROG=micropython", f"LDFLAGS_EXTRA={error_names(build)}", *settings, env=env)
    return build / kind / "micropython"


def make(build, what, directory, *settings, env=None):
    step(build, what, ["make", "-C", directory, f"-j{JOBS}", *settings], env)


def step(build, what, command, env=None):
    """Quietly; an error is one line, and the log."""
    log = build / f"{what}.log"
    with log.open("wb") as output:
        status = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=output,
                                stderr=subprocess.STDOUT, env=os.environ | (env or {})).returncode
    if status == 0:
        return
    lines = log.read_text(errors="replace").splitlines()
    told = [line for line in lines if re.search(r"\berror: |undefined reference|^ERROR|\*\*\*", line)]
    raise Unbuilt(f"{what}: {(told or lines or ['it said nothing'])[0].strip()}; all of it is in {log}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("build",))
    parser.add_argument("kind", choices=("stock", "weft"))
    parser.add_argument("--build", metavar="DIR", default=BUILD)
    options = parser.parse_args()
    try:
        print(executable(options.kind, options.build))
    except Unbuilt as why:
        sys.exit(f"micropython.py: {why}")


if __name__ == "__main__":
    main()

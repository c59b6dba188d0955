#!/usr/bin/env python3
"""weft as a library of a firmware project that is built with CMake: the project in cmake/ builds, boots and echoes, and
with WEFT_TLS gives curl its page; bad settings are refused with a line that names them."""

import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "scripts/lib"), str(ROOT / "tests/interop")]

import firmware  # noqa: E402
from checks import check, finish  # noqa: E402

PLACE = firmware.BUILD / "firmware-cmake"


def cmake(*arguments):
    return subprocess.run(["cmake", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def configure(place, *options):
    return cmake("-S", HERE / "cmake", "-B", place, f"--toolchain={HERE / 'cmake/arm-none-eabi.cmake'}",
                 "-DCMAKE_BUILD_TYPE=MinSizeRel", *options)


def try_tls():
    """For a Cortex-M0+, whose code runs on this board as well."""
    place = PLACE / "tls"
    said = configure(place, "-DWEFT_TLS=ON", "-DCMAKE_SYSTEM_PROCESSOR=cortex-m0plus")
    check("WEFT_TLS=ON", said.returncode == 0, said.stdout)
    said = cmake("--build", place, "-j2", "--target", "https")
    check("and builds for a Cortex-M0+", said.returncode == 0, said.stdout[-3000:])
    with firmware.Board(place / "https", ports=[443]) as board:
        board.until("a status page over TLS at port 443")
        port = board.port[443]
        done = subprocess.run(["curl", "-sS", "--max-time", "20", "--cacert", place / "authority.pem", "--resolve",
                               f"board.test:{port}:127.0.0.1", f"https://board.test:{port}/"],
                              capture_output=True, text=True)
        check("curl gets its page over TLS", done.returncode == 0 and "</html>" in done.stdout, done.stderr)
        check("and it ends", board.quit() == 0, board.printed)


def try_bad_settings():
    place = PLACE / "refused"
    for option, told in (("-DWEFT_LWIP_PROFILE=huge", "WEFT_LWIP_PROFILE is huge"),
                         ("-DWEFT_LWIP_DIR=/nowhere", "no lwIP in /nowhere"),
                         ("-DWEFT_TLS=ON;-DWEFT_MBEDTLS_DIR=/nowhere", "no mbedTLS 2.28 in /nowhere"),
                         ("-DWEFT_EXPECTED_DIR=", "tl/expected.hpp is missing")):
        said = configure(place, *option.split(";"))
        check(f"{option} is refused, and why", said.returncode != 0 and told in " ".join(said.stdout.split()),
              said.stdout)
        shutil.rmtree(place)


def main():
    firmware.need_tools("cmake", "openssl", "curl")
    said = configure(PLACE)
    check("a firmware project adds weft with add_subdirectory()", said.returncode == 0, said.stdout)
    said = cmake("--build", PLACE, "-j2")
    check("and builds", said.returncode == 0, said.stdout[-3000:])
    with firmware.Board(PLACE / "echo", ports=[7]) as board:
        board.until("echoing at port 7")
        with board.connect(7) as s:
            s.sendall(b"from CMake")
            check("its echo server echoes", s.recv(100) == b"from CMake")
        check("and ends", board.quit() == 0, board.printed)
    with firmware.Board(PLACE / "sockets", network=False) as board:
        check("its program on the facade sends itself a datagram", board.wait() == 0, board.printed)
    try_tls()
    try_bad_settings()
    finish()


main()

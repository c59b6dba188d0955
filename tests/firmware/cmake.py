#!/usr/bin/env python3
"""weft as a library of a firmware project that is built with CMake: the project in cmake/ builds, boots and echoes, and
with WEFT_TLS gives curl its page; bad settings are refused with a line that names them."""

import json
import pathlib
import re
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
    """A server and no client, on the tiny lwIP, for a Cortex-M0+, whose code runs on this board as well."""
    place = PLACE / "tls"
    said = configure(place, "-DWEFT_TLS=ON", f"-DWEFT_TLS_OVERRIDES={HERE / 'board/tls_server_only.h'}",
                     "-DWEFT_LWIP_PROFILE=tiny", "-DCMAKE_SYSTEM_PROCESSOR=cortex-m0plus")
    check("WEFT_TLS=ON, with the tiny lwIP and overrides", said.returncode == 0, said.stdout)
    said = cmake("--build", place, "-j2", "--target", "https")
    check("and builds for a Cortex-M0+", said.returncode == 0, said.stdout[-3000:])
    symbols = subprocess.run(["arm-none-eabi-nm", place / "https"], capture_output=True, text=True).stdout
    check("neither the client's half of mbedTLS nor RSA is in the image",
          not re.search(r" mbedtls_(ssl_handshake_client|rsa)_\w+$", symbols, re.M))
    authority = place / "authority.pem"
    with firmware.Board(place / "https", ports=[443]) as board:
        board.until("a status page over TLS at port 443")
        port = board.port[443]
        curl = ["curl", "-sS", "--max-time", "20", "--cacert", authority, "--resolve", f"board.test:{port}:127.0.0.1",
                f"https://board.test:{port}/status.json"]
        done = [subprocess.run(curl, capture_output=True, text=True) for _ in range(2)]
        check("curl gets its page over TLS, twice", [each.returncode for each in done] == [0, 0],
              done[0].stderr + done[1].stderr)
        used = json.loads(done[1].stdout)["pools"][0]
        asked = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "board.test", "-CAfile", authority,
             "-verify_return_error", "-maxfraglen", "2048", "-tlsextdebug", "-ign_eof"],
            input=b"GET / HTTP/1.0\r\n\r\n", capture_output=True, timeout=30)
        told = asked.stdout.decode(errors="replace")
        check("OpenSSL asks for records of 2048 bytes, which the board grants, and gets the page",
              'TLS server extension "max fragment length" (id=1)' in told and "</html>" in told, told[-1000:])
        check("and it ends", board.quit() == 0, board.printed)
    print(f"# tls.tiny.ram.one {used['used']}\n# tls.tiny.ram.most {used['most']}", flush=True)


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
    said = configure(PLACE, "-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON")
    check("a firmware project adds weft with add_subdirectory(), with optimization at link time too",
          said.returncode == 0, said.stdout)
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

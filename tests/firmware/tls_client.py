#!/usr/bin/env python3
"""A board that is a client of TLS and nothing else, by tls_overrides, on a Cortex-M4F: it asks OpenSSL for records of
2 KB. What that takes is printed."""

import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts/lib"), str(ROOT / "tests/interop")]

import firmware  # noqa: E402
from checks import check, finish  # noqa: E402

CLIENT = "tests/firmware/board/tls_client.elf"
OVERRIDES = "-Dtls_overrides=tests/firmware/board/tls_client_only.h"
PAGE_BYTES = 20_000


@contextlib.contextmanager
def openssl(identity, scratch):
    """A server with the board's certificate, which has /page; its port, and what it has said."""
    for name in ("board_certificate", "board_key"):
        numbers = re.search(rf"{name}\[\d*\] = \{{(.*?)\}}", identity, re.S).group(1)
        (scratch / name).write_bytes(bytes(int(each, 0) for each in numbers.replace(",", " ").split()))
    (scratch / "page").write_bytes(b"p" * PAGE_BYTES)
    port = firmware.free_port()
    log = scratch / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", "board_certificate", "-certform", "DER",
             "-key", "board_key", "-keyform", "DER", "-WWW", "-tlsextdebug"],
            cwd=scratch, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + 10
            while "ACCEPT" not in log.read_text() and time.monotonic() < deadline:
                time.sleep(0.02)
            yield port, log
        finally:
            process.terminate()
            process.wait()


def main():
    firmware.need_tools("openssl", "nc")
    [image] = firmware.build("cortex-m4f", [CLIENT], ["-Dtls=enabled", "-Dtls_record_bytes=2048", OVERRIDES],
                             "firmware-tls-m4f")
    symbols = subprocess.run(["arm-none-eabi-nm", image], check=True, capture_output=True, text=True).stdout
    check("the server's half of mbedTLS is not in the image",
          not re.search(r" mbedtls_ssl_handshake_server_\w+$", symbols, re.M))
    identity = (image.parents[3] / "examples/firmware/mps2-an385/identity.hpp").read_text()
    with tempfile.TemporaryDirectory() as scratch, openssl(identity, pathlib.Path(scratch)) as (port, log):
        with firmware.Board(image, "cortex-m4f", servers={443: port},
                            more=("-icount", "shift=0,sleep=off")) as board:
            status = board.wait()
            printed = board.printed
        asked = log.read_text()
    said = dict(line.split(" ", 1) for line in printed.splitlines() if " " in line)
    check("it refuses to make a server's context: errc::not_supported",
          "a server's context: operation not supported" in printed, printed)
    check("it asks OpenSSL for records of 2048 bytes", re.search(
        r'client extension "max fragment length" \(id=1\), len=1\s+0000 - 03', asked), asked[-2000:])
    check("and gets all of a page of ten of them, to its end", status == 0 and said.get("end") == "no error" and
          PAGE_BYTES < int(said.get("received", 0)) < PAGE_BYTES + 200, printed)
    check("its elliptic curves go in steps", 0 < int(said.get("longest", 0)) < 2_000_000, printed)
    size = firmware.image_sizes(image)
    print(f"# tls.m4.client.longest {said.get('longest')}\n# tls.m4.client.ram.most {said.get('most')}\n"
          f"# tls.m4.client.flash {size['text'] + size['data']}", flush=True)
    finish()


main()

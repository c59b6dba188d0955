#!/usr/bin/env python3
"""TLS with less: a server alone on lwIP's tiny profile, by tls_overrides, and a client alone, on a Cortex-M4F. Both with
records of 2 KB, which the peers are asked for and ask for. What they take is printed."""

import contextlib
import json
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

HTTPS, CLIENT = "examples/firmware/mps2-an385/https.elf", "tests/firmware/board/tls_client.elf"
OVERRIDES = "-Dtls_overrides=tests/firmware/board/"
PAGE_BYTES = 20_000


def symbols(image):
    return subprocess.run(["arm-none-eabi-nm", image], check=True, capture_output=True, text=True).stdout


def server():
    [image] = firmware.build("cortex-m3", [HTTPS], ["-Dtls=enabled", "-Dlwip_profile=tiny",
                                                    OVERRIDES + "tls_server_only.h"], "firmware-tls-tiny")
    check("a server alone: neither the client's half of mbedTLS nor RSA is in the image",
          not re.search(r" mbedtls_(ssl_handshake_client|rsa)_\w+$", symbols(image), re.M))
    authority = image.parent / "authority.pem"
    with firmware.Board(image, ports=[443]) as board:
        board.until("a status page over TLS at port 443")
        port = board.port[443]
        curl = ["curl", "-sS", "--max-time", "20", "--cacert", authority, "--resolve", f"board.test:{port}:127.0.0.1",
                f"https://board.test:{port}/status.json"]
        done = [subprocess.run(curl, capture_output=True, text=True) for _ in range(2)]
        check("with lwip_profile tiny curl gets the page, twice", [each.returncode for each in done] == [0, 0],
              done[0].stderr + done[1].stderr)
        used = json.loads(done[1].stdout)["pools"][0]
        asked = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "board.test", "-CAfile", authority,
             "-verify_return_error", "-maxfraglen", "2048", "-tlsextdebug", "-ign_eof"],
            input=b"GET / HTTP/1.0\r\n\r\n", capture_output=True, timeout=30)
        said = asked.stdout.decode(errors="replace")
        check("OpenSSL asks for records of 2048 bytes, which the board grants, and gets the page",
              'TLS server extension "max fragment length" (id=1)' in said and "</html>" in said, said[-1000:])
        check("it ends with status 0", board.quit() == 0, board.printed[-500:])
    size = firmware.image_sizes(image)
    return {"tls.tiny.ram.one": used["used"], "tls.tiny.ram.most": used["most"],
            "tls.tiny.flash": size["text"] + size["data"]}


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


def client():
    [image] = firmware.build("cortex-m4f", [CLIENT], ["-Dtls=enabled", "-Dtls_record_bytes=2048",
                                                      OVERRIDES + "tls_client_only.h"], "firmware-tls-m4f")
    check("a client alone: the server's half of mbedTLS is not in the image",
          not re.search(r" mbedtls_ssl_handshake_server_\w+$", symbols(image), re.M))
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
    return {"tls.m4.client.longest": said.get("longest"), "tls.m4.client.ram.most": said.get("most"),
            "tls.m4.client.flash": size["text"] + size["data"]}


def main():
    firmware.need_tools("openssl", "curl", "nc")
    for name, value in {**server(), **client()}.items():
        print(f"# {name} {value}", flush=True)
    finish()


main()

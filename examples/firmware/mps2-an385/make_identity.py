#!/usr/bin/env python3
"""A certificate for board.test and its key as arrays of a header, DER, and the authority that clients of it believe.

    make_identity.py IDENTITY_HPP AUTHORITY_PEM
"""

import pathlib
import subprocess
import sys
import tempfile

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True)
    if done.returncode != 0:
        sys.exit(f"openssl {arguments[0]}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def array(name, content):
    rows = (", ".join(f"0x{byte:02x}" for byte in content[at:at + 16]) for at in range(0, len(content), 16))
    return f"inline constexpr unsigned char {name}[] = {{\n    " + ",\n    ".join(rows) + "};\n"


def main(header, authority):
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        openssl("req", "-x509", *NEW_KEY, "-keyout", place / "authority.key", "-out", authority, "-days", 3650,
                "-subj", "/CN=authority of a weft board")
        openssl("req", "-new", *NEW_KEY, "-keyout", place / "board.key", "-out", place / "board.csr",
                "-subj", "/CN=board.test")
        (place / "names").write_text("subjectAltName=DNS:board.test\n")
        certificate = openssl("x509", "-req", "-in", place / "board.csr", "-CA", authority,
                              "-CAkey", place / "authority.key", "-CAcreateserial", "-CAserial", place / "serial",
                              "-days", 3650, "-extfile", place / "names", "-outform", "DER")
        key = openssl("pkey", "-in", place / "board.key", "-outform", "DER")
        believed = openssl("x509", "-in", authority, "-outform", "DER")
    pathlib.Path(header).write_text("// Made by make_identity.py.\n#pragma once\n\n" +
                                    array("board_certificate", certificate) + array("board_key", key) +
                                    array("authority", believed))


main(*sys.argv[1:])

"""README.md's forty lines build against an installed weft, through its pkg-config file, and echo; the
commands it names are there. The client and the server of docs/tls.md talk to each other."""

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

STRICT = ["-std=c++20", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
# What docs/tls.md leaves out: the network, and for the server its files and what it does for each client.
MAIN = """
#include <weft/host.hpp>
#include <weft/sync_wait.hpp>
#include <fstream>
#include <iterator>
int main(int, char** arguments) {{
    auto driver = weft::make_descriptor_driver();
    weft::loop loop{{**driver}};
    auto net = weft::make_host_stack(loop, **driver);
    const auto at = *weft::endpoint::parse(arguments[1]);
    {}
    std::printf("%s\\n", done ? "done" : weft::message(done.error()));
}}
"""
CLIENT = MAIN.format("auto done = weft::sync_wait(loop, ask(**net, at));")
SERVER = """
#include <array>
#include <cstdio>
#include <string>
weft::task<> echo(weft::tcp_stream& peer) {
    std::array<std::byte, 64> buffer;
    auto received = co_await peer.recv(buffer);
    if (received) {
        auto sent = co_await peer.send_all(buffer.data(), *received);
    }
}
std::string content(const char* file);
""" + MAIN.format("""
    const std::string pem = content("cert.pem"), key_pem = content("key.pem");
    const auto own = OWN;
    auto listener = (*net)->listen(at);
    auto done = weft::sync_wait(loop, serve(*listener, *own));""") + """
std::string content(const char* file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}
"""


def tls_talks(directory, flags, sandbox):
    page = (ROOT / "docs/tls.md").read_text()
    client, server = re.findall(r"```cpp\n(.*?)```", page, re.S)[:2]
    for name, code in (("client", client), ("server", server)):
        lines = [line for line in code.splitlines() if line.strip() and not line.startswith("#include")]
        check(f"docs/tls.md: the {name} has about twenty lines", len(lines) <= 22, len(lines))
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem",
         "-out", "cert.pem", "-days", "2", "-subj", "/CN=example.org", "-addext", "subjectAltName=DNS:example.org"],
        cwd=directory, capture_output=True, text=True)
    check("openssl makes a certificate", made.returncode == 0, made.stderr)
    own = re.search(r"`own` is `(.*?)`", page)[1]
    authority = "/etc/ssl/certs/ca-certificates.crt"
    check("docs/tls.md: its client believes the system's authorities", authority in client)
    for name, code in (("client", client.replace(authority, "cert.pem") + CLIENT),
                       ("server", server + SERVER.replace("OWN", own))):
        pathlib.Path(f"{directory}/{name}.cpp").write_text(code)
        told = subprocess.run(["g++", *STRICT, "-Wno-unused", f"{name}.cpp", "-o", name, *flags],
                              cwd=directory, capture_output=True, text=True)
        check(f"docs/tls.md: the {name} builds", told.returncode == 0, told.stderr)
        if told.returncode != 0:
            return
    listening, _ = sandbox.start(["sh", "-c", f"cd {directory} && exec ./server 127.0.0.1:7443"], f"{directory}/log")
    told = sandbox.run(["sh", "-c", f"until nc -z 127.0.0.1 7443; do sleep 0.1; done; cd {directory} && ./client 127.0.0.1:7443"])
    check("docs/tls.md: they talk", told.stdout == "6 bytes came back\ndone\n", told.stdout + told.stderr)
    sandbox.end(listening)


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
            [compiler, *STRICT, f"{directory}/echo.cpp", "-o", program, *flags],
            capture_output=True, text=True)
        check(f"README's program builds with {compiler}", told.returncode == 0, told.stderr)
        if told.returncode == 0:
            server, _ = sandbox.start([program], f"{directory}/log")
            words = "forty lines\n"
            told = sandbox.run(["sh", "-c", "sleep 0.3; nc -N -w 5 127.0.0.1 7000"], input=words)
            check("and echoes", told.stdout == words, told.stdout + told.stderr)
            sandbox.end(server)
    tls_talks(directory, flags, sandbox)
finish()

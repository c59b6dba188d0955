"""What cannot be asked for: one line on stderr that says what was wrong and what to do, exit status
2, and nothing left behind."""

import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

from checks import PROGRAMS, ROOT, check, finish, skip
from sandbox import Sandbox, Unavailable

NOBODY = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]


def interfaces(sandbox):
    return sandbox.run(["ip", "-o", "link"]).stdout.count("\n")


def refused(sandbox, name, command, *said, directory=None):
    """Runs it, and checks how it ends; `said` are expressions that its one line must match."""
    before = (interfaces(sandbox), set(os.listdir(directory)) if directory else set())
    begun = time.monotonic()
    # a place of its own for what is temporary: other tests run beside this one
    with tempfile.TemporaryDirectory() as temporary:
        try:
            told = sandbox.run(command, timeout=60, cwd=ROOT, env={**os.environ, "TMPDIR": temporary})
        except subprocess.TimeoutExpired:
            check(name, False, "it did not end")
            return
        left = os.listdir(temporary)
    lines = told.stderr.splitlines()
    problems = []
    if told.returncode != 2:
        problems.append(f"exit status {told.returncode}, not 2")
    if len(lines) != 1:
        problems.append(f"{len(lines)} lines on stderr, not one")
    problems += [f"it does not say {text}" for text in said if not re.search(text, told.stderr)]
    left += set(os.listdir(directory)) - before[1] if directory else ()
    if left or interfaces(sandbox) != before[0]:
        problems.append(f"left behind: {left or 'an interface'}")
    if time.monotonic() - begun > 30:
        problems.append("it took more than 30 s")
    check(name, not problems, "\n".join([*problems, "$ " + " ".join(map(str, command)),
                                         told.stdout, told.stderr]))


def main():
    echo = PROGRAMS / "echo"
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as directory:
        try:
            sandbox.isolate()
            tap = ""
        except Unavailable as why:
            tap = str(why)
        lwip = [echo, "--stack", "lwip"]

        refused(sandbox, "unknown stack", [echo, "--stack", "bsd"], "bsd", "lwip", "host")
        refused(sandbox, "unknown poller", [echo, "--poller", "kqueue"], "kqueue", "select")
        refused(sandbox, "unknown option", [echo, "--sstack", "lwip"], "--sstack", "--help")
        refused(sandbox, "no value for an option", [echo, "--bind"], "--bind")
        for text in ("nonsense", "127.0.0.1", "127.0.0.1:", "256.0.0.1:80", "[::1:80", "a.b:80",
                     "127.0.0.1:port", "127.0.0.1:-1", ""):
            refused(sandbox, f"unparsable endpoint '{text}'", [echo, "--bind", text],
                    "--bind", "ADDR:PORT")
        refused(sandbox, "port 70000", [echo, "--bind", "127.0.0.1:70000"], "70000", "65535")
        refused(sandbox, "port 70000 of a client", [PROGRAMS / "echo_client", "127.0.0.1:70000"],
                "70000", "65535")
        refused(sandbox, "a client without a server", [PROGRAMS / "echo_client"], "server")
        for program, what in (("telemetry", "collector"), ("sensor", "sensor")):
            refused(sandbox, f"{program} without anybody to talk to", [PROGRAMS / program], what)
            refused(sandbox, f"{program} and a name", [PROGRAMS / program, "example.org:80"], "ADDR:PORT")
            refused(sandbox, f"{program} on a wire without a second host",
                    [PROGRAMS / program, "--stack", "lwip", "--link", "wire", "10.0.0.1:80"], "wire")
        for program, option, value in (
                ("status_page", "--connections", "0"), ("status_page", "--patience", "-1"),
                ("telemetry", "--interval", "0"), ("telemetry", "--patience", "soon"),
                ("telemetry", "--readings", "-1"), ("telemetry", "--longest-pause", "3600001"),
                ("sensor", "--timeout", "0"), ("sensor", "--tries", "0"), ("sensor", "--tries", "1000"),
                ("sensor", "--count", "-1")):
            at = [] if program == "status_page" else ["127.0.0.1:1"]
            refused(sandbox, f"{program} {option} {value}", [PROGRAMS / program, *at, option, value], option)
        refused(sandbox, "an address of another host", [echo, "--bind", "192.0.2.1:7000"],
                r"192\.0\.2\.1", "EADDRNOTAVAIL")

        program, line = sandbox.start([echo, "--bind", "127.0.0.1:0"], directory + "/log", "echoing")
        at = line.split()[2]
        refused(sandbox, "address in use", [echo, "--bind", at], re.escape(at), "in use", "choose")
        check("the program that has the address goes on", program.poll() is None)
        check("and ends well when it is told to", sandbox.end(program) == 0)
        refused(sandbox, "address in use (UDP)", [PROGRAMS / "udp_echo", "--bind", "192.0.2.1:1"],
                "EADDRNOTAVAIL")
        if os.geteuid() == 0:
            refused(sandbox, "a port for root alone", [*NOBODY, echo, "--bind", "127.0.0.1:80"],
                    "127.0.0.1:80", "root")
        else:
            skip("a port for root alone", "not root")

        refused(sandbox, "lwIP without a link", lwip, "--link")
        refused(sandbox, "an unknown link", [*lwip, "--link", "cable"], "cable", "tap:NAME")
        refused(sandbox, "a TAP without a name", [*lwip, "--link", "tap:"], "tap:NAME")
        refused(sandbox, "half a unix link", [*lwip, "--link", "unix:a"], "unix:MINE,PEER")
        refused(sandbox, "a link with the host's stack", [echo, "--link", "wire"], "--stack lwip")
        refused(sandbox, "a wire without a second host",
                [PROGRAMS / "http_server", "--stack", "lwip", "--link", "wire"], "wire")
        refused(sandbox, "a link of zero MTU (wire)", [*lwip, "--link", "wire", "--mtu", "0"],
                "--mtu 0", "1500")
        refused(sandbox, "a link of zero MTU (TAP)", [*lwip, "--link", "tap:zero", "--mtu", "0"],
                "--mtu 0", "1500")
        refused(sandbox, "a link of zero MTU (unix)",
                [*lwip, "--link", f"unix:{directory}/a,{directory}/b", "--mtu", "0"],
                "--mtu 0", "1500", directory=directory)
        refused(sandbox, "a unix link in no directory",
                [*lwip, "--link", "unix:/nowhere/a,/nowhere/b"], "/nowhere/a", "director")
        if tap:
            skip("TAP", tap)
        else:
            refused(sandbox, "no permission for TAP", [*NOBODY, *lwip, "--link", "tap:tap9"],
                    "tap:tap9", "root", "ip tuntap add")
            refused(sandbox, "an interface that is no TAP", [*lwip, "--link", "tap:lo"], "tap:lo")
            refused(sandbox, "a bad address",
                    [*lwip, "--link", "tap:tap0", "--address", "10.0.0.2"], "ADDR/PREFIX")
            refused(sandbox, "a bad gateway",
                    [*lwip, "--link", "tap:tap0", "--gateway", "x"], "--gateway x")
            refused(sandbox, "another's address on lwIP",
                    [*lwip, "--link", "tap:tap0", "--bind", "10.0.0.9:7"], r"10\.0\.0\.9")
            refused(sandbox, "a capture that cannot be written",
                    [*lwip, "--link", "tap:tap0", "--pcap", "/nowhere/x.pcap"], "/nowhere/x.pcap")

        refused(sandbox, "scripts/demo with an unknown argument", ["scripts/demo", "--slow"], "--slow")
        refused(sandbox, "scripts/test with an unknown suite",
                ["scripts/test", "--only", "nosuchsuite"], "--list")
        package = "sl"  # small, and nothing needs it
        if subprocess.run(["dpkg-query", "-W", package], capture_output=True).returncode == 0:
            skip("a missing package", f"{package} is installed")
        else:
            refused(sandbox, "a missing package without root", [*NOBODY, "scripts/lib/install", package],
                    package, "root", "apt-get install")
            if tap:
                skip("a missing package when offline", tap)
            else:  # the namespace has no route out
                refused(sandbox, "a missing package when offline", ["scripts/lib/install", package],
                        f"missing {package}", f"apt-get install {package}")
    finish()


main()

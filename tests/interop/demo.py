"""scripts/demo: its screen, its way without privileges, and that an interrupt leaves nothing."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

from checks import PROGRAMS, ROOT, check, finish, skip

MARKS = ("hello, host", "Hello from weft", "equal", "Mbit/s each way", "Where to look next")
UNPRIVILEGED = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def leftovers():
    """What a demo would leave: its directory, its programs."""
    programs = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if re.search(rf"{re.escape(str(PROGRAMS.parent.name))}/host/(echo|http_server)", command):
                programs.append(command)
    return sorted(str(p) for p in pathlib.Path("/tmp").glob("weft-demo-*")) + programs


def main():
    before = leftovers()
    told = subprocess.run(["scripts/demo", "--quick"], cwd=ROOT, capture_output=True, text=True,
                          timeout=300)
    missing = [mark for mark in MARKS if mark not in told.stdout]
    check("scripts/demo shows both stacks", told.returncode == 0 and not missing,
          f"missing: {missing}\n{told.stdout}{told.stderr}")
    if "on a TAP device" in told.stdout:
        check("over lwIP and the kernel's TCP", "hello, lwip" in told.stdout, told.stdout)
    else:
        skip("over lwIP and the kernel's TCP", "no TAP device here")
    check("and fits a screen", len(told.stdout.splitlines()) <= 60, len(told.stdout.splitlines()))

    if os.geteuid() == 0:
        told = subprocess.run(
            [*UNPRIVILEGED, sys.executable, "scripts/lib/demo.py", "--quick", "--programs", PROGRAMS],
            cwd=ROOT, capture_output=True, text=True, timeout=300)
        check("without privileges it says so and uses the wire",
              told.returncode == 0 and "wire in memory" in told.stdout and
              "run this as root" in told.stdout, told.stdout + told.stderr)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        demo = subprocess.Popen([sys.executable, "scripts/lib/demo.py", "--programs", PROGRAMS],
                                cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in demo.stdout:
            if "MB to it and back" in line:
                break
        demo.send_signal(number)
        demo.wait(20)
        deadline = time.monotonic() + 5
        # a killed process cannot remove its directory; its programs and its namespace end all the same
        while (left := [f for f in leftovers() if f not in before and
                        not (number == signal.SIGKILL and f.startswith("/tmp/"))]):
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        check(f"{number.name} leaves nothing behind", not left, "\n".join(left))
        for directory in pathlib.Path("/tmp").glob("weft-demo-*"):
            if str(directory) not in before and number == signal.SIGKILL:
                subprocess.run(["rm", "-r", directory], check=False)
    finish()


main()

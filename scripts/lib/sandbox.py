"""A network of our own for one run: a namespace with a TAP device in it, and no way out.

The namespace has no name. A process holds it that ends when its standard input does, so nothing is
left behind, however we end; the programs started here end with us as well.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1


class Unavailable(Exception):
    """No namespace or no TAP here; says why."""


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Sandbox:
    """Runs programs, inside the namespace if there is one, and ends them by their process id."""

    def __init__(self):
        self.holder = None
        self.programs = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def isolate(self, tap="tap0", address="10.0.0.1/24"):
        """From here on everything runs in a new namespace; Unavailable says why there is none."""
        if os.geteuid() != 0:
            raise Unavailable("not root")
        if not os.path.exists("/dev/net/tun"):
            raise Unavailable("no /dev/net/tun here")
        for program in ("ip", "unshare", "nsenter"):
            if shutil.which(program) is None:
                raise Unavailable(f"{program} is missing")
        holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c",
             f"ip link set lo up && ip tuntap add {tap} mode tap && ip address add {address} dev {tap} "
             f"&& ip link set {tap} up && echo ready && exec cat >/dev/null"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True)
        if holder.stdout.readline().strip() != "ready":
            holder.stdin.close()
            why = holder.stderr.read().strip().splitlines() or ["it did not say why"]
            holder.wait()
            raise Unavailable(f"no network namespace with a TAP device: {why[0]}")
        self.holder = holder

    def inside(self, command):
        enter = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"] if self.holder else []
        return [*enter, *map(str, command)]

    def start(self, command, log, until=None, seconds=10):
        """Starts a program with its output in the file `log`; waits for a line with `until`."""
        with open(log, "w") as output:
            program = subprocess.Popen(
                self.inside(command), stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, preexec_fn=_die_with_parent)
        self.programs.append(program)
        deadline = time.monotonic() + seconds
        while until is not None:
            text = open(log).read()
            for line in text.splitlines():
                if until in line:
                    return program, line
            if program.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start: {text.strip() or 'it said nothing'}")
            time.sleep(0.02)
        return program, ""

    def run(self, command, **more):
        return subprocess.run(self.inside(command), preexec_fn=_die_with_parent, text=True,
                              capture_output=True, timeout=more.pop("timeout", 60), **more)

    def end(self, program, seconds=5):
        """SIGTERM, and its exit status; SIGKILL if that is not enough."""
        if program.poll() is None:
            program.terminate()
            try:
                program.wait(seconds)
            except subprocess.TimeoutExpired:
                program.kill()
        if program in self.programs:
            self.programs.remove(program)
        return program.wait()

    def stop(self):
        for program in list(self.programs):
            self.end(program)
        if self.holder is not None:
            self.holder.stdin.close()
            self.holder.wait()
            self.holder = None

"""What the drivers of these tests share: the interpreters, a network that nothing else sees, and
child processes that end with us.

    enter_own_network()             from here on this process is in a network of its own
    start("weft", "program.py", stack="lwip")
"""

import contextlib
import ctypes
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
for folder in ("scripts/lib", "tests/interop", "tests/usocket"):
    sys.path.insert(0, str(ROOT / folder))

import micropython  # noqa: E402
from checks import check, finish, skip  # noqa: E402,F401
from world import own_network, why_no_network  # noqa: E402

PATIENCE = 20  # seconds, for what takes a moment
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
_inside = "WEFT_OWN_NETWORK"


def enter_own_network():
    """Starts this program again in namespaces of its own, where they can be had; only the copy returns."""
    if os.environ.get(_inside):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        # a wire of unix datagrams that loses none: by default 10 wait for a reader that is not quick
        pathlib.Path("/proc/sys/net/unix/max_dgram_qlen").write_text("1000")
        return
    for kind in ("stock", "weft"):  # built outside: what is missing may have to be fetched
        os.environ[f"WEFT_OWN_{kind}"] = executable(kind)
    if why := why_no_network():
        skip(pathlib.Path(sys.argv[0]).stem, why)
        sys.exit(77)
    os.environ[_inside] = "1"
    command = [*own_network(), sys.executable, *sys.argv]
    os.execvp(command[0], command)


def executable(kind):
    """The interpreter: "weft", "stock" or "cpython"."""
    if kind == "cpython":
        return sys.executable
    return os.environ.get(f"WEFT_OWN_{kind}") or str(micropython.executable(kind))


def _end_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def environment(stack, **more):
    told = {name: str(value) for name, value in more.items()}
    return os.environ | {"WEFT_STACK": stack,
                         "MICROPYPATH": f".frozen:{ROOT / 'tests/micropython/lib'}"} | told


def start(kind, program, *arguments, stack="host", heap="64M", inside=(), streams=None, **more):
    """A program of Python; `inside` is a command in front of it."""
    options = [] if kind == "cpython" else ["-X", f"heapsize={heap}"]
    command = [*inside, executable(kind), *options, HERE / program, *arguments]
    streams = streams or dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return subprocess.Popen(list(map(str, command)), text=True, preexec_fn=_end_with_parent,
                            env=environment(stack, **more), **streams)


@contextlib.contextmanager
def running(*words, **more):
    """A program that start() starts, for as long as the block lasts."""
    process = start(*words, **more)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line_of(process, expected=None):
    """The next line of a program's output; it must be `expected`, if that is given. Not to be mixed with
    other ways to read: it takes no more than the line."""
    line, deadline = b"", time.monotonic() + PATIENCE
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        byte = os.read(process.stdout.fileno(), 1) if ready else b""
        if not byte:
            how = "said no more" if ready else f"said nothing for {PATIENCE} s"
            raise RuntimeError(f"{' '.join(process.args)}: {how} than {line.decode()!r}")
        line += byte
    line = line.decode().rstrip("\n")
    if expected is not None and line != expected:
        raise RuntimeError(f"{' '.join(process.args)}: said {line!r}, not {expected!r}")
    return line


def ended(process, timeout=PATIENCE):
    """Its output and its status; the status is None if it had to be killed."""
    try:
        output, _ = process.communicate(timeout=timeout)
        return output, process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        return output, None


def until(what, holds, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(f"still not: {what}")
        time.sleep(0.002)


class Wire:
    """Two hosts on a unix datagram link: the words for WEFT_STACK."""

    OWN, OTHER = "10.77.0.1", "10.77.0.2"

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="weft-wire-")
        a, b = f"{self.directory}/a", f"{self.directory}/b"
        self.own = f"lwip:unix:{a}:{b}+{self.OWN}/24"
        self.other = f"lwip:unix:{b}:{a}+{self.OTHER}/24"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory, ignore_errors=True)


# --- what a process uses, as the kernel counts it


def status(pid, *names):
    """Numbers of /proc/PID/status by name."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    numbers = [int(fields[name].split()[0]) for name in names]
    return numbers[0] if len(numbers) == 1 else numbers


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def sleeps(pid):
    """Whether it waits in the kernel."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return stat.rsplit(")", 1)[1].split()[0] == "S"

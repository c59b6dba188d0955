"""Images for boards, built with Meson in build-test/firmware-CPU, and QEMU to run them."""

import contextlib
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("WEFT_FIRMWARE_BUILD", "build-test")
TOOLS = ("arm-none-eabi-g++", "meson", "ninja", "qemu-system-arm")
# Which of QEMU's boards runs the code. An M3 runs all that an M0+ does, and these have Ethernet.
MACHINES = {"cortex-m0plus": "mps2-an385", "cortex-m3": "mps2-an385", "cortex-m4f": "mps2-an386"}
PLAIN = ("-Doptimization=s", "-Ddebug=false", "-Db_ndebug=true", "-Dexceptions=false",
         "-Dhost_stack=false", "-Dtests=false", "-Dlwip_profile=small", "-Dfacade_socket_bits=5")
# Options, and the name of the directory: assertions on, and lwIP counts what it uses.
THOROUGH = (("-Db_ndebug=false", "-Dlwip_stats=true"), "firmware-thorough")
LIMIT = 60  # seconds for what takes one


class BuildError(Exception):
    """The first line of what was wrong, and where the rest is."""


def need_tools(*more):
    """Skips the test, or fails it with CI=true, if one of TOOLS and `more` is missing."""
    missing = [tool for tool in (*TOOLS, *more) if shutil.which(tool) is None]
    if missing:
        print(f"missing: {' '.join(missing)}; scripts/test installs them")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)


def configure(cpu, options=(), name=None):
    """A build directory for this processor, set up with PLAIN and `options`."""
    place = BUILD / (name or f"firmware-{cpu}")
    cross = ROOT / f"cross/{cpu}.ini"
    setup = ["meson", "setup", "--cross-file", cross, *PLAIN, *options, place, ROOT]
    known = place / "build.ninja"
    if known.exists() and known.stat().st_mtime < cross.stat().st_mtime:
        shutil.rmtree(place)  # Meson takes a cross file's flags at the first setup only
    if known.exists():
        setup.insert(2, "--reconfigure")
    step(setup, place, "setup")
    return place


def step(command, place, what):
    place.mkdir(parents=True, exist_ok=True)
    log = place / f"{what}.log"
    with log.open("w") as output:
        done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT)
    if done.returncode != 0:
        lines = [line for line in log.read_text().splitlines() if "rror" in line or "undefined" in line]
        raise BuildError(f"{what}: {lines[0] if lines else 'failed'} ({log})")


def build(cpu, targets, options=(), name=None):
    """Builds `targets` (paths below the build directory); returns them as paths."""
    place = configure(cpu, options, name)
    step(["ninja", "-C", place, *targets], place, "ninja")
    return [place / target for target in targets]


def images(place):
    """Every image that this build directory knows, as paths below it."""
    listed = subprocess.run(["meson", "introspect", "--targets", place], check=True, capture_output=True,
                            text=True).stdout
    return sorted(pathlib.Path(file).relative_to(place) for target in json.loads(listed)
                  for file in target["filename"] if file.endswith(".elf"))


def image_sizes(image):
    """text, data and bss of an image, in bytes."""
    said = subprocess.run(["arm-none-eabi-size", image], check=True, capture_output=True, text=True).stdout
    return dict(zip(("text", "data", "bss"), map(int, said.splitlines()[1].split())))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Board:
    """One QEMU with an image. `ports` of the guest can be reached at board.port[GUEST_PORT] of 127.0.0.1. Nothing can
    be reached from the guest but `servers`: 10.0.2.100:GUEST_PORT there is 127.0.0.1:servers[GUEST_PORT], by an nc
    that QEMU starts for each connection, which it accepts whether or not there is a server. What it prints is in
    board.printed. Ended with its block. Its cable ends in QEMU's user network, with the options `user`, in the TAP device `tap`, or nowhere
    (network=False)."""

    def __init__(self, image, cpu="cortex-m3", ports=(), more=(), network=True, tap=None, servers=None,
                 user="restrict=on,ipv6=off"):
        self.directory = tempfile.TemporaryDirectory(prefix="weft-firmware-")
        self.port = {guest: free_port() for guest in ports}
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{host}-:{guest}" for guest, host in self.port.items())
        forwards += "".join(f",guestfwd=tcp:10.0.2.100:{guest}-cmd:nc -N 127.0.0.1 {host}"
                            for guest, host in (servers or {}).items())
        monitor = f"{self.directory.name}/monitor"
        command = ["qemu-system-arm", "-M", MACHINES.get(cpu, cpu), "-kernel", image, "-display", "none",
                   "-serial", "stdio", "-semihosting-config", "enable=on,target=native",
                   "-monitor", f"unix:{monitor},server,nowait"]
        if tap is not None:
            command += ["-netdev", f"tap,id=net,ifname={tap},script=no,downscript=no", "-net", "nic,netdev=net"]
        elif network:
            command += ["-netdev", f"user,id=net,{user}{forwards}", "-net", "nic,netdev=net"]
        else:
            command += ["-nic", "none"]
        self.process = subprocess.Popen([*map(str, command), *more], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.raw = b""
        self.monitor = None
        self.monitor_path = monitor

    @property
    def printed(self):
        return self.raw.decode(errors="replace").replace("\r\n", "\n")

    def read(self, seconds):
        """What the board prints within this time is added; False at its end."""
        if not select.select([self.process.stdout], [], [], max(0, seconds))[0]:
            return True
        got = self.process.stdout.read()
        self.raw += got or b""
        return bool(got)

    def until(self, text, seconds=LIMIT):
        """Waits until `text` was printed; RuntimeError says what came instead."""
        deadline = time.monotonic() + seconds
        while text not in self.printed:
            if not self.read(deadline - time.monotonic()):
                raise RuntimeError(f"the board ended without {text!r}: {self.printed[-500:]!r}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"the board did not say {text!r} but {self.printed[-500:]!r}")

    def type(self, keys):
        self.process.stdin.write(keys.encode())
        self.process.stdin.flush()

    def wait(self, seconds=LIMIT):
        """The exit status that the image gave."""
        deadline = time.monotonic() + seconds
        while self.read(deadline - time.monotonic()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the board does not end; it said {self.printed[-500:]!r}")
        return self.process.wait(timeout=10)

    def quit(self):
        """Types 'q', which ends the examples; their exit status."""
        self.type("q")
        return self.wait()

    def command(self, line):
        """One line for QEMU's monitor, as "set_link net off"; its answer."""
        if self.monitor is None:
            self.monitor = socket.socket(socket.AF_UNIX)
            self.monitor.settimeout(LIMIT)
            self.monitor.connect(self.monitor_path)
            self._answer()
        self.monitor.sendall(line.encode() + b"\n")
        return self._answer()

    def _answer(self):
        got = b""
        while not got.endswith(b"(qemu) "):
            part = self.monitor.recv(4096)
            if not part:
                break
            got += part
        return got.decode(errors="replace")

    def connect(self, guest_port, seconds=LIMIT):
        """A TCP connection to the guest. QEMU accepts it whether or not the guest does."""
        return socket.create_connection(("127.0.0.1", self.port[guest_port]), seconds)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.monitor is not None:
            self.monitor.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        self.directory.cleanup()

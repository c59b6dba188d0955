"""MicroPython on a board of QEMU's: the image, and a raw REPL to talk to it."""

import contextlib
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import tty

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "scripts/lib"))

import micropython  # noqa: E402

CORE_OPTIONS = ("-Doptimization=s", "-Ddebug=false", "-Db_ndebug=true", "-Dexceptions=false",
                "-Dhost_stack=false", "-Dtests=false", "-Dexamples=false", "-Dlwip_profile=small",
                "-Dfacade_socket_bits=5", "-Dboard_lto=false")
MANIFEST = 'include("$(MPY_DIR)/extmod/asyncio")\n'
LIMIT = 60  # seconds for one script; they take one


def sections(image):
    """text, data and bss of an image, in bytes."""
    said = subprocess.run(["arm-none-eabi-size", image], check=True, capture_output=True, text=True).stdout
    return dict(zip(("text", "data", "bss"), map(int, said.splitlines()[1].split())))


def build(kind):
    """ports/qemu for the mps2-an385 with `weft`'s sockets, or `bare`, with all but them; the image's path."""
    place = micropython.BUILD.resolve()
    place.mkdir(parents=True, exist_ok=True)
    micropython.look_for_tools()
    with micropython.alone(place):
        micropython.copy_source(place)
        micropython.make(place, "mpy-cross", micropython.tree(place) / "mpy-cross")
        archives = build_core(place)
        modules = place / f"qemu-{kind}-modules"
        modules.mkdir(exist_ok=True)
        for name, source in (("board", HERE / "board"), ("weft", micropython.MODULE / "weft")):
            with contextlib.suppress(FileExistsError):
                if name == "board" or kind == "weft":
                    (modules / name).symlink_to(source)
        manifest = place / "qemu-manifest.py"
        manifest.write_text(MANIFEST)
        output = place / f"qemu-{kind}"
        image = output / "firmware.elf"
        micropython.forget_stale(output, image, archives)
        libgcc = subprocess.run(["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb", "-print-libgcc-file-name"],
                                check=True, capture_output=True, text=True).stdout.strip()
        config = ('-DMP_CONFIGFILE="\\"mpconfigport_weft.h\\"" ' + ("-DWITHOUT_WEFT " if kind == "bare" else "") +
                  f"-I{HERE / 'board'} -I{ROOT / 'facade'}")
        micropython.make(
            place, f"qemu-{kind}", micropython.tree(place) / "ports/qemu", "BOARD=MPS2_AN385",
            f"BUILD={output}", f"FROZEN_MANIFEST={manifest}", f"USER_C_MODULES={modules}",
            "WEFT_LIBS= ", f"CFLAGS_EXTRA={config}", f"LIBS={' '.join(map(str, [*archives, libgcc]))}")
        return image


def build_core(place):
    core = place / "core-cortex-m3"
    if not (core / "build.ninja").exists():
        micropython.step(place, "core-cortex-m3-setup",
                         ["meson", "setup", "--cross-file", ROOT / "cross/cortex-m3.ini", *CORE_OPTIONS, core, ROOT])
    archives = ["facade/usocket/libweft-usocket.a", "src/libweft.a"]  # in this order for the linker
    micropython.step(place, "core-cortex-m3", ["ninja", "-C", core, f"-j{micropython.JOBS}", *archives])
    return [core / each for each in archives]


class Board:
    """One QEMU, ended with the block that it serves."""

    def __init__(self, image):
        self.directory = tempfile.TemporaryDirectory(prefix="weft-qemu-")
        monitor = f"{self.directory.name}/monitor"
        self.process = subprocess.Popen(
            ["qemu-system-arm", "-M", "mps2-an385", "-kernel", image, "-display", "none", "-serial", "pty",
             "-semihosting-config", "enable=on,target=native", "-monitor", f"unix:{monitor},server,nowait",
             "-nic", "none"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        terminal = None
        while terminal is None:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("QEMU ended before it had a terminal")
            terminal = re.search(r"redirected to (\S+)", line)
        self.terminal = os.open(terminal.group(1), os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.terminal)
        self.monitor = socket.socket(socket.AF_UNIX)
        self.monitor.connect(monitor)
        self.read = b""  # and not looked at
        self.ended = threading.Event()
        self.poking = threading.Thread(target=self.poke)
        self.poking.start()
        self.write(b"\r\x01")
        self.until(b"raw REPL; CTRL-B to exit\r\n>")

    def poke(self):
        """QEMU's main loop may sleep while a polled UART would take a character: the monitor wakes it."""
        while not self.ended.wait(0.02):
            with contextlib.suppress(OSError):
                self.monitor.sendall(b"\n")
                self.monitor.recv(65536, socket.MSG_DONTWAIT)

    def write(self, data):
        while data:
            data = data[os.write(self.terminal, data[:64]):]

    def until(self, end):
        while end not in self.read:
            if not select.select([self.terminal], [], [], LIMIT)[0]:
                raise TimeoutError(f"the board fell silent after {self.read[-300:]!r}")
            self.read += os.read(self.terminal, 4096)
        got, self.read = self.read.split(end, 1)
        return got

    def run(self, code):
        """What a script prints, and its traceback."""
        self.write(code.encode() + b"\x04")
        self.until(b"OK")
        printed = self.until(b"\x04")
        raised = self.until(b"\x04>")
        return printed.decode(errors="replace").replace("\r\n", "\n"), raised.decode(errors="replace")

    def soft_reset(self):
        self.write(b"\x04")
        said = self.until(b"raw REPL; CTRL-B to exit\r\n>")
        return b"soft reboot" in said

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.ended.set()
        self.poking.join()
        self.monitor.close()
        os.close(self.terminal)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.process.stdout.close()
        self.directory.cleanup()

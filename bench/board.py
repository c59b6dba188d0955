"""How weft is measured on a board: images for a Cortex-M3 (bench/firmware), weft's beside the same by hand, their sizes,
and what they print when QEMU runs them, counting instructions."""

import functools
import importlib.util
import os
import pathlib
import re
import subprocess

from processes import BenchError

ROOT = pathlib.Path(__file__).resolve().parents[1]
CPU = "cortex-m3"
FOLDER = "bench/firmware"
PROGRAMS = ("echo_weft", "echo_raw", "loopback_weft", "loopback_raw", "ram_weft", "idle_weft", "idle_raw")
ARENA = 16 * 1024  # of every image with weft
INSTRUCTIONS_A_TICK = 40  # of the FPGA's counter with -icount shift=0
ROUND_TRIPS = 1000
STACK_TEST = "tests/firmware/unit/unit.elf"

ROWS = {
    "firmware.flash.overhead": ("bytes", "lower", ("max", 4096, None)),
    "firmware.ram.static": ("bytes", "lower", ("max", 512, None)),
    "firmware.ram.connection": ("bytes", "lower", ("max", 220, None)),
    "firmware.echo.instructions": ("instructions", "lower", ("ratio", 1.06, "raw")),
    "firmware.stack.bytes": ("bytes", "lower", ("none", None, None)),
    "firmware.idle.wakeups": ("a second", "lower", ("none", None, "raw")),
}


@functools.cache
def images():
    """scripts/lib/firmware.py, which builds images and boots them."""
    os.environ.setdefault("WEFT_FIRMWARE_BUILD", "build")
    path = ROOT / "scripts/lib/firmware.py"
    spec = importlib.util.spec_from_file_location("firmware_images", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Board:
    """Part of report.Bench, which has what these use."""

    def board_measures(self):
        return {
            "firmware.flash.overhead": self.board_flash,
            "firmware.ram.static": self.board_ram_static,
            "firmware.ram.connection": self.board_ram_connection,
            "firmware.echo.instructions": self.board_echo,
            "firmware.stack.bytes": self.board_stack,
            "firmware.idle.wakeups": self.board_idle,
        }

    def board_images(self, lto=False):
        """The images by name, built once."""
        return self.once(("board", lto), lambda: self.build_images(lto))

    @staticmethod
    def build_images(lto):
        targets = [f"{FOLDER}/{name}.elf" for name in PROGRAMS]
        options = ("-Dbenches=true",) + ("-Db_lto=true",) * lto
        try:
            built = images().build(CPU, targets, options, "firmware-bench" + "-lto" * lto)
        except images().BuildError as why:
            raise BenchError(str(why)) from why
        return dict(zip(PROGRAMS, built))

    @staticmethod
    def board_run(image, *more):
        """The numbers that it prints, by name."""
        with images().Board(image, more=more, network=False) as board:
            status = board.wait()
            printed = board.printed
        if status != 0:
            raise BenchError(f"{pathlib.Path(image).name} ended with {status}: {printed[-200:]!r}")
        return {name: int(number) for name, number in re.findall(r"^(.+): (\d+)$", printed, re.M)}

    def board_numbers(self, name):
        image = self.board_images()[name]
        return self.once(("board", name), lambda: self.board_run(image, "-icount", "shift=0"))

    def board_flash(self):
        """Code and initial values of the echo image, beyond those of the same echo by hand."""

        def overhead(lto):
            built = self.board_images(lto)
            flash = {}
            for name in ("echo_weft", "echo_raw"):
                size = images().image_sizes(built[name])
                flash[name] = size["text"] + size["data"]
            return flash["echo_weft"] - flash["echo_raw"]

        values = {"weft": overhead(False)}
        if not self.quick:
            values["weft_with_lto"] = overhead(True)  # both images with it
        return values

    def board_ram_static(self):
        """Weft's share of static memory, and of lwIP's heap at start; loop and driver, which these
        images have on the stack; without the arena. Of the heap a netif is subtracted with what the
        image by hand has: one as well."""
        static = {}
        for name in ("echo_weft", "echo_raw"):
            size = images().image_sizes(self.board_images()[name])
            static[name] = size["data"] + size["bss"]
        said = self.board_numbers("ram_weft")
        own = static["echo_weft"] - ARENA - static["echo_raw"]
        return {"weft": own + said["heap of the stack"] + said["loop"] + said["driver"]}

    def board_ram_connection(self):
        said = self.board_numbers("ram_weft")
        if said["connected"] != said["connections"]:
            raise BenchError(f"ram_weft: {said}")
        each = (said["heap of connections"] + said["arena of connections"]) / said["connections"]
        return {"weft": each - said["buffer"]}

    def board_echo(self):
        """64 bytes there and back over the loopback; the client is the same callbacks in both."""
        return {who: self.board_numbers(f"loopback_{who}")["ticks"] * INSTRUCTIONS_A_TICK / ROUND_TRIPS
                for who in ("weft", "raw")}

    @staticmethod
    def board_stack():
        """What the unit tests on the processor found by painting: the deepest of a million awaits."""
        options = ("-Dtests=true", "-Dexamples=false", "-Dlwip_stack=false")
        try:
            [image] = images().build(CPU, [STACK_TEST], options, f"firmware-unit-{CPU}")
        except images().BuildError as why:
            raise BenchError(str(why)) from why
        with images().Board(image, more=("-icount", "shift=0,sleep=off"), network=False) as board:
            board.wait(300)
            found = re.search(r"^# stack: (\d+) bytes at most", board.printed, re.M)
        if not found:
            raise BenchError("the unit tests on the board did not say how deep the stack was")
        return {"weft": int(found.group(1))}

    def board_idle(self):
        """Sleeps of ten seconds with one established connection, and with none. Every one is a timer
        of lwIP's: IGMP's and MLD's fire together each 100 ms, and those of reassembly, ARP, ND and
        DNS, each second, and of DHCP, each 500 ms, with them: 10 a second. TCP's, each 250 ms while
        there is a connection, began at another time: 4 more. weft has none of its own; what measures
        it has one. Not with sleep=off, with which QEMU 7.2 sleeps twice as long as the timer says."""
        values = {}
        for who in ("weft", "raw"):
            said = self.board_run(self.board_images()[f"idle_{who}"])
            values[who] = said["sleeps with one"] / 10
            values[f"{who}_no_connection"] = said["sleeps with none"] / 10
        return values

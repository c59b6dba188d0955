"""Runs weft's benchmark programs and their peers in turn, and reports.

Three kinds of measurement, each the surest that its subject allows:

  instructions   callgrind's count at two run lengths; the difference, divided. Nothing that happens
                 once counts.
  counts         system calls, allocations and heap bytes from the preloaded counter, natively: a
                 server slowed by a tracer finds data that a native one would have had to wait for.
  time           server and load on a core each, one round of every program in turn, the median of
                 the rounds' ratios, and their quartiles as the scatter.

A program that has not been built is left out: its value is null.
"""

import argparse
import datetime
import json
import mmap
import os
import platform
import re
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import board
import facade
import interpreter
import tls
from processes import TIMEOUT, BenchError, end_everything, finish, read_line, start

# ---- what is reported

# name: (unit, better, target). A target is (how, value, peer): "max" bounds weft's own number,
# "ratio" bounds weft divided by that peer from above, "least" from below.
ROWS = {
    "host.echo.instructions": ("instructions", "lower", ("max", 250, "epoll")),
    "host.echo.instructions.64": ("instructions", "lower", ("max", 200, "epoll")),
    # One call in a hundred echoes may be a timer's.
    "host.echo.syscalls": ("calls", "lower", ("ratio", 1.01, "epoll")),
    # The share of epoll_wait depends on timing; a single call more would be 1.5.
    "host.echo.syscalls.64": ("calls", "lower", ("ratio", 1.05, "epoll")),
    "host.echo.cpu.64": ("us/request", "lower", ("ratio", 1.05, "epoll")),
    "host.echo.cpu.1000": ("us/request", "lower", ("ratio", 1.05, "epoll")),
    "host.echo.rps.64": ("requests/s", "higher", ("none", None, "epoll")),
    "host.echo.rps.1000": ("requests/s", "higher", ("none", None, "epoll")),
    "lwip.echo.instructions": ("instructions", "lower", ("ratio", 1.05, "raw")),
    "lwip.bulk.gbps": ("Gbit/s", "higher", ("least", 1.0, "raw")),
    "runtime.await.instructions": ("instructions", "lower", ("max", 100, "asio")),
    "runtime.spawn.instructions": ("instructions", "lower", ("max", 150, "asio")),
    "runtime.yield.instructions": ("instructions", "lower", ("max", 55, "asio")),
    "runtime.timer.instructions.1": ("instructions", "lower", ("max", 80, "libuv")),
    "runtime.timer.instructions.1000": ("instructions", "lower", ("max", 80, "libuv")),
    "runtime.timer.instructions.100000": ("instructions", "lower", ("max", 80, "libuv")),
    "runtime.mutex.instructions": ("instructions", "lower", ("max", 25, None)),
    "runtime.channel.instructions": ("instructions", "lower", ("max", 150, None)),
    "facade.recv.instructions": ("instructions", "lower", ("max", 80, None)),
    "facade.blocking.rps": ("requests/s", "higher", ("least", 0.95, "libc")),
    "facade.poll.scale.10": ("instructions", "lower", ("none", None, None)),
    "facade.poll.scale.100": ("instructions", "lower", ("none", None, None)),
    "facade.poll.scale.1000": ("instructions", "lower", ("ratio", 1.05, "10_sockets")),
    "facade.steady.allocations": ("per echo", "lower", ("max", 0, None)),
    # The same Python programs on stock MicroPython.
    "micropython.asyncio.rps.1": ("requests/s", "higher", ("least", 1.0, "stock")),
    "micropython.asyncio.rps.50": ("requests/s", "higher", ("least", 1.0, "stock")),
    "micropython.blocking.rps": ("requests/s", "higher", ("least", 0.95, "stock")),
    "micropython.idle.wakeups": ("a second", "lower", ("max", 0, "stock")),
    "micropython.idle.wakeups.tls": ("a second", "lower", ("max", 0, "stock")),
    "micropython.socket.bytes": ("bytes", "lower", ("none", None, "stock")),
    "steady.allocations": ("per echo", "lower", ("max", 0, None)),
    "host.idle.bytes": ("bytes", "lower", ("max", 500, "libuv")),
    # The 220 bytes of the design are a board's, of half the pointer size: firmware.ram.connection.
    "lwip.idle.bytes": ("bytes", "lower", ("none", None, "raw")),
    **tls.ROWS,
    **board.ROWS,
}
CLANG_AWAIT = 70  # design: 100 or fewer with GCC, 70 with clang

HOST_PEERS = ["epoll", "libuv", "asio"]
HOST = ["weft"] + HOST_PEERS
# Counters of count.h that are system calls.
CALLS = ["receive", "transmit", "wait", "epoll_ctl", "accept", "descriptor", "other"]

# ---- the bench


class Bench(board.Board, facade.Facade, interpreter.Interpreter, tls.Tls):
    def __init__(self, programs, scratch, quick, rounds):
        self.programs = programs
        self.scratch = scratch
        self.quick = quick
        self.rounds = rounds
        cpus = sorted(os.sched_getaffinity(0))
        self.server_cpu, self.load_cpu = cpus[0], cpus[-1]
        self.cache = {}
        self.serial = 0

    def path(self, program):
        return os.path.join(self.programs, program)

    def has(self, program):
        return os.path.exists(self.path(program))

    def scratch_file(self, stem):
        self.serial += 1
        return os.path.join(self.scratch, f"{stem}.{self.serial}")

    def once(self, key, function):
        if key not in self.cache:
            self.cache[key] = function()
        return self.cache[key]

    # Callgrind.

    def callgrind(self, command):
        out = self.scratch_file("callgrind")
        return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"] + command

    @staticmethod
    def collected(errors, what):
        with open(errors) as file:
            found = re.search(r"Collected : (\d+)", file.read())
        if not found:
            raise BenchError(f"callgrind counted nothing for {what}")
        return int(found.group(1))

    def program_instructions(self, program, *arguments):
        errors = self.scratch_file("stderr")
        command = self.callgrind([self.path(program)] + [str(a) for a in arguments])
        with open(errors, "w") as stderr:
            process = start(command, self.server_cpu, stdout=subprocess.DEVNULL, stderr=stderr)
            finish(process, program)
        return self.collected(errors, program)

    def instructions_each(self, program, before, count, after=()):
        """Instructions for one of `count`; the program takes it between `before` and `after`."""
        if not self.has(program):
            return None
        short = self.program_instructions(program, *before, count, *after)
        long = self.program_instructions(program, *before, 2 * count, *after)
        return (long - short) / count

    # An echo server with a load.

    def serve(self, who, load_arguments, callgrind=False, count=False, buffer=1024):
        """Runs echo_WHO under a load; gives what the load printed, with instructions if asked."""
        name = f"echo_{who}"
        command = [self.path(name), "0", "--buffer", str(buffer)]
        environment = dict(os.environ)
        errors = self.scratch_file("stderr")
        load = []
        if callgrind:
            command = self.callgrind(command)
        if count:
            counts = self.scratch_file("counts")
            open(counts, "w").close()
            environment["LD_PRELOAD"] = os.path.abspath(self.path("libcount.so"))
            environment["WEFT_COUNT_FILE"] = counts
            load += ["--count-file", counts]
        with open(errors, "w") as stderr:
            server = start(
                command, self.server_cpu, environment, stdout=subprocess.PIPE, stderr=stderr
            )
            said = read_line(server, name)
            if not re.fullmatch(r"listening \d+", said):
                raise BenchError(f"{name} said {said!r}, not its port")
            load = [self.path("load"), said.split()[1], "--seconds", str(TIMEOUT)] + load
            load += ["--server-pid", str(server.pid)] + load_arguments
            client = start(load, self.load_cpu, stdout=subprocess.PIPE)
            output, _ = client.communicate(timeout=TIMEOUT + 10)
            finish(client, f"load of {name}")
            finish(server, name, 30)
            server.stdout.close()
        result = json.loads(output)
        if callgrind:
            result["instructions"] = self.collected(errors, name)
        return result

    @staticmethod
    def echo_load(connections, round_trips, *more):
        arguments = ["--connections", str(connections), "--round-trips", str(round_trips)]
        arguments += ["--warm-up", str(20 * connections)]
        if connections == 1:
            arguments += ["--wait-us", "300"]
        return arguments + list(more)

    def echo_instructions(self, connections):
        """Batches differ from run to run with many connections: the median of three there."""
        trips = 4000 if connections == 1 else 20000
        if self.quick:
            trips //= 4
        repeats = 1 if connections == 1 or self.quick else 3

        def one(who):
            long = self.serve(who, self.echo_load(connections, 2 * trips), callgrind=True)
            short = self.serve(who, self.echo_load(connections, trips), callgrind=True)
            return (long["instructions"] - short["instructions"]) / trips

        return {
            who: statistics.median(one(who) for _ in range(repeats))
            for who in HOST
            if self.has(f"echo_{who}")
        }

    def echo_counts(self, connections):
        """All 64 answers are awaited before the next 64 messages, so that no read is lucky."""
        trips = 2000 if connections == 1 else connections * (100 if self.quick else 1000)
        more = [] if connections == 1 else ["--lockstep"]
        load = self.echo_load(connections, trips, *more)
        programs = [who for who in HOST if self.has(f"echo_{who}")]
        rounds = 1 if connections == 1 else 5
        return [{w: self.serve(w, load, count=True) for w in programs} for _ in range(rounds)]

    def echo_counted(self, connections, counters):
        rounds = self.once(("counts", connections), lambda: self.echo_counts(connections))
        return [
            {who: sum(c[name] for name in counters) / c["round_trips"] for who, c in one.items()}
            for one in rounds
        ]

    def echo_rounds(self, connections):
        """One run of each program a round, beginning with another each time."""
        programs = [who for who in HOST if self.has(f"echo_{who}")]
        trips = 30000 if self.quick else 200000
        rounds = []
        for i in range(self.rounds):
            turn = programs[i % len(programs):] + programs[:i % len(programs)]
            rounds.append({w: self.serve(w, self.echo_load(connections, trips)) for w in turn})
        return rounds

    def echo_time(self, connections, value):
        rounds = self.once(("rounds", connections), lambda: self.echo_rounds(connections))
        return [{who: value(r) for who, r in one.items()} for one in rounds]

    def idle_bytes(self):
        count = 1000 if self.quick else 10000
        values = {}
        for who in HOST:
            if self.has(f"echo_{who}"):
                arguments = ["--connections", str(count + 1), "--round-trips", "1", "--idle"]
                result = self.serve(who, arguments, count=True, buffer=64)
                values[who] = result["live_bytes"] / result["round_trips"]
        return values

    # lwIP, both ends in one process.

    def lwip_echo(self):
        count = 1000 if self.quick else 5000
        programs = {"weft": ("weft",), "raw": ("raw",), "raw_copying": ("raw", "--copy"),
                    "lwip_sockets": ("sockets",)}
        return {who: self.instructions_each(f"lwip_echo_{name}", (), count, arguments)
                for who, (name, *arguments) in programs.items() if self.has(f"lwip_echo_{name}")}

    def lwip_bulk(self):
        size = 100_000_000 if self.quick else 400_000_000
        programs = [("weft", "lwip_bulk_weft"), ("raw", "lwip_bulk_raw")]
        programs = [(who, program) for who, program in programs if self.has(program)]
        rounds = []
        for i in range(max(self.rounds, 3 if self.quick else 15)):
            one = {}
            for who, program in programs[::-1] if i % 2 else programs:
                command = [self.path(program), str(size)]
                process = start(command, self.server_cpu, stdout=subprocess.PIPE)
                output, _ = process.communicate(timeout=TIMEOUT)
                finish(process, program)
                one[who] = json.loads(output)["gbps"]
            rounds.append(one)
        return rounds

    def lwip_live_bytes(self, program, connections):
        counts = self.scratch_file("counts")
        open(counts, "w").close()
        environment = dict(os.environ)
        environment["LD_PRELOAD"] = os.path.abspath(self.path("libcount.so"))
        environment["WEFT_COUNT_FILE"] = counts
        process = start(
            [self.path(program), str(connections)], self.server_cpu, environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        if read_line(process, program) != "ready":
            raise BenchError(f"{program} did not say ready")
        time.sleep(0.1)  # until it sleeps in its read: that allocates stdin's buffer
        with open(counts, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as at:
            live = struct.unpack_from("q", at, len(at) - 8)[0]  # live_bytes is the last in count.h
        process.stdin.close()
        finish(process, program, 30)
        process.stdout.close()
        return live

    def lwip_idle(self):
        values = {}
        for who, program in (("weft", "lwip_idle_weft"), ("raw", "lwip_idle_raw")):
            if self.has(program):
                few, many = self.lwip_live_bytes(program, 200), self.lwip_live_bytes(program, 1200)
                values[who] = (many - few) / 1000
        return values

    # Single operations of the runtime.

    def micro(self, name, peers, pending=None):
        count = 2000 if self.quick else 20000
        after = () if pending is None else (pending,)
        values = {}
        for who in ["weft"] + peers:
            value = self.instructions_each(f"micro_{who}", (name,), count, after)
            if value is not None:
                values[who] = value
        return values

    def measure(self, name):
        """A dictionary of numbers by program, or a list of such: one for every round."""
        family, _, last = name.rpartition(".")
        if family == "host.echo.cpu":
            return self.echo_time(int(last), lambda r: r["server_cpu_us"] / r["round_trips"])
        if family == "host.echo.rps":
            return self.echo_time(int(last), lambda r: r["rps"])
        if family == "facade.poll.scale":
            return self.facade_poll(int(last))
        if family == "runtime.timer.instructions":
            return self.micro("timer", ["libuv", "asio"], int(last))
        return {
            "host.echo.instructions": lambda: self.echo_instructions(1),
            "host.echo.instructions.64": lambda: self.echo_instructions(64),
            "host.echo.syscalls": lambda: self.echo_counted(1, CALLS),
            "host.echo.syscalls.64": lambda: self.echo_counted(64, CALLS),
            "lwip.echo.instructions": self.lwip_echo,
            "lwip.bulk.gbps": self.lwip_bulk,
            **self.board_measures(),
            **self.facade_measures(),
            **self.interpreter_measures(),
            **self.tls_measures(),
            "runtime.await.instructions": lambda: self.micro("await", ["asio"]),
            "runtime.spawn.instructions": lambda: self.micro("spawn", ["asio"]),
            "runtime.yield.instructions": lambda: self.micro("yield", ["asio"]),
            "runtime.mutex.instructions": lambda: self.micro("mutex", []),
            "runtime.channel.instructions": lambda: self.micro("channel", []),
            "steady.allocations": lambda: self.echo_counted(64, ["allocations"]),
            "host.idle.bytes": self.idle_bytes,
            "lwip.idle.bytes": self.lwip_idle,
        }[name]()


# ---- report


def median_of(rounds, who):
    return statistics.median(one[who] for one in rounds)


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


class Row:
    """One line of the report: medians, and weft's ratio to the peer that the target speaks of."""

    def __init__(self, name, measured, clang):
        self.name = name
        self.unit, self.better, (self.how, self.limit, self.reference) = ROWS[name]
        if clang and name == "runtime.await.instructions":
            self.limit = CLANG_AWAIT
        self.rounds = measured if isinstance(measured, list) else [measured]
        programs = list(self.rounds[0])
        values = {who: median_of(self.rounds, who) for who in programs}
        self.weft = values.pop("weft", None)
        self.peers = values
        self.ratios = {
            peer: [one["weft"] / one[peer] for one in self.rounds]
            for peer in self.peers
            if self.weft is not None and self.peers[peer] > 0
        }

    def ratio(self):
        values = self.ratios.get(self.reference)
        return statistics.median(values) if values else None

    def target(self):
        if self.how == "max":
            return f"{self.limit} or less" if self.limit else "0"
        if self.how == "ratio":
            return f"{self.limit:.2f} of {self.reference} or less"
        if self.how == "least":
            return f"{self.limit:.2f} of {self.reference} or more"
        return ""

    def verdict(self):
        value = self.weft if self.how == "max" else self.ratio()
        if value is None or self.how == "none":
            return ""
        met = value >= self.limit if self.how == "least" else value <= self.limit
        return "met" if met else "MISSED"

    def json(self):
        return {
            "name": self.name,
            "unit": self.unit,
            "weft": self.weft if self.weft is None else round(self.weft, 4),
            "peers": {peer: round(value, 4) for peer, value in self.peers.items()},
            "better": self.better,
        }


def shown(value):
    if value is None:
        return "-"
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}"
    return f"{value:.4g}"


def table(rows):
    lines = [("name", "unit", "weft", "peers", "ratio (quartiles)", "target", "")]
    for row in rows:
        peers = ", ".join(f"{peer} {shown(value)}" for peer, value in row.peers.items())
        ratio = ""
        if row.ratio() is not None:
            ratio = f"{row.ratio():.2f} of {row.reference}"
            if len(row.rounds) > 1:
                low, high = quartiles(row.ratios[row.reference])
                ratio = f"{row.ratio():.3f} of {row.reference} ({low:.3f}-{high:.3f})"
        lines.append(
            (row.name, row.unit, shown(row.weft), peers, ratio, row.target(), row.verdict())
        )
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = []
    for line in lines:
        cells = [
            cell.rjust(width) if i == 2 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
        ]
        text.append("  ".join(cells).rstrip())
    return "\n".join(text)


def built_with_clang(programs):
    commands = os.path.join(os.path.dirname(os.path.abspath(programs)), "compile_commands.json")
    try:
        with open(commands) as file:
            # The compiler is the first word, or the second after ccache.
            return any("clang" in " ".join(c["command"].split()[:2]) for c in json.load(file))
    except (OSError, ValueError, KeyError):
        return False


def machine():
    model = platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            model = re.search(r"model name\s*: (.*)", file.read()).group(1)
    except (OSError, AttributeError):
        pass
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def write_json(path, value):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    partial = f"{path}.partial"
    with open(partial, "w") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
    os.replace(partial, path)


class OneLineParser(argparse.ArgumentParser):
    def error(self, message):
        raise BenchError(f"{message} (--help says what can be given)")


def parse(arguments):
    parser = OneLineParser(prog="scripts/bench", description="weft and its peers, side by side")
    add = parser.add_argument
    add("--only", metavar="PREFIX", default="", help="only names that begin with PREFIX")
    add("--quick", action="store_true", help="short runs: a smoke test, not a result")
    add("--rounds", metavar="N", type=int, help="rounds of what is timed (default 11)")
    add("--programs", default="build/bench/bench", help=argparse.SUPPRESS)
    add("--output", default="build/bench.json", help=argparse.SUPPRESS)
    add("--check-arguments", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.rounds is None:
        options.rounds = 3 if options.quick else 11
    if not 1 <= options.rounds <= 1000:
        raise BenchError("--rounds must be 1 to 1000")
    options.names = [name for name in ROWS if name.startswith(options.only)]
    if not options.names:
        raise BenchError(f"nothing begins with {options.only!r}; names are {', '.join(ROWS)}")
    return options


def run(options):
    for program in ["load", "libcount.so", "echo_epoll"]:
        if not os.path.exists(os.path.join(options.programs, program)):
            raise BenchError(f"{program} is not built in {options.programs}; run scripts/bench")
    clang = built_with_clang(options.programs)
    rows = []
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as scratch:
        bench = Bench(options.programs, scratch, options.quick, options.rounds)
        if bench.server_cpu == bench.load_cpu:
            print("one core only: server and load share it, times mean little", file=sys.stderr)
        for name in options.names:
            print(f"measuring {name}", file=sys.stderr, flush=True)
            rows.append(Row(name, bench.measure(name), clang))
    print(f"{machine()}, {'clang' if clang else 'gcc'} -O2, {datetime.date.today().isoformat()}"
          f"{', quick: not a result' if options.quick else ''}\n")
    print(table(rows))
    missed = [row.name for row in rows if row.verdict() == "MISSED"]
    absent = [row.name for row in rows if row.weft is None]
    print()
    if absent:
        print(f"weft has no program for: {', '.join(absent)}")
    judged = sum(row.verdict() != "" for row in rows)
    print(f"targets missed: {', '.join(missed) or 'none'} (of {judged} that could be judged)")
    write_json(options.output, [row.json() for row in rows])
    stem = options.output[:-5] if options.output.endswith(".json") else options.output
    write_json(f"{stem}-rounds.json", {row.name: row.rounds for row in rows})


def stop(number, _frame):
    raise SystemExit(128 + number)


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        options = parse(sys.argv[1:])
        if not options.check_arguments:
            run(options)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except subprocess.TimeoutExpired as error:
        print(f"bench: {error.cmd[0]} did not end within {error.timeout} s", file=sys.stderr)
        return 2
    finally:
        end_everything()
    return 0


if __name__ == "__main__":
    sys.exit(main())

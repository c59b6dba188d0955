#!/usr/bin/env python3
"""MicroPython's own tests of sockets, unmodified, on stock MicroPython and on weft's module over both stacks.

    upstream.py                                 all of them; the last lines are a table of counts
    upstream.py --on lwip select_ net_hosted    the tests whose name has one of these words, on one stack

The stacks are stock MicroPython's own, and weft's: the host's, lwIP (on its loopback, or on what a group needs), and for
two programs lwIP on two TAP devices.

Each group on each stack runs in a network of its own, several at once: the tests' ports are fixed. What is
known not to pass, and why, is in expected.txt; anything else that does not, and anything there that does, is
a failure.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(ROOT / "scripts/lib"), str(ROOT / "tests/interop"), str(ROOT / "tests/usocket")]

import micropython  # noqa: E402
from checks import check, finish  # noqa: E402
from expected import STACKS, Expected  # noqa: E402
from world import ip, own_network, start, why_no_network  # noqa: E402

GROUPS = {
    "extmod": ("extmod/socket_*.py", "extmod/select_*.py", "extmod/asyncio_*.py", "extmod/ssl_*.py",
               "extmod/tls_*.py"),
    "net_hosted": ("net_hosted/*.py",),
    "net_inet": ("net_inet/*.py",),
    "multi_net": ("multi_net/*.py",),
}
MODULES = f".frozen:{ROOT}/tests/micropython/lib"
LIMIT = 400  # seconds for one group on one stack, which takes 30
AT_ONCE = 4  # they sleep most of the time
TRIES = 5


def tried(group, stack):
    return stack != "tap" or group == "multi_net"  # the others, where it matters, are on TAP already


def on_file():
    return Expected((HERE / "expected.txt").read_text())


def tests_of(group):
    tests = micropython.tree() / "tests"
    return sorted(str(path.relative_to(tests)) for pattern in GROUPS[group] for path in tests.glob(pattern))


# One group on one stack, inside its network: what became of each test, and what it said.

def run_extmod(program, stack, tests, directory):
    ip("link set lo up")
    settings = "lwip" if stack == "lwip" else "host"
    outcomes, said = run_tests([], program, settings, tests, directory)
    return outcomes | {WHICH: which(program, stack, settings)}, said


WHICH = "which"


def which(program, stack, settings):
    """No test would notice that it runs on another stack, or on the built-in sockets: their SOL_SOCKET is the
    kernel's 1, and on lwIP 127.0.0.1 is not where the kernel listens."""
    ask = ("import socket, sys\ntry:\n socket.socket().connect(socket.getaddrinfo('127.0.0.1', int(sys.argv[1]))"
           "[0][-1])\n r = 0\nexcept OSError as e:\n r = e.errno\nprint(socket.SOL_SOCKET, r)")
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script, socket.create_server(("127.0.0.1", 0)) as there:
        script.write(ask)
        script.flush()
        said = run([program, script.name, str(there.getsockname()[1])], {"WEFT_STACK": settings}).strip()
    expected = {"stock": "1 0", "host": "4095 0", "lwip": "4095 111"}[stack]
    return said == expected, f"SOL_SOCKET and connect's errno are {said}, not {expected}"


def run_linked(program, stack, tests, directory):
    """net_hosted, net_inet: behind a link, with an Internet on it; but lwIP's stack on a link has no 127.0.0.1, and its loopback
    nothing else."""
    from internet import Internet
    world = Internet("lwip" if stack == "lwip" else "host", directory, micropython.tree() / "tests")
    alone = [test for test in tests if stack == "lwip" and "127.0.0.1" in
             (micropython.tree() / "tests" / test).read_text()]
    os.environ["SSL_CERT_FILE"] = str(world.authority)  # CPython trusts the sites
    # another mount namespace begins in /
    inside = [*world.inside, f"--wd={micropython.tree() / 'tests'}"] if world.inside else []
    outcomes, said = {}, ""
    for part, settings in ((alone, "lwip"), ([test for test in tests if test not in alone], world.settings)):
        if part:
            more, told = run_tests(inside, program, settings, part, directory)
            outcomes, said = outcomes | more, said + told
    world.stop()
    return outcomes, said


def run_tests(inside, program, settings, tests, directory):
    """run-tests.py, one test after another."""
    environment = {"MICROPY_MICROPYTHON": program, "MICROPYPATH": MODULES, "WEFT_STACK": settings}

    def attempt(these):
        # "./": run-tests.py leaves out by its name a test that needs an ioctl, which our build has
        said = run([*inside, sys.executable, "-u", "run-tests.py", "-j1", "--keep-path",
                    "-r", f"{directory}/results", *("./" + test for test in these)], environment)
        found = re.findall(r"^(pass|FAIL|skip)  \./(\S+)", said, re.M)
        return {test: (word, difference(pathlib.Path(directory, "results"), test)) for word, test in found}, said

    return several_tries(attempt, tests)


def several_tries(attempt, tests):
    """Of what expected.txt lets try again; what is told of one that then passes is at which try."""
    outcomes, said = attempt(tests)
    for number in range(2, TRIES + 1):
        if late := [test for test in tests if test in on_file().timed and outcomes.get(test, [""])[0] == "FAIL"]:
            for test, (word, told) in attempt(late)[0].items():
                outcomes[test] = (word, f"at try {number}" if word == "pass" else told)
    return outcomes, said


def difference(results, test):
    out = results / (test.replace("/", "_") + ".out")
    expected = out.with_suffix(".exp")
    if not out.exists():
        return ""
    told = out.read_text(errors="replace")
    if expected.exists():
        told = f"expected:\n{expected.read_text(errors='replace')}\ngot:\n{told}"
    return told


def run_multi_net(program, stack, tests, directory):
    """multi_net: run-multitests.py, two instances: on lwIP two hosts on a wire, or two behind TAP devices."""
    ip("link set lo up")
    stacks = ("host", "host")
    if stack == "tap":  # with a router between them
        for number, device in enumerate(("tap1", "tap2"), 1):
            for words in (f"tuntap add {device} mode tap", f"address add 10.0.{number}.1/24 dev {device}",
                          f"link set {device} up"):
                ip(words)
        pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        stacks = ("lwip:tap1+10.0.1.2/24+10.0.1.1", "lwip:tap2+10.0.2.2/24+10.0.2.1")
    if stack == "lwip":
        ends = (f"{directory}/one", f"{directory}/two")
        stacks = (f"lwip:unix:{ends[0]}:{ends[1]}+10.0.0.1/24", f"lwip:unix:{ends[1]}:{ends[0]}+10.0.0.2/24")
    instances = [word for each in stacks
                 for word in ("-i", f"exec:{program},MICROPYPATH={MODULES},WEFT_STACK={each}")]

    def attempt(these):
        said = run([sys.executable, "-u", "run-multitests.py", *instances, *these], {})
        outcomes = {}
        parts = re.split(r"^(multi_net/\S+) on \S+: ", said, flags=re.M)
        for test, rest in zip(parts[1::2], parts[2::2]):
            word, _, told = rest.partition("\n")
            told = told.rpartition("### DIFF ###\n")[2]
            outcomes[test] = (word, re.split(r"^\d+ tests performed", told, flags=re.M)[0])
        return outcomes, said

    return several_tries(attempt, tests)


def run(command, environment):
    """What it says; it may have 1,024 descriptors, as the tests of poll want, and ends with us."""
    return start(["prlimit", "--nofile=1024:1024", *command], cwd=micropython.tree() / "tests",
                 env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                 stderr=subprocess.STDOUT, text=True, errors="replace").communicate()[0]


def inside(program, stack, tests):
    with tempfile.TemporaryDirectory(prefix="weft-upstream-") as directory:
        how = {"extmod": run_extmod, "net_hosted": run_linked, "net_inet": run_linked, "multi_net": run_multi_net}
        outcomes, said = how[tests[0].split("/")[0]](program, stack, tests, directory)
    json.dump({"outcomes": outcomes, "said": said}, sys.stdout)


# All of them, and what was to be expected.

def group_on_stack(programs, stack, tests):
    program = programs["stock" if stack == "stock" else "weft"]
    command = [*own_network(), sys.executable, __file__, "--inside", program, "--on", stack, *tests]
    try:
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=LIMIT)
        told = json.loads(done.stdout)
        return told["outcomes"], told["said"]
    except subprocess.TimeoutExpired:
        return {}, f"not done after {LIMIT} s"
    except json.JSONDecodeError:
        return {}, done.stdout + done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="tests whose name has one of these; otherwise all")
    parser.add_argument("--on", choices=STACKS, action="append", help="only there; may be repeated")
    parser.add_argument("--weft", metavar="PROGRAM", help="another build of weft's MicroPython")
    parser.add_argument("--inside", metavar="PROGRAM", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return inside(options.inside, options.on[0], options.words)
    if why := why_no_network():
        print(f"SKIP no network of our own: {why}")
        sys.exit(77)
    stacks = options.on or STACKS
    try:
        programs = {kind: options.weft if kind == "weft" and options.weft else micropython.executable(kind)
                    for kind in sorted({"stock" if stack == "stock" else "weft" for stack in stacks})}
    except micropython.Unbuilt as error:
        sys.exit(f"not ok - MicroPython is built\n    {error}")
    expected = on_file()
    everything = {group: tests_of(group) for group in GROUPS}
    chosen = {group: [test for test in tests if not options.words or any(word in test for word in options.words)]
              for group, tests in everything.items()}
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        running = {(group, stack): pool.submit(group_on_stack, programs, stack, chosen[group])
                   for group in reversed(GROUPS) for stack in stacks if tried(group, stack) and chosen[group]}
        got = {}
        for (group, stack), future in running.items():
            outcomes, said = future.result()
            for test in chosen[group]:
                word, told = outcomes.get(test, ("", said))
                good, got[test, stack], why = expected.judge(test, stack, word)
                name = f"{test} on {stack}"
                if good and why:
                    name += f": {got[test, stack]}: {why}"
                elif word == "pass" and told:
                    name += f", {told}"
                check(name, good, f"{why}\n{told}")
            if group == "extmod":
                check(f"{stack} is what it is called", *outcomes.get(WHICH, (False, said)))
    for group, number in expected.counts.items():
        check(f"{group} has the {number} tests that it is known for", len(everything[group]) == number,
              f"it has {len(everything[group])}")
    unknown = expected.tests() - {test for tests in everything.values() for test in tests}
    check("expected.txt names only tests that are there", not unknown, "\n".join(sorted(unknown)))
    table(chosen, stacks, got)
    finish()


def table(chosen, stacks, got):
    form = "%-12s %6s" + "  %24s" * len(stacks)
    print("\n" + form % ("group", "tests", *(f"{stack}: pass fail skip" for stack in stacks)))
    for group, tests in chosen.items():
        if not tests:
            continue
        cells = []
        for stack in stacks:
            if not tried(group, stack):
                cells.append("")
                continue
            became = [got[test, stack] for test in tests]
            cells.append("%d %4d %4d" % (became.count("passes"), became.count("fails") + became.count("is not run"),
                                         became.count("skipped")))
        print(form % (group, len(tests), *cells))


if __name__ == "__main__":
    main()

"""Ctrl-C in each blocking call: KeyboardInterrupt, nothing lost, nothing leaked, and the socket works on
or is closed. SIGINT comes when the child has said that it is about to block and the kernel says that it
sleeps. The name server, as that of lwIP, is a socket that nobody reads.

    interrupt.py [CASE]
"""

import concurrent.futures
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

from programs import HERE, Wire, check, ended, enter_own_network, finish, sleeps, start

CASES = re.findall(r"^def case_(\w+)", (HERE / "interrupt/blocking.py").read_text(), re.M)
NAMES = ("getaddrinfo", "getaddrinfo_async")
ROUNDS = 6
PATIENCE = 10


class Wrong(Exception):
    pass


def line_of(child):
    ready, _, _ = select.select([child.stdout], [], [], PATIENCE)
    if not ready:
        raise Wrong(f"says nothing for {PATIENCE} s")
    return os.read(child.stdout.fileno(), 65536).decode()


def expect(child, said, word):
    """Its output up to and with a line; `said` is what came behind the line before."""
    while word + "\n" not in said:
        more = line_of(child)
        said += more
        if not more:
            raise Wrong(f"ended with {child.wait()}, having said {said!r}")
    before, rest = said.split(word + "\n", 1)
    if before:
        raise Wrong(f"says {said!r} instead of {word}")
    return rest


def until_it_sleeps(child):
    """Five looks in a row: a stack's timers wake it now and then, and so may the call before it waits."""
    deadline = time.monotonic() + PATIENCE
    asleep = 0
    while asleep < 5:
        asleep = asleep + 1 if sleeps(child.pid) else 0
        time.sleep(0.002)
        if time.monotonic() > deadline or child.poll() is not None:
            said = line_of(child) if child.poll() is not None else ""
            raise Wrong(f"does not sleep; says {said!r}")


def interrupted(case, stack):
    child = start("weft", "interrupt/blocking.py", case, ROUNDS, stack=stack, streams=dict(
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
    said = ""
    try:
        for i in range(ROUNDS):
            said = expect(child, said, "blocking")
            until_it_sleeps(child)
            os.kill(child.pid, signal.SIGINT)
            said = expect(child, said, "interrupted")
        expect(child, said, "well")
        return "" if child.wait(PATIENCE) == 0 else f"ended with {child.returncode}"
    except Wrong as why:
        return f"round {i + 1}: {why}"
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def one(job):
    stack, case = job
    if stack == "host" or case not in NAMES:
        return interrupted(case, stack)
    with Wire() as wire:  # with nobody at its other end, where the name server is said to be
        return interrupted(case, f"{wire.own}+dns:{wire.OTHER}")


def names_in_asyncio(stack):
    """Other tasks go on while a name is asked for; and asking may be canceled."""
    with Wire() as wire:
        settings = "host" if stack == "host" else f"{wire.own}+dns:{wire.OTHER}"
        output, code = ended(start("weft", "interrupt/names.py", stack=settings), 30)
    return "" if (code, output) == (0, "well\n") else f"ended with {code}: {output}"


def main():
    cases = sys.argv[1:] or CASES
    with tempfile.TemporaryDirectory(prefix="weft-interrupt-") as directory, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silence:
        silence.bind(("127.0.0.1", 53))
        resolver = pathlib.Path(directory) / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.1\noptions timeout:60\n")
        subprocess.run(["mount", "--bind", resolver, "/etc/resolv.conf"], check=True)
        jobs = [(stack, case) for case in cases for stack in ("host", "lwip")]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for (stack, case), why in zip(jobs, pool.map(one, jobs)):
                check(f"{stack}: Ctrl-C in {case.replace('_', ' ')}", not why, why)
        for stack in ("host", "lwip") if len(sys.argv) == 1 else ():
            why = names_in_asyncio(stack)
            check(f"{stack}: asyncio goes on while getaddrinfo_async() waits, and cancels it", not why, why)
        subprocess.run(["umount", "/etc/resolv.conf"], check=True)
    finish()


enter_own_network()
main()

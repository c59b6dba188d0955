"""The usocket contract as Python programs, contract/contract_*.py: on weft's module over the host's
sockets, on lwIP's loopback and between two hosts on a wire; and those tests that hold for them too on
CPython 3 and on stock MicroPython.

    contract.py                 everything
    contract.py WHO [WORDS]     cpython, stock, host, lwip or wire alone; only tests that have the words
"""

import concurrent.futures
import contextlib
import os
import re
import sys

from programs import HERE, Wire, check, ended, enter_own_network, finish, line_of, running, start

FILES = sorted(path.name for path in (HERE / "contract").glob("contract_*.py"))
CONFIGURATIONS = ("cpython", "stock", "host", "lwip", "wire")
TIMEOUT = 55
TEST = re.compile(r"^(not )?ok - (.*)$", re.M)


@contextlib.contextmanager
def world(configuration):
    """The interpreter, WEFT_STACK, and where the peer is; a wire has room for one program at a time."""
    if configuration == "lwip":
        yield "weft", "lwip", None
        return
    kind = {"cpython": "cpython", "stock": "stock"}.get(configuration, "weft")
    if configuration == "wire":
        with Wire() as wire, peer("weft", wire.OTHER, wire.other):
            yield kind, wire.own, f"{wire.OTHER},7070,{wire.OWN}"
    else:
        with peer("cpython", "127.0.0.1", "host") as port:
            yield kind, "host", f"127.0.0.1,{port},127.0.0.1"


_ports = iter(range(7070, 8000))


@contextlib.contextmanager
def peer(kind, host, stack):
    port = 7070 if kind == "weft" else next(_ports)
    with running(kind, "contract/peer.py", host, port, stack=stack) as process:
        line_of(process, "ready")
        yield port


def one(configuration, file, words):
    """Runs a file; its lines, each with the configuration's name."""
    with world(configuration) as (kind, stack, place):
        program = start(kind, f"contract/{file}", *words, stack=stack,
                        CONTRACT_WHO=kind, CONTRACT_PEER=place or "",
                        CONTRACT_ONLY="peer" if configuration == "wire" else "")
        output, status = ended(program, TIMEOUT)
    tests = TEST.findall(output)
    failed = [name for bad, name in tests if bad]
    crashed = status is None or (status != 0 and not failed)
    return tests, output, status, crashed


def main():
    configurations, words = CONFIGURATIONS, ()
    if len(sys.argv) > 1:
        configurations, words = (sys.argv[1],), sys.argv[2:]
    jobs = [(each, file) for file in FILES for each in configurations]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        results = pool.map(lambda job: one(*job, words), jobs)
        for (configuration, file), (tests, output, status, crashed) in zip(jobs, results):
            for bad, name in tests:
                why = output if bad else ""
                check(f"{configuration}: {name}", not bad, why if not crashed else "")
            if crashed:
                how = "was still running" if status is None else f"ended with {status}"
                check(f"{configuration}: {file} ends: it {how}", False, output)
    finish()


enter_own_network()
main()

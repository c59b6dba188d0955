"""What takes many times, or a long time: 20,000 connections without growth, dropped sockets, what was sent
arrives though the program ends, and an idle asyncio server that does not wake up.

    endurance.py [churn|dropped|drain|idle]
"""

import concurrent.futures
import sys
import time

from programs import (Wire, check, ended, enter_own_network, finish, line_of, micropython, running, sleeps,
                      start, status, until)

CHURN = 20000
CERTIFICATES = micropython.tree() / "tests/multi_net"


# --- many connections


def churn(stack):
    output, code = ended(start("weft", "endurance/churn.py", CHURN, stack=stack, heap="2M"), 58)
    if code != 0:
        return [(f"{stack}: {CHURN} connections", False, f"ended with {code}: {output}")]
    heap, rss, open_before, heap_after, rss_after, open_after = map(int, output.split())
    used = f"heap {heap} -> {heap_after}, RSS {rss} -> {rss_after} kB, descriptors {open_before} -> {open_after}"
    name = f"{stack}: {CHURN} connections: "
    return [(name + "the heap does not grow", heap_after <= heap + 4096, used),
            # the kernel counts pages of several threads' caches late
            (name + "RSS does not grow", rss_after <= rss + 1024, used),
            (name + "no descriptor is left", open_after <= open_before, used)]


def dropped(stack):
    """lwIP's host profile has room for 4,096 TCP and 512 UDP sockets; a process for 1,024 descriptors."""
    counts = (13000, 1600) if stack == "lwip" else (3100, 3100)
    output, code = ended(start("weft", "endurance/dropped.py", *counts, stack=stack,
                               inside=("prlimit", "--nofile=1024")))
    return [(f"{stack}: {sum(counts)} dropped sockets: there is always room for another", code == 0, output),
            (f"{stack}: {sum(counts)} dropped sockets: no descriptor is left",
             code == 0 and int(output) < 12, output)]


# --- the end of the program


WAYS = {"end": 0, "close": 0, "exit": 3, "exception": 1, "asyncio": 0, "file": 0, "nonblocking": 0}


def drain(stack):
    """A slow reader on the other side."""
    results = []
    with Wire() as wire:
        stacks = (wire.own, wire.other) if stack == "wire" else (stack, stack)
        host = wire.OTHER if stack == "wire" else "127.0.0.1"
        with running("weft" if stack == "wire" else "cpython", "endurance/collect.py", host, 7002, 2,
                   stack=stacks[1]) as collector:
            line_of(collector, "ready")
            for way, expected in WAYS.items():
                size = 150000 if way == "nonblocking" else 400000
                output, code = ended(start("weft", "endurance/drain.py", host, 7002, size, way,
                                           stack=stacks[0]), 10)
                told = line_of(collector)
                taken = int(output) if way == "nonblocking" and code == 0 else size
                results.append((f"{stack}: what was sent arrives whole: {way}",
                                (told, code) == (f"{taken} True", expected),
                                f"{told} of {taken}, ended with {code}: {output}"))
    return results


def drain_ends(stack):
    """Nobody takes it: the program ends nevertheless."""
    with Wire() as wire:
        stacks = (wire.own, wire.other) if stack == "wire" else (stack, stack)
        host = wire.OTHER if stack == "wire" else "127.0.0.1"
        with running("weft" if stack == "wire" else "cpython", "endurance/collect.py", host, 7003, 3600000,
                   stack=stacks[1]) as collector:
            line_of(collector, "ready")
            begun = time.monotonic()
            output, code = ended(start("weft", "endurance/drain.py", host, 7003, 2000000, "nonblocking",
                                       stack=stacks[0]), 20)
    return [(f"{stack}: a program whose data nobody takes ends", code == 0,
             f"ended with {code} after {time.monotonic() - begun:.1f} s: {output}")]


# --- nothing happens


def switches(pid):
    """How often it has gone to sleep."""
    return status(pid, "voluntary_ctxt_switches")


def wakes(pid, seconds):
    until("it sleeps", lambda: sleeps(pid))
    time.sleep(0.5)  # a last acknowledgement
    before = switches(pid)
    time.sleep(seconds)
    return switches(pid) - before


def idle(stack, kind):
    """Wake-ups in a second of one asyncio server with one idle connection: (of weft, whether it ended)."""
    seconds = 2
    with Wire() as wire:
        stacks = (wire.own, wire.other) if stack == "wire" else (stack, stack)
        host = wire.OWN if stack == "wire" else "127.0.0.1"
        port = 7004 if kind == "plain" else 7005
        with running("weft", "endurance/idle.py", host, port, kind, "server", CERTIFICATES,
                   stack=stacks[0]) as server:
            line_of(server, "ready")
            with running("weft", "endurance/idle.py", host, port, kind, "client", stack=stacks[1]) as client:
                line_of(client, "hello")
                line_of(server, "idle")
                woken = wakes(server.pid, seconds)
                lives = server.poll() is None and client.poll() is None
    name = f"{stack}: an idle asyncio server, {kind}"
    if stack == "host":
        return [(f"{name}: no wake-up in {seconds} s", lives and woken == 0, f"{woken} wake-ups")]
    # each second: TCP 4 while there are connections, IGMP 10, address conflict detection 10, and ARP, IPv6,
    # fragments and DNS once each
    return [(f"{name}: lwIP's own timers alone: {woken / seconds:g} wake-ups a second",
             lives and 0 < woken <= 28 * seconds, f"{woken} in {seconds} s")]


GROUPS = {
    "churn": [(churn, "host"), (churn, "lwip")],
    "dropped": [(dropped, "host"), (dropped, "lwip")],
    "drain": [(drain, "host"), (drain, "wire"), (drain_ends, "host"), (drain_ends, "wire")],
    "idle": [(idle, "host", "plain"), (idle, "host", "tls"), (idle, "wire", "plain"), (idle, "wire", "tls")],
}


def main():
    jobs = [job for name, group in GROUPS.items() if name in (sys.argv[1:] or GROUPS) for job in group]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for results in pool.map(tried, jobs):
            for result in results:
                check(*result)
    finish()


def tried(job):
    try:
        return job[0](*job[1:])
    except RuntimeError as why:
        return [(f"{job[1]}: {job[0].__name__} {' '.join(job[2:])}", False, why)]


enter_own_network()
main()

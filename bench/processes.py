"""The programs that are measured: starting them on a core, and ending them whatever happens."""

import ctypes
import os
import select
import signal
import subprocess
import time

TIMEOUT = 240  # seconds, for any one program


class BenchError(Exception):
    """One line for the user; the exit status is 2."""


running = {}  # pid: Popen, of everything that was started and has not been waited for
libc = ctypes.CDLL(None, use_errno=True)


def start(command, cpu=None, env=None, **streams):
    """Starts a program on one core, to be killed with us whatever happens to us."""

    def in_child():
        libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})

    try:
        process = subprocess.Popen(command, env=env, preexec_fn=in_child, **streams)
    except OSError as error:
        raise BenchError(f"cannot run {command[0]}: {error.strerror}") from error
    running[process.pid] = process
    return process


def finish(process, what, timeout=TIMEOUT):
    """Waits for a program that ends by itself."""
    try:
        status = process.wait(timeout)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{what} did not end within {timeout} s") from error
    running.pop(process.pid, None)
    if status != 0:
        raise BenchError(f"{what} ended with status {status}")


def stop(process):
    """Ends a program that would go on."""
    process.kill()
    process.wait()
    running.pop(process.pid, None)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def end_everything():
    for process in list(running.values()):
        if process.poll() is None:
            process.kill()
        process.wait()
    running.clear()


def read_line(process, what, timeout=30):
    """One line of a program's output; it may take its time under callgrind."""
    line = b""
    deadline = time.monotonic() + timeout
    descriptor = process.stdout.fileno()
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([descriptor], [], [], max(0, deadline - time.monotonic()))
        byte = os.read(descriptor, 1) if ready else b""
        if not byte:
            raise BenchError(f"{what} said nothing" if ready == [] else f"{what} ended at once")
        line += byte
    return line.decode().strip()

"""The status page, the telemetry client and the sensor routine against curl, and against collectors and sensors
that refuse, reset, stall and babble: on the host's stack, and on lwIP over TAP with the kernel for a peer."""

import functools
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from checks import PROGRAMS, check, finish, skip
from sandbox import Sandbox, Unavailable

HERE = pathlib.Path(__file__).resolve().parent
FAST = ["--interval", "40", "--first-pause", "20", "--longest-pause", "100"]
# With a peer that answers, so that a busy machine fails nothing; and with one that never will.
PATIENT, IMPATIENT = "5000", "300"


class Scene:
    """One stack: how its programs are started, and where their peers are."""

    def __init__(self, sandbox, directory, stack, peers, arguments):
        self.sandbox, self.directory = sandbox, directory
        self.stack, self.peers, self.arguments = stack, peers, ["--stack", stack, *arguments]
        self.count = 0

    def check(self, name, good, why=""):
        check(f"{self.stack}: {name}", good, why)

    def log(self):
        self.count += 1
        return f"{self.directory}/{self.stack}-{self.count}.log"

    def peer(self, kind, *behaviours):
        """Starts one; it, its log, its address."""
        log = self.log()
        program, line = self.sandbox.start(
            [sys.executable, HERE / "peers.py", kind, self.peers, "0", *behaviours], log, "listening on")
        return program, log, f"{self.peers}:{line.split()[-1]}"

    def run(self, program, at, *arguments):
        return self.sandbox.run([PROGRAMS / program, *self.arguments, at, *arguments], timeout=60)

    def run_refused(self, peer, times, program, at, *arguments, seconds=0):
        """A peer that `refuse`s listens when the program was refused so often, and so many seconds later."""
        log = self.log()
        client, _ = self.sandbox.start([PROGRAMS / program, *self.arguments, at, *arguments], log)
        wait_for(log, "connection refused", times)
        time.sleep(seconds)
        peer.send_signal(signal.SIGUSR1)
        try:
            client.wait(60)
        finally:
            status = self.sandbox.end(client)
        return subprocess.CompletedProcess(client.args, status, open(log).read(), "")


def telemetry(scene, name, behaviours, *said, count=12, failures=0, patience=PATIENT):
    """All readings arrive and are acknowledged, whatever the collector does before it settles."""
    program, log, at = scene.peer("collector", *behaviours)
    run = functools.partial(scene.run_refused, program, failures) if behaviours[0] == "refuse" else scene.run
    told = run("telemetry", at, *FAST, "--patience", patience, "--readings", str(count))
    scene.sandbox.end(program)
    seen = open(log).read()
    arrived = [int(n) for n in re.findall(r"reading (\d+)", seen)]
    summary = re.search(r"(\d+) readings, (\d+) acknowledged, (\d+) lost; (\d+) connections, (\d+) failures", told.stdout)
    why = "\n".join([told.stdout, told.stderr, seen])
    scene.check(f"telemetry {name}: all {count} readings arrive and are acknowledged",
                told.returncode == 0 and summary and summary.groups()[:3] == (str(count), str(count), "0") and
                set(arrived) == set(range(1, count + 1)), why)
    scene.check(f"telemetry {name}: {failures} failures or more" if failures else f"telemetry {name}: nothing failed",
                summary and (int(summary.group(5)) >= failures if failures else summary.group(5) == "0"), why)
    for text in said:
        scene.check(f"telemetry {name}: it says {text}", re.search(text, told.stdout), why)
    return arrived


def telemetry_everywhere(scene):
    arrived = telemetry(scene, "to a good collector", ["ack"])
    scene.check("each reading once and in order", arrived == list(range(1, 13)), arrived)
    telemetry(scene, "acknowledged three at a time", ["lump:3"])
    arrived = telemetry(scene, "refused first", ["refuse", "ack"], "connection refused; again in", failures=2)
    scene.check("what waited meanwhile comes once and in order", arrived == list(range(1, 13)), arrived)
    telemetry(scene, "reset twice", ["reset:3", "reset:2", "ack"], "connection reset by peer; again in", failures=2)
    telemetry(scene, "closed twice", ["close", "ack:2", "ack"], "end of stream; again in", failures=2)
    arrived = telemetry(scene, "not acknowledged", ["deaf", "ack"], "timed out; again in", failures=1, patience=IMPATIENT)
    scene.check("what was not acknowledged comes again", arrived.count(1) >= 2, arrived)
    telemetry(scene, "not read", ["stall", "ack"], "timed out; again in", failures=1, patience=IMPATIENT)
    telemetry(scene, "answered with something else", ["babble", "early", "ack"], "protocol error; again in", failures=2)
    program, log, at = scene.peer("collector", "refuse", "ack")
    told = scene.run_refused(program, 1, "telemetry", at, *FAST, "--patience", PATIENT, "--readings", "40", seconds=3)
    scene.sandbox.end(program)
    lost = re.search(r"40 readings, (\d+) acknowledged, (\d+) lost", told.stdout)
    seen = [int(n) for n in re.findall(r"reading (\d+)", open(log).read())]
    scene.check("more readings than there is room for: the oldest are lost, and counted",
                lost and int(lost.group(2)) > 0 and int(lost.group(1)) + int(lost.group(2)) == 40 and
                # one that was on its way when it had to go is counted, and may arrive all the same
                seen == list(range(seen[0], 41)) and seen[0] <= int(lost.group(2)) + 1, told.stdout + str(seen))
    program, log, at = scene.peer("collector", "ack")
    client, _ = scene.sandbox.start([PROGRAMS / "telemetry", *scene.arguments, at, *FAST], scene.log(), "acknowledged 2")
    scene.check("SIGTERM ends it well", scene.sandbox.end(client) == 0)
    scene.sandbox.end(program)


def sensor(scene, name, behaviours, status, *said, count=1):
    program, log, at = scene.peer("sensor", *behaviours)
    # where the sensor is silent for one connection or is not there, many tries: a busy machine may be late for the next
    patience = ["--timeout", IMPATIENT if "mute" in behaviours else PATIENT,
                "--tries", "100" if behaviours[0] in ("mute", "refuse") and behaviours[1:] else "3"]
    run = functools.partial(scene.run_refused, program, 1) if behaviours[0] == "refuse" else scene.run
    told = run("sensor", at, *patience, "--count", str(count), "--interval", "10")
    scene.sandbox.end(program)
    missing = [text for text in said if text not in told.stdout]
    scene.check(f"sensor {name}", told.returncode == status and not missing and
                "no question" not in open(log).read(),
                f"status {told.returncode}, missing {missing}\n{told.stdout}{told.stderr}{open(log).read()}")


def sensor_everywhere(scene):
    for text, degrees in (("21.50", "21.50"), ("-3.5", "-3.50"), ("+7", "7.00"), ("0.05", "0.05"), ("-0.05", "-0.05")):
        sensor(scene, f"tells {text}", [f"answer=T {text}\\n"], 0, f"{degrees} degrees\n")
    sensor(scene, "three times", ["answer=T 1.00\\n"], 0, "1.00 degrees\n" * 3, count=3)
    for name, behaviour, said in (
            ("that resets its first connection", "close", "a try failed: connection reset by peer"),
            ("that is silent at first", "mute", "a try failed: timed out"),
            ("that has an error at first", "answer=ERROR 3\\n", "a try failed: input/output error"),
            ("that babbles at first", "answer=T 21.5O\\n", "a try failed: protocol error"),
            ("whose first line never ends", "answer=" + "T" * 60, "a try failed: protocol error"),
            ("whose first answer is too hot", "answer=T 100000.0\\n", "a try failed: protocol error"),
            ("whose first answer is empty", "answer=\\n", "a try failed: protocol error"),
            ("that is not there at first", "refuse", "a try failed: connection refused")):
        sensor(scene, name, [behaviour, "answer=T 21.50\\n"], 0, said, "21.50 degrees")
    sensor(scene, "that never answers", ["mute"], 1, "a try failed", "no reading: timed out")
    program, log, at = scene.peer("sensor", "mute")
    client, _ = scene.sandbox.start([PROGRAMS / "sensor", *scene.arguments, at, "--timeout", "200", "--count", "1000"],
                                    scene.log(), "a try failed")
    scene.check("SIGTERM ends the sensor's routine in its wait", scene.sandbox.end(client) == 0)
    scene.sandbox.end(program)


def status_page(scene, address, bind):
    program, line = scene.sandbox.start(
        [PROGRAMS / "status_page", *scene.arguments, "--bind", bind, "--patience", "500"], scene.log(), "http://")
    port = line.split(" over ")[0].rstrip("/").rsplit(":", 1)[1]
    told = scene.sandbox.run([sys.executable, HERE / "status_page_client.py", address, port, "0.5"], timeout=120)
    for each in told.stdout.splitlines():
        print(re.sub(r"^(ok|not ok) - ", rf"\1 - {scene.stack}: status page: ", each))
    scene.check("all of the status page was tried", told.returncode == 0, told.stderr)
    scene.check("it is still there", program.poll() is None)
    scene.check("SIGTERM ends the status page well", scene.sandbox.end(program) == 0)


def link_goes(scene):
    """A cable that is pulled: nobody says anything any more, and then it is back."""
    program, log, at = scene.peer("collector", "ack")
    client_log = scene.log()
    client, _ = scene.sandbox.start([PROGRAMS / "telemetry", *scene.arguments, at, *FAST, "--patience", IMPATIENT,
                                     "--readings", "60"], client_log, "acknowledged 5")
    scene.sandbox.run(["ip", "link", "set", "tap0", "down"])
    try:
        said = wait_for(client_log, "not connected: ")
        scene.sandbox.run(["ip", "link", "set", "tap0", "up"])
        done = client.wait(30)
    finally:
        scene.sandbox.end(client)
        scene.sandbox.end(program)
    text = open(client_log).read()
    scene.check("a link that goes and comes back: the client notices, returns and delivers the rest",
                said and done == 0 and re.search(r"60 readings, (\d+) acknowledged", text), text + open(log).read())


def wait_for(log, text, times=1, seconds=10):
    deadline = time.monotonic() + seconds
    while open(log).read().count(text) < times:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def main():
    with tempfile.TemporaryDirectory(prefix="weft-programs-") as directory, Sandbox() as sandbox:
        try:
            sandbox.isolate()
        except Unavailable as why:
            if os.environ.get("CI") == "true":
                check("lwIP over TAP", False, why)
            skip("lwIP over TAP", why)
        else:
            scene = Scene(sandbox, directory, "lwip", "10.0.0.1", ["--link", "tap:tap0", "--address", "10.0.0.2/24"])
            status_page(scene, "10.0.0.2", ":8080")
            telemetry_everywhere(scene)
            sensor_everywhere(scene)
            link_goes(scene)
        scene = Scene(sandbox, directory, "host", "127.0.0.1", [])
        status_page(scene, "127.0.0.1", "127.0.0.1:0")
        telemetry_everywhere(scene)
        sensor_everywhere(scene)
    finish()


main()

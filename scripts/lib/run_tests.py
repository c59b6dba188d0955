"""Builds and tests weft in each of its configurations. Started by scripts/test."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import suites
from tally import Tally, count

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build-test"
LOGS = WORK / "logs"
JOBS = os.cpu_count() or 2

children = set()  # process groups that run now
children_lock = threading.Lock()
print_lock = threading.Lock()


here = threading.local()  # .beside: the name of the suite, on the thread of those that run beside others


def say(text=""):
    beside = getattr(here, "beside", "")
    if beside:
        text = "\n".join(f"[{beside}] {line}" for line in text.splitlines())
    with print_lock:
        print(text, flush=True)


def run(command, log, timeout=None, env=None, cwd=ROOT):
    """Runs to the end or the timeout, output into `log`; returns the exit status or None."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        output.write(("$ " + " ".join(map(str, command)) + "\n").encode())
        output.flush()
        child = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT, cwd=cwd, start_new_session=True,
                                 env=os.environ | (env or {}))
        with children_lock:
            children.add(child.pid)
        try:
            return child.wait(timeout)
        except subprocess.TimeoutExpired:
            output.write(f"\nkilled: it ran for more than {timeout:.0f} s\n".encode())
            return None
        finally:
            end(child.pid)
            child.wait()
            with children_lock:
                children.discard(child.pid)


def end(group):
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(group, how)
        except ProcessLookupError:
            return
        if how == signal.SIGTERM:
            time.sleep(0.2)  # scripts remove what they made


def excerpt(log, lines=40):
    """The part of a log that says what went wrong."""
    text = log.read_text(errors="replace").splitlines()
    told = [i for i, line in enumerate(text)
            if re.search(r"error:|ERROR|FAILED|not ok|Sanitizer|Assertion|Traceback", line)]
    start = max(0, told[0] - 3) if told else max(0, len(text) - lines)
    return "\n".join("    " + line for line in text[start:start + lines])


class Runner:
    def __init__(self, options):
        self.options = options
        self.rows = {}

    def all_of(self, chosen, beside=False):
        """In their order, each behind the one that it needs."""
        for suite in chosen:
            here.beside = suite.name if beside else ""
            for each in [other for other in suites.SUITES if other.name == suite.needs] + [suite]:
                if each.name not in self.rows:
                    self.suite(each)

    def suite(self, suite):
        for old in LOGS.glob(f"{suite.name}.*.log"):
            old.unlink()
        say(f"== {suite.name}: {suite.what}")
        begun = time.monotonic()
        try:
            if isinstance(suite, suites.Build):
                total = self.build_and_test(suite)
            else:
                total = self.commands(suite.name, suite.commands)
        except Exception as error:  # a suite that breaks must not hide the ones behind it
            say(f"   FAILED: {type(error).__name__}: {error}")
            total = Tally(failed=1)
        took = time.monotonic() - begun
        self.rows[suite.name] = total, took
        say(f"   {suite.name}: {total} ({took:.0f} s)")

    def report(self, name, total, log, took):
        say(f"   {name}: {total} ({took:.1f} s)")
        if total.failed:
            say(f"   FAILED {name}, all of it in {log.relative_to(ROOT)}:")
            say(excerpt(log))
        elif total.skipped:
            said = [line for line in log.read_text(errors="replace").splitlines()
                    if "skip" in line.lower()][:5]
            for line in said:
                say(f"   SKIPPED: {line.strip()[:150]}")

    def one(self, name, command, log, timeout, env=None, cwd=ROOT):
        begun = time.monotonic()
        status = run(command, log, timeout, env, cwd)
        total = count(log.read_text(errors="replace"), status)
        self.report(name, total, log, time.monotonic() - begun)
        return total

    def commands(self, suite, commands):
        total = Tally()
        for command in commands:
            if shutil.which(command.argv[0]) is None and not (ROOT / command.argv[0]).exists():
                say(f"   FAILED {command.name}: {command.argv[0]} is missing")
                total += Tally(failed=1)
                continue
            total += self.one(command.name, command.argv, LOGS / f"{suite}.{safe(command.name)}.log",
                              command.timeout, command.env)
        return total

    def build_and_test(self, suite):
        place = WORK / suite.directory
        log = LOGS / f"{suite.name}.build.log"
        begun = time.monotonic()
        fresh = [] if (place / "build.ninja").exists() else ["--wipe"] * place.exists()
        again = ["--reconfigure"] if (place / "build.ninja").exists() else fresh
        if run(["meson", "setup", *again, *suite.options, place], log, 600, suite.env) != 0:
            return self.not_built(suite, log)
        tests = self.tests_of(suite, place)
        targets = list(suite.targets)
        if suite.select:
            named = {os.path.relpath(place / word, place) for test in tests for word in test["cmd"]}
            targets += sorted(named & self.built_files(place))
        if suite.select and not tests:
            say(f"   FAILED: no test is called {suite.select}")
            return Tally(failed=1)
        log = LOGS / f"{suite.name}.compile.log"
        if run(["ninja", "-k", "0", f"-j{JOBS}", "-C", place, *targets], log, 3600, suite.env) != 0:
            return self.not_built(suite, log)
        say(f"   built in {time.monotonic() - begun:.0f} s")
        return self.run_tests(suite, tests, place)

    def not_built(self, suite, log):
        say(f"   BUILD FAILED, all of it in {log.relative_to(ROOT)}:")
        say(excerpt(log))
        return Tally(failed=1)

    def tests_of(self, suite, place):
        listed = subprocess.run(["meson", "introspect", "--tests", place], check=True,
                                capture_output=True, text=True).stdout
        return [test for test in json.loads(listed)
                if not suite.select or re.search(suite.select, test["name"])]

    def built_files(self, place):
        listed = subprocess.run(["meson", "introspect", "--targets", place], check=True,
                                capture_output=True, text=True).stdout
        return {os.path.relpath(file, place) for target in json.loads(listed)
                for file in target["filename"]}

    def run_tests(self, suite, tests, place):
        def one(test):
            return self.one(f"{suite.name} {test['name']}", test["cmd"],
                            LOGS / f"{suite.name}.{safe(test['name'])}.log",
                            (test["timeout"] or 600) * suite.slower, test["env"] | suite.test_env,
                            test["workdir"] or place)

        together = [test for test in tests if test["is_parallel"]]
        alone = [test for test in tests if not test["is_parallel"]]
        with concurrent.futures.ThreadPoolExecutor(3 * JOBS) as pool:  # most of them mostly wait
            total = sum(pool.map(one, together), Tally())
        return sum(map(one, alone), total)


def safe(name):
    return re.sub(r"[^\w.-]+", "_", name)


def prepare():
    for command in (["scripts/lib/install", *suites.PACKAGES],
                    *(["scripts/lib/fetch-source", "lwip", v] for v in suites.LWIP_VERSIONS),
                    ["scripts/lib/fetch-source", "mbedtls", suites.MBEDTLS_OF_BOARDS]):
        status = subprocess.run(command, cwd=ROOT).returncode
        if status != 0:
            sys.exit(status)


def main():
    parser = argparse.ArgumentParser(prog="scripts/test", description=__doc__)
    parser.add_argument("names", metavar="SUITE", nargs="*", help="these suites alone")
    parser.add_argument("--only", metavar="PATTERN", help="suites whose name this expression finds")
    parser.add_argument("--quick", action="store_true", help="one compiler, and what is fast")
    parser.add_argument("--list", action="store_true", help="say which suites there are")
    options = parser.parse_args()
    unknown = set(options.names) - {suite.name for suite in suites.SUITES}
    if unknown:
        return usage(f"there is no suite {min(unknown)}; see scripts/test --list")
    named = options.names or options.only
    try:
        chosen = [suite for suite in suites.SUITES
                  if (suite.name in options.names if options.names
                      else re.search(options.only or "", suite.name))
                  and (suite.quick or named or not options.quick)]
    except re.error as error:
        sys.exit(usage(f"--only {options.only}: {error}"))
    if options.list:
        for suite in chosen:
            print(f"{suite.name:18} {suite.what}")
        return 0
    if not chosen:
        return usage(f"no suite's name matches {options.only}; see scripts/test --list")

    def interrupted(*_):
        with children_lock:
            for group in list(children):
                end(group)
        say("interrupted")
        os._exit(130)

    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    prepare()
    LOGS.mkdir(parents=True, exist_ok=True)
    if options.quick:
        os.environ["WEFT_TEST_QUICK"] = "1"
    begun = time.monotonic()
    runner = Runner(options)
    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(runner.all_of, [suite for suite in chosen if suite.beside], beside=True)
        runner.all_of([suite for suite in chosen if not suite.beside])
        waiting.result()

    total = sum((tally for tally, _ in runner.rows.values()), Tally())
    form = "%-16s %7s %7s %7s %8s"
    say("\n" + form % ("suite", "passed", "failed", "skipped", "seconds"))
    for name in [suite.name for suite in suites.SUITES if suite.name in runner.rows]:
        tally, took = runner.rows[name]
        say(form % (name, tally.passed, tally.failed, tally.skipped, f"{took:.0f}"))
    say(f"{(time.monotonic() - begun) / 60:.1f} minutes")
    if total.skipped and os.environ.get("CI") == "true":
        say(f"CI=true: {total.skipped} skipped tests count as failed")
        total = Tally(total.passed, total.failed + total.skipped)
    say(str(total))
    return 1 if total.failed else 0


def usage(text):
    print(f"test: {text}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

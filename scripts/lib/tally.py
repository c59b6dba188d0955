"""Counting: a test program's output becomes numbers of cases that passed, failed and were skipped."""

import dataclasses
import re

DOCTEST = re.compile(r"^\[doctest\] test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed"
                     r"(?:\s*\|\s*(\d+) skipped)?", re.M)
# The Test Anything Protocol, which the tests that are scripts speak.
CHECK = re.compile(r"^(not )?ok\b[ \d]*(?:- )?(.*)$", re.M)
# A doctest case that cannot run here says so in a line of its own, and then passes.
SKIPPED_CASE = re.compile(r"^SKIP ", re.M)
SKIP_STATUS = 77  # of a program that cannot run here, as Meson and automake have it


@dataclasses.dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Tally(self.passed + other.passed, self.failed + other.failed,
                     self.skipped + other.skipped)

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def count(output, status):
    """The cases that a program with this output and exit status (None: it was killed) stands for."""
    runs = DOCTEST.findall(output)
    checks = CHECK.findall(output)
    if status == SKIP_STATUS:
        return Tally(skipped=1)
    if runs:
        # "skipped" in doctest's own line are the cases that the command line left out on purpose
        passed = sum(int(run[1]) for run in runs)
        skipped = min(passed, len(SKIPPED_CASE.findall(output)))
        total = Tally(passed - skipped, sum(int(run[2]) for run in runs), skipped)
    elif checks:
        total = Tally()
        for bad, text in checks:
            if bad:
                total += Tally(failed=1)
            elif re.search(r"#\s*skip", text, re.I):
                total += Tally(skipped=1)
            else:
                total += Tally(passed=1)
    else:
        return Tally(passed=1) if status == 0 else Tally(failed=1)
    if total.failed == 0 and (status != 0 or total == Tally()):
        total += Tally(failed=1)  # it crashed, hung or ran nothing
    return total


def self_test():
    line = "[doctest] test cases:  3 |  2 passed | 1 failed | 4 skipped\n"
    good = "[doctest] test cases: 3 | 3 passed | 0 failed |\n"
    for output, status, expected in (
            ("", 0, Tally(1, 0, 0)), ("", 1, Tally(0, 1, 0)), ("", None, Tally(0, 1, 0)),
            ("", 77, Tally(0, 0, 1)), (line, 1, Tally(2, 1, 0)), (good, 0, Tally(3, 0, 0)),
            ("SKIP no TAP\n" + good, 0, Tally(2, 0, 1)), (good + good, 0, Tally(6, 0, 0)), (good, -11, Tally(3, 1, 0)),
            ("[doctest] test cases: 0 | 0 passed | 0 failed | 9 skipped\n", 0, Tally(0, 1, 0)),
            ("ok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no TAP\n", 1, Tally(1, 1, 1)),
            ("ok 1 - a\n", 1, Tally(1, 1, 0)), ("1..1\nok - a\n", 0, Tally(1, 0, 0))):
        assert count(output, status) == expected, (output, status, count(output, status), expected)


self_test()

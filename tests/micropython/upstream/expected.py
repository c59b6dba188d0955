"""Reads expected.txt, which says what of MicroPython's own tests does not pass, and judges by it."""

STACKS = ("stock", "host", "lwip", "tap")
OUTCOMES = {"pass": "passes", "FAIL": "fails", "skip": "skipped"}  # as MicroPython's runners print them


class Expected:
    def __init__(self, text):
        self.counts, self.exceptions, self.timed = {}, {}, {}
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            if line.startswith("count "):
                _, group, number = line.split()
                self.counts[group] = int(number)
                continue
            if line.startswith("again "):
                _, test, why = line.split(maxsplit=2)
                self.timed[test] = why
                continue
            test, stacks, outcome, why = line.split(maxsplit=3)
            if outcome not in ("fails", "skipped") or not set(stacks.split(",")) <= set(STACKS):
                raise ValueError(f"expected.txt: what is this? {line}")
            for stack in stacks.split(","):
                self.exceptions[test, stack] = (outcome, why)

    def tests(self):
        return {test for test, _ in self.exceptions} | set(self.timed)

    def judge(self, test, stack, word):
        """Whether that is as expected, what became of the test, and the reason that is on file or missing."""
        expected, why = self.exceptions.get((test, stack), ("passes", ""))
        got = OUTCOMES.get(word, "is not run")
        if got == expected:
            return True, got, why
        if why:
            return False, got, f"it {got}, but expected.txt says: {expected}: {why}"
        return False, got, f"it {got}, and expected.txt does not have it"


def self_test():
    expected = Expected("# a\ncount g 2\n\nagain g/d.py it is late\ng/a.py stock,lwip fails of a reason\ng/b.py host skipped because\n")
    assert expected.counts == {"g": 2} and expected.timed == {"g/d.py": "it is late"}
    assert expected.tests() == {"g/a.py", "g/b.py", "g/d.py"}
    for test, stack, word, good in (
            ("g/a.py", "stock", "FAIL", True), ("g/a.py", "lwip", "FAIL", True), ("g/a.py", "host", "pass", True),
            ("g/a.py", "host", "FAIL", False), ("g/a.py", "stock", "pass", False),
            ("g/a.py", "stock", "skip", False), ("g/a.py", "stock", "", False), ("g/b.py", "host", "skip", True),
            ("g/b.py", "host", "pass", False), ("g/b.py", "host", "FAIL", False), ("g/c.py", "host", "", False)):
        assert expected.judge(test, stack, word)[0] == good, (test, stack, word)


self_test()

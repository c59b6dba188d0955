# As much of unittest as MicroPython's own tests of sockets use, with the summary that its run-tests.py
# looks for. Debian's package has none; stock MicroPython and weft's are given this one alike.

import sys


class SkipTest(Exception):
    pass


class _Raises:
    def __init__(self, expected):
        self._expected = expected
        self.exception = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        assert kind is not None, "%r was not raised" % self._expected
        self.exception = value
        return issubclass(kind, self._expected)


class TestCase:
    def setUp(self):
        pass

    def tearDown(self):
        pass

    def fail(self, why="fail() was called"):
        raise AssertionError(why)

    def skipTest(self, why):
        raise SkipTest(why)

    def assertEqual(self, x, y, why=""):
        assert x == y, why or "%r is not equal to %r" % (x, y)

    def assertNotEqual(self, x, y, why=""):
        assert x != y, why or "%r is equal to %r" % (x, y)

    def assertTrue(self, x, why=""):
        assert x, why or "%r is not true" % (x,)

    def assertFalse(self, x, why=""):
        assert not x, why or "%r is not false" % (x,)

    def assertIs(self, x, y, why=""):
        assert x is y, why or "%r is not %r" % (x, y)

    def assertIsNone(self, x, why=""):
        assert x is None, why or "%r is not None" % (x,)

    def assertIn(self, x, y, why=""):
        assert x in y, why or "%r is not in %r" % (x, y)

    def assertIsInstance(self, x, kind, why=""):
        assert isinstance(x, kind), why or "%r is not a %r" % (x, kind)

    def assertRaises(self, expected, call=None, *arguments):
        raises = _Raises(expected)
        if call is None:
            return raises
        with raises:
            call(*arguments)


def skip(why):
    def decorator(function):
        def skipped(self):
            raise SkipTest(why)

        return skipped

    return decorator


def skipIf(condition, why):
    return skip(why) if condition else lambda function: function


def skipUnless(condition, why):
    return skipIf(not condition, why)


def _cases(module):
    for kind in sorted(vars_of(module), key=lambda each: each.__name__):
        for name in sorted(dir(kind)):
            if name.startswith("test"):
                yield kind, name


def vars_of(module):
    for name in dir(module):
        each = getattr(module, name)
        if isinstance(each, type) and issubclass(each, TestCase) and each is not TestCase:
            yield each


def main(module="__main__"):
    ran = failures = errors = skipped = 0
    for kind, name in _cases(__import__(module) if isinstance(module, str) else module):
        print("%s (%s) ..." % (name, kind.__name__), end="")
        ran += 1
        case = kind()
        try:
            case.setUp()
            try:
                getattr(case, name)()
            finally:
                case.tearDown()
            print(" ok")
        except SkipTest as why:
            skipped += 1
            print(" skipped:", why.args[0])
        except AssertionError as why:
            failures += 1
            print(" FAIL")
            sys.print_exception(why)
        except Exception as why:
            errors += 1
            print(" ERROR")
            sys.print_exception(why)
    print("-" * 70)
    print("Ran %d tests\n" % ran)
    if failures or errors:
        print("FAILED (failures=%d, errors=%d)" % (failures, errors))
        sys.exit(1)
    print("OK (skipped=%d)" % skipped if skipped else "OK")

"""What MaixPy's programs expect of their board, and the interactive prompt of the documents' sessions."""

import sys


class Recorder:
    """Takes any call, and says so."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, name):
        return Recorder(self._name + "." + name)

    def __call__(self, *values, **named):
        return Recorder(self._name + "()")


def board(folder):
    """The names that a MaixPy board has without import; its card, /sd, is the folder."""
    import os

    for name in ("network", "lcd", "image"):
        sys.modules[name] = Recorder(name)
    os.mount(os.VfsPosix(folder), "/sd")
    return {name: Recorder(name) for name in ("fm", "board_info", "machine")}


def session(lines):
    """Runs what stands behind `>>> `, printing what the prompt would."""
    names = {}
    for line in lines:
        if line.startswith(">>> "):
            line = line[4:].strip()
            try:
                value = eval(line, names)
            except SyntaxError:
                exec(line, names)
                continue
            if value is not None:
                print(repr(value))


def paragraphs(text, names):
    """Runs each paragraph though the one before ended with an error; says which."""
    for each in text.split("\n\n"):
        try:
            exec(each, names)
        except OSError as error:
            print("OSError:", error.args[0])

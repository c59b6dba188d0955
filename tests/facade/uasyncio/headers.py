"""uasyncio's headers: each compiles alone, twice in one file and without exceptions; its opening
example compiles, and so does every program of docs/uasyncio.md."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "headers"))
from compilers import ROOT, compile_all  # noqa: E402
from examples import RELAXED, opening_example, without_gaps, wrapped  # noqa: E402

HEADERS = sorted((ROOT / "facade/uasyncio").glob("*.hpp"))
FACADE = ["-I" + str(ROOT / "facade")]
# What the examples take for granted.
CONTEXT = """
#include <uasyncio/uasyncio.hpp>
using namespace std::chrono_literals;
extern weft::stack& net;
extern weft::endpoint at;
extern uasyncio::stream peer;
"""


def snippets():
    for header in HEADERS:
        for more in ([], ["-fno-exceptions", "-fno-rtti"]):
            yield (f"{header.name}{' without exceptions' if more else ''}",
                   f"#include <uasyncio/{header.name}>\n" * 2 + "int nothing();\n", FACADE + more)
        example = opening_example(header.read_text())
        if example:
            yield (f"{header.name}'s example",
                   f"#include <uasyncio/{header.name}>\n{CONTEXT}\n{wrapped(without_gaps(example))}",
                   FACADE + RELAXED)
    page = (ROOT / "docs/uasyncio.md").read_text()
    for number, code in enumerate(re.findall(r"^```cpp\n(.*?)^```", page, re.S | re.M), 1):
        yield f"docs/uasyncio.md, program {number}", code, FACADE + RELAXED


everything = list(snippets())
if sum("'s example" in name for name, *_ in everything) < 6 or "program 3" not in everything[-1][0]:
    sys.exit("not ok - this test does not see the examples")
compile_all(sys.argv[1:], everything)

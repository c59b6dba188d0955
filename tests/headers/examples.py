"""The example in each public header's opening comment compiles, as it stands there.

"..." stands for code that is left out; what the examples take for granted is in context.hpp.
"""

import pathlib
import re
import sys

from compilers import ROOT, compile_all, facade_headers, included, public_headers

# Where the same name means something else than in context.hpp.
USOCKET = "static usocket::socket s;"
ALSO = {
    "address.hpp": USOCKET, "bytes.hpp": USOCKET, "error.hpp": USOCKET, "names.hpp": USOCKET,
    "print.hpp": USOCKET, "stream.hpp": USOCKET, "uselect.hpp": USOCKET,
    "result.hpp": "extern weft::tcp_stream socket;",
    "udp.hpp": "extern weft::udp_socket socket;",
}
# -Wno-...: an example need not use what it shows, and may hide a name that it took for granted.
RELAXED = ["-Wno-shadow", "-Wno-unused", "-Wno-unused-result", "-Wno-missing-field-initializers",
           "-Wno-return-type"]


def opening_example(text):
    lines = []
    for line in text.split("#pragma once")[0].splitlines():
        if re.match(r"//     ", line):
            lines.append(line[7:])
    return lines


def without_gaps(lines):
    kept = []
    for line in lines:
        line = re.sub(r"//.*", "", line)
        if not re.search(r"=\s*\.\.\.", line):  # nothing is left of "auto x = ..."
            kept.append(line.replace("...", ""))
    return "\n".join(kept)


def wrapped(code):
    if re.search(r"^\s*(weft::task<|int main|class |struct )", code) or "\nint main" in code:
        return "namespace example {\n" + code.replace("int main(", "int main_(") + "\n}\n"
    if "co_" in code:
        return "weft::task<> example() {\n" + code + "\nco_return;\n}\n"
    return "weft::result<> example() {\n" + code + "\nreturn {};\n}\n"


def snippets():
    everything = "".join(
        f"#include <{included(header)}>\n" for header in public_headers() + facade_headers())
    context = (ROOT / "tests/headers/context.hpp").read_text().replace("#pragma once", "")
    context = context.replace("// clang-format off", everything + "// clang-format off")
    for header in public_headers() + facade_headers():
        example = opening_example(header.read_text())
        if example:
            # its own header comes first: the example needs no other to be read
            code = (f"#include <{included(header)}>\n" + context + ALSO.get(header.name, "") + "\n" +
                    wrapped(without_gaps(example)))
            yield f"{included(header)}'s example", code, RELAXED


def blind():
    """True if a wrong example would pass."""
    return "nonsense" not in wrapped(without_gaps(opening_example(
        "// a\n//\n//     auto x = weft::nonsense();\n#pragma once\n")))


if __name__ == "__main__":
    if blind():
        sys.exit("not ok - this test does not see examples")
    compile_all(sys.argv[1:], list(snippets()))

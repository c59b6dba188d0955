"""Each public header compiles alone, twice in one file, and without exceptions."""

import sys

from compilers import compile_all, public_headers

compile_all(sys.argv[1:], [
    (f"{header.name}{' without exceptions' if more else ''}",
     f"#include <weft/{header.name}>\n" * 2 + "int nothing();\n", more)
    for header in public_headers() for more in ([], ["-fno-exceptions", "-fno-rtti"])])

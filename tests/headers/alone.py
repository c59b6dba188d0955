"""Each public header compiles alone, twice in one file, and all of them without exceptions; usocket's also in
front of and behind the operating system's headers, whose macros have the same names."""

import sys

from compilers import compile_all, facade_headers, included, public_headers

SYSTEM = "#include <sys/socket.h>\n#include <netinet/tcp.h>\n#include <poll.h>\n#include <netdb.h>\n"


def snippets():
    for header in public_headers() + facade_headers():
        include = f"#include <{included(header)}>\n"
        code = include * 2 + "int nothing();\n"
        yield included(header), code, []
        if header.name == "usocket.hpp":
            yield f"{included(header)} behind the system's", SYSTEM + code, []
            yield f"{included(header)} in front of the system's", code + SYSTEM, []
    everything = "".join(f"#include <{included(each)}>\n" for each in public_headers() + facade_headers())
    yield "all of them without exceptions", everything, ["-fno-exceptions", "-fno-rtti"]


compile_all(sys.argv[1:], list(snippets()))

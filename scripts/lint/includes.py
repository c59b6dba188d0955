#!/usr/bin/env python3
"""Who may include whom: runtime <- net <- stack/host, stack/lwip; link <- stack/lwip; façades know
net and runtime; a public header shows neither lwIP nor the operating system."""

import re

import sources

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")', re.M)

# Rooms and the rooms whose headers each may include, its own among them.
RUNTIME = {"runtime"}
NET = RUNTIME | {"net"}
MAY = {
    "runtime": RUNTIME,
    "net": NET,
    "link": RUNTIME | {"link"},
    "stack/host": NET | {"stack/host"},
    "stack/lwip": NET | {"link", "stack/lwip"},
    "facade": NET | {"facade"},
    "examples/programs": NET | {"facade"},
}
# The files of the façade that name stacks: they make the one that a program did not choose.
ALL_STACKS = MAY["facade"] | {"link", "stack/host", "stack/lwip"}
MAY_OF_FILE = {f"facade/usocket/core/{name}": ALL_STACKS
               for name in ("default_stack.cpp", "port_stack.cpp", "on_lwip.hpp", "on_lwip.cpp")}
# What start-ups on lwIP share.
MAY_OF_FILE["examples/programs/lwip_device.hpp"] = MAY["examples/programs"] | {"stack/lwip"}
# A board has no heap and no streams: the programs that run on one do without.
NOT_ON_BOARDS = set("string vector map set deque list functional memory iostream sstream format thread mutex".split())

# In which room each public header lives. A new one must be given a room here.
PUBLIC = {
    "runtime": """channel clock descriptor_driver driver errc event frame_arena frame_pool heartbeat
        interrupt_event join latch line list loop
        mutex one_stack port readiness result scope semaphore sleep sync_wait task task_group timeout timer wait
        when_all when_any""".split(),
    "net": "address fmt io socket stack tcp udp resolve tls tls_arena".split(),
    "link": "link wire tap unix_link pcap seeded_random link_counters".split(),
    "stack/host": ["host"],
    "stack/lwip": ["lwip", "network_interface", "ping"],
}
ROOM_OF = {header: room for room, headers in PUBLIC.items() for header in headers}
# The standard library's share of a public header, its C headers included; and what weft stands on.
C_HEADERS = set("cassert cerrno cinttypes climits cstdarg cstddef cstdint cstdio cstdlib cstring ctime "
                "cctype cmath stddef.h stdint.h stdbool.h limits.h".split())
LIBRARIES = re.compile(r"^(?:tl/expected\.hpp|fmt/[\w./]+)$")
STANDARD = re.compile(r"^[a-z_]+$")
OF_MBEDTLS = re.compile(r"^(?:mbedtls|psa)/")
OF_LWIP = re.compile(r"^(?:lwip|netif|arch)/|^lwipopts\.h$")


def room_of_file(path):
    if path.startswith("include/weft/"):
        return ROOM_OF.get(path.removeprefix("include/weft/").removesuffix(".hpp"))
    for root in ("runtime", "net", "link", "stack/host", "stack/lwip"):
        if path.startswith(f"src/{root}/"):
            return root
    for root in ("facade", "examples/programs"):
        if path.startswith(root + "/"):
            return root
    return None


def room_of_include(name, quoted, path):
    """The room that an include opens, or None if it is none of ours."""
    if name.startswith("weft/"):
        return ROOM_OF.get(name.removeprefix("weft/").removesuffix(".hpp"), "unknown")
    if quoted:
        for root in ("runtime", "net", "link", "stack/host", "stack/lwip"):
            if name.startswith(root + "/"):
                return root
    return None


def check(path, text):
    code = sources.code_only(text, keep_strings=True)
    public = path.startswith("include/weft/")
    room = room_of_file(path)
    if public and room is None:
        yield 1, "this public header has no room; give it one in scripts/lint/includes.py"
        return
    if room is None:
        return
    for match in INCLUDE.finditer(code):
        name, quoted = match.group(1) or match.group(2), match.group(1) is None
        line = sources.line_of(code, match.start(0) + len(match.group(0)) - len(match.group(0).lstrip()))
        other = room_of_include(name, quoted, path)
        if other == "unknown":
            yield line, f"{name} is no public header that scripts/lint/includes.py knows"
        elif other is not None and other not in MAY_OF_FILE.get(path, MAY[room]):
            yield line, f"{room} may not include {other} ({name})"
        elif other is None and OF_LWIP.match(name) and (public or room != "stack/lwip"):
            yield line, f"only src/stack/lwip may see lwIP ({name})"
        elif other is None and OF_MBEDTLS.match(name) and not path.startswith("src/net/tls/"):
            yield line, f"only src/net/tls may see mbedTLS ({name})"
        elif room == "examples/programs" and not quoted and (
                name in NOT_ON_BOARDS or "/" in name and other is None and name != "c/usocket.h"):
            yield line, f"a program that runs on boards may not include {name}"
        elif public and other is None and not quoted and not (
                STANDARD.match(name) or name in C_HEADERS or LIBRARIES.match(name)):
            yield line, f"a public header shows {name}"
        elif public and quoted:
            yield line, f'a public header includes "{name}"; write <weft/...>'


BAD = [
    ("include/weft/task.hpp", "#include <sys/socket.h>"),
    ("include/weft/host.hpp", "#include <unistd.h>"),
    ("include/weft/lwip.hpp", '#include "lwip/tcp.h"'),
    ("include/weft/lwip.hpp", "#  include <netif/ethernet.h>"),
    ("include/weft/task.hpp", "#include <weft/tcp.hpp>"),
    ("include/weft/made_up.hpp", "#include <cstdint>"),
    ("src/runtime/loop.cpp", "#include <weft/stack.hpp>"),
    ("src/net/stack.cpp", "#include <weft/host.hpp>"),
    ("src/net/stack.cpp", "#include <lwip/tcp.h>"),
    ("src/net/stack.cpp", '#include "stack/lwip/core.hpp"'),
    ("src/net/stack.cpp", "#include <mbedtls/ssl.h>"),
    ("include/weft/tls.hpp", "#include <mbedtls/ssl.h>"),
    ("src/net/tls/socket.cpp", "#include <weft/lwip.hpp>"),
    ("src/stack/host/tcp.cpp", "#include <weft/lwip.hpp>"),
    ("src/stack/host/tcp.cpp", "#include <weft/wire.hpp>"),
    ("src/stack/lwip/tcp.cpp", "#include <weft/host.hpp>"),
    ("src/link/tap.cpp", "#include <weft/tcp.hpp>"),
    ("facade/usocket/socket.cpp", "#include <weft/lwip.hpp>"),
    ("facade/usocket/core/object.cpp", "#include <weft/host.hpp>"),
    ("examples/programs/echo.cpp", "#include <weft/lwip.hpp>"),
    ("examples/programs/echo.cpp", "#include <weft/host.hpp>"),
    ("examples/programs/echo.cpp", "#include <fmt/format.h>"),
    ("examples/programs/echo.cpp", "#include <sys/socket.h>"),
    ("examples/programs/echo.cpp", "#include <string>"),
]
GOOD = [
    ("src/net/tls/socket.cpp", '#include "net/tls/socket.hpp"\n#include <mbedtls/ssl.h>'),
    ("examples/programs/lwip_device.hpp", "#include <weft/lwip.hpp>"),
    ("examples/programs/sensor.cpp", '#include <c/usocket.h>\n#include <weft/stack.hpp>\n#include <string_view>'),
    ("facade/usocket/core/default_stack.cpp", "#include <weft/lwip.hpp>"),
    ("include/weft/tcp.hpp", "#include <weft/io.hpp>\n#include <cstddef>\n#include <span>"),
    ("include/weft/result.hpp", "#include <tl/expected.hpp>"),
    ("src/runtime/epoll.cpp", "#include <sys/epoll.h>\n#include <weft/loop.hpp>"),
    ("src/stack/lwip/tcp.cpp", '#include "lwip/tcp.h"\n#include <weft/link.hpp>'),
    ("src/stack/host/tcp.cpp", "// #include <weft/lwip.hpp>"),
    ("tests/parity/stacks.cpp", "#include <weft/lwip.hpp>\n#include <weft/host.hpp>"),
]

if __name__ == "__main__":
    sources.run(__doc__, check, BAD, GOOD)

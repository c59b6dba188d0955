"""What scripts/test runs: each suite, what it builds and which commands it consists of."""

import dataclasses
import pathlib
import sys

PACKAGES = """
    git g++ clang-19 clang-format-19 libclang-rt-19-dev meson ninja-build pkg-config
    libfmt-dev libexpected-dev libcli11-dev doctest-dev libc-ares-dev dnsmasq-base
    dpkg-dev xz-utils patch cmake
    gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-dev qemu-system-arm
    valgrind libuv1-dev libasio-dev curl wrk netcat-openbsd iproute2 tshark nginx-light
    make libffi-dev libmbedtls-dev openssl python3
""".split()
LWIP_VERSIONS = ("2.2.1", "2.1.3")
MBEDTLS_OF_BOARDS = "2.28.3"

# Assertions on, and no debug information: it takes as long to write as the code itself.
PLAIN = ("-Ddebug=false", "-Db_ndebug=false")
# The programs of tests take longest to compile.
QUICKLY = ("-Doptimization=1", "-Dtests_optimization=0", *PLAIN)
CLANG = {"CC": "clang-19", "CXX": "clang++-19"}
GCC = {"CC": "gcc", "CXX": "g++"}
# lwIP links the fragments of a datagram that is not whole yet by packed, unaligned pointers.
NO_LEAK_NOISE = {"ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
                 "LSAN_OPTIONS": "use_unaligned=1",
                 "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}


@dataclasses.dataclass
class Suite:
    name: str
    what: str
    quick: bool = dataclasses.field(default=False, kw_only=True)
    needs: str = dataclasses.field(default="", kw_only=True)  # a suite that must have run before
    # Waits more than it computes: runs while the others build. Must not need one of those.
    beside: bool = dataclasses.field(default=False, kw_only=True)


@dataclasses.dataclass
class Build(Suite):
    """Sets up build-test/DIRECTORY with Meson, builds, and runs the tests that Meson knows."""
    options: tuple
    env: dict
    select: str = ""  # only the tests whose name this finds; only their programs and `targets` are built
    targets: tuple = ()
    slower: float = 1
    test_env: dict = dataclasses.field(default_factory=dict)
    directory: str = ""

    def __post_init__(self):
        self.directory = self.directory or self.name


@dataclasses.dataclass
class Command:
    name: str
    argv: tuple
    timeout: float = 600
    env: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Commands(Suite):
    commands: tuple


def script(path, *arguments, timeout=600, **env):
    return Command(path.split("/")[-1].removesuffix(".py"), (sys.executable, path, *arguments),
                   timeout, env)


def lint(name):
    path = f"scripts/lint/{name}.py"
    return (Command(name, (sys.executable, path)),
            Command(name + " self-test", (sys.executable, path, "--self-test")))


USOCKET_EXAMPLES = tuple(sorted(
    path.stem for path in (pathlib.Path(__file__).resolve().parents[2] / "examples/usocket").glob("*.cpp")))
EXAMPLES = ("echo", "echo_client", "udp_echo", "connect", "http_server", "status_page", "telemetry", "sensor")
LIBRARIES = ("src/libweft.a", "facade/usocket/libweft-usocket.a", "facade/uasyncio/libweft_uasyncio.a")
PROGRAMS = (*(f"examples/host/{name}" for name in EXAMPLES), *(f"examples/usocket/{name}" for name in USOCKET_EXAMPLES))
FIRMWARE = ("unit", "echo", "examples", "services", "faults", "hardship", "tls", "tls_client", "cmake", "sizes")
MICROPYTHON = ("contract", "interrupt", "documents", "endurance")
COUNTED = ("load", "libcount.so", "micro_weft", "echo_weft", "lwip_echo_weft", "echo_facade_weft",
           "facade_transfer_weft", "facade_transfer_libc", "facade_poll_weft")
RELEASE = {"WEFT_PROGRAMS": "build-test/release"}

SUITES = (
    Commands("lint", "the house's rules over the sources", quick=True, commands=(
        *lint("co_await"), *lint("includes"), *lint("places"), *lint("length"), *lint("format"))),
    Build("gcc", "everything with GCC, assertions on", quick=True,
          options=("-Doptimization=2", "-Dtests_optimization=0", *PLAIN, "-Dexamples=false"),
          env=GCC),
    Commands("headers", "each public header alone, and its opening example", quick=True,
             # g++ reads each alone in its example
             commands=(script("tests/headers/alone.py", "clang++-19"),
                       script("tests/headers/examples.py", "g++"),
                       script("tests/facade/uasyncio/headers.py", "g++"))),
    Build("clang", "everything with clang 19; tests of the facades, which take longest to compile, are the sanitizers'",
          options=QUICKLY, env=CLANG, select=r"^(?!facade|uasyncio|usocket)", targets=(*LIBRARIES, *PROGRAMS)),
    Build("sanitizers", "everything under AddressSanitizer and UBSan",
          options=("-Doptimization=0", "-Ddebug=false", "-Dc_args=-g1", "-Dcpp_args=-g1",
                   "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dexamples=false"),
          env=CLANG, slower=4, test_env=NO_LEAK_NOISE),
    Build("threads", "post() and the facade's handles from other threads, under ThreadSanitizer",
          options=("-Dbuildtype=debugoptimized", "-Db_sanitize=thread", "-Db_lundef=false",
                   "-Dexamples=false", "-Dlwip_stack=false"),
          env=CLANG, select="post|facade threads", slower=4),
    Build("lwip-2.1.3", "the older lwIP", select="lwip|parity (tap|wire|lossy)|names tap|services",
          options=(*QUICKLY, "-Dlwip_version=2.1.3", "-Dexamples=false"),
          env=GCC),
    Build("no-exceptions", "the runtime and the facade without exceptions and RTTI",
          select="runtime|facade (c|results)|uasyncio (wire|host-epoll)",
          options=(*QUICKLY, "-Dexceptions=false", "-Dexamples=false"),
          env=GCC),
    Build("release", "the programs as people build them, and what the budgets count", quick=True,
          options=("-Doptimization=2", "-Ddebug=false", "-Db_ndebug=true", "-Dtests=false",
                   "-Dbenches=true"),
          targets=(*LIBRARIES, *PROGRAMS, *(f"bench/{name}" for name in COUNTED)),
          env=GCC),
    Commands("interop", "the example programs against curl, wrk and what cannot be asked for",
             quick=True, needs="release", commands=(
                 script("tests/interop/bad_input.py", **RELEASE),
                 script("tests/interop/http.py", **RELEASE),
                 script("tests/interop/echo.py", **RELEASE),
                 script("tests/interop/programs.py", **RELEASE))),
    Commands("usocket", "the documents' programs against real peers; docs/usocket.md",
             quick=True, needs="release",
             commands=(script("tests/usocket/examples.py", **RELEASE),
                       script("tests/usocket/installed.py", **RELEASE),
                       script("tests/usocket/document.py"))),
    Commands("demo", "scripts/demo, as root and without privileges", quick=True, needs="release",
             commands=(script("tests/interop/demo.py", WEFT_DEMO_BUILD="build-test/release",
                              **RELEASE),)),
    Commands("readme", "README's program against an installed weft", needs="release", quick=True,
             commands=(script("tests/readme/readme.py", **RELEASE),)),
    Commands("budgets", "instructions, allocations and frame bytes against their budgets",
             needs="release",
             commands=(script("tests/budgets/budgets.py", timeout=900, **RELEASE),)),
    Commands("micropython", "MicroPython on weft: its own tests of sockets, beside the stock build; ours",
             beside=True, commands=(
                 Command("micropython stock",
                         (sys.executable, "scripts/lib/micropython.py", "build", "stock"), 900),
                 Command("micropython weft",
                         (sys.executable, "scripts/lib/micropython.py", "build", "weft"), 900),
                 script("tests/micropython/upstream/upstream.py", timeout=900),
                 *(script(f"tests/micropython/own/{name}.py", timeout=900) for name in MICROPYTHON),
                 script("tests/micropython/cmake.py"),
                 script("tests/micropython/qemu/qemu.py", timeout=900))),
    Commands("firmware", "images for a Cortex-M3 and others, booted in QEMU, and their clients",
             beside=True, commands=tuple(script(f"tests/firmware/{name}.py", timeout=900) for name in FIRMWARE)),
    Commands("fuzz", "what strangers may send, and programs of C calls, for some time",
             beside=True, commands=(
                 Command("fuzz http", (sys.executable, "tests/fuzz/run.py", "10", "http", "request_head")),
                 Command("fuzz tls", (sys.executable, "tests/fuzz/run.py", "10", "tls")),
                 Command("fuzz usocket", (sys.executable, "tests/fuzz/run.py", "40", "usocket"), 900))),
)

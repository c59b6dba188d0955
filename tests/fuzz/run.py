"""Builds each fuzz target with clang's libFuzzer and runs it for some seconds from an empty corpus.

    run.py [SECONDS [TARGET...]]
"""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build-test/fuzz"
LIBRARIES = WORK / "libraries"  # weft and its façade, told what inputs reach
CLANG = {"CC": "clang-19", "CXX": "clang++-19"}

TARGETS = {
    "http": {"flags": ["-Iexamples/host"], "length": 2000, "dictionary": "http"},
    "request_head": {
        "flags": ["-Iexamples/host", "-Iexamples/programs", "examples/programs/request_head.cpp"],
        "length": 5000, "dictionary": "http"},
    "tls": {
        "flags": ["-Iinclude"], "length": 2000, "libraries": ["src/libweft.a"],
        "links": ["-lmbedtls", "-lmbedx509", "-lmbedcrypto", "-lcares", "-lpthread"],
    },
    "usocket": {
        "flags": ["-Iinclude", "-Ifacade"], "length": 400,
        "libraries": ["facade/usocket/libweft-usocket.a", "src/libweft.a"],
        "links": ["-lmbedtls", "-lmbedx509", "-lmbedcrypto", "-lcares", "-lpthread"],
    },
}


def build_libraries(libraries):
    if not (LIBRARIES / "build.ninja").exists():
        subprocess.run(
            ["meson", "setup", str(LIBRARIES), "-Doptimization=1", "-Ddebug=true",
             "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dtests=false",
             "-Dexamples=false", "-Dc_args=-fsanitize=fuzzer-no-link",
             "-Dcpp_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=all"],
            cwd=ROOT, env=os.environ | CLANG, check=True)
    subprocess.run(["ninja", "-C", str(LIBRARIES), *libraries], check=True)
    return [str(LIBRARIES / each) for each in libraries]


def run(name, seconds):
    target = TARGETS[name]
    program = WORK / name
    libraries = build_libraries(target["libraries"]) if "libraries" in target else []
    subprocess.run(
        ["clang++-19", "-std=c++20", "-g", "-O1", "-fsanitize=fuzzer,address,undefined",
         "-fno-sanitize-recover=all", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror",
         *target["flags"], f"tests/fuzz/{name}_fuzz.cpp", *libraries, *target.get("links", ()),
         "-o", str(program)], cwd=ROOT, check=True)
    options = [f"-max_total_time={seconds}", f"-max_len={target['length']}",
               "-print_final_stats=1", "-verbosity=0", f"-artifact_prefix={WORK}/{name}-"]
    if "dictionary" in target:
        options.append(f"-dict=tests/fuzz/{target['dictionary']}.dict")
    subprocess.run([program, *options], cwd=ROOT, check=True)


def main():
    seconds = sys.argv[1] if len(sys.argv) > 1 else "20"
    WORK.mkdir(parents=True, exist_ok=True)
    failed = False
    for name in sys.argv[2:] or TARGETS:
        try:
            run(name, seconds)
            print(f"ok - {name}: {seconds} s of libFuzzer", flush=True)
        except subprocess.CalledProcessError as error:
            print(f"not ok - {name}: {error}", flush=True)
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""The runtime compiles for a Cortex-M0+, without exceptions, RTTI and an operating system, and asks for
nothing that is not there."""

import pathlib
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPILE = ("arm-none-eabi-g++ -std=c++20 -mcpu=cortex-m0plus -mthumb -Os -fno-exceptions -fno-rtti "
           "-fno-threadsafe-statics -Wall -Wextra -Werror").split()
failed = False


def check(name, problem):
    global failed
    failed |= bool(problem)
    print(f"{'not ok' if problem else 'ok'} - {name}")
    if problem:
        print(problem, flush=True)


with tempfile.TemporaryDirectory(prefix="weft-cross-") as directory:
    place = pathlib.Path(directory)
    (place / "tl").symlink_to("/usr/include/tl")  # that, and nothing else of the host's headers
    objects = []
    for source in sorted((ROOT / "src/runtime").glob("*.cpp")):
        compiled = place / f"{source.stem}.o"
        run = subprocess.run(
            [*COMPILE, f"-I{ROOT}/include", f"-I{ROOT}/src", "-isystem", directory, "-c", source,
             "-o", compiled], capture_output=True, text=True)
        check(f"{source.name} compiles for Cortex-M0+", run.stderr if run.returncode else "")
        objects += [compiled] * (run.returncode == 0)
    wanted = subprocess.run(["arm-none-eabi-nm", "-u", *objects], check=True, capture_output=True,
                            text=True).stdout
    found = sorted(set(re.findall(r"__atomic_\w+|__sync_\w+", wanted)))
    check("pitfall 20: no atomic exchange that ARMv6-M has not", " ".join(found))

raise SystemExit(1 if failed else 0)

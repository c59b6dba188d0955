#!/usr/bin/env python3
"""repeat.py PROGRAM: one seed in two fresh processes gives the same trace, another seed another."""
import subprocess
import sys


def trace(seed):
    return subprocess.run([sys.argv[1], str(seed)], check=True, capture_output=True,
                          text=True).stdout


first = {seed: trace(seed) for seed in range(1, 6)}
for seed, told in first.items():
    print(told, end="")
    again = trace(seed)
    if again != told:
        sys.exit(f"the same seed, another run: {again}")
if len({told.split("trace ")[1] for told in first.values()}) != len(first):
    sys.exit("different seeds gave the same trace")

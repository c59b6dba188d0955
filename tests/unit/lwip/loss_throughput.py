#!/usr/bin/env python3
"""loss_throughput.py WITH-250-MS WITH-25-MS: rule 17 of pitfalls.md, as a ratio."""
import subprocess
import sys

slow, fast = (float(subprocess.run([program], check=True, capture_output=True, text=True).stdout)
              for program in sys.argv[1:3])
print(f"5% loss, 100 ms round trip: {slow / 1000:.1f} kB/s with TCP's timer at 250 ms, "
      f"{fast / 1000:.1f} kB/s at 25 ms: {fast / slow:.2f} times")
if fast < 1.2 * slow:
    sys.exit("the shorter interval is meant to recover faster")

#!/usr/bin/env python3
"""No path of one machine and no package registry's host in a file of the tree."""

import functools
import re
import subprocess

import sources


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


@functools.cache
def forbidden():
    """What this machine fetches packages from, and where it keeps the tree."""
    hosts = set(re.findall(r"^\w+://(?:[^/@\s]*@)?([^/:\s]+)",
                           output("apt-get", "indextargets", "--format", "$(REPO_URI)"), re.M))
    hosts |= {"deb.debian" + ".org", "security.debian" + ".org"}
    words = [re.escape(host) for host in hosts if "." in host]
    parent = str(sources.ROOT.parent)
    if parent.count("/") >= 1 and parent not in ("/", "/tmp", "/root", "/home", "/usr/src"):
        words.append(re.escape(parent + "/"))
    return re.compile("|".join(words + [r"(?<![\w.])/(?:home|Users)/\w+/"]))


def check(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if match := forbidden().search(line):
            yield number, f"a place that only some machines know: {match.group(0)}"


BAD = [
    ("a.sh", "curl https://deb.debian" + ".org/debian"),
    ("b.py", "open('/home" + "/somebody/notes')"),
]
GOOD = [
    ("c.sh", "cd /usr/share/keyrings; ls /tmp/weft; cd \"$HOME\""),
    ("d.wrap", "url = https://github.com/fmtlib/fmt.git"),
]

if __name__ == "__main__":
    sources.run(__doc__, check, BAD, GOOD, endings=None)

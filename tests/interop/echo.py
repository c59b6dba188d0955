"""The echo programs against each other and against nc: TCP and UDP, IPv4 and IPv6, both stacks."""

import tempfile

from checks import PROGRAMS, check, finish, skip
from sandbox import Sandbox, Unavailable


def exchange(sandbox, name, server, until, client, status=0, said="", text=None):
    program, line = sandbox.start([PROGRAMS / server[0], *server[1:]],
                                  f"{directory}/{name.replace(' ', '_')}.log", until)
    at = line.split(" on ")[1].split()[0]
    told = sandbox.run([PROGRAMS / client[0] if "/" not in client[0] else client[0],
                        *[at if word == "AT" else word for word in client[1:]]], input=text)
    check(name, told.returncode == status and said in told.stdout + told.stderr,
          told.stdout + told.stderr + open(f"{directory}/{name.replace(' ', '_')}.log").read())
    check(f"{name}: the server ends well", sandbox.end(program) == 0)


with tempfile.TemporaryDirectory(prefix="weft-echo-") as directory, Sandbox() as sandbox:
    try:
        sandbox.isolate()
        isolated = True
    except Unavailable as why:
        skip("lwIP over TAP", why)
        isolated = False
    for poller in ("epoll", "poll", "select"):
        for host in ("127.0.0.1", "[::1]"):
            exchange(sandbox, f"{poller} {host} 10 MB",
                     ["echo", "--poller", poller, "--bind", f"{host}:0"], "echoing on",
                     ["echo_client", "--bytes", "10000000", "AT"], said="every byte as it was sent")
            exchange(sandbox, f"{poller} {host} datagrams",
                     ["udp_echo", "--poller", poller, "--bind", f"{host}:0"], "echoing datagrams on",
                     ["udp_echo", "--to", "AT"], said="datagram 3")
    exchange(sandbox, "lines", ["echo", "--bind", "127.0.0.1:0"], "echoing on",
             ["echo_client", "AT"], text="one\ntwo\n", said="one\ntwo\n")
    exchange(sandbox, "the first of several addresses", ["echo", "--bind", "127.0.0.1:0"],
             "echoing on", ["connect", "127.0.0.1:1", "AT"], said="connected to 127.0.0.1:")
    exchange(sandbox, "a scan", ["echo", "--bind", "127.0.0.1:7321"], "echoing on",
             ["connect", "--scan", "127.0.0.1:7300-7399"], said="1 open, 99 closed, 0 silent")
    told = sandbox.run([PROGRAMS / "connect", "127.0.0.1:1"])
    check("nobody there: status 1 and one line",
          told.returncode == 1 and len(told.stderr.splitlines()) == 1, told.stderr)
    told = sandbox.run([PROGRAMS / "echo", "--stack", "lwip", "--link", "wire", "--bytes", "10000000"])
    check("two lwIP hosts on a wire", told.returncode == 0 and "every byte" in told.stdout,
          told.stdout + told.stderr)
    if isolated:
        lwip = ["--stack", "lwip", "--link", "tap:tap0", "--address", "10.0.0.2/24"]
        sandbox.run(["ip", "address", "add", "fd00::1/64", "dev", "tap0", "nodad"])
        exchange(sandbox, "host to lwip", ["echo", *lwip, "--bind", "10.0.0.2:7"], "echoing on",
                 ["echo_client", "--bytes", "10000000", "AT"], said="every byte as it was sent")
        exchange(sandbox, "lwip to host", ["echo", "--bind", "10.0.0.1:7"], "echoing on",
                 ["echo_client", *lwip, "--bytes", "10000000", "AT"], said="every byte as it was sent")
        exchange(sandbox, "datagrams to lwip", ["udp_echo", *lwip, "--bind", "10.0.0.2:7"],
                 "echoing datagrams on", ["udp_echo", "--to", "AT"], said="datagram 3")
        lwip[-1] = "fd00::2/64"
        exchange(sandbox, "host to lwip, IPv6",
                 ["echo", *lwip, "--bind", "[fd00::2]:7"], "echoing on",
                 ["echo_client", "--bytes", "1000000", "AT"], said="every byte as it was sent")
        exchange(sandbox, "lwip to host, IPv6", ["echo", "--bind", "[fd00::1]:7"], "echoing on",
                 ["echo_client", *lwip, "--bytes", "1000000", "AT"], said="every byte as it was sent")
        left, right = f"{directory}/left", f"{directory}/right"
        exchange(sandbox, "two lwIP processes on a unix link",
                 ["echo", "--stack", "lwip", "--link", f"unix:{left},{right}",
                  "--address", "10.1.0.2/24", "--bind", "10.1.0.2:7"], "echoing on",
                 ["echo_client", "--stack", "lwip", "--link", f"unix:{right},{left}",
                  "--address", "10.1.0.3/24", "--bytes", "100000", "AT"],
                 said="every byte as it was sent")
finish()

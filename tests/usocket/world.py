"""A world for one test: two networks that nothing else sees, one of the peers, which is this
process's, and one of the program that is tried, with a link between them.

The program is 192.168.12.32 and reaches everything through the peers' 192.168.12.1. On the host's
stack the link is a veth pair and the program has namespaces of its own, in which /etc/resolv.conf and
/etc/hosts are ours; on lwIP the program itself is the other end of a TAP device. What is made here
ends with this process.
"""

import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

HERE, THERE = "192.168.12.1", "192.168.12.32"
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
ETH_P_ALL = 3
PATIENCE = 20  # seconds for what takes milliseconds

_libc = ctypes.CDLL(None, use_errno=True)


def own_network():
    """The command in front of a program that gives it a network and mounts of its own."""
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *as_root, "--net", "--mount"]


def why_no_network():
    """Empty, or why namespaces, veth and TAP devices cannot be had here."""
    for program in ("unshare", "nsenter", "ip"):
        if shutil.which(program) is None:
            return f"{program} is missing"
    told = subprocess.run(
        [*own_network(), "sh", "-c", "ip link add veth0 type veth peer name veth1 && ip tuntap add tap0 mode tap"],
        capture_output=True, text=True)
    return "" if told.returncode == 0 else told.stderr.strip() or "unshare did not say why"


def try_both_stacks(program):
    """Runs `program host` and `program lwip` at once, each in a network of its own, and exits as they do."""
    trials = [subprocess.Popen([*own_network(), sys.executable, program, stack], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
              for stack in ("host", "lwip")]
    for trial in trials:
        print(trial.communicate()[0], end="", flush=True)
    sys.exit(max(trial.returncode for trial in trials))


def _end_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(command, **more):
    return subprocess.Popen(list(map(str, command)), preexec_fn=_end_with_parent, **more)


def until(what, holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(f"still not: {what}")
        time.sleep(0.01)


def ip(*words, of=None):
    enter = ["nsenter", f"--net=/proc/{of}/ns/net"] if of else []
    subprocess.run([*enter, "ip", *" ".join(words).split()], check=True)


class World:
    """This process must be in a network of its own already."""

    def __init__(self, stack, addresses, directory):
        self.directory = pathlib.Path(directory)
        self.stack = stack
        self.started = []
        ip("link set lo up")
        for address in addresses:
            ip(f"address add {address}/32 dev lo")
        if stack == "host":
            self.inside = self._make_room()
            self.settings = "host"
        else:
            ip("tuntap add link0 mode tap")
            self.inside = []
            self.settings = f"lwip:link0+{THERE}/24+{HERE}+dns:{HERE}"
        ip(f"address add {HERE}/24 dev link0")
        ip("link set link0 up")

    def _make_room(self):
        (self.directory / "resolv.conf").write_text(f"nameserver {HERE}\n")
        (self.directory / "hosts").write_text("127.0.0.1 localhost\n")
        mounts = " && ".join(f"mount --bind {self.directory}/{name} /etc/{name}"
                             for name in ("resolv.conf", "hosts"))
        holder = start(["unshare", "--net", "--mount", "sh", "-c", f"{mounts} && echo ready && exec cat"],
                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.started.append(holder)
        if holder.stdout.readline() != b"ready\n":
            raise RuntimeError("there are no namespaces for the program")
        self.holder = holder.pid
        ip(f"link add link0 type veth peer name eth0 netns {self.holder}")
        for words in ("link set lo up", f"address add {THERE}/24 dev eth0", "link set eth0 up",
                      f"route add default via {HERE}"):
            ip(words, of=self.holder)
        return ["nsenter", f"--net=/proc/{self.holder}/ns/net", f"--mount=/proc/{self.holder}/ns/mnt"]

    def launch(self, *command):
        """The program that is tried; its output is bytes."""
        if self.stack != "host":  # the one before has gone: the device is free
            until("the TAP device is free", lambda: not self.link_is_used())
        return start([*self.inside, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, env=os.environ | {"WEFT_STACK": self.settings})

    def link_is_used(self):
        told = subprocess.run(["ip", "link", "show", "link0"], capture_output=True, text=True).stdout
        return "LOWER_UP" in told

    def listener(self, address, port, there=False):
        """A listening socket among the peers, or in the program's own namespace."""
        made = []

        def make():
            if there:
                with open(f"/proc/{self.holder}/ns/net") as network:
                    if _libc.setns(network.fileno(), CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
            made.append(socket.create_server((address, port)))

        worker = threading.Thread(target=make)  # namespaces are a thread's
        worker.start()
        worker.join()
        return made[0]

    def name_server(self, hosts):
        (self.directory / "zone").write_text(hosts)
        self.started.append(start(
            ["dnsmasq", "--conf-file=/dev/null", "--keep-in-foreground", "--pid-file", "--user=root",
             "--log-facility=/dev/null", "--no-resolv", "--no-hosts", "--local=/#/",
             "--bind-interfaces", f"--listen-address={HERE}", f"--addn-hosts={self.directory}/zone"]))
        self.wait_for(HERE, 53)

    def web_server(self, address, log_format):
        """nginx over DIRECTORY/www; its log is DIRECTORY/access."""
        scratch = "".join(f"{name}_temp_path {self.directory}/{name};" for name in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.directory / "nginx.conf").write_text(f"""
            daemon off; master_process off; user root; pid {self.directory}/pid;
            error_log {self.directory}/errors;
            events {{ }}
            http {{
                {scratch}
                log_format ours '{log_format}'; access_log {self.directory}/access ours;
                sendfile on; tcp_nopush off;  # the header is a segment of its own
                keepalive_timeout 1s;
                server {{ listen {address}:80; root {self.directory}/www; }}
            }}""")
        server = start(["nginx", "-e", self.directory / "errors", "-c", self.directory / "nginx.conf"])
        self.started.append(server)
        self.wait_for(address, 80)

    def wait_for(self, address, port):
        def connects():
            with socket.socket() as probe:
                return probe.connect_ex((address, port)) == 0

        until(f"{address}:{port} listens", connects)

    def stop(self):
        for each in reversed(self.started):
            each.terminate()
        for each in self.started:
            each.wait()


class Segments:
    """The lengths of what goes out over the link from one TCP port, as it goes."""

    def __init__(self, port):
        self.port = port
        self.packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.packets.bind(("link0", ETH_P_ALL))
        self.packets.setblocking(False)

    def seen(self):
        lengths = []
        with self.packets:
            try:
                while True:
                    packet = self.packets.recv(65536)
                    if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
                        continue
                    tcp = packet[(packet[0] & 15) * 4:int.from_bytes(packet[2:4], "big")]
                    size = len(tcp) - (tcp[12] >> 4) * 4
                    if int.from_bytes(tcp[:2], "big") == self.port and size > 0:
                        lengths.append(size)
            except BlockingIOError:
                return lengths


class Peer:
    """Serves each connection on a thread: says `greeting`, and keeps what it is told until the end. Its
    own side stays open until end(), as a slow peer's does."""

    def __init__(self, listener, greeting=b""):
        self.listener, self.greeting = listener, greeting
        self.heard, self.threads = [], []
        self.gone = threading.Event()
        self.acceptor = threading.Thread(target=self._accept)
        self.acceptor.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            worker = threading.Thread(target=self._serve, args=(connection,))
            worker.start()
            self.threads.append(worker)

    def _serve(self, connection):
        told = b""
        with connection:
            connection.settimeout(PATIENCE)
            try:
                if self.greeting:
                    connection.sendall(self.greeting)
                while part := connection.recv(65536):
                    told += part
                self.gone.wait(PATIENCE)
                if error := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    told = OSError(error, "behind the end")
            except OSError as error:
                told = error
        self.heard.append(told)

    def end(self, connections):
        """What each of so many connections said; an exception where its end was not FIN, or more came
        behind it. The program has ended."""
        until(f"{connections} connections", lambda: len(self.threads) >= connections)
        self.gone.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.acceptor.join()
        for worker in self.threads:
            worker.join()
        self.listener.close()
        return self.heard


def connect(address, port):
    """To a program that may not listen yet."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection((address, port), timeout=1)
        except OSError as error:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{address}:{port}: {error}") from error
            time.sleep(0.02)

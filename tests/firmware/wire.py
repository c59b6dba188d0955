"""A board on a cable of our own: a network namespace with a TAP device, the kernel's sockets for honest peers
and raw frames for all others. Nothing leaves the namespace, and it ends with this process."""

import contextlib
import ctypes
import os
import shutil
import socket
import struct
import subprocess
import sys
import time

TAP = "tap0"
BOARD = "10.0.2.15"
OURS = "10.0.2.2"
BROADCAST = b"\xff" * 6
ARP, IPV4 = 0x0806, 0x0800
ICMP, TCP, UDP = 1, 6, 17
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
CLONE_NEWNET = 0x40000000


def isolate():
    """From here on this process is in a namespace with the device; ends as a skipped test if there is none."""
    why = None
    if os.geteuid() != 0:
        why = "not root"
    elif not os.path.exists("/dev/net/tun") or shutil.which("ip") is None:
        why = "no /dev/net/tun, or no ip (package iproute2)"
    elif ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        why = f"unshare: {os.strerror(ctypes.get_errno())}"
    if why is not None:
        print(f"no network namespace with a TAP device: {why}")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    for step in ("link set lo up", f"tuntap add {TAP} mode tap", f"address add {OURS}/24 dev {TAP}",
                 f"link set {TAP} mtu 4000", f"link set {TAP} up"):
        subprocess.run(["ip", *step.split()], check=True)
    # what honest peers send fits the board; longer frames are ours to send
    subprocess.run(["ip", "route", "replace", "10.0.2.0/24", "dev", TAP, "src", OURS, "mtu", "1500"], check=True)


def connect(port, seconds=10):
    return socket.create_connection((BOARD, port), seconds)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source, target, protocol, payload, identity=0, fragment=0, ttl=64):
    """A packet; `fragment` is the field of flags and offset."""
    fields = (0x45, 0, 20 + len(payload), identity, fragment, ttl, protocol)
    addresses = socket.inet_aton(source) + socket.inet_aton(target)
    head = struct.pack(">BBHHHBBH", *fields, 0) + addresses
    return struct.pack(">BBHHHBBH", *fields, checksum(head)) + addresses + payload


def segment(source, target, ports, seq, ack, flags, payload=b"", window=8192, options=b""):
    head = struct.pack(">HHIIBBHHH", *ports, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (20 + len(options)) // 4 << 4,
                       flags, window, 0, 0) + options
    pseudo = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack(">BBH", 0, TCP, len(head + payload))
    return head[:16] + struct.pack(">H", checksum(pseudo + head + payload)) + head[18:] + payload


class Stranger:
    """A host made of raw frames, beside the kernel's: it does what it is told and nothing by itself but answer
    who asks for its hardware address."""

    def __init__(self, address="10.0.2.99", hardware=b"\x02\x00\x00\x00\x00\x99"):
        self.address, self.hardware = address, hardware
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((TAP, 0))
        self.board = BROADCAST
        self.find()

    def frame(self, kind, payload, target=None):
        """Sends a frame of this EtherType."""
        self.raw((target or self.board) + self.hardware + struct.pack(">H", kind) + payload)

    def raw(self, frame):
        while True:
            try:
                self.socket.send(frame)
                return
            except OSError as e:  # the device's queue is full: QEMU has not taken what was sent
                if e.errno not in (105, 11):
                    raise
                time.sleep(0.001)

    def arp(self, operation, sender, target, target_hardware=b"\0" * 6, to=BROADCAST):
        body = struct.pack(">HHBBH", 1, IPV4, 6, 4, operation) + self.hardware + socket.inet_aton(sender)
        self.frame(ARP, body + target_hardware + socket.inet_aton(target), to)

    def find(self):
        self.arp(1, self.address, BOARD)
        answer = self.receive(lambda frame: frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2", 5)
        self.board = answer[6:12]

    def receive(self, wanted, seconds=5):
        """The next frame from the board that is wanted; None when none came in time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                frame, origin = self.socket.recvfrom(4096)
            except TimeoutError:
                return None
            if origin[2] == socket.PACKET_OUTGOING:
                continue
            ours = socket.inet_aton(self.address)
            if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] == ours:
                self.arp(2, self.address, BOARD, frame[6:12], frame[6:12])
            elif wanted(frame):
                return frame
        return None

    def drain(self, seconds=0.2):
        """Takes what has come; how many frames."""
        count = 0
        while self.receive(lambda frame: True, seconds) is not None:
            count += 1
        return count

    def packet(self, protocol, payload, **more):
        self.frame(IPV4, ipv4(self.address, BOARD, protocol, payload, **more))

    def segment(self, ports, seq, ack, flags, payload=b"", **more):
        self.packet(TCP, segment(self.address, BOARD, ports, seq, ack, flags, payload, **more))

    def any_answer(self, seconds=5):
        """The next TCP segment to this host: to which port, and its flags."""
        frame = self.receive(lambda f: f[12:14] == b"\x08\x00" and f[23] == TCP, seconds)
        return frame and (struct.unpack(">H", frame[36:38])[0], frame[47])

    def answer_from(self, own_port, seconds=5):
        """The next TCP segment to this port: from which port, and its flags."""
        frame = self.receive(lambda f: f[12:14] == b"\x08\x00" and f[23] == TCP and f[36:38] == struct.pack(
            ">H", own_port), seconds)
        return frame and (struct.unpack(">H", frame[34:36])[0], frame[47])

    def answer(self, own_port, seconds=5):
        """The next TCP segment to this port: flags, seq, ack, payload; None if none came."""
        def to_port(frame):
            return (frame[12:14] == b"\x08\x00" and frame[23] == TCP and frame[30:34] == socket.inet_aton(self.address)
                    and struct.unpack(">H", frame[36:38])[0] == own_port)
        frame = self.receive(to_port, seconds)
        if frame is None:
            return None
        seq, ack, offset, flags = struct.unpack(">IIBB", frame[38:48])
        return flags, seq, ack, frame[34 + (offset >> 4) * 4:14 + struct.unpack(">H", frame[16:18])[0]]


class Dialogue:
    """A connection of a stranger: established, with the window that it was told to have."""

    def __init__(self, stranger, port, own_port, window=8192, options=b""):
        self.stranger, self.ports, self.window = stranger, (own_port, port), window
        self.seq = 1000
        stranger.segment(self.ports, self.seq, 0, SYN, window=window, options=options)
        got = stranger.answer(own_port)
        self.open = got is not None and got[0] & (SYN | ACK) == SYN | ACK
        if self.open:
            self.seq += 1
            self.ack = got[1] + 1
            self.send(b"", ACK)

    def send(self, payload, flags=ACK | PSH):
        self.stranger.segment(self.ports, self.seq, self.ack, flags, payload, window=self.window)
        self.seq += len(payload) + (1 if flags & FIN else 0)

    def answer(self, seconds=5):
        return self.stranger.answer(self.ports[0], seconds)

    def reset(self):
        self.stranger.segment(self.ports, self.seq, 0, RST)


@contextlib.contextmanager
def many(count, make):
    """`count` things of make(), closed at the end."""
    made = []
    try:
        for _ in range(count):
            made.append(make())
        yield made
    finally:
        for each in made:
            each.close()

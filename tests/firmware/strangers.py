"""Hardships that no kernel's socket can make: scans, floods, lies and silence, of raw frames."""

import os
import random
import socket
import struct
import time

import wire
from checks import check
from wire import ACK, ARP, FIN, ICMP, IPV4, PSH, RST, SYN, TCP, UDP, URG

ECHO, GREET, GENERATE = 7, 13, 19
SERVICES = {7, 9, 13, 19}


def scan(stranger, flags, ports, patience=0.3):
    """Sends one segment to each port; the ports that answered, by the flags they answered with."""
    answers = {}
    own = 40000 + flags * 16
    waiting = set(ports)
    for attempt in range(4):  # the board has memory for 50 frames or so, and drops what comes beyond
        for chunk in range(0, len(ports), 16):
            for port in ports[chunk:chunk + 16]:
                if port in waiting:
                    stranger.segment((own, port), 7000, 0, flags)
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                got = stranger.answer_from(own, 0.02)
                if got is None:
                    break
                port, kind = got
                waiting.discard(port)
                answers.setdefault(kind, set()).add(port)
                if kind & (SYN | ACK) == SYN | ACK:
                    stranger.segment((own, port), 7001, 0, RST)
        if not waiting or not answers:
            break
    return answers


def port_scan(board, start, tools):
    """1,024 ports, five ways: what is open says so, what is not is refused, nothing is left open."""
    before = board.report()
    stranger = wire.Stranger()
    ports = list(range(1, 1025))
    found = scan(stranger, SYN, ports)
    check("a SYN scan finds the services, and all other ports refuse", found.get(SYN | ACK) == SERVICES and
          found.get(RST | ACK) == set(ports) - SERVICES, {kind: len(which) for kind, which in found.items()})
    closed = scan(stranger, ACK, ports)
    check("an ACK scan is answered with RST everywhere", set().union(*closed.values()) == set(ports) and
          all(kind & RST for kind in closed), {kind: len(which) for kind, which in closed.items()})
    for name, flags in (("FIN", FIN), ("Xmas tree", FIN | PSH | URG), ("null", 0)):
        told = scan(stranger, flags, ports)
        check(f"a {name} scan opens nothing", not any(kind & SYN for kind in told),
              {kind: len(which) for kind, which in told.items()})
    unreachable = 0
    for port in range(1, 257):
        stranger.packet(UDP, struct.pack(">HHHH", 5000, port, 8, 0))
        got = stranger.receive(lambda f: f[12:14] == b"\x08\x00" and f[23] == ICMP and f[34] == 3, 0.5)
        unreachable += got is not None
    check("a UDP scan of 256 ports: each is said to be unreachable", unreachable == 256, unreachable)
    tools.counted("port scans", before, board.report(), {"tcp.received": lambda n: n > 5000})
    tools.served(board, "port scans")
    tools.settled(board, start, "port scans")


def syn_flood(board, start, tools):
    """500 SYNs whose sender never answers. A connection that is there is served all the time; the backlog keeps
    half of the pcbs for others than half-open ones, and 20 s later those are given up."""
    before = board.report()
    stranger = wire.Stranger()
    with wire.connect(ECHO) as friend:
        for n in range(500):
            stranger.segment((20000 + n, ECHO), n, 0, SYN)
            if n % 25 == 0:
                time.sleep(0.01)
                friend.sendall(b"still there?")
                if friend.recv(100) != b"still there?":
                    break
        check("500 SYNs: an open connection is served all the time", n == 499, n)
        during = board.report()
        check("500 SYNs: as many half-open connections as the backlog is long", during["pcb.used"] == 5,
              during["pcb.used"])
        why = tools.echoes_at(GREET, b"good day\n")
        check("500 SYNs to one service: the others take connections", why is True, why)
    tools.served(board, "500 SYNs", 40)
    tools.settled(board, start, "500 SYNs", 40)
    tools.counted("500 SYNs", before, board.report(), {"tcp.received": lambda n: n > 100})


def silence(board, start, tools):
    """Peers that vanish: established and never heard of again, and gone with data on its way to them."""
    before = board.report()
    stranger = wire.Stranger()
    gone = [wire.Dialogue(stranger, port, 30000 + n) for n, port in enumerate((ECHO, ECHO, GENERATE, GENERATE))]
    check("peers vanish: they were connected", all(each.open for each in gone))
    gone[0].send(b"echo this, if you can")
    time.sleep(0.5)
    tools.served(board, "peers vanish")
    tools.given_up(board, before, "peers vanish", 4)
    tools.settled(board, start, "peers vanish", 30)


def closed_window(board, start, tools):
    """Peers whose window stays closed for ever, and who answer each probe: the board said all it had to say and
    closed, and cannot deliver it. 6 of them would be enough for 8 pcbs."""
    stranger = wire.Stranger()
    before = board.report()
    peers = [wire.Dialogue(stranger, GREET, 31000 + n, window=0) for n in range(6)]
    check("windows closed for ever: they were connected", all(each.open for each in peers))
    started = time.monotonic()
    by_port = {each.ports[0]: each for each in peers}
    gone = set()
    while time.monotonic() - started < 150 and len(gone) < len(peers):
        got = stranger.any_answer(0.5)
        if got is not None and got[0] in by_port:
            own, flags = got[0], got[1]
            each = by_port[own]
            if flags & RST:
                gone.add(own)
            else:
                stranger.segment(each.ports, each.seq, each.ack, ACK, window=0)
        elif got is None and board.report()["pcb.used"] == start["pcb.used"]:
            break
        if int(time.monotonic() - started) % 10 == 0:
            tools.echoes(5)
    tools.served(board, "windows closed for ever", 10)
    tools.settled(board, start, "windows closed for ever", 5)
    after = board.report()
    tools.counted("windows closed for ever", before, after, {"served.accepted": lambda n: n >= 6})


def garbage(board, start, tools):
    """2,000 frames that mean nothing, from a seed: cut, stretched, flipped, with wrong checksums and lengths."""
    before = board.report()
    stranger = wire.Stranger()
    seed = int(os.environ.get("WEFT_SEED", "1"))
    rng = random.Random(seed)

    def sane():
        flags = rng.choice((SYN, ACK, FIN | ACK, RST, PSH | ACK, 0, 63))
        tcp = wire.segment(stranger.address, wire.BOARD, (rng.randrange(65536), rng.choice((7, 9, 13, 19, 80))),
                           rng.randrange(1 << 32), rng.randrange(1 << 32), flags, rng.randbytes(rng.randrange(64)),
                           options=rng.randbytes(4 * rng.randrange(11)))
        udp = struct.pack(">HHHH", 1, 2, 8 + rng.randrange(9), 0) + bytes(8)
        icmp = bytes((rng.randrange(20), rng.randrange(4))) + rng.randbytes(rng.randrange(80))
        protocol, payload = rng.choice(((TCP, tcp), (UDP, udp), (ICMP, icmp), (rng.randrange(256), tcp)))
        return wire.ipv4(stranger.address, wire.BOARD, protocol, payload, rng.randrange(65536),
                         rng.choice((0, 0, 0x2000, rng.randrange(65536))))

    def broken():
        frame = bytearray(stranger.board + stranger.hardware + b"\x08\x00" + sane())
        kind = rng.randrange(7)
        if kind == 0:
            del frame[rng.randrange(14, len(frame)):]
        elif kind == 1:
            for _ in range(rng.randrange(1, 8)):
                frame[rng.randrange(14, len(frame))] ^= 1 << rng.randrange(8)
        elif kind == 2:
            frame[12:14] = struct.pack(">H", rng.choice((0, 0x86DD, ARP, 0x8100, 0x8863, 0x05DC, 0xFFFF)))
        elif kind == 3:
            frame[16:18] = struct.pack(">H", rng.randrange(65536))  # the packet's length
        elif kind == 4:
            frame += rng.randbytes(rng.randrange(1400))
        elif kind == 5:
            frame = bytearray(stranger.board + stranger.hardware + b"\x86\xdd\x60" + rng.randbytes(rng.randrange(39, 200)))
        return bytes(frame)

    for n in range(2000):
        stranger.raw(broken())
        if n % 20 == 0:
            time.sleep(0.005)
    for size in (1515, 1518, 1519, 2000, 3900):
        stranger.raw((stranger.board + stranger.hardware + b"\x08\x00").ljust(size, b"\x45"))
    time.sleep(0.5)
    after = board.report()
    tools.counted(f"2,000 frames of garbage (seed {seed})", before, after,
                  {"tcp.bad_checksum": tools.some, "ip.dropped": tools.some, "link.received": lambda n: True})
    tools.served(board, "2,000 frames of garbage", 40)  # the SYNs among them are half-open connections for 20 s
    tools.settled(board, start, "2,000 frames of garbage", 60)


def floods(board, start, tools):
    """More frames at once than the controller and the ring have room for, 1,000 ARP requests, 1,000 pings, and
    fragments that never become whole."""
    before = board.report()
    stranger = wire.Stranger()
    for _ in range(600):  # (QEMU's controller drops without counting, what its memory has no room for)
        stranger.frame(IPV4, wire.ipv4(stranger.address, "10.0.2.77", UDP, bytes(1400)))
    tools.counted("600 full frames at once", before, board.report(), {"ethernet.ring_full": tools.some})
    tools.served(board, "600 full frames at once", 3)

    answered = 0
    for n in range(1000):
        stranger.arp(1, stranger.address, wire.BOARD)
        answered += stranger.receive(lambda f: f[12:14] == b"\x08\x06" and f[20:22] == b"\0\2", 0.5) is not None
    check("1,000 ARP requests are answered", answered == 1000, answered)
    for n in range(1000):  # of as many hosts: its table has 10 places
        sender = f"10.0.2.{100 + n % 150}"
        stranger.arp(1, sender, wire.BOARD)
        if n % 20 == 0:
            time.sleep(0.005)
    stranger.drain()
    tools.served(board, "1,000 ARP requests of 150 hosts")

    answered = 0
    for n in range(1000):
        body = struct.pack(">HH", 1, n) + bytes(n % 1400)
        stranger.packet(ICMP, b"\x08\0" + struct.pack(">H", wire.checksum(b"\x08\0\0\0" + body)) + body)
        got = stranger.receive(lambda f: f[12:14] == b"\x08\x00" and f[23] == ICMP and f[34] == 0, 0.5)
        answered += got is not None and got[38:42 + n % 1400] == body
    check("1,000 pings are answered", answered == 1000, answered)

    for n in range(200):
        stranger.packet(UDP, bytes(1000), identity=n, fragment=0x2000 | n % 3 * 125)
        if n % 10 == 0:
            time.sleep(0.005)
    tools.served(board, "200 fragments of packets that never become whole")
    tools.settled(board, start, "floods", 40)
    back = large_ping()
    check("a ping of 4,000 bytes, in three fragments, comes back", back is True, back)


def large_ping():
    """Of the kernel's, which cuts it and puts the answer together."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as s:
        s.settimeout(5)
        body = struct.pack(">HH", 77, 1) + os.urandom(4000)
        s.sendto(b"\x08\0" + struct.pack(">H", wire.checksum(b"\x08\0\0\0" + body)) + body, (wire.BOARD, 0))
        try:
            while True:
                got = s.recv(65536)
                if got[20] == 0:
                    return got[24:] == body
        except TimeoutError:
            return "no answer came"

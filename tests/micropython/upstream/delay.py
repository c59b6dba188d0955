"""A wire that takes its time between this network and another: two TUN devices, and a thread that carries
each packet over after a while. Not every kernel has netem."""

import collections
import ctypes
import fcntl
import os
import select
import struct
import threading
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def tun(name):
    """A device of the calling thread's network, which goes with its descriptor."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def tun_of(process, name):
    """The same in the network of another process; its kind is a thread's, so a thread goes there."""
    made = []

    def make():
        with open(f"/proc/{process}/ns/net") as network:
            if _libc.setns(network.fileno(), CLONE_NEWNET) == 0:
                made.append(tun(name))

    worker = threading.Thread(target=make)
    worker.start()
    worker.join()
    if not made:
        raise OSError(f"no TUN device in the network of process {process}")
    return made[0]


class Wire:
    """Carries packets between two such devices, each way `seconds` later, until stop()."""

    def __init__(self, one, other, seconds):
        self.other = {one: other, other: one}
        self.seconds = seconds
        self.stopped, self.stopping = os.pipe()
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    def _carry(self):
        under_way = collections.deque()  # (when, to, packet): in order, since all take as long
        while True:
            patience = max(0, under_way[0][0] - time.monotonic()) if under_way else None
            ready = select.select([*self.other, self.stopped], [], [], patience)[0]
            if self.stopped in ready:
                return
            now = time.monotonic()
            for device in ready:
                under_way.append((now + self.seconds, self.other[device], os.read(device, 65536)))
            while under_way and under_way[0][0] <= now:
                _, to, packet = under_way.popleft()
                try:
                    os.write(to, packet)
                except OSError:
                    pass  # as a wire does: lost

    def stop(self):
        os.close(self.stopping)
        self.thread.join()
        for device in (*self.other, self.stopped):
            os.close(device)

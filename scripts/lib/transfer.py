"""The kernel's TCP against an echo server: sends bytes, receives them meanwhile, compares the two.

    transfer.py ADDRESS PORT BYTES

Prints one line: seconds, and the SHA-256 of what was sent and of what came back.
"""

import hashlib
import os
import socket
import sys
import threading
import time


def bar(done, whole, begun):
    filled = 40 * done // whole if whole else 40
    rate = done * 8e-6 / max(time.monotonic() - begun, 1e-6)
    sys.stderr.write(f"\r    [{'#' * filled}{' ' * (40 - filled)}] {done * 100 // max(whole, 1):3} % "
                     f"{rate:6.0f} Mbit/s ")
    sys.stderr.flush()


def main():
    address, port, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    data = os.urandom(size)
    back = bytearray(size)
    peer = socket.create_connection((address, port), timeout=10)
    peer.settimeout(30)
    begun = time.monotonic()

    def send():
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    view, done, shown = memoryview(back), 0, 0.0
    while done < size:
        received = peer.recv_into(view[done:])
        if received == 0:
            break
        done += received
        if sys.stderr.isatty() and time.monotonic() - shown > 0.1:
            shown = time.monotonic()
            bar(done, size, begun)
    end = peer.recv(1)
    took = time.monotonic() - begun
    sender.join()
    if sys.stderr.isatty():
        bar(done, size, begun)
        sys.stderr.write("\n")
    if end:
        sys.exit("transfer: more came back than was sent")
    sent, returned = (hashlib.sha256(part).hexdigest() for part in (data, view[:done]))
    print(f"{took:.3f} {sent} {returned}")
    return 0 if sent == returned else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        sys.exit(f"transfer: {error}")

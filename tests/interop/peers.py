"""Whom the examples' clients talk to: a collector of readings, and a sensor, which behave as they are told.

    peers.py collector ADDRESS PORT BEHAVIOUR...
    peers.py sensor ADDRESS PORT BEHAVIOUR...

One behaviour for each connection, in this order; the last is that of all that follow. `:N` is a number of lines.

    ack[:N]     a collector acknowledges each line; after N it closes the connection
    lump:N      acknowledges N lines with one word, again and again
    reset:N     reads N lines, acknowledges them, and resets the connection
    deaf        accepts, reads everything, and says nothing until the other side ends it
    mute        the same for a sensor
    stall       accepts, and neither reads nor says anything until the other side ends it
    babble      says what is no answer
    early       acknowledges what was never sent
    close       ends the connection at once
    answer=T    a sensor says T, which may have \\n in it, byte by byte
    refuse      as the first: nobody listens until SIGUSR1; then the next behaviour
"""

import json
import re
import signal
import socket
import struct
import sys
import time


def say(text):
    print(text, flush=True)


def lines(peer):
    got = b""
    while True:
        try:
            part = peer.recv(4096)
        except OSError:
            part = b""
        if not part:
            return
        got += part
        *whole, got = got.split(b"\n")
        yield from whole


def until_end(peer):
    for _ in lines(peer):
        pass


def reset(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def collect(peer, what, number):
    """Lines, and an answer to each; prints their numbers."""
    taken = 0
    for line in lines(peer):
        reading = json.loads(line)
        say(f"reading {reading['seq']} uptime {reading['uptime_ms']} value {reading['value']} lost {reading['lost']}")
        taken += 1
        if what == "deaf":
            continue
        if what != "lump" or taken % number == 0:
            peer.sendall(b"ack %d\n" % reading["seq"])
        if what == "reset" and taken == number:
            time.sleep(0.05)  # the acknowledgement shall arrive
            return reset(peer)
        if what == "ack" and taken == number:
            return


def answer(peer, text):
    for line in lines(peer):
        if line != b"MEASURE":
            say(f"this is no question: {line}")
        for each in text.replace("\\n", "\n").encode():
            peer.sendall(bytes([each]))
            time.sleep(0.002)


def behave(peer, what, number, text):
    if what in ("ack", "lump", "reset", "deaf"):
        collect(peer, what, number)
    elif what == "mute":
        until_end(peer)
    elif what == "stall":
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        while True:  # an end is seen without reading
            state = peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
            if state != 1:  # ESTABLISHED
                return
            time.sleep(0.02)
    elif what in ("babble", "early"):
        peer.sendall(b"ack 4000000000\n" if what == "early" else b"HTTP/1.1 400 Bad Request\r\n\r\n")
        until_end(peer)
    elif what == "answer":
        answer(peer, text)
    elif what != "close":
        sys.exit(f"no such behaviour: {what}")


def main(_, address, port, *behaviours):
    behaviours = list(behaviours)
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, int(port)))
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    refuses = behaviours[0] == "refuse"
    if not refuses:
        listener.listen()
    say(f"listening on {listener.getsockname()[1]}")
    if refuses:
        signal.sigwait([signal.SIGUSR1])
        listener.listen()
        behaviours.pop(0)
    count = 0
    while True:
        what, number, text = re.fullmatch(r"(\w+)(?::(\d+))?(?:=(.*))?", behaviours[0], re.S).groups()
        number = int(number or 0)
        if len(behaviours) > 1:
            behaviours.pop(0)
        peer, _ = listener.accept()
        count += 1
        say(f"connection {count}: {what}")
        try:
            behave(peer, what, number, text)
        except OSError as error:
            say(f"connection {count}: {error}")
        peer.close()
        say(f"connection {count} ended")


main(*sys.argv[1:])

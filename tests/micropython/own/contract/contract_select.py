"""uselect: poll objects, ipoll, select(), and any object with a stream ioctl beside sockets."""

from harness import *

import io

if not ON_CPYTHON:

    class Other(io.IOBase):
        """A stream of somebody else's: ready for what it was told to be."""

        def __init__(self):
            self.holds = 0
            self.asked = 0

        def ioctl(self, request, argument):
            if request != 3:
                return -1
            self.asked += 1
            return self.holds & argument


def poller_of(s, *words):
    poller = select.poll()
    poller.register(s, *words)
    return poller


@test("poll: register() asks for IN and OUT unless told otherwise", also=STOCK)
def _():
    server, client = connected()
    poller = poller_of(client)
    found = poller.poll(0)
    same([(each[0] is client, each[1]) for each in found], [(True, OUT)])
    server.send(b"x")
    becomes(client, IN | OUT)
    same(poller.poll(0)[0][1], IN | OUT)


@test("poll: register() again: the new mask counts, and it is there once", also=BOTH)
def _():
    server, client = connected()
    poller = poller_of(client, OUT)
    poller.register(client, IN)
    if WHO == "stock":  # which adds the masks
        poller.modify(client, IN)
    same(poller.poll(0), [])
    poller.register(client, OUT)
    same(len(poller.poll(0)), 1)
    poller.unregister(client)
    same(poller.poll(0), [])


@test("poll: modify(): unknown ENOENT", also=BOTH)
def _():
    server, client = connected()
    poller = select.poll()
    fails(ENOENT, lambda: poller.modify(client, IN))
    poller.register(client, IN)
    same(poller.poll(0), [])
    poller.modify(client, OUT)
    same(len(poller.poll(0)), 1)
    poller.unregister(client)
    fails(ENOENT, lambda: poller.modify(client, IN))


@test("poll: unregister() of what is unknown has no effect", also=STOCK)
def _():
    server, client = connected()
    poller = select.poll()
    poller.unregister(client)
    poller.register(client)
    poller.unregister(client)
    poller.unregister(client)


@test("poll: poll(ms) waits ms and no less", also=BOTH)
def _():
    server, client = connected()
    poller = poller_of(client, IN)
    begun = now()
    same(poller.poll(80), [])
    holds(since(begun) >= 79, "it ended after %d ms" % since(begun))


@test("poll: waits for what comes in time; without end if negative or omitted", also=BOTH,
      peer=True)
def _():
    for words in ((10000,), (-1,), ()):
        s = peer(("sleep", 50), ("send", "x"), ("hold",))
        poller = poller_of(s, IN)
        same(poller.poll(0), [])
        same([each[1] for each in poller.poll(*words)], [IN])
        same(s.recv(1), b"x")
        s.close()


@test("poll: level-triggered: told again while it holds", also=BOTH)
def _():
    server, client = connected()
    server.send(b"xy")
    poller = poller_of(client, IN)
    for _ in range(3):
        same(len(poller.poll(10000)), 1)
    becomes(client, IN | OUT)
    settle()
    same(client.recv(1), b"x")
    same(len(poller.poll(0)), 1)
    same(client.recv(1), b"y")
    same(poller.poll(0), [])


@test("poll: many sockets: those that are ready, and only those", also=STOCK)
def _():
    l, address = listener(AF_INET, 64)
    servers, clients = [], []
    poller = poller_of(l, IN)
    for _ in range(20):
        c = socket.socket()
        c.connect(address)
        clients.append(c)
        servers.append(l.accept()[0])
        poller.register(c, IN)
    same(poller.poll(0), [])
    for i in (3, 7, 19):
        servers[i].send(b"x")
        becomes(clients[i], IN | OUT)
    same(sorted(clients.index(each[0]) for each in poller.poll(0)), [3, 7, 19])
    same(sorted(clients.index(each[0]) for each in poller.ipoll(0)), [3, 7, 19])


@test("ipoll: flag 1 is one-shot: asks for nothing more until it is modified", also=STOCK)
def _():
    server, client = connected()
    poller = poller_of(client, OUT)

    def told(flags):
        return [each[1] for each in poller.ipoll(0, flags)]

    same([told(0), told(0), told(1), told(1), told(0)], [[4], [4], [4], [], []])
    poller.modify(client, OUT)
    same(told(0), [4])


@test("ipoll: one-shot: not even errors, until it is modified")
def _():
    server, client = connected()
    poller = poller_of(client, OUT)
    same(len(list(poller.ipoll(0, 1))), 1)
    reset(server)
    becomes(client, 29)
    same(poller.poll(0), [])
    poller.modify(client, OUT)
    same(poller.poll(0)[0][1], 28)


@test("ipoll: gives the same tuple each time, and poll() new ones", also=STOCK)
def _():
    server, client = connected()
    poller = poller_of(client, OUT)
    first = poller.poll(0)[0]
    holds(first is not poller.poll(0)[0], "poll() gives the same")
    same([each[0] is client for each in poller.ipoll(0)], [True])


@test("ipoll: allocates nothing", also=STOCK)
def _():
    import micropython

    server, client = connected()
    server.send(b"x")
    poller = poller_of(client, IN)
    for _ in poller.ipoll(1000):
        pass
    micropython.heap_lock()
    try:
        for _ in range(3):
            for _ in poller.ipoll(1000):
                pass
    finally:
        micropython.heap_unlock()


@test("poll: any object with a stream ioctl beside sockets", also=STOCK)
def _():
    server, client = connected()
    other = Other()
    poller = poller_of(client, IN)
    poller.register(other)
    same(poller.poll(0), [])
    holds(other.asked > 0, "its ioctl is never called")
    other.holds = IN
    same([(each[0] is other, each[1]) for each in poller.poll(-1)], [(True, IN)])
    server.send(b"x")
    becomes(client, IN | OUT)
    same(len(poller.poll(-1)), 2)
    poller.modify(other, OUT)
    same([each[0] is client for each in poller.poll(0)], [True])


@test("poll: an object whose ioctl becomes ready while others wait is noticed", also=STOCK)
def _():
    server, client = connected()
    poller = poller_of(client, IN)

    class Late(Other):
        def ioctl(self, request, argument):
            self.asked += 1
            self.holds = IN if self.asked > 5 else 0
            return self.holds & argument if request == 3 else -1

    poller.register(Late(), IN)
    same(len(poller.poll(10000)), 1)


@test("poll: streams alone, without any socket", also=STOCK)
def _():
    other = Other()
    poller = poller_of(other, IN)
    same(poller.poll(5), [])
    other.holds = IN | OUT
    same(poller.poll(5)[0][1], IN)


@test("poll: what is no stream: an error", also=STOCK)
def _():
    for wrong in (None, "x", [], 1.5):
        try:
            select.poll().register(wrong)
        except (OSError, TypeError):
            continue
        fail("%r is registered" % (wrong,))


@test("poll: stdin and files beside sockets", also=STOCK)
def _():
    server, client = connected()
    poller = poller_of(client, IN)
    with open("/proc/self/stat") as file:
        poller.register(file, IN)
        same([each[0] is file for each in poller.poll(1000)], [True])
        poller.unregister(file)
    poller.register(sys.stdin, OUT)
    poller.poll(0)
    server.send(b"x")
    poller.unregister(sys.stdin)
    same([each[0] is client for each in poller.poll(1000)], [True])


@test("poll: two pollers of one socket both hear of it", also=BOTH)
def _():
    server, client = connected()
    first, second = poller_of(client, IN), poller_of(client, IN)
    same(first.poll(0), [])
    server.send(b"x")
    same((len(first.poll(5000)), len(second.poll(5000))), (1, 1))


@test("poll: a closed socket cannot be registered: EBADF")
def _():
    s = socket.socket()
    s.close()
    fails(EBADF, lambda: select.poll().register(s))


@test("poll: one closed later is NVAL, and can be unregistered")
def _():
    server, client = connected()
    poller = poller_of(client, IN)
    same(poller.poll(0), [])
    client.close()
    same([(each[0] is client, each[1]) for each in poller.poll(0)], [(True, NVAL)])
    poller.unregister(client)
    same(poller.poll(0), [])


@test("poll: a freed descriptor is not reused under a poller")
def _():
    server, client = connected()
    poller = poller_of(client, IN)
    same(poller.poll(0), [])
    client.close()
    other, peer_of_other = connected()  # may have the same descriptor
    other.send(b"x")
    becomes(peer_of_other, IN | OUT)
    same([each[1] for each in poller.poll(0)], [NVAL])


@test("poll: a registered socket is kept from the collector", also=BOTH)
def _():
    server, client = connected()
    poller = poller_of(client, IN)
    if not ON_CPYTHON:  # whose pollers know descriptors alone
        client = None
    sweep()
    server.send(b"x")
    same(len(poller.poll(5000)), 1)


@test("select(): readable, writable and exceptional, each in the order given")
def _():
    server, client = connected()
    other, third = connected()
    server.send(b"x")
    becomes(client, IN | OUT)
    found = select.select([third, client], [third, client], [third, client], 0)
    same([[each is client for each in one] for one in found], [[True], [False, True], []])
    gone = socket.socket()
    same(len(select.select([], [], [gone], 0)[2]), 1)  # HUP: new


@test("select(): waits for the timeout at most, without one until something is ready")
def _():
    server, client = connected()
    begun = now()
    same(select.select([client], [], [], 0.06), ([], [], []))
    holds(since(begun) >= 59, "it ended after %d ms" % since(begun))
    server.send(b"x")
    same(len(select.select([client], [], [])[0]), 1)
    same(len(select.select([client], [], [], None)[0]), 1)


run()

"""The Python programs of the documents, word for word, against real peers at the documents' own addresses:
what each prints and what its peer was told, on the host's sockets and on lwIP.

    documents.py            both stacks, each in a world of its own, at once
    documents.py STACK      one of them; it must be in a network of its own already

The documents are in ../shared/seeds beside the tree, or where WEFT_DOCUMENTS says; they are not part of it,
and without them there is nothing to try.
"""

import os
import pathlib
import re
import sys
import tempfile

from programs import HERE, ROOT, check, executable, finish, skip
from world import PATIENCE, THERE, Peer, World, connect, try_both_stacks, until, why_no_network

sys.path.insert(0, str(ROOT / "tests/usocket"))
import examples as cpp  # noqa: E402  the same programs in C++: their addresses, names and picture

DOCUMENTS = pathlib.Path(os.environ.get("WEFT_DOCUMENTS", ROOT.parent / "shared/seeds"))
FENCE = re.compile(r"^```(\w*)[ \t]*\r?\n(.*?)^```", re.M | re.S)
BLOCKS = {"000": 3, "001": 10, "002": 4, "003": 1, "004": 1}
BOARDS = "import sys\nsys.path.insert(0, {!r})\nimport boards\n".format(str(HERE / "documents"))
# what stands before a program that the document has begun elsewhere
USOCKET = "import usocket\nfrom usocket import *\n"
POLLING = "import usocket, uselect\ns = usocket.socket()\ns.connect(usocket.getaddrinfo({!r}, 80)[0][-1])\n"


def blocks():
    """The programs by document, e.g. ("001", 3): its text."""
    found = {}
    for document in BLOCKS:
        path, = DOCUMENTS.glob(f"{document}_*.txt")
        for number, block in enumerate(FENCE.findall(path.read_text(encoding="utf-8"))):
            found[document, number] = block[1]
    return found


class Trial(cpp.Trial):
    """As with the programs in C++; but a program is a block, with what goes before and behind."""

    def __init__(self, world, programs):
        super().__init__(world)
        self.programs = programs

    def launch(self, block, before="", after="", wrap=None):
        """`wrap` makes another program of the text, else it runs as it stands."""
        self.tried.add(block)
        text = self.programs[block]
        text = wrap(text) if wrap else before + text + after
        path = self.world.directory / f"{block[0]}_{block[1]}.py"
        path.write_text(text, encoding="utf-8")
        return self.world.launch(executable("weft"), "-X", "heapsize=16M", path)

    def runs(self, block, *, output=b"", before="", after="", wrap=None):
        self.ends(f"{block[0]}, program {block[1]},", self.launch(block, before, after, wrap), output)

    def told(self, block, peer, *expected):
        super().told(f"{block[0]}, program {block[1]}, tells its peer", peer, *expected)


def as_session(text):
    return BOARDS + f"boards.session({['>>> import usocket', *text.splitlines()]!r})\n"


def connects(t, block, before, connections=1):
    peer = Peer(t.world.listener(cpp.MICROPYTHON, 80))
    t.runs(block, before=before)
    t.told(block, peer, *[b""] * connections)


def timeout_or_poll(t, block):
    """`if not res:` has nothing but a comment behind it."""
    def wrap(text):
        text += "    print('not ready')\nelse:\n    print('ready')\n"
        return BOARDS + POLLING.format(cpp.MICROPYTHON) + f"boards.paragraphs({text!r}, globals())\n"

    peer = Peer(t.world.listener(cpp.MICROPYTHON, 80))
    t.runs(block, wrap=wrap, output=b"OSError: 110\nnot ready\n")
    t.told(block, peer, b"")
    peer = Peer(t.world.listener(cpp.MICROPYTHON, 80), b"0123456789ABC")
    t.runs(block, wrap=wrap, output=b"ready\n")
    t.told(block, peer, b"")


def rt_thread(t):
    server = t.launch(("000", 0), wrap=as_session)
    if t.world.stack == "lwip":
        until("the program has opened the TAP device", t.world.link_is_used)
    with connect(THERE, 6001) as client:
        client.settimeout(PATIENCE)
        client.sendall(b"rt-thread\r")
        t.same("000, program 0, ends its connection", client.recv(1), b"")
    t.ends("000, program 0,", server, b"b'rt-thread\\r'\n")

    peer = Peer(t.world.listener(cpp.CLIENTS_SERVER, 6000))
    t.runs(("000", 1), wrap=as_session, output=b"11\n")
    t.told(("000", 1), peer, b"micropython")
    connects(t, ("000", 2), "import socket\n")


def maixpy(t):
    addr = f"addr = ({cpp.MICROPYTHON!r}, 80)\n"
    connects(t, ("001", 0), USOCKET + "sock = usocket.socket()\n" + addr)
    t.runs(("001", 1), before=USOCKET)
    names = "family, type, proto, canonname, sockaddr = usocket.getaddrinfo('127.0.0.1', 80)[0]\n"
    t.runs(("001", 2), before=USOCKET + names + "print(", after=")\n",
           output=b"(2, 1, 6, '', ('127.0.0.1', 80))\n")
    connects(t, ("001", 3), USOCKET)
    connects(t, ("001", 4), USOCKET)
    t.runs(("001", 5), wrap=as_session, output=b"'127.0.0.1'\n")
    t.runs(("001", 6), wrap=as_session, output=b"b'\\x01\\x02\\x03\\x04'\n")
    timeout_or_poll(t, ("001", 7))
    download(t)
    upload(t)


def with_board(t):
    return BOARDS + f"globals().update(boards.board({str(t.world.directory / 'sd')!r}))\n"


def download(t):
    place = t.world.directory
    folder = place / "www/MAIX/MaixPy/assets"
    folder.mkdir(parents=True)
    (folder / "Alice.bmp").write_bytes(cpp.picture())
    (place / "sd").mkdir()
    t.world.web_server(cpp.SIPEED, "$request|$host|$http_cache_control|$status|$body_bytes_sent")
    header = cpp.header_of(cpp.SIPEED)
    (place / "access").write_text("")

    program = t.launch(("001", 8), before=with_board(t))
    output, errors = program.communicate(timeout=PATIENCE)
    lines = output.decode().splitlines()
    pieces = [line for line in lines if line.startswith("rcv: ")]
    sizes = [int(line[5:]) for line in pieces]
    t.same("001, program 8, takes at most 4,096 at a time, and something",
           [size for size in sizes if not 0 < size <= 4096], [])
    t.same("001, program 8, prints what the document says",
           (sum(sizes), lines[len(pieces):], lines[:len(pieces)] == pieces, errors, program.returncode),
           (header + len(cpp.picture()),
            [str(header + len(cpp.picture())), str(len(cpp.picture())), "save to /sd/Alice.bmp",
             "save ok", "display"], True, b"", 0))
    t.same("001, program 8, saves the picture", (place / "sd/Alice.bmp").read_bytes(), cpp.picture())
    until("nginx has logged it", lambda: (place / "access").read_text())
    t.same("001, program 8, asks nginx for it", (place / "access").read_text(),
           f"GET /MAIX/MaixPy/assets/Alice.bmp HTTP/1.1|dl.sipeed.com|no-cache|200|{len(cpp.picture())}\n")


def upload(t):
    peer = Peer(t.world.listener(cpp.UPLOADS_SERVER, 3456))
    t.runs(("001", 9), before=with_board(t))  # what the download has saved
    t.told(("001", 9), peer, cpp.picture())


def w60x(t):
    connects(t, ("002", 0), USOCKET + f"sock = usocket.socket()\naddr = ({cpp.MICROPYTHON!r}, 80)\n")
    t.runs(("002", 1))
    connects(t, ("002", 2), USOCKET)
    timeout_or_poll(t, ("002", 3))


def k230(t):
    for document, infos, address, line, end in (
            ("003", "Address infos:", "Connect address:", "K230 tcp client send test {0} \r\n", "end"),
            ("004", "地址信息:", "连接地址:", "K230 TCP 客户端发送测试 {0} \r\n", "结束")):
        lines = [line.format(i) for i in range(10)]
        at = f"('{cpp.K230S_SERVER}', 60000)"
        expected = f"{infos} [(2, 1, 6, '', {at}), (2, 2, 17, '', {at})]\n{address} {at}\n"
        expected += "".join(f"{each}\n{len(each.encode())}\n" for each in lines) + end + "\n"
        peer = Peer(t.world.listener(cpp.K230S_SERVER, 60000))
        t.runs((document, 0), output=expected.encode())
        t.told((document, 0), peer, "".join(lines).encode())


def one_stack(stack):
    with tempfile.TemporaryDirectory(prefix="weft-documents-") as directory:
        world = World(stack, cpp.ADDRESSES, directory)
        try:
            world.name_server(cpp.NAMES)
            trial = Trial(world, blocks())
            for each in (rt_thread, maixpy, w60x, k230):
                each(trial)
            trial.same("every program of the documents is tried", trial.tried, set(trial.programs))
            counted = {document: sum(key[0] == document for key in trial.programs) for document in BLOCKS}
            trial.same("the documents have as many programs as this test knows", counted, BLOCKS)
        finally:
            world.stop()
    finish()


def both_stacks():
    if not DOCUMENTS.is_dir():
        check(f"there are no documents in {DOCUMENTS.name}: nothing to try", True)
        finish()
    os.environ["WEFT_OWN_weft"] = executable("weft")
    if why := why_no_network():
        skip("documents", why)
        sys.exit(77)
    try_both_stacks(__file__)


if __name__ == "__main__":
    one_stack(sys.argv[1]) if len(sys.argv) == 2 else both_stacks()

"""The Internet that tests/net_hosted asks for, in networks of our own: micropython.org with a web server
over HTTP and HTTPS, and addresses where nobody answers, all of it behind a wire that takes its time.

    the program --link0-- this process, dnsmasq --wire-- nginx

A connect to somebody near is over before its caller can look, and the tests want to see it under way.
"""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/usocket"))

from delay import Wire, tun, tun_of  # noqa: E402
from world import World, ip, start  # noqa: E402

MICROPYTHON = "203.0.113.80"
# They must neither answer nor be refused: 192.0.2.1 is RFC 5737's, and 1.1.1.1 the test's own choice.
NOBODY = ("192.0.2.1", "1.1.1.1")
DELAY = 0.02


class Internet(World):
    def __init__(self, stack, directory):
        super().__init__(stack, (), directory)
        self.far = start(["unshare", "--net", "sh", "-c", "echo ready && exec cat"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
        self.started.append(self.far)
        if self.far.stdout.readline() != b"ready\n":
            raise RuntimeError("there is no network for the servers")
        self._lay_wire()
        self.name_server(f"{MICROPYTHON} micropython.org\n")
        self._certify()
        self._serve()

    def _lay_wire(self):
        self.wire = Wire(tun("wire0"), tun_of(self.far.pid, "wire1"), DELAY)
        pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        ip("link set wire0 up")
        for words in ("link set lo up", "link set wire1 up", f"address add {MICROPYTHON}/32 dev lo",
                      "route add default dev wire1"):
            ip(words, of=self.far.pid)
        for address in (MICROPYTHON, *NOBODY):  # over there nobody forwards: the packets end
            ip(f"route add {address}/32 dev wire0")

    def _certify(self):
        """A certificate for micropython.org and the authority that signed it: a chain of two."""
        def openssl(words):
            subprocess.run(["openssl", *words.split()], check=True, capture_output=True, cwd=self.directory)

        key = "-newkey rsa:2048 -nodes -keyout"
        openssl(f"req -x509 {key} ca.key -out ca.pem -days 2 -subj /CN=Nobody")
        openssl(f"req {key} site.key -out site.csr -subj /CN=micropython.org")
        openssl("x509 -req -in site.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out site.pem")
        chain = (self.directory / "site.pem").read_text() + (self.directory / "ca.pem").read_text()
        (self.directory / "chain.pem").write_text(chain)

    def _serve(self):
        (self.directory / "www").mkdir()
        (self.directory / "www/index.html").write_text("MicroPython\n" * 1000)
        scratch = "".join(f"{name}_temp_path {self.directory}/{name};" for name in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.directory / "nginx.conf").write_text(f"""
            daemon off; master_process off; user root; pid {self.directory}/pid;
            error_log {self.directory}/errors;
            events {{ }}
            http {{
                {scratch} access_log off;
                ssl_certificate {self.directory}/chain.pem;
                ssl_certificate_key {self.directory}/site.key;
                server {{ listen {MICROPYTHON}:80; listen {MICROPYTHON}:443 ssl; root {self.directory}/www; }}
            }}""")
        self.started.append(start(
            ["nsenter", f"--net=/proc/{self.far.pid}/ns/net", "nginx", "-e", self.directory / "errors",
             "-c", self.directory / "nginx.conf"]))
        for port in (80, 443):
            self.wait_for(MICROPYTHON, port)

    def stop(self):
        super().stop()
        self.wire.stop()

"""The Internet that tests/net_hosted and tests/net_inet ask for, in networks of our own: the names they ask
for, a web server over HTTP and HTTPS behind all of them, and addresses where nobody answers, all of it at the
end of a wire that takes its time.

    the program --link0-- this process, dnsmasq --wire-- nginx

A connect to somebody near is over before its caller can look, and the tests want to see it under way.
"""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/usocket"))

from delay import Wire, tun, tun_of  # noqa: E402
from world import HERE, World, ip, start  # noqa: E402

SITE = "203.0.113.80"
NAMES = ("micropython.org", "www.github.com", "pypi.org", "api.pushbullet.com", "test.mosquitto.org")
PORTS = (80, 443, 8883)
# What net_inet/asyncio_tcp_read_headers.py expects of micropython.org: nginx makes ETag "54306c85-36" of them.
PAGE, CHANGED = b"MicroPython".ljust(0x36), 0x54306C85
# They must neither answer nor be refused: 192.0.2.1 is RFC 5737's, and 1.1.1.1 the test's own choice.
NOBODY = ("192.0.2.1", "1.1.1.1")
DELAY = 0.02


class Internet(World):
    def __init__(self, stack, directory, tests):
        self.directory = pathlib.Path(directory)
        self._certify()
        self._put_in_place(tests)  # before World makes a mount namespace like this one
        super().__init__(stack, (), directory)
        self.far = start(["unshare", "--net", "sh", "-c", "echo ready && exec cat"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
        self.started.append(self.far)
        if self.far.stdout.readline() != b"ready\n":
            raise RuntimeError("there is no network for the servers")
        self._lay_wire()
        self.name_server("".join(f"{SITE} {name}\n" for name in NAMES))
        self._serve()

    def _lay_wire(self):
        self.wire = Wire(tun("wire0"), tun_of(self.far.pid, "wire1"), DELAY)
        pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        ip("link set wire0 up")
        for words in ("link set lo up", "link set wire1 up", f"address add {SITE}/32 dev lo",
                      "route add default dev wire1"):
            ip(words, of=self.far.pid)
        for address in (SITE, *NOBODY):  # over there nobody forwards: the packets end
            ip(f"route add {address}/32 dev wire0")

    def _put_in_place(self, tests):
        """Where names are asked for, by CPython too, which says what is right; and our authority in place of
        those that tests have in files beside them."""
        (self.directory / "resolv.conf").write_text(f"nameserver {HERE}\n")
        (self.directory / "hosts").write_text("127.0.0.1 localhost\n")
        for name, place in (("resolv.conf", "/etc/resolv.conf"), ("hosts", "/etc/hosts"),
                            ("ca.der", tests / "net_inet/isrg.der"), ("ca.der", tests / "net_inet/mpycert.der")):
            subprocess.run(["mount", "--bind", self.directory / name, place], check=True)

    def _certify(self):
        """A certificate for the sites and the authority that signed it, a chain of two; and one that signed
        itself. `self.authority` is for who is to trust the first."""
        def openssl(words):
            subprocess.run(["openssl", *words.split()], check=True, capture_output=True, cwd=self.directory)

        key = "-newkey rsa:2048 -nodes -keyout"
        openssl(f"req -x509 {key} ca.key -out ca.pem -days 2 -subj /CN=Nobody")
        openssl(f"req {key} site.key -out site.csr -subj /CN={NAMES[0]}")
        openssl("x509 -req -in site.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out site.pem")
        openssl("x509 -in ca.pem -out ca.der -outform DER")
        openssl(f"req -x509 {key} own.key -out own.pem -days 2 -subj /CN={NAMES[-1]}")
        self.authority = self.directory / "ca.pem"
        chain = (self.directory / "site.pem").read_text() + self.authority.read_text()
        (self.directory / "chain.pem").write_text(chain)

    def _serve(self):
        page = self.directory / "www/index.html"
        page.parent.mkdir()
        page.write_bytes(PAGE)
        os.utime(page, (CHANGED, CHANGED))
        scratch = "".join(f"{name}_temp_path {self.directory}/{name};" for name in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.directory / "nginx.conf").write_text(f"""
            daemon off; master_process off; user root; pid {self.directory}/pid;
            error_log {self.directory}/errors;
            events {{ }}
            http {{
                {scratch} access_log off;
                types {{ text/html html; }}
                gzip on; gzip_min_length 0; gzip_vary on;
                add_header Strict-Transport-Security max-age=15768000;
                keepalive_timeout 1s;
                root {self.directory}/www;
                server {{
                    listen {SITE}:80; listen {SITE}:443 ssl;
                    ssl_certificate {self.directory}/chain.pem; ssl_certificate_key {self.directory}/site.key;
                    try_files $uri /index.html;
                }}
                server {{
                    listen {SITE}:8883 ssl;
                    ssl_certificate {self.directory}/own.pem; ssl_certificate_key {self.directory}/own.key;
                }}
            }}""")
        self.started.append(start(
            ["nsenter", f"--net=/proc/{self.far.pid}/ns/net", "nginx", "-e", self.directory / "errors",
             "-c", self.directory / "nginx.conf"]))
        for port in PORTS:
            self.wait_for(SITE, port)

    def stop(self):
        super().stop()
        self.wire.stop()

"""How TLS is measured: weft's server on mbedTLS beside openssl's and nginx's, with one client, key
and cipher for all. What differs most is the library: mbedTLS 2.28 is no OpenSSL in speed."""

import json
import mmap
import os
import re
import socket
import ssl
import struct
import subprocess
import time

from processes import TIMEOUT, BenchError, finish, read_line, start, stop

CIPHER = "ECDHE-ECDSA-AES128-GCM-SHA256"
FAVOURITE = "ECDHE-ECDSA-CHACHA20-POLY1305"  # mbedTLS's
ROWS = {
    "tls.bulk.host.gbps": ("Gbit/s", "higher", ("none", None, "nginx")),
    "tls.bulk.host.chacha20.gbps": ("Gbit/s", "higher", ("none", None, "nginx")),
    "tls.bulk.lwip.gbps": ("Gbit/s", "higher", ("none", None, "plain")),
    "tls.handshakes": ("a second", "higher", ("none", None, "openssl")),
    "tls.handshakes.resumed": ("a second", "higher", ("none", None, "openssl")),
    "tls.handshake.longest": ("us", "lower", ("none", None, None)),
    "tls.idle.bytes": ("bytes", "lower", ("none", None, None)),
    "tls.steady.allocations": ("per echo", "lower", ("max", 0, None)),
}
NGINX = """daemon off; master_process off; pid {work}/pid; error_log /dev/null;
events {{ worker_connections 4096; }}
http {{ access_log off; {places}
  server {{ listen 127.0.0.1:{port} ssl; root {work}; ssl_protocols TLSv1.2; ssl_session_tickets on;
    ssl_certificate {work}/tls.pem; ssl_certificate_key {work}/tls.key; }} }}
"""


class Tls:
    """Part of report.Bench, which has what these use."""

    def tls_measures(self):
        return {
            "tls.bulk.host.gbps": lambda: self.tls_bulk_host(CIPHER),
            "tls.bulk.host.chacha20.gbps": lambda: self.tls_bulk_host(FAVOURITE),
            "tls.bulk.lwip.gbps": self.tls_bulk_lwip,
            "tls.handshakes": lambda: self.tls_handshakes("-new"),
            "tls.handshakes.resumed": lambda: self.tls_handshakes("-reuse"),
            "tls.handshake.longest": self.tls_longest,
            "tls.idle.bytes": self.tls_idle,
            "tls.steady.allocations": self.tls_allocations,
        }

    def tls_file(self, name):
        return os.path.join(self.scratch, name)

    def tls_identity(self):
        """A P-256 certificate and its key."""
        def make():
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-nodes", "-subj", "/CN=bench", "-days", "2", "-keyout", self.tls_file("tls.key"),
                 "-out", self.tls_file("tls.pem")], check=True, capture_output=True)
            return self.tls_file("tls.pem"), self.tls_file("tls.key")
        return self.once("tls", make)

    def tls_start(self, who, counts=None):
        """A server, and its port."""
        certificate, key = self.tls_identity()
        if who == "weft":
            environment = dict(os.environ)
            if counts is not None:
                environment["LD_PRELOAD"] = os.path.abspath(self.path("libcount.so"))
                environment["WEFT_COUNT_FILE"] = counts
            server = start([self.path("tls_server_weft"), certificate, key], self.server_cpu,
                           environment, stdout=subprocess.PIPE)
            return server, int(read_line(server, "tls_server_weft").split()[1])
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        if who == "openssl":
            command = ["openssl", "s_server", "-accept", str(port), "-cert", certificate, "-key", key,
                       "-tls1_2", "-quiet"]
        else:
            places = " ".join(f"{kind}_temp_path {self.scratch}/{kind};" for kind in
                              ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            with open(self.tls_file("nginx.conf"), "w") as file:
                file.write(NGINX.format(work=self.scratch, port=port, places=places))
            command = ["/usr/sbin/nginx", "-e", "/dev/null", "-p", self.scratch,
                       "-c", self.tls_file("nginx.conf")]
        server = start(command, self.server_cpu, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(100):
            time.sleep(0.05)
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return server, port
        raise BenchError(f"{who} does not listen")

    def tls_rounds(self, programs, one):
        if not self.has("tls_server_weft"):
            return {}
        rounds = []
        for i in range(max(self.rounds, 3)):
            got = {}
            for who in programs[::-1] if i % 2 else programs:
                server, port = self.tls_start(who)
                got[who] = one(port)
                stop(server)
            rounds.append(got)
        return rounds

    def tls_client(self, command, what):
        process = start(command, self.load_cpu, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output, _ = process.communicate(timeout=TIMEOUT)
        finish(process, what)
        return output.decode()

    def tls_bulk_host(self, cipher):
        """A download by curl, the same from both."""
        size = 50_000_000 if self.quick else 200_000_000
        self.tls_identity()
        with open(self.tls_file(str(size)), "wb") as file:
            file.truncate(size)

        def one(port):
            said = self.tls_client(
                ["curl", "--silent", "--insecure", "--tls-max", "1.2", "--ciphers", cipher,
                 "--output", "/dev/null", "--write-out", "%{size_download} %{time_total}",
                 "--http1.0", f"https://127.0.0.1:{port}/{size}"], "curl")
            received, took = said.split()
            if int(received) != size:
                raise BenchError(f"curl received {received} bytes of {size}")
            return size * 8 / float(took) / 1e9
        return self.tls_rounds(["weft", "nginx"], one)

    def tls_handshakes(self, how):
        def one(port):
            said = self.tls_client(
                ["openssl", "s_time", "-connect", f"127.0.0.1:{port}", how, "-time",
                 "1" if self.quick else "3", "-tls1_2", "-cipher", CIPHER], "openssl s_time")
            counted = re.search(r"(\d+) connections in (\d+) real seconds", said)
            if not counted:
                raise BenchError(f"s_time said {said!r}")
            return int(counted.group(1)) / int(counted.group(2))
        return self.tls_rounds(["weft", "openssl", "nginx"], one)

    def tls_lwip(self):
        if not self.has("tls_lwip_weft"):
            return None
        size = 20_000_000 if self.quick else 200_000_000
        return self.once("tls_lwip", lambda: json.loads(self.tls_client(
            [self.path("tls_lwip_weft"), *self.tls_identity(), str(size), "30"], "tls_lwip_weft")))

    def tls_bulk_lwip(self):
        got = self.tls_lwip()
        if got is None:
            return {}
        plain = json.loads(self.tls_client([self.path("lwip_bulk_weft"), "200000000"], "lwip_bulk_weft"))
        return {"weft": got["gbps"], "plain": plain["gbps"]}

    def tls_longest(self):
        """One call of mbedTLS, in whose time the loop does nothing else; the worse end's. The client
        believes any certificate."""
        got = self.tls_lwip()
        if got is None:
            return {}
        return {"weft": max(got["client_us"], got["server_us"]), "weft_client": got["client_us"],
                "weft_server": got["server_us"]}

    def tls_counted(self, use):
        """What use(port, read) gives; read(name) is a counter of the server's."""
        if not self.has("tls_server_weft"):
            return {}
        counts = self.scratch_file("counts")
        open(counts, "w").close()
        server, port = self.tls_start("weft", counts)
        with open(counts, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as at:
            places = {"live_bytes": len(at) - 8, "allocations": len(at) - 24}
            value = use(port, lambda name: struct.unpack_from("q", at, places[name])[0])
        stop(server)
        return {"weft": value}

    @staticmethod
    def tls_connect(port):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        peer = context.wrap_socket(socket.create_connection(("127.0.0.1", port)))
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return peer

    @staticmethod
    def tls_echo(peer):
        peer.sendall(b"x" * 64)
        got = 0
        while got < 64:
            got += len(peer.recv(64))

    def tls_idle(self):
        """Heap of a connection that has been used, mbedTLS's and weft's; the first ones warm up."""
        def use(port, read):
            first = [self.tls_connect(port) for _ in range(20)]
            for peer in first:
                self.tls_echo(peer)
            before = read("live_bytes")
            more = [self.tls_connect(port) for _ in range(100)]
            for peer in more:
                self.tls_echo(peer)
            return (read("live_bytes") - before) / len(more)
        return self.tls_counted(use)

    def tls_allocations(self):
        """From one echo to the next, mbedTLS's included."""
        def use(port, read):
            peer = self.tls_connect(port)
            for _ in range(20):
                self.tls_echo(peer)
            before = read("allocations")
            for _ in range(2000):
                self.tls_echo(peer)
            return (read("allocations") - before) / 2000
        return self.tls_counted(use)

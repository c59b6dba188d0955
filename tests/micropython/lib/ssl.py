# The ssl module over MicroPython's built-in tls module, as MicroPython documents it. Debian's package has
# none (upstream's is in micropython-lib); stock MicroPython and weft's are given this one alike.

import tls
from tls import *


def _contents(file_or_bytes):
    if isinstance(file_or_bytes, str):
        with open(file_or_bytes, "rb") as file:
            return file.read()
    return file_or_bytes


class SSLContext:
    def __init__(self, protocol):
        self._tls = tls.SSLContext(protocol)
        self._tls.verify_mode = CERT_NONE  # also for a client, unlike tls

    @property
    def verify_mode(self):
        return self._tls.verify_mode

    @verify_mode.setter
    def verify_mode(self, mode):
        self._tls.verify_mode = mode

    def get_ciphers(self):
        return self._tls.get_ciphers()

    def set_ciphers(self, ciphers):
        self._tls.set_ciphers(ciphers)

    def load_cert_chain(self, certfile, keyfile):
        self._tls.load_cert_chain(_contents(certfile), _contents(keyfile))

    def load_verify_locations(self, cafile=None, cadata=None):
        self._tls.load_verify_locations(_contents(cafile) if cafile is not None else cadata)

    def wrap_socket(self, sock, server_side=False, do_handshake_on_connect=True, server_hostname=None):
        return self._tls.wrap_socket(sock, server_side=server_side, server_hostname=server_hostname,
                                     do_handshake_on_connect=do_handshake_on_connect)


def wrap_socket(sock, server_side=False, key=None, cert=None, cert_reqs=CERT_NONE, cadata=None,
                server_hostname=None, do_handshake=True):
    context = SSLContext(PROTOCOL_TLS_SERVER if server_side else PROTOCOL_TLS_CLIENT)
    if cert is not None or key is not None:
        context.load_cert_chain(cert, key)
    if cadata is not None:
        context.load_verify_locations(cadata=cadata)
    context.verify_mode = cert_reqs
    return context.wrap_socket(sock, server_side=server_side, server_hostname=server_hostname,
                               do_handshake_on_connect=do_handshake)

"""The shared library from Python, as a binding would use it: ctypes_test.py LIBRARY."""

import ctypes
import os
import select
import sys
import threading
import time
import unittest

library = ctypes.CDLL(sys.argv.pop(1))
i64, size_t, i32 = ctypes.c_int64, ctypes.c_size_t, ctypes.c_int

READY = ctypes.CFUNCTYPE(None, i64, ctypes.c_void_p)
IDLE = ctypes.CFUNCTYPE(i32, ctypes.c_void_p)


class Address(ctypes.Structure):
    _fields_ = [("family", ctypes.c_uint16), ("port", ctypes.c_uint16),
                ("scope_id", ctypes.c_uint32), ("bytes", ctypes.c_uint8 * 16)]


class AddrInfo(ctypes.Structure):
    _fields_ = [("family", i32), ("type", i32), ("proto", i32), ("address", Address)]


def declare(name, result, *arguments):
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments
    return function


at = ctypes.POINTER(Address)
us_open = declare("us_open", i64, i32, i32, i32)
us_close = declare("us_close", i32, i64)
us_bind = declare("us_bind", i32, i64, at)
us_listen = declare("us_listen", i32, i64, i32)
us_accept = declare("us_accept", i64, i64, at)
us_connect = declare("us_connect", i32, i64, at)
us_getsockname = declare("us_getsockname", i32, i64, at)
us_address_set = declare("us_address_set", i32, at, i32, ctypes.c_char_p, size_t, i64, i64, i64)
us_send = declare("us_send", i64, i64, ctypes.c_char_p, size_t, i32)
us_recv = declare("us_recv", i64, i64, ctypes.c_char_p, size_t, i32)
us_read = declare("us_read", i64, i64, ctypes.c_char_p, size_t)
us_settimeout = declare("us_settimeout", i32, i64, i64)
us_poll = declare("us_poll", ctypes.c_uint, i64, ctypes.c_uint)
us_step = declare("us_step", i32, i64)
us_wake_fd = declare("us_wake_fd", i32)
us_next_deadline = declare("us_next_deadline", i64)
us_set_ready = declare("us_set_ready", i32, i64, READY, ctypes.c_void_p)
us_set_idle = declare("us_set_idle", i32, IDLE, ctypes.c_void_p, i64)
us_getaddrinfo = declare("us_getaddrinfo", i32, ctypes.c_char_p, size_t, ctypes.c_char_p, i64, i32,
                         i32, i32, i32, i64, ctypes.POINTER(AddrInfo), size_t)
us_error_name = declare("us_error_name", ctypes.c_char_p, i64)


def loopback(port=0):
    made = Address()
    assert us_address_set(made, 2, b"127.0.0.1", 9, port, 0, 0) == 0
    return made


class Ctypes(unittest.TestCase):
    def pair(self):
        listener, where = us_open(2, 1, 0), loopback()
        self.assertGreater(listener, 0)
        self.assertEqual(us_bind(listener, where), 0)
        self.assertEqual(us_listen(listener, 5), 0)
        self.assertEqual(us_getsockname(listener, where), 0)
        client = us_open(2, 1, 0)
        self.assertEqual(us_connect(client, where), 0)
        server = us_accept(listener, None)
        self.assertGreater(server, 0)
        for each in (listener, client, server):
            self.addCleanup(us_close, each)
            self.assertEqual(us_settimeout(each, 5000), 0)
        return listener, client, server

    def test_megabyte_through_both_ends(self):
        _, client, server = self.pair()
        data = bytes(i * 7 & 255 for i in range(1 << 20))
        got, sent = b"", 0
        room = ctypes.create_string_buffer(1 << 16)
        us_settimeout(client, 0)
        us_settimeout(server, 0)
        while len(got) < len(data):
            if sent < len(data):
                n = us_send(client, data[sent:sent + 60000], len(data[sent:sent + 60000]), 0)
                self.assertTrue(n > 0 or n == -11, us_error_name(n))
                sent += max(n, 0)
            n = us_recv(server, room, len(room), 0)
            self.assertTrue(n > 0 or n == -11, us_error_name(n))
            got += room.raw[:max(n, 0)]
            if n == -11:
                self.assertEqual(us_step(10), 0)
        self.assertEqual(got, data)

    def test_the_wake_descriptor_and_the_next_deadline_let_a_poller_sleep(self):
        _, client, server = self.pair()
        while us_step(0) == 0 and us_poll(server, 1) & 1:
            pass
        descriptor = us_wake_fd()
        self.assertGreaterEqual(descriptor, 0)
        self.assertEqual(us_poll(server, 1), 0)
        self.assertEqual(us_send(client, b"ping", 4, 0), 4)
        until = time.monotonic() + 30
        while us_poll(server, 1) != 1:
            self.assertLess(time.monotonic(), until)
            wait = us_next_deadline()
            select.select([descriptor], [], [], None if wait < 0 else wait / 1000)
            self.assertEqual(us_step(0), 0)

    def test_a_ready_callback_is_told_from_the_loop(self):
        _, client, server = self.pair()
        told = []
        callback = READY(lambda number, context: told.append((number, context)))
        self.assertEqual(us_set_ready(server, callback, 42), 0)
        us_step(0)
        del told[:]
        us_send(client, b"ping", 4, 0)
        for _ in range(1000):
            us_step(10)
            if told:
                break
        self.assertEqual(told[0], (server, 42))

    def test_an_idle_hook_ends_a_wait_without_loss(self):
        _, client, server = self.pair()
        us_settimeout(server, -1)
        us_send(client, b"half", 4, 0)
        calls = []
        hook = IDLE(lambda _: calls.append(1) or len(calls) == 3)
        us_set_idle(hook, None, 5)
        self.addCleanup(us_set_idle, IDLE(), None, 0)
        room = ctypes.create_string_buffer(8)
        self.assertEqual(us_read(server, room, 8), -4)
        us_send(client, b"rest", 4, 0)
        self.assertEqual(us_read(server, room, 8), 8)
        self.assertEqual(room.raw, b"halfrest")

    def test_another_thread_is_eperm(self):
        _, client, _ = self.pair()
        seen = []
        room = ctypes.create_string_buffer(8)

        def elsewhere():
            seen.extend([us_recv(client, room, 8, 0), us_close(client), us_send(client, b"x", 1, 0)])

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        self.assertEqual(seen, [-1, -1, -1])
        self.assertEqual(us_send(client, b"x", 1, 0), 1)

    @unittest.skipIf(os.environ.get("WEFT_STACK") == "lwip", "there is one lwIP in a process")
    def test_two_threads_have_two_loops(self):
        results = []

        def talk():
            try:
                _, client, server = self.pair()
                room = ctypes.create_string_buffer(4)
                for _ in range(1000):
                    assert us_send(client, b"ping", 4, 0) == 4
                    assert us_read(server, room, 4) == 4
                results.append(room.raw)
                us_close(client)
                us_close(server)
            except BaseException as error:  # noqa: BLE001: it must reach the main thread
                results.append(error)

        threads = [threading.Thread(target=talk) for _ in range(2)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.assertEqual(results, [b"ping", b"ping"])

    def test_names(self):
        found = (AddrInfo * 4)()
        self.assertEqual(us_getaddrinfo(b"127.0.0.1", 9, b"https", 0, 0, 0, 0, 0, 1000, found, 4), 2)
        self.assertEqual((found[0].family, found[0].type, found[0].address.port), (2, 1, 443))
        n = us_getaddrinfo(b"no.such.name.invalid", 20, None, 80, 0, 0, 0, 4, 1000, found, 4)
        self.assertEqual((n, us_error_name(n)), (-1002, b"EAI_NONAME"))


if __name__ == "__main__":
    unittest.main()

// usocket: the socket module that MicroPython's documents describe, in C++, on weft's sockets.
//
//     usocket::socket s;
//     s.connect(usocket::getaddrinfo("127.0.0.1", 80)[0][-1]);
//     s.send("GET / HTTP/1.0\r\n\r\n");
//     usocket::bytes answer = s.recv(4096);
#pragma once

#include <usocket/address.hpp>
#include <usocket/bytes.hpp>
#include <usocket/constants.hpp>
#include <usocket/error.hpp>
#include <usocket/names.hpp>
#include <usocket/print.hpp>
#include <usocket/socket.hpp>
#include <usocket/stack.hpp>
#include <usocket/stream.hpp>
#include <usocket/uselect.hpp>
#include <usocket/utime.hpp>

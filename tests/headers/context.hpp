// What the public headers' opening examples take for granted: the names that they use without
// declaring them. tests/headers/examples.py puts this in front of each.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <utility>

// clang-format off: examples.py adds an include of every public header above this line
using namespace std::chrono_literals;

struct frame {};
extern frame f;
extern weft::loop& loop;
extern weft::stack& net;
extern weft::descriptor_driver* driver;
extern weft::tap_link& tap;
extern weft::endpoint at;
extern weft::endpoint to;
extern std::array<std::byte, 64> buffer;
extern std::span<const std::byte> bytes;
extern std::string reply;
extern weft::tcp_stream peer;
extern weft::tcp_stream stream;
extern weft::tcp_listener listener;
extern weft::event stop;
extern weft::mutex m;
extern weft::scope work;
extern weft::result<std::size_t> received;

weft::task<> main_task();
weft::task<> serve(weft::stack& on);
weft::task<> serve(weft::tcp_stream accepted);
weft::task<> say_goodbye(weft::tcp_stream& whom);
weft::task<std::size_t> download();
weft::task<int> first();
weft::task<int> second();

// Many sockets at once, for C.

#include "c/convert.hpp"
#include "c/usocket.h"

#include "usocket/core/poll_set.hpp"

#include <new>

struct us_poller {
    uselect::poll_set sockets;
    uselect::poll_entry* taken = nullptr; // the last one; null: none yet
    bool some_left = false;
};

using weft::errc;
using weft::result;
using namespace usocket::c;

extern "C" {

us_poller* us_poller_open(void) {
    return new (std::nothrow) us_poller;
}

void us_poller_close(us_poller* p) {
    delete p;
}

int us_poller_set(us_poller* p, us_socket s, unsigned mask, uintptr_t tag) {
    return negative(p == nullptr ? errc::invalid_argument : p->sockets.add(s, mask, tag));
}

void us_poller_drop(us_poller* p, us_socket s) {
    if (p != nullptr) {
        p->sockets.remove(s);
    }
}

int us_poller_wait(us_poller* p, int64_t milliseconds, int flags) {
    const result<weft::duration> limit = limit_of(milliseconds);
    if (p == nullptr || !limit) {
        return negative(errc::invalid_argument);
    }
    p->taken = nullptr;
    p->some_left = false;
    const bool one_shot = (flags & US_ONE_SHOT) != 0;
    const result<std::size_t> ready =
        (flags & US_NO_TURN) != 0 ? p->sockets.look(one_shot) : p->sockets.wait(*limit, one_shot);
    if (!ready) {
        return negative(ready.error());
    }
    p->some_left = *ready != 0;
    return static_cast<int>(*ready);
}

size_t us_poller_take(us_poller* p, us_polled* into, size_t capacity) {
    if (p == nullptr || into == nullptr) {
        return 0;
    }
    std::size_t count = 0;
    uselect::poll_set::event each;
    while (p->some_left && count != capacity) {
        p->some_left = p->sockets.next(p->taken, each);
        if (p->some_left) {
            into[count++] = {each.fileno, each.tag, each.events};
        }
    }
    return count;
}
}

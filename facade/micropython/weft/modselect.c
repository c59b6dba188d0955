// The module select (and uselect) for systems with descriptors. Three kinds of objects can be
// waited for together, and a wait sleeps for the first two:
//
//   weft's sockets, which have no descriptor: weft tells which of them are ready (us_poller)
//
//   objects with a descriptor, and descriptors: poll(2), with weft's own descriptor beside them,
//   and no longer than until weft's next deadline
//
//   objects with a stream ioctl alone. Whether one of them is ready can change only while weft
//   runs if all that it asks is a socket of weft's (a TLS socket does); others are asked each
//   millisecond
#include "py/mpconfig.h"

#if WEFT_PY_SELECT

#include "socket_object.h"

#include "py/mphal.h"
#include "py/objtype.h"
#include "py/stream.h"

#include <errno.h>
#include <poll.h>

#include <string.h>

#define BETWEEN_QUESTIONS_MS (1)
#define ONE_SHOT (1) // a flag of ipoll()

typedef enum { is_socket, is_descriptor, is_stream, is_of_python } kind_t;

typedef struct entry {
    mp_obj_t object;
    kind_t kind;
    uint16_t asked;
    uint16_t found;
    us_socket socket;        // is_socket
    int descriptor;          // is_descriptor
    bool is_ready;           // in the list of those
    bool is_spent;           // a shot of ipoll() told it: nothing until it is asked for again
    struct entry* next;      // of others, or of spare ones
    struct entry** link;     // what points at an other
    struct entry* following; // among those that are ready
} entry_t;

// us_poller has entries as tags, which the collector does not see: they are in `map` as long.
typedef struct {
    mp_obj_base_t base;
    mp_map_t map;       // from the object's id to its entry
    us_poller* sockets; // NULL: none yet
    entry_t* others;    // those that are no sockets
    entry_t* spare;
    entry_t* first_ready;
    entry_t** last_ready;
    size_t descriptors;    // among others
    struct pollfd* polled; // [0] is weft's, then the descriptors in the order of others
    size_t polled_size;    // 0: to be made anew
    int flags;
    mp_obj_t pair; // what ipoll() gives again and again
} poll_t;

static const mp_obj_type_t poll_type;

// --- who is registered

static entry_t* find(poll_t* self, mp_obj_t object) {
    mp_map_elem_t* const place = mp_map_lookup(&self->map, mp_obj_id(object), MP_MAP_LOOKUP);
    return place != NULL ? MP_OBJ_TO_PTR(place->value) : NULL;
}

static void insert_other(poll_t* self, entry_t* entry) {
    entry->next = self->others;
    entry->link = &self->others;
    if (entry->next != NULL) {
        entry->next->link = &entry->next;
    }
    self->others = entry;
    self->descriptors += entry->kind == is_descriptor;
    self->polled_size = 0;
}

static void remove_other(poll_t* self, entry_t* entry) {
    *entry->link = entry->next;
    if (entry->next != NULL) {
        entry->next->link = entry->link;
    }
    self->descriptors -= entry->kind == is_descriptor;
    self->polled_size = 0;
}

/// What it is, as far as the object itself tells.
static void examine(entry_t* entry, mp_obj_t object) {
    entry->descriptor = -1;
    if (mp_obj_is_int(object)) {
        entry->kind = is_descriptor;
        entry->descriptor = mp_obj_get_int(object);
        if (entry->descriptor < 0) {
            mp_raise_ValueError(NULL);
        }
        return;
    }
    const mp_stream_p_t* const stream = mp_get_stream_raise(object, MP_STREAM_OP_IOCTL);
    if (stream == &weft_socket_stream) {
        const us_socket socket = weft_socket_of(object)->handle;
        if (socket == weft_no_socket) {
            mp_raise_OSError(WEFT_EBADF);
        }
        entry->kind = is_socket;
        entry->socket = socket;
        return;
    }
    int error;
    const mp_uint_t descriptor = stream->ioctl(object, MP_STREAM_GET_FILENO, 0, &error);
    if (descriptor != MP_STREAM_ERROR && (int)descriptor >= 0) {
        entry->kind = is_descriptor;
        entry->descriptor = (int)descriptor;
    } else {
        const bool of_python = mp_obj_is_instance_type(mp_obj_get_type(object));
        entry->kind = of_python ? is_of_python : is_stream;
    }
}

static void ask_for(poll_t* self, entry_t* entry, mp_uint_t events) {
    entry->asked = (uint16_t)events;
    entry->is_spent = false;
    if (entry->kind == is_socket) {
        const int set =
            us_poller_set(self->sockets, entry->socket, (unsigned)events, (uintptr_t)entry);
        if (set != -WEFT_EBADF) { // one that was closed stays as it is
            weft_checked(set);
        }
    }
}

static void forget(poll_t* self, mp_obj_t object) {
    mp_map_elem_t* const place =
        mp_map_lookup(&self->map, mp_obj_id(object), MP_MAP_LOOKUP_REMOVE_IF_FOUND);
    if (place == NULL) {
        return;
    }
    entry_t* const entry = MP_OBJ_TO_PTR(place->value);
    place->value = MP_OBJ_NULL;
    if (entry->kind == is_socket) {
        us_poller_drop(self->sockets, entry->socket);
    } else {
        remove_other(self, entry);
    }
    if (entry->is_ready) {
        entry_t** at = &self->first_ready;
        while (*at != entry) {
            at = &(*at)->following;
        }
        *at = entry->following;
    }
    memset(entry, 0, sizeof *entry);
    entry->next = self->spare;
    self->spare = entry;
}

static void add(poll_t* self, mp_obj_t object, mp_uint_t events) {
    entry_t* const known = find(self, object);
    if (known != NULL) {
        ask_for(self, known, events);
        return;
    }
    entry_t* entry = self->spare;
    if (entry != NULL) {
        self->spare = entry->next;
    } else {
        entry = m_new_obj(entry_t);
    }
    memset(entry, 0, sizeof *entry);
    examine(entry, object);
    if (entry->kind == is_socket && self->sockets == NULL) {
        self->sockets = us_poller_open();
        if (self->sockets == NULL) {
            mp_raise_OSError(WEFT_ENOMEM);
        }
    }
    entry->object = object;
    mp_map_lookup(&self->map, mp_obj_id(object), MP_MAP_LOOKUP_ADD_IF_NOT_FOUND)->value =
        MP_OBJ_FROM_PTR(entry);
    if (entry->kind != is_socket) {
        insert_other(self, entry);
        entry->asked = (uint16_t)events;
        return;
    }
    const int set = us_poller_set(self->sockets, entry->socket, (unsigned)events, (uintptr_t)entry);
    entry->asked = (uint16_t)events;
    if (set < 0) {
        forget(self, object);
        weft_raise(set);
    }
}

// --- waiting

static void found_ready(poll_t* self, entry_t* entry, unsigned events) {
    entry->found = (uint16_t)events;
    entry->is_spent = (self->flags & ONE_SHOT) != 0;
    entry->is_ready = true;
    entry->following = NULL;
    *self->last_ready = entry;
    self->last_ready = &entry->following;
}

// asyncio looks once more, at once, after each wait. So soon after a turn of the loop, and without
// anything done since, what is known is all there is to know.
#define NO_NEWS_US (20)
static WEFT_PER_THREAD mp_uint_t last_turn_us;

static bool wants_turn(int64_t milliseconds) {
    return milliseconds != 0 || weft_has_acted || mp_hal_ticks_us() - last_turn_us >= NO_NEWS_US;
}

static size_t wait_for_sockets(poll_t* self, int64_t milliseconds) {
    int ready;
    const int flags = (self->flags & ONE_SHOT) != 0 ? US_ONE_SHOT : 0;
    if (wants_turn(milliseconds)) {
        WEFT_CALL(ready, us_poller_wait(self->sockets, milliseconds, flags));
        weft_has_acted = false;
        last_turn_us = mp_hal_ticks_us();
    } else {
        ready = us_poller_wait(self->sockets, 0, flags | US_NO_TURN);
    }
    weft_checked(ready);
    us_polled some[16];
    size_t count;
    do {
        count = us_poller_take(self->sockets, some, MP_ARRAY_SIZE(some));
        for (size_t i = 0; i != count; ++i) {
            found_ready(self, (entry_t*)some[i].tag, some[i].events);
        }
    } while (count == MP_ARRAY_SIZE(some));
    return (size_t)ready;
}

/// Those that have an ioctl alone. `*foreign`: some depend on more than weft's sockets.
static size_t ask_streams(poll_t* self, bool* foreign) {
    size_t ready = 0;
    for (entry_t* each = self->others; each != NULL; each = each->next) {
        if (each->kind == is_descriptor || each->is_spent) {
            continue;
        }
        const unsigned before = weft_sockets_asked;
        int error;
        const mp_uint_t found =
            mp_get_stream(each->object)->ioctl(each->object, MP_STREAM_POLL, each->asked, &error);
        if (found == MP_STREAM_ERROR) {
            mp_raise_OSError(error);
        }
        if (found != 0) {
            found_ready(self, each, (unsigned)found);
            ++ready;
        } else if (each->kind == is_of_python || weft_sockets_asked == before) {
            *foreign = true;
        }
    }
    return ready;
}

/// poll(2), with weft's descriptor; -1: that was interrupted.
static int poll_descriptors(poll_t* self, int weft_descriptor, int milliseconds) {
    if (self->polled_size == 0) {
        self->polled = m_renew(struct pollfd, self->polled, 0, self->descriptors + 1);
        self->polled_size = self->descriptors + 1;
    }
    self->polled[0] = (struct pollfd){.fd = weft_descriptor, .events = POLLIN};
    size_t at = 1;
    for (entry_t* each = self->others; each != NULL; each = each->next) {
        if (each->kind == is_descriptor) {
            self->polled[at].fd = each->is_spent ? -1 : each->descriptor;
            self->polled[at].events = (short)each->asked;
            self->polled[at++].revents = 0;
        }
    }
    // without one of weft's the list is as long as what was registered
    const size_t skipped = weft_descriptor < 0 ? 1 : 0;
    MP_THREAD_GIL_EXIT();
    const int ready = poll(self->polled + skipped, self->polled_size - skipped, milliseconds);
    const int number = errno;
    MP_THREAD_GIL_ENTER();
    if (ready < 0 && number != EINTR) {
        mp_raise_OSError(number);
    }
    return ready;
}

static size_t take_descriptors(poll_t* self) {
    size_t ready = 0;
    size_t at = 1;
    for (entry_t* each = self->others; each != NULL; each = each->next) {
        if (each->kind != is_descriptor) {
            continue;
        }
        const short found = self->polled[at++].revents;
        if (found != 0) {
            found_ready(self, each, (unsigned short)found);
            ++ready;
        }
    }
    return ready;
}

static int64_t sooner(int64_t a, int64_t b) {
    return a < 0 ? b : b < 0 ? a : MIN(a, b);
}

/// One look at all, and a sleep if nothing is ready; how many are.
static size_t look_and_sleep(poll_t* self, int64_t milliseconds, bool has_stack) {
    size_t ready = 0;
    if (self->sockets != NULL) {
        ready += wait_for_sockets(self, 0);
    } else if (has_stack && self->others != NULL) {
        int turned;
        WEFT_CALL(turned, us_step(0));
        weft_checked(turned);
    }
    bool foreign = false;
    ready += ask_streams(self, &foreign);
    int64_t rest = ready != 0 ? 0 : milliseconds;
    if (foreign) {
        rest = sooner(rest, BETWEEN_QUESTIONS_MS);
    }
    if (self->descriptors == 0 && has_stack) {
        if (rest != 0) {
            int turned;
            WEFT_CALL(turned, us_step(rest));
            weft_checked(turned);
        }
        return ready;
    }
    int descriptor = -1;
    if (has_stack) {
        descriptor = us_wake_fd();
        rest = sooner(rest, us_next_deadline());
    }
    if (descriptor < 0) { // nobody wakes us
        rest = sooner(rest, has_stack ? BETWEEN_QUESTIONS_MS : WEFT_LOOK_INTERVAL_MS);
    }
    if (poll_descriptors(self, descriptor, (int)MIN(rest, INT_MAX)) > 0) {
        ready += take_descriptors(self);
    }
    if (ready == 0) {
        mp_handle_pending(true);
    }
    return ready;
}

/// `milliseconds` -1: for ever.
static size_t wait_until_ready(poll_t* self, mp_int_t milliseconds) {
    while (self->first_ready != NULL) { // left over from an iteration that was broken off
        self->first_ready->is_ready = false;
        self->first_ready = self->first_ready->following;
    }
    self->last_ready = &self->first_ready;
    const bool has_stack = weft_prepare_thread();
    const mp_uint_t begun = mp_hal_ticks_ms();
    int64_t rest = milliseconds;
    for (;;) {
        if (self->others == NULL && self->sockets != NULL && has_stack) {
            return wait_for_sockets(self, rest);
        }
        const size_t ready = look_and_sleep(self, rest, has_stack);
        if (ready != 0 || rest == 0) {
            return ready;
        }
        if (milliseconds >= 0) {
            const mp_uint_t elapsed = mp_hal_ticks_ms() - begun;
            rest = elapsed < (mp_uint_t)milliseconds ? milliseconds - (mp_int_t)elapsed : 0;
        }
    }
}

/// The next one that is ready, taken out of their list; NULL: none.
static entry_t* next_ready(poll_t* self) {
    entry_t* const entry = self->first_ready;
    if (entry != NULL) {
        self->first_ready = entry->following;
        entry->is_ready = false;
    }
    return entry;
}

// --- the object poll

static poll_t* new_poll(void) {
    poll_t* const self = mp_obj_malloc_with_finaliser(poll_t, &poll_type);
    memset((char*)self + sizeof self->base, 0, sizeof *self - sizeof self->base);
    mp_map_init(&self->map, 0);
    self->last_ready = &self->first_ready;
    return self;
}

static mp_obj_t select_poll(void) {
    return MP_OBJ_FROM_PTR(new_poll());
}
static MP_DEFINE_CONST_FUN_OBJ_0(select_poll_obj, select_poll);

static mp_obj_t poll_del(mp_obj_t self_in) {
    poll_t* const self = MP_OBJ_TO_PTR(self_in);
    us_poller_close(self->sockets);
    self->sockets = NULL;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(poll_del_obj, poll_del);

// register(object[, events])
static mp_obj_t poll_register(size_t n_args, const mp_obj_t* args) {
    const mp_uint_t events =
        n_args == 3 ? (mp_uint_t)mp_obj_get_int(args[2]) : MP_STREAM_POLL_RD | MP_STREAM_POLL_WR;
    add(MP_OBJ_TO_PTR(args[0]), args[1], events);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(poll_register_obj, 2, 3, poll_register);

static mp_obj_t poll_unregister(mp_obj_t self, mp_obj_t object) {
    forget(MP_OBJ_TO_PTR(self), object);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(poll_unregister_obj, poll_unregister);

static mp_obj_t poll_modify(mp_obj_t self_in, mp_obj_t object, mp_obj_t events) {
    poll_t* const self = MP_OBJ_TO_PTR(self_in);
    entry_t* const entry = find(self, object);
    if (entry == NULL) {
        mp_raise_OSError(WEFT_ENOENT);
    }
    ask_for(self, entry, (mp_uint_t)mp_obj_get_int(events));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(poll_modify_obj, poll_modify);

static void wait_with(size_t n_args, const mp_obj_t* args) {
    poll_t* const self = MP_OBJ_TO_PTR(args[0]);
    mp_int_t milliseconds = -1;
    if (n_args > 1 && args[1] != mp_const_none) {
        milliseconds = MAX(mp_obj_get_int(args[1]), -1);
    }
    self->flags = n_args > 2 ? (int)mp_obj_get_int(args[2]) : 0;
    wait_until_ready(self, milliseconds);
}

// poll([milliseconds])
static mp_obj_t poll_poll(size_t n_args, const mp_obj_t* args) {
    wait_with(n_args, args);
    const mp_obj_t list = mp_obj_new_list(0, NULL);
    entry_t* each;
    while ((each = next_ready(MP_OBJ_TO_PTR(args[0]))) != NULL) {
        const mp_obj_t pair[] = {each->object, MP_OBJ_NEW_SMALL_INT(each->found)};
        mp_obj_list_append(list, mp_obj_new_tuple(2, pair));
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(poll_poll_obj, 1, 2, poll_poll);

// ipoll([milliseconds[, flags]])
static mp_obj_t poll_ipoll(size_t n_args, const mp_obj_t* args) {
    poll_t* const self = MP_OBJ_TO_PTR(args[0]);
    if (self->pair == MP_OBJ_NULL) {
        self->pair = mp_obj_new_tuple(2, NULL);
    }
    wait_with(n_args, args);
    return args[0];
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(poll_ipoll_obj, 1, 3, poll_ipoll);

static mp_obj_t poll_iternext(mp_obj_t self_in) {
    poll_t* const self = MP_OBJ_TO_PTR(self_in);
    entry_t* const entry = next_ready(self);
    if (entry == NULL) {
        return MP_OBJ_STOP_ITERATION;
    }
    mp_obj_tuple_t* const pair = MP_OBJ_TO_PTR(self->pair);
    pair->items[0] = entry->object;
    pair->items[1] = MP_OBJ_NEW_SMALL_INT(entry->found);
    return self->pair;
}

// Searched from the front: what asyncio looks up with each request comes first.
static const mp_rom_map_elem_t poll_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_ipoll), MP_ROM_PTR(&poll_ipoll_obj)},
    {MP_ROM_QSTR(MP_QSTR_modify), MP_ROM_PTR(&poll_modify_obj)},
    {MP_ROM_QSTR(MP_QSTR_register), MP_ROM_PTR(&poll_register_obj)},
    {MP_ROM_QSTR(MP_QSTR_unregister), MP_ROM_PTR(&poll_unregister_obj)},
    {MP_ROM_QSTR(MP_QSTR_poll), MP_ROM_PTR(&poll_poll_obj)},
    {MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&poll_del_obj)},
};
static MP_DEFINE_CONST_DICT(poll_locals, poll_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    poll_type, MP_QSTR_poll, MP_TYPE_FLAG_ITER_IS_ITERNEXT, iter, poll_iternext, locals_dict,
    &poll_locals);

// --- select(reading, writing, exceptions[, seconds])

static mp_int_t milliseconds_of(mp_obj_t seconds) {
    if (seconds == mp_const_none) {
        return -1;
    }
#if MICROPY_PY_BUILTINS_FLOAT
    const mp_float_t exact = mp_obj_get_float(seconds) * 1000;
    if (!(exact >= 0) || exact >= (mp_float_t)INT_MAX) {
        return -1;
    }
    const mp_int_t whole = (mp_int_t)exact;
    return (mp_float_t)whole < exact ? whole + 1 : whole;
#else
    const mp_int_t whole = mp_obj_get_int(seconds);
    return whole < 0 ? -1 : whole * 1000;
#endif
}

static mp_obj_t select_select(size_t n_args, const mp_obj_t* args) {
    static const mp_uint_t wanted[] = {
        MP_STREAM_POLL_RD, MP_STREAM_POLL_WR, MP_STREAM_POLL_ERR | MP_STREAM_POLL_HUP};
    poll_t* const set = new_poll();
    for (size_t i = 0; i != 3; ++i) {
        size_t size;
        mp_obj_t* items;
        mp_obj_get_array(args[i], &size, &items);
        for (size_t k = 0; k != size; ++k) {
            const entry_t* const known = find(set, items[k]);
            add(set, items[k], wanted[i] | (known != NULL ? known->asked : 0));
        }
    }
    wait_until_ready(set, n_args > 3 ? milliseconds_of(args[3]) : -1);
    mp_obj_t lists[] = {
        mp_obj_new_list(0, NULL), mp_obj_new_list(0, NULL), mp_obj_new_list(0, NULL)};
    entry_t* each;
    while ((each = next_ready(set)) != NULL) {
        if ((each->found & MP_STREAM_POLL_RD) != 0) {
            mp_obj_list_append(lists[0], each->object);
        }
        if ((each->found & MP_STREAM_POLL_WR) != 0) {
            mp_obj_list_append(lists[1], each->object);
        }
        if ((each->found & ~(MP_STREAM_POLL_RD | MP_STREAM_POLL_WR)) != 0) {
            mp_obj_list_append(lists[2], each->object);
        }
    }
    poll_del(MP_OBJ_FROM_PTR(set));
    return mp_obj_new_tuple(3, lists);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(select_select_obj, 3, 4, select_select);

static const mp_rom_map_elem_t select_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_POLLIN), MP_ROM_INT(MP_STREAM_POLL_RD)},
    {MP_ROM_QSTR(MP_QSTR_POLLOUT), MP_ROM_INT(MP_STREAM_POLL_WR)},
    {MP_ROM_QSTR(MP_QSTR_POLLERR), MP_ROM_INT(MP_STREAM_POLL_ERR)},
    {MP_ROM_QSTR(MP_QSTR_POLLHUP), MP_ROM_INT(MP_STREAM_POLL_HUP)},
    {MP_ROM_QSTR(MP_QSTR_poll), MP_ROM_PTR(&select_poll_obj)},
    {MP_ROM_QSTR(MP_QSTR_select), MP_ROM_PTR(&select_select_obj)},
    {MP_ROM_QSTR(MP_QSTR_POLLNVAL), MP_ROM_INT(MP_STREAM_POLL_NVAL)},
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_select)},
};
static MP_DEFINE_CONST_DICT(select_globals, select_globals_table);

const mp_obj_module_t weft_select_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t*)&select_globals,
};

// select and uselect, unless the file system has one.
MP_REGISTER_EXTENSIBLE_MODULE(MP_QSTR_select, weft_select_module);

#endif

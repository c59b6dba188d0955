// The type socket: making, naming, connecting and closing; options and readiness.

#include "socket_object.h"

#include "py/gc.h"
#include "py/stream.h"

#include <string.h>

weft_socket* weft_socket_of(mp_obj_t object) {
    if (mp_obj_is_exact_type(object, &weft_socket_type)) {
        return MP_OBJ_TO_PTR(object);
    }
    return MP_OBJ_TO_PTR(mp_obj_cast_to_native_base(object, MP_OBJ_FROM_PTR(&weft_socket_type)));
}

static us_socket socket_handle(mp_obj_t self) {
    return ((const weft_socket*)MP_OBJ_TO_PTR(self))->handle;
}

static weft_socket* new_socket(int family) {
    weft_socket* const made = mp_obj_malloc_with_finaliser(weft_socket, &weft_socket_type);
    made->handle = weft_no_socket;
    made->family = family;
    made->callback = MP_OBJ_NULL;
    made->next_with_callback = 0;
    return made;
}

/// Whether sockets that nobody refers to any more may hold what is missing.
static bool is_exhausted(int64_t result) {
    return result == -WEFT_ENOMEM || result == -WEFT_EMFILE || result == -WEFT_ENFILE;
}

// socket(af=AF_INET, type=SOCK_STREAM, proto=IPPROTO_TCP)
static mp_obj_t
socket_make_new(const mp_obj_type_t* type, size_t n_args, size_t n_kw, const mp_obj_t* args) {
    (void)type;
    enum { ARG_af, ARG_type, ARG_proto };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_af, MP_ARG_INT, {.u_int = US_AF_INET}},
        {MP_QSTR_type, MP_ARG_INT, {.u_int = US_SOCK_STREAM}},
        {MP_QSTR_proto, MP_ARG_INT, {.u_int = 0}},
    };
    mp_arg_val_t given[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all_kw_array(n_args, n_kw, args, MP_ARRAY_SIZE(allowed), allowed, given);
    const int family = (int)given[ARG_af].u_int;
    const int kind = (int)given[ARG_type].u_int;
    const int proto = (int)given[ARG_proto].u_int;

    weft_prepare_thread();
    weft_socket* const self = new_socket(family);
    us_socket opened = us_open(family, kind, proto);
    if (is_exhausted(opened)) {
        gc_collect();
        opened = us_open(family, kind, proto);
    }
    self->handle = weft_checked(opened);
    return MP_OBJ_FROM_PTR(self);
}

static void socket_print(const mp_print_t* print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    const weft_socket* const self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "<socket %d>", (int)self->handle);
}

// --- SO_CALLBACK
//
// weft knows the handle alone. Which object has it is in a list that the collector does not see, so
// that a socket which nobody else refers to is closed; that takes it off the list.

static uintptr_t first_with_callback;

static uintptr_t hidden(const weft_socket* socket) {
    return socket != NULL ? ~(uintptr_t)socket : 0;
}

static weft_socket* shown(uintptr_t hidden_socket) {
    return hidden_socket != 0 ? (weft_socket*)~hidden_socket : NULL;
}

static void when_ready(us_socket s, void* unused) {
    (void)unused;
    if (us_poll(s, US_POLLIN) == 0) {
        return;
    }
    weft_socket* each = shown(first_with_callback);
    while (each != NULL && each->handle != s) {
        each = shown(each->next_with_callback);
    }
    if (each != NULL && !mp_sched_schedule(each->callback, MP_OBJ_FROM_PTR(each))) {
        us_set_ready(s, when_ready, NULL); // no room: once more in the next turn
    }
}

static void forget_callback(weft_socket* self) {
    uintptr_t* at = &first_with_callback;
    while (*at != 0 && *at != hidden(self)) {
        at = &shown(*at)->next_with_callback;
    }
    if (*at != 0) {
        *at = self->next_with_callback;
    }
    self->callback = MP_OBJ_NULL;
}

static void set_callback(weft_socket* self, mp_obj_t callback) {
    const bool some = callback != mp_const_none;
    if (some && !mp_obj_is_callable(callback)) {
        mp_raise_OSError(WEFT_EINVAL);
    }
    weft_checked(us_set_ready(self->handle, some ? when_ready : NULL, NULL));
    if (self->callback != MP_OBJ_NULL) {
        forget_callback(self);
    }
    if (some) {
        self->callback = callback;
        self->next_with_callback = first_with_callback;
        first_with_callback = hidden(self);
    }
}

// --- closing

/// Inside the collector too: allocates nothing, and does not raise.
static void close_socket(weft_socket* self) {
    if (self->callback != MP_OBJ_NULL) {
        forget_callback(self);
    }
    if (self->handle != weft_no_socket) {
        weft_has_acted = true;
        us_close(self->handle);
        self->handle = weft_no_socket;
    }
}

static mp_obj_t socket_close(mp_obj_t self) {
    close_socket(MP_OBJ_TO_PTR(self));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_close_obj, socket_close);

static mp_obj_t socket___exit__(size_t n_args, const mp_obj_t* args) {
    (void)n_args;
    return socket_close(args[0]);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket___exit___obj, 4, 4, socket___exit__);

static mp_obj_t socket_fileno(mp_obj_t self_in) {
    return mp_obj_new_int_from_ll(socket_handle(self_in));
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_fileno_obj, socket_fileno);

// --- names and connections

static mp_obj_t socket_bind(mp_obj_t self_in, mp_obj_t address) {
    const weft_socket* const self = MP_OBJ_TO_PTR(self_in);
    us_address at;
    weft_address_of(address, self->family, &at);
    weft_checked(us_bind(self->handle, &at));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_bind_obj, socket_bind);

// listen([backlog])
static mp_obj_t socket_listen(size_t n_args, const mp_obj_t* args) {
    const us_socket s = socket_handle(args[0]);
    if (n_args == 1) {
        weft_checked(us_listen_default(s));
    } else {
        const mp_int_t backlog = mp_obj_get_int(args[1]);
        weft_checked(us_listen(s, (int)MIN(backlog, INT32_MAX)));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_listen_obj, 1, 2, socket_listen);

static us_socket accept_one(us_socket s, us_address* from) {
    us_socket accepted;
    WEFT_CALL(accepted, us_accept(s, from));
    return accepted;
}

static mp_obj_t socket_accept(mp_obj_t self_in) {
    const weft_socket* const self = MP_OBJ_TO_PTR(self_in);
    weft_socket* const child = new_socket(self->family);
    us_address from;
    us_socket accepted = accept_one(self->handle, &from);
    if (is_exhausted(accepted)) {
        gc_collect();
        accepted = accept_one(self->handle, &from);
    }
    child->handle = weft_checked(accepted);
    const mp_obj_t pair[] = {MP_OBJ_FROM_PTR(child), weft_address_tuple(&from)};
    return mp_obj_new_tuple(2, pair);
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_accept_obj, socket_accept);

static mp_obj_t socket_connect(mp_obj_t self_in, mp_obj_t address) {
    const weft_socket* const self = MP_OBJ_TO_PTR(self_in);
    us_address to;
    weft_address_of(address, self->family, &to);
    int64_t result;
    WEFT_CALL(result, us_connect(self->handle, &to));
    weft_checked(result);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_connect_obj, socket_connect);

static mp_obj_t socket_shutdown(mp_obj_t self_in, mp_obj_t how) {
    weft_has_acted = true;
    weft_checked(us_shutdown(socket_handle(self_in), (int)mp_obj_get_int(how)));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_shutdown_obj, socket_shutdown);

static mp_obj_t socket_getsockname(mp_obj_t self_in) {
    us_address at;
    weft_checked(us_getsockname(socket_handle(self_in), &at));
    return weft_address_tuple(&at);
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_getsockname_obj, socket_getsockname);

static mp_obj_t socket_getpeername(mp_obj_t self_in) {
    us_address at;
    weft_checked(us_getpeername(socket_handle(self_in), &at));
    return weft_address_tuple(&at);
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_getpeername_obj, socket_getpeername);

// --- options

#define LONGEST_MS ((int64_t)9000000000000) // 285 years: what weft counts in

/// Seconds to whole milliseconds, rounded up: only 0 is 0.
static int64_t milliseconds_of(mp_obj_t seconds) {
    if (seconds == mp_const_none) {
        return -1;
    }
#if MICROPY_PY_BUILTINS_FLOAT
    const mp_float_t exact = mp_obj_get_float(seconds) * 1000;
    if (!(exact >= 0)) { // NaN is not
        mp_raise_OSError(WEFT_EINVAL);
    }
    if (exact >= (mp_float_t)LONGEST_MS) {
        return LONGEST_MS;
    }
    const int64_t whole = (int64_t)exact;
    return (mp_float_t)whole < exact ? whole + 1 : whole;
#else
    const mp_int_t whole = mp_obj_get_int(seconds);
    if (whole < 0) {
        mp_raise_OSError(WEFT_EINVAL);
    }
    return (int64_t)whole * 1000;
#endif
}

static mp_obj_t socket_settimeout(mp_obj_t self, mp_obj_t seconds) {
    weft_checked(us_settimeout(socket_handle(self), milliseconds_of(seconds)));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_settimeout_obj, socket_settimeout);

static mp_obj_t socket_setblocking(mp_obj_t self, mp_obj_t blocking) {
    weft_checked(us_settimeout(socket_handle(self), mp_obj_is_true(blocking) ? -1 : 0));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_setblocking_obj, socket_setblocking);

static mp_obj_t socket_gettimeout(mp_obj_t self_in) {
    int64_t milliseconds;
    weft_checked(us_gettimeout(socket_handle(self_in), &milliseconds));
    if (milliseconds < 0) {
        return mp_const_none;
    }
#if MICROPY_PY_BUILTINS_FLOAT
    return mp_obj_new_float((mp_float_t)milliseconds / 1000);
#else
    return mp_obj_new_int_from_ll((milliseconds + 999) / 1000);
#endif
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_gettimeout_obj, socket_gettimeout);

// setsockopt(level, option, value)
static mp_obj_t socket_setsockopt(size_t n_args, const mp_obj_t* args) {
    (void)n_args;
    weft_socket* const self = MP_OBJ_TO_PTR(args[0]);
    const int level = (int)mp_obj_get_int(args[1]);
    const int option = (int)mp_obj_get_int(args[2]);
    if (level == US_SOL_SOCKET && option == US_SO_CALLBACK) {
        set_callback(self, args[3]);
    } else if (mp_obj_is_int(args[3]) || mp_obj_is_bool(args[3])) {
        const mp_int_t value = mp_obj_get_int_truncated(args[3]);
        weft_checked(us_setsockopt_int(self->handle, level, option, (int)value));
    } else {
        mp_buffer_info_t value;
        mp_get_buffer_raise(args[3], &value, MP_BUFFER_READ);
        weft_checked(us_setsockopt(self->handle, level, option, value.buf, value.len));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_setsockopt_obj, 4, 4, socket_setsockopt);

// getsockopt(level, option)
static mp_obj_t socket_getsockopt(mp_obj_t self_in, mp_obj_t level, mp_obj_t option) {
    int value;
    weft_checked(us_getsockopt_int(
        socket_handle(self_in), (int)mp_obj_get_int(level), (int)mp_obj_get_int(option), &value));
    return mp_obj_new_int(value);
}
static MP_DEFINE_CONST_FUN_OBJ_3(socket_getsockopt_obj, socket_getsockopt);

// makefile(mode="rb", buffering=0): a socket is a stream already
static mp_obj_t socket_makefile(size_t n_args, const mp_obj_t* args, mp_map_t* kw_args) {
    enum { ARG_mode, ARG_buffering };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_mode, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_QSTR(MP_QSTR_rb)}},
        {MP_QSTR_buffering, MP_ARG_INT, {.u_int = 0}},
    };
    mp_arg_val_t given[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, args + 1, kw_args, MP_ARRAY_SIZE(allowed), allowed, given);
    const char* const mode = mp_obj_str_get_str(given[ARG_mode].u_obj);
    if (strcmp(mode, "rb") != 0 && strcmp(mode, "wb") != 0 && strcmp(mode, "rwb") != 0) {
        mp_raise_OSError(WEFT_EINVAL);
    }
    if (socket_handle(args[0]) == weft_no_socket) {
        mp_raise_OSError(WEFT_EBADF);
    }
    return args[0];
}
static MP_DEFINE_CONST_FUN_OBJ_KW(socket_makefile_obj, 1, socket_makefile);

// --- the type

static mp_uint_t stream_ioctl(mp_obj_t object, mp_uint_t request, uintptr_t argument, int* error) {
    weft_socket* const self = weft_socket_of(object);
    if (request == MP_STREAM_CLOSE) {
        close_socket(self);
        return 0;
    }
    weft_sockets_asked += request == MP_STREAM_POLL;
    return us_stream_ioctl(self->handle, (unsigned)request, argument, error);
}

WEFT_PER_THREAD unsigned weft_sockets_asked;

const mp_stream_p_t weft_socket_stream = {
    .read = weft_stream_read,
    .write = weft_stream_write,
    .ioctl = stream_ioctl,
};

// Searched from the front: what asyncio looks up with each request comes first.
static const mp_rom_map_elem_t socket_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&weft_socket_read_obj)},
    {MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&weft_socket_write_obj)},
    {MP_ROM_QSTR(MP_QSTR_readline), MP_ROM_PTR(&weft_socket_readline_obj)},
    {MP_ROM_QSTR(MP_QSTR_readinto), MP_ROM_PTR(&weft_socket_readinto_obj)},
    {MP_ROM_QSTR(MP_QSTR_recv), MP_ROM_PTR(&weft_socket_recv_obj)},
    {MP_ROM_QSTR(MP_QSTR_send), MP_ROM_PTR(&weft_socket_send_obj)},
    {MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&socket_close_obj)},
    {MP_ROM_QSTR(MP_QSTR_accept), MP_ROM_PTR(&socket_accept_obj)},
    {MP_ROM_QSTR(MP_QSTR_setblocking), MP_ROM_PTR(&socket_setblocking_obj)},
    {MP_ROM_QSTR(MP_QSTR_fileno), MP_ROM_PTR(&socket_fileno_obj)},
    {MP_ROM_QSTR(MP_QSTR_bind), MP_ROM_PTR(&socket_bind_obj)},
    {MP_ROM_QSTR(MP_QSTR_listen), MP_ROM_PTR(&socket_listen_obj)},
    {MP_ROM_QSTR(MP_QSTR_connect), MP_ROM_PTR(&socket_connect_obj)},
    {MP_ROM_QSTR(MP_QSTR_shutdown), MP_ROM_PTR(&socket_shutdown_obj)},
    {MP_ROM_QSTR(MP_QSTR_getsockname), MP_ROM_PTR(&socket_getsockname_obj)},
    {MP_ROM_QSTR(MP_QSTR_getpeername), MP_ROM_PTR(&socket_getpeername_obj)},
    {MP_ROM_QSTR(MP_QSTR_sendall), MP_ROM_PTR(&weft_socket_sendall_obj)},
    {MP_ROM_QSTR(MP_QSTR_sendto), MP_ROM_PTR(&weft_socket_sendto_obj)},
    {MP_ROM_QSTR(MP_QSTR_recvfrom), MP_ROM_PTR(&weft_socket_recvfrom_obj)},
    {MP_ROM_QSTR(MP_QSTR_settimeout), MP_ROM_PTR(&socket_settimeout_obj)},
    {MP_ROM_QSTR(MP_QSTR_gettimeout), MP_ROM_PTR(&socket_gettimeout_obj)},
    {MP_ROM_QSTR(MP_QSTR_setsockopt), MP_ROM_PTR(&socket_setsockopt_obj)},
    {MP_ROM_QSTR(MP_QSTR_getsockopt), MP_ROM_PTR(&socket_getsockopt_obj)},
    {MP_ROM_QSTR(MP_QSTR_makefile), MP_ROM_PTR(&socket_makefile_obj)},
    {MP_ROM_QSTR(MP_QSTR_secure), MP_ROM_PTR(&weft_socket_secure_obj)},
    {MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&mp_identity_obj)},
    {MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&socket___exit___obj)},
    {MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&socket_close_obj)},
};
static MP_DEFINE_CONST_DICT(socket_locals, socket_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    weft_socket_type, MP_QSTR_socket, MP_TYPE_FLAG_NONE, make_new, socket_make_new, print,
    socket_print, protocol, &weft_socket_stream, locals_dict, &socket_locals);

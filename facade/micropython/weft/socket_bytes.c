// Bytes in and out of a socket: Python's methods, and MicroPython's stream protocol.

#include "socket_object.h"

#include "py/objstr.h"
#include "py/stream.h"

#include <string.h>

static weft_socket* self_of(const mp_obj_t* args) {
    return MP_OBJ_TO_PTR(args[0]);
}

static int flags_of(size_t n_args, const mp_obj_t* args, size_t at) {
    return n_args > at ? (int)mp_obj_get_int(args[at]) : 0;
}

static size_t size_of(mp_obj_t n) {
    const mp_int_t size = mp_obj_get_int(n);
    if (size < 0) {
        mp_raise_OSError(WEFT_EINVAL);
    }
    return (size_t)size;
}

/// The first `size` bytes of `buffer`, whose memory they keep.
static mp_obj_t bytes_of(vstr_t* buffer, size_t size) {
    buffer->len = size;
    return mp_obj_new_bytes_from_vstr(buffer);
}

/// As MicroPython's streams do it: None for what would block.
static mp_obj_t none_if_blocking(int64_t result) {
    if (result != -WEFT_EAGAIN) {
        weft_raise(result);
    }
    return mp_const_none;
}

// --- sending

// send(bytes, flags=0)
static mp_obj_t socket_send(size_t n_args, const mp_obj_t* args) {
    const us_socket s = self_of(args)->handle;
    mp_buffer_info_t data;
    mp_get_buffer_raise(args[1], &data, MP_BUFFER_READ);
    const int flags = flags_of(n_args, args, 2);
    int64_t sent;
    WEFT_CALL(sent, us_send(s, data.buf, data.len, flags));
    if (sent >= 0 && (size_t)sent < data.len) {
        mp_handle_pending(true); // it may have been cut short by Ctrl-C
    }
    return MP_OBJ_NEW_SMALL_INT(weft_checked(sent));
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_send_obj, 2, 3, socket_send);

/// All of `data` by `send`, which tells how much it took, whatever interrupts it.
static int send_with(
    int (*send)(us_socket, const void*, size_t, size_t*), us_socket s, const mp_buffer_info_t* data,
    size_t* sent) {
    int result;
    *sent = 0;
    WEFT_CALL(result, ({
                  size_t taken = 0;
                  const int outcome =
                      send(s, (const char*)data->buf + *sent, data->len - *sent, &taken);
                  *sent += taken;
                  outcome;
              }));
    return result;
}

// sendall(bytes)
static mp_obj_t socket_sendall(mp_obj_t self, mp_obj_t bytes) {
    mp_buffer_info_t data;
    mp_get_buffer_raise(bytes, &data, MP_BUFFER_READ);
    size_t sent;
    weft_checked(send_with(us_sendall, self_of(&self)->handle, &data, &sent));
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_2(weft_socket_sendall_obj, socket_sendall);

// sendto(bytes, [flags,] address)
static mp_obj_t socket_sendto(size_t n_args, const mp_obj_t* args) {
    weft_socket* const self = self_of(args);
    mp_buffer_info_t data;
    mp_get_buffer_raise(args[1], &data, MP_BUFFER_READ);
    const int flags = n_args > 3 ? (int)mp_obj_get_int(args[2]) : 0;
    us_address to;
    weft_address_of(args[n_args - 1], self->family, &to);
    int64_t sent;
    WEFT_CALL(sent, us_sendto(self->handle, data.buf, data.len, flags, &to));
    return MP_OBJ_NEW_SMALL_INT(weft_checked(sent));
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_sendto_obj, 3, 4, socket_sendto);

// write(bytes[, size]), write(bytes, offset, size)
static mp_obj_t socket_write(size_t n_args, const mp_obj_t* args) {
    mp_buffer_info_t data;
    mp_get_buffer_raise(args[1], &data, MP_BUFFER_READ);
    if (n_args > 2) {
        const size_t offset = n_args == 4 ? MIN(size_of(args[2]), data.len) : 0;
        data.buf = (char*)data.buf + offset;
        data.len = MIN(data.len - offset, size_of(args[n_args - 1]));
    }
    size_t sent;
    const int result = send_with(us_write, self_of(args)->handle, &data, &sent);
    if (result < 0 && (result != -WEFT_EAGAIN || sent == 0)) {
        return none_if_blocking(result);
    }
    return MP_OBJ_NEW_SMALL_INT(sent);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_write_obj, 2, 4, socket_write);

// --- receiving

// recv(n, flags=0)
static mp_obj_t socket_recv(size_t n_args, const mp_obj_t* args) {
    const us_socket s = self_of(args)->handle;
    const int flags = flags_of(n_args, args, 2);
    vstr_t buffer;
    vstr_init_len(&buffer, size_of(args[1]));
    int64_t got;
    WEFT_CALL(got, us_recv(s, buffer.buf, buffer.len, flags));
    if (got < 0) {
        vstr_clear(&buffer);
        weft_raise(got);
    }
    return bytes_of(&buffer, (size_t)got);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_recv_obj, 2, 3, socket_recv);

// recvfrom(n, flags=0)
static mp_obj_t socket_recvfrom(size_t n_args, const mp_obj_t* args) {
    const us_socket s = self_of(args)->handle;
    const int flags = flags_of(n_args, args, 2);
    vstr_t buffer;
    vstr_init_len(&buffer, size_of(args[1]));
    us_address from;
    int64_t got;
    memset(&from, 0, sizeof from);
    from.family = US_AF_INET;
    WEFT_CALL(got, us_recvfrom(s, buffer.buf, buffer.len, flags, &from));
    if (got < 0) {
        vstr_clear(&buffer);
        weft_raise(got);
    }
    const mp_obj_t pair[] = {bytes_of(&buffer, (size_t)got), weft_address_tuple(&from)};
    return mp_obj_new_tuple(2, pair);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_recvfrom_obj, 2, 3, socket_recvfrom);

/// What us_hold() or us_hold_line() found, as bytes; it stays with weft until there is room for it.
static mp_obj_t take_held(us_socket s, int64_t size) {
    if (size < 0) {
        return none_if_blocking(size);
    }
    vstr_t buffer;
    vstr_init_len(&buffer, (size_t)size);
    return bytes_of(&buffer, (size_t)weft_checked(us_take(s, buffer.buf, buffer.len)));
}

// read([n])
static mp_obj_t socket_read(size_t n_args, const mp_obj_t* args) {
    const us_socket s = self_of(args)->handle;
    const mp_int_t wanted = n_args > 1 && args[1] != mp_const_none ? mp_obj_get_int(args[1]) : -1;
    int64_t got;
    if (wanted < 0) {
        WEFT_CALL(got, us_hold(s, PTRDIFF_MAX));
        return take_held(s, got);
    }
    vstr_t buffer;
    vstr_init_len(&buffer, (size_t)wanted);
    WEFT_CALL(got, us_read(s, buffer.buf, buffer.len));
    if (got < 0) {
        vstr_clear(&buffer);
        return none_if_blocking(got);
    }
    return bytes_of(&buffer, (size_t)got);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_read_obj, 1, 2, socket_read);

// readinto(buf[, nbytes])
static mp_obj_t socket_readinto(size_t n_args, const mp_obj_t* args) {
    mp_buffer_info_t into;
    mp_get_buffer_raise(args[1], &into, MP_BUFFER_WRITE);
    if (n_args > 2) {
        into.len = MIN(into.len, size_of(args[2]));
    }
    const us_socket s = self_of(args)->handle;
    int64_t got;
    WEFT_CALL(got, us_read(s, into.buf, into.len));
    return got < 0 ? none_if_blocking(got) : MP_OBJ_NEW_SMALL_INT(got);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_readinto_obj, 2, 3, socket_readinto);

// readline([longest])
static mp_obj_t socket_readline(size_t n_args, const mp_obj_t* args) {
    const us_socket s = self_of(args)->handle;
    const mp_int_t longest = n_args > 1 && args[1] != mp_const_none ? mp_obj_get_int(args[1]) : -1;
    int64_t got;
    if (longest < 0) {
        WEFT_CALL(got, us_hold_line(s));
        return take_held(s, got);
    }
    vstr_t buffer;
    vstr_init_len(&buffer, (size_t)longest);
    WEFT_CALL(got, us_readline(s, buffer.buf, buffer.len));
    if (got < 0) {
        vstr_clear(&buffer);
        return none_if_blocking(got);
    }
    return bytes_of(&buffer, (size_t)got);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_readline_obj, 1, 2, socket_readline);

// --- the stream protocol, for ssl and whoever else reads from streams

static mp_uint_t stream_result(int64_t result, int* error) {
    if (result < 0) {
        *error = (int)-result;
        return MP_STREAM_ERROR;
    }
    return (mp_uint_t)result;
}

mp_uint_t weft_stream_read(mp_obj_t object, void* into, mp_uint_t size, int* error) {
    const us_socket s = weft_socket_of(object)->handle;
    int64_t got;
    WEFT_CALL(got, us_recv(s, into, size, 0));
    return stream_result(got, error);
}

mp_uint_t weft_stream_write(mp_obj_t object, const void* from, mp_uint_t size, int* error) {
    const us_socket s = weft_socket_of(object)->handle;
    int64_t sent;
    WEFT_CALL(sent, us_send(s, from, size, 0));
    return stream_result(sent, error);
}

// socket.getaddrinfo(), which waits for an answer, and getaddrinfo_async(), which asyncio awaits:
// the query goes on in weft while other tasks run, and is a stream that can be read when it is
// over.

#include "socket_object.h"

#include "py/stream.h"

#define MOST_ADDRESSES (32)
#define NAME_LIMIT_MS (15000)

typedef struct {
    const char* host;
    size_t host_size;
    const char* service; // NULL: port
    mp_int_t port;
    int family;
    int type;
    int proto;
    int flags;
} question_t;

// (host, port, af=0, type=0, proto=0, flags=0)
static question_t question_of(size_t n_args, const mp_obj_t* args, mp_map_t* kw_args) {
    enum { ARG_host, ARG_port, ARG_af, ARG_type, ARG_proto, ARG_flags };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_host, MP_ARG_REQUIRED | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_port, MP_ARG_REQUIRED | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_af, MP_ARG_INT, {.u_int = 0}},
        {MP_QSTR_type, MP_ARG_INT, {.u_int = 0}},
        {MP_QSTR_proto, MP_ARG_INT, {.u_int = 0}},
        {MP_QSTR_flags, MP_ARG_INT, {.u_int = 0}},
    };
    mp_arg_val_t given[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, args, kw_args, MP_ARRAY_SIZE(allowed), allowed, given);
    question_t question;
    question.host = mp_obj_str_get_data(given[ARG_host].u_obj, &question.host_size);
    const mp_obj_t port = given[ARG_port].u_obj;
    question.service = mp_obj_is_int(port) ? NULL : mp_obj_str_get_str(port);
    question.port = mp_obj_is_int(port) ? mp_obj_get_int(port) : 0;
    question.family = (int)given[ARG_af].u_int;
    question.type = (int)given[ARG_type].u_int;
    question.proto = (int)given[ARG_proto].u_int;
    question.flags = (int)given[ARG_flags].u_int;
    return question;
}

static mp_obj_t list_of(const us_addrinfo* found, int64_t count) {
    const mp_obj_t list = mp_obj_new_list(0, NULL);
    for (int64_t i = 0; i != count; ++i) {
        const mp_obj_t entry[] = {
            MP_OBJ_NEW_SMALL_INT(found[i].family), MP_OBJ_NEW_SMALL_INT(found[i].type),
            MP_OBJ_NEW_SMALL_INT(found[i].proto),  MP_OBJ_NEW_QSTR(MP_QSTR_),
            weft_address_tuple(&found[i].address),
        };
        mp_obj_list_append(list, mp_obj_new_tuple(MP_ARRAY_SIZE(entry), entry));
    }
    return list;
}

static mp_obj_t getaddrinfo(size_t n_args, const mp_obj_t* args, mp_map_t* kw_args) {
    const question_t q = question_of(n_args, args, kw_args);
    weft_prepare_thread();
    us_addrinfo found[MOST_ADDRESSES];
    int64_t count;
    WEFT_CALL(
        count, us_getaddrinfo(
                   q.host, q.host_size, q.service, q.port, q.family, q.type, q.proto, q.flags,
                   NAME_LIMIT_MS, found, MOST_ADDRESSES));
    return list_of(found, weft_checked(count));
}
MP_DEFINE_CONST_FUN_OBJ_KW(weft_getaddrinfo_obj, 2, getaddrinfo);

// --- a query that is awaited

typedef struct {
    mp_obj_base_t base;
    us_query number; // 0: over
    int64_t outcome; // a count, or the error
    mp_obj_t list;
} query_t;

static const mp_obj_type_t query_type;

static mp_obj_t getaddrinfo_async(size_t n_args, const mp_obj_t* args, mp_map_t* kw_args) {
    const question_t q = question_of(n_args, args, kw_args);
    weft_prepare_thread();
    query_t* const self = mp_obj_malloc_with_finaliser(query_t, &query_type);
    self->number = 0;
    self->outcome = -WEFT_EBADF; // for those that await it twice
    self->list = MP_OBJ_NULL;
    self->number = weft_checked(us_getaddrinfo_start(
        q.host, q.host_size, q.service, q.port, q.family, q.type, q.proto, q.flags, NAME_LIMIT_MS));
    return MP_OBJ_FROM_PTR(self);
}
MP_DEFINE_CONST_FUN_OBJ_KW(weft_getaddrinfo_async_obj, 2, getaddrinfo_async);

static bool is_over(query_t* self) {
    if (self->number == 0) {
        return true;
    }
    us_addrinfo found[MOST_ADDRESSES];
    const int64_t outcome = us_getaddrinfo_result(self->number, found, MOST_ADDRESSES);
    if (outcome == -WEFT_EAGAIN) {
        return false;
    }
    self->number = 0;
    self->outcome = outcome;
    if (outcome >= 0) {
        self->list = list_of(found, outcome);
    }
    return true;
}

/// Closing it, and the collector.
static mp_obj_t query_close(mp_obj_t self_in) {
    query_t* const self = MP_OBJ_TO_PTR(self_in);
    if (self->number != 0) {
        us_getaddrinfo_cancel(self->number);
        self->number = 0;
        self->outcome = -WEFT_EBADF;
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(query_close_obj, query_close);

/// The answer; MP_OBJ_NULL after the running task has been queued to wait for it.
static mp_obj_t answer_or_wait(mp_obj_t self_in) {
    query_t* const self = MP_OBJ_TO_PTR(self_in);
    if (is_over(self)) {
        weft_checked(self->outcome);
        self->outcome = -WEFT_EBADF;
        return self->list;
    }
    const mp_obj_t core = mp_import_name(
        qstr_from_str("asyncio.core"), mp_const_empty_tuple, MP_OBJ_NEW_SMALL_INT(0));
    mp_obj_t queue_read[3];
    mp_load_method(mp_load_attr(core, MP_QSTR__io_queue), MP_QSTR_queue_read, queue_read);
    queue_read[2] = self_in;
    mp_call_method_n_kw(1, 0, queue_read);
    return MP_OBJ_NULL;
}

static mp_obj_t query_iternext(mp_obj_t self) {
    const mp_obj_t answer = answer_or_wait(self);
    return answer != MP_OBJ_NULL ? mp_make_stop_iteration(answer) : mp_const_none;
}

// send() and throw(): what a task does with its coroutine, so that one can be made of a query
static mp_obj_t query_send(mp_obj_t self, mp_obj_t value) {
    (void)value;
    const mp_obj_t answer = answer_or_wait(self);
    if (answer != MP_OBJ_NULL) {
        nlr_raise(mp_obj_new_exception_arg1(&mp_type_StopIteration, answer));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(query_send_obj, query_send);

static mp_obj_t query_throw(size_t n_args, const mp_obj_t* args) {
    (void)n_args;
    query_close(args[0]);
    nlr_raise(mp_make_raise_obj(args[1]));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(query_throw_obj, 2, 4, query_throw);

static mp_uint_t query_ioctl(mp_obj_t self, mp_uint_t request, uintptr_t argument, int* error) {
    if (request != MP_STREAM_POLL) {
        *error = WEFT_EINVAL;
        return MP_STREAM_ERROR;
    }
    ++weft_sockets_asked; // whoever sleeps until weft has run sleeps long enough
    return is_over(MP_OBJ_TO_PTR(self)) ? MP_STREAM_POLL_RD & argument : 0;
}

static const mp_stream_p_t query_stream = {.ioctl = query_ioctl};

static const mp_rom_map_elem_t query_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&query_close_obj)},
    {MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&query_close_obj)},
    {MP_ROM_QSTR(MP_QSTR_send), MP_ROM_PTR(&query_send_obj)},
    {MP_ROM_QSTR(MP_QSTR_throw), MP_ROM_PTR(&query_throw_obj)},
};
static MP_DEFINE_CONST_DICT(query_locals, query_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    query_type, MP_QSTR_getaddrinfo_async, MP_TYPE_FLAG_ITER_IS_ITERNEXT, iter, query_iternext,
    protocol, &query_stream, locals_dict, &query_locals);

// The module socket, which is usocket too.

#include "socket_object.h"

#define MOST_ADDRESSES (32)
#define NAME_LIMIT_MS (15000)

// getaddrinfo(host, port, af=0, type=0, proto=0, flags=0)
static mp_obj_t socket_getaddrinfo(size_t n_args, const mp_obj_t* args, mp_map_t* kw_args) {
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
    size_t host_size;
    const char* const host = mp_obj_str_get_data(given[ARG_host].u_obj, &host_size);
    const bool is_number = mp_obj_is_int(given[ARG_port].u_obj);
    const char* const service = is_number ? NULL : mp_obj_str_get_str(given[ARG_port].u_obj);
    const mp_int_t port = is_number ? mp_obj_get_int(given[ARG_port].u_obj) : 0;

    weft_prepare_thread();
    us_addrinfo found[MOST_ADDRESSES];
    int64_t count;
    WEFT_CALL(
        count, us_getaddrinfo(
                   host, host_size, service, port, (int)given[ARG_af].u_int,
                   (int)given[ARG_type].u_int, (int)given[ARG_proto].u_int,
                   (int)given[ARG_flags].u_int, NAME_LIMIT_MS, found, MOST_ADDRESSES));
    weft_checked(count);
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
static MP_DEFINE_CONST_FUN_OBJ_KW(socket_getaddrinfo_obj, 2, socket_getaddrinfo);

static mp_obj_t socket_inet_pton(mp_obj_t family, mp_obj_t text) {
    size_t size;
    const char* const from = mp_obj_str_get_data(text, &size);
    uint8_t bytes[16];
    const int64_t made = us_inet_pton((int)mp_obj_get_int(family), from, size, bytes, sizeof bytes);
    return mp_obj_new_bytes(bytes, (size_t)weft_checked(made));
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_inet_pton_obj, socket_inet_pton);

static mp_obj_t socket_inet_ntop(mp_obj_t family, mp_obj_t bytes) {
    mp_buffer_info_t from;
    mp_get_buffer_raise(bytes, &from, MP_BUFFER_READ);
    char text[64];
    const int64_t made =
        us_inet_ntop((int)mp_obj_get_int(family), from.buf, from.len, text, sizeof text);
    return mp_obj_new_str(text, (size_t)weft_checked(made));
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_inet_ntop_obj, socket_inet_ntop);

// sockaddr(address): (family, bytes of the host, port[, flowinfo, scopeid])
static mp_obj_t socket_sockaddr(mp_obj_t address) {
    us_address at;
    weft_address_of(address, US_AF_INET, &at);
    const bool v4 = at.family == US_AF_INET;
    const mp_obj_t items[] = {
        MP_OBJ_NEW_SMALL_INT(at.family),       mp_obj_new_bytes(at.bytes, v4 ? 4 : 16),
        MP_OBJ_NEW_SMALL_INT(at.port),         MP_OBJ_NEW_SMALL_INT(0),
        mp_obj_new_int_from_uint(at.scope_id),
    };
    return mp_obj_new_tuple(v4 ? 3 : 5, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_sockaddr_obj, socket_sockaddr);

#define CONSTANT(name) {MP_ROM_QSTR(MP_QSTR_##name), MP_ROM_INT(US_##name)}

static const mp_rom_map_elem_t socket_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_socket)},
    {MP_ROM_QSTR(MP_QSTR_socket), MP_ROM_PTR(&weft_socket_type)},
    {MP_ROM_QSTR(MP_QSTR_getaddrinfo), MP_ROM_PTR(&socket_getaddrinfo_obj)},
    {MP_ROM_QSTR(MP_QSTR_inet_pton), MP_ROM_PTR(&socket_inet_pton_obj)},
    {MP_ROM_QSTR(MP_QSTR_inet_ntop), MP_ROM_PTR(&socket_inet_ntop_obj)},
    {MP_ROM_QSTR(MP_QSTR_sockaddr), MP_ROM_PTR(&socket_sockaddr_obj)},
    CONSTANT(AF_INET),
    CONSTANT(AF_INET6),
    CONSTANT(SOCK_STREAM),
    CONSTANT(SOCK_DGRAM),
    CONSTANT(SOCK_RAW),
    CONSTANT(IPPROTO_IP),
    CONSTANT(IPPROTO_TCP),
    CONSTANT(IPPROTO_UDP),
    CONSTANT(IPPROTO_SEC),
    CONSTANT(SOL_SOCKET),
    CONSTANT(SO_REUSEADDR),
    CONSTANT(SO_KEEPALIVE),
    CONSTANT(SO_CALLBACK),
    CONSTANT(SO_BROADCAST),
    CONSTANT(SO_LINGER),
    CONSTANT(SO_SNDBUF),
    CONSTANT(SO_RCVBUF),
    CONSTANT(SO_ERROR),
    CONSTANT(SO_TYPE),
    CONSTANT(SO_BINDTODEVICE),
    CONSTANT(TCP_NODELAY),
    CONSTANT(IP_ADD_MEMBERSHIP),
    CONSTANT(IP_DROP_MEMBERSHIP),
    CONSTANT(MSG_PEEK),
    CONSTANT(MSG_DONTWAIT),
    CONSTANT(SHUT_RD),
    CONSTANT(SHUT_WR),
    CONSTANT(SHUT_RDWR),
    CONSTANT(AI_NUMERICHOST),
};
static MP_DEFINE_CONST_DICT(socket_globals, socket_globals_table);

const mp_obj_module_t weft_socket_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t*)&socket_globals,
};

// socket and usocket, unless the file system has one.
MP_REGISTER_EXTENSIBLE_MODULE(MP_QSTR_socket, weft_socket_module);

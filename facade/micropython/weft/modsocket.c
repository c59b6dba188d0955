// The module socket, which is usocket too.

#include "socket_object.h"

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
    {MP_ROM_QSTR(MP_QSTR_getaddrinfo), MP_ROM_PTR(&weft_getaddrinfo_obj)},
    {MP_ROM_QSTR(MP_QSTR_getaddrinfo_async), MP_ROM_PTR(&weft_getaddrinfo_async_obj)},
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

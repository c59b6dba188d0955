// secure(): a socket becomes TLS, by weft's and not by the module tls.

#include "socket_object.h"

static const void* bytes_of(mp_obj_t given, size_t* size) {
    if (given == mp_const_none) {
        *size = 0;
        return NULL;
    }
    return mp_obj_str_get_data(given, size);
}

// secure(server_side=False, key=None, cert=None, cert_reqs=CERT_NONE, cadata=None,
//        server_hostname=None, do_handshake=True): the socket itself
static mp_obj_t socket_secure(size_t n_args, const mp_obj_t* args, mp_map_t* kw_args) {
    enum {
        ARG_server_side,
        ARG_key,
        ARG_cert,
        ARG_cert_reqs,
        ARG_cadata,
        ARG_server_hostname,
        ARG_do_handshake
    };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_server_side, MP_ARG_BOOL, {.u_bool = false}},
        {MP_QSTR_key, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_cert, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_cert_reqs, MP_ARG_INT, {.u_int = US_CERT_NONE}},
        {MP_QSTR_cadata, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_server_hostname, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_do_handshake, MP_ARG_BOOL, {.u_bool = true}},
    };
    mp_arg_val_t given[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, args + 1, kw_args, MP_ARRAY_SIZE(allowed), allowed, given);
    us_tls how = {
        .server_side = given[ARG_server_side].u_bool,
        .cert_reqs = (int)given[ARG_cert_reqs].u_int,
    };
    how.key = bytes_of(given[ARG_key].u_obj, &how.key_size);
    how.cert = bytes_of(given[ARG_cert].u_obj, &how.cert_size);
    how.cadata = bytes_of(given[ARG_cadata].u_obj, &how.cadata_size);
    how.server_hostname = bytes_of(given[ARG_server_hostname].u_obj, &how.server_hostname_size);
    const us_socket handle = weft_socket_of(args[0])->handle;
    weft_checked(us_wrap(handle, &how));
    us_address peer;
    if (given[ARG_do_handshake].u_bool && us_getpeername(handle, &peer) == 0) {
        int64_t result;
        WEFT_CALL(result, us_do_handshake(handle));
        if (result != -WEFT_EAGAIN) { // else it goes on by itself
            weft_checked(result);
        }
    }
    return args[0];
}
MP_DEFINE_CONST_FUN_OBJ_KW(weft_socket_secure_obj, 1, socket_secure);

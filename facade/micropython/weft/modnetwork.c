// The module network: the interface that weft's stack is on, as ports tell of theirs. It was
// configured before the program began, and is up as long as there is a stack.

#include "socket_object.h"

#if WEFT_PY_NETWORK

typedef struct {
    mp_obj_base_t base;
} lan_t;

static const mp_obj_type_t lan_type;
static const lan_t the_lan = {{&lan_type}};

// LAN([id, ...]): there is one
static mp_obj_t
lan_make_new(const mp_obj_type_t* type, size_t n_args, size_t n_kw, const mp_obj_t* args) {
    (void)type;
    (void)args;
    mp_arg_check_num(n_args, n_kw, 0, 1, true);
    return MP_OBJ_FROM_PTR(&the_lan);
}

static us_interface facts(void) {
    us_interface known;
    weft_checked(us_get_interface(&known));
    return known;
}

static mp_obj_t text_of(const us_address* address) {
    char text[64];
    const int64_t length = weft_checked(us_address_text(address, text, sizeof text));
    return mp_obj_new_str(text, (size_t)length);
}

static us_address mask_of(unsigned prefix) {
    us_address mask = {.family = US_AF_INET};
    for (unsigned bit = 0; bit < prefix && bit < 32; ++bit) {
        mask.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    }
    return mask;
}

// active([state])
static mp_obj_t lan_active(size_t n_args, const mp_obj_t* args) {
    if (n_args > 1 && !mp_obj_is_true(args[1])) {
        mp_raise_OSError(WEFT_EOPNOTSUPP);
    }
    return n_args > 1 ? mp_const_none : mp_obj_new_bool(weft_prepare_thread());
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(lan_active_obj, 1, 2, lan_active);

static mp_obj_t lan_isconnected(mp_obj_t self) {
    return lan_active(1, &self);
}
static MP_DEFINE_CONST_FUN_OBJ_1(lan_isconnected_obj, lan_isconnected);

// ifconfig(): (address, mask, gateway, name server)
static mp_obj_t lan_ifconfig(size_t n_args, const mp_obj_t* args) {
    (void)args;
    if (n_args > 1) {
        mp_raise_OSError(WEFT_EOPNOTSUPP);
    }
    const us_interface known = facts();
    const us_address mask = mask_of(known.prefix);
    const mp_obj_t all[] = {
        text_of(&known.address), text_of(&mask), text_of(&known.gateway),
        text_of(&known.name_server)};
    return mp_obj_new_tuple(MP_ARRAY_SIZE(all), all);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(lan_ifconfig_obj, 1, 2, lan_ifconfig);

// ipconfig("addr4"), ipconfig("gw4")
static mp_obj_t lan_ipconfig(mp_obj_t self, mp_obj_t name) {
    (void)self;
    const us_interface known = facts();
    switch (mp_obj_str_get_qstr(name)) {
    case MP_QSTR_addr4: {
        const us_address mask = mask_of(known.prefix);
        const mp_obj_t both[] = {text_of(&known.address), text_of(&mask)};
        return mp_obj_new_tuple(2, both);
    }
    case MP_QSTR_gw4:
        return text_of(&known.gateway);
    default:
        mp_raise_ValueError(MP_ERROR_TEXT("unknown config param"));
    }
}
static MP_DEFINE_CONST_FUN_OBJ_2(lan_ipconfig_obj, lan_ipconfig);

static const mp_rom_map_elem_t lan_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_active), MP_ROM_PTR(&lan_active_obj)},
    {MP_ROM_QSTR(MP_QSTR_isconnected), MP_ROM_PTR(&lan_isconnected_obj)},
    {MP_ROM_QSTR(MP_QSTR_ifconfig), MP_ROM_PTR(&lan_ifconfig_obj)},
    {MP_ROM_QSTR(MP_QSTR_ipconfig), MP_ROM_PTR(&lan_ipconfig_obj)},
};
static MP_DEFINE_CONST_DICT(lan_locals, lan_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    lan_type, MP_QSTR_LAN, MP_TYPE_FLAG_NONE, make_new, lan_make_new, locals_dict, &lan_locals);

static const mp_rom_map_elem_t network_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_network)},
    {MP_ROM_QSTR(MP_QSTR_LAN), MP_ROM_PTR(&lan_type)},
};
static MP_DEFINE_CONST_DICT(network_globals, network_globals_table);

const mp_obj_module_t weft_network_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t*)&network_globals,
};

MP_REGISTER_EXTENSIBLE_MODULE(MP_QSTR_network, weft_network_module);

#endif

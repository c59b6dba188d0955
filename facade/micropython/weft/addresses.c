// Addresses as Python has them: ("192.168.12.32", 6001) and ("fe80::1", 80, 0, 2).

#include "socket_object.h"

#include <string.h>

void weft_address_of(mp_obj_t tuple, int family, us_address* into) {
    size_t size;
    mp_obj_t* items;
    mp_obj_get_array(tuple, &size, &items);
    if (size != 2 && size != 4) {
        mp_raise_OSError(WEFT_EINVAL);
    }
    size_t host_size;
    const char* const host = mp_obj_str_get_data(items[0], &host_size);
    const mp_int_t port = mp_obj_get_int(items[1]);
    const mp_int_t flow = size == 4 ? mp_obj_get_int(items[2]) : 0;
    const mp_int_t scope = size == 4 ? mp_obj_get_int(items[3]) : 0;
    weft_checked(us_address_set(into, family, host, host_size, port, flow, scope));
}

mp_obj_t weft_address_tuple(const us_address* from) {
    char text[64];
    const int length = (int)weft_checked(us_address_text(from, text, sizeof text));
    if (from->family == US_AF_INET6) {
        // the scope is a number of its own in the tuple
        const char* const zone = memchr(text, '%', (size_t)length);
        const mp_obj_t items[] = {
            mp_obj_new_str(text, zone != NULL ? (size_t)(zone - text) : (size_t)length),
            MP_OBJ_NEW_SMALL_INT(from->port),
            MP_OBJ_NEW_SMALL_INT(0),
            mp_obj_new_int_from_uint(from->scope_id),
        };
        return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
    }
    const mp_obj_t items[] = {
        mp_obj_new_str(text, (size_t)length), MP_OBJ_NEW_SMALL_INT(from->port)};
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}

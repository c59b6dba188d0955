// The façade from CMake: a datagram that a board sends to itself.
#include "board.h"

#include <c/usocket.h>

#include <cstring>

namespace {

bool goes_around() {
    us_address here;
    if (us_address_set(&here, US_AF_INET, "127.0.0.1", 9, 7000, 0, 0) != 0) {
        return false;
    }
    const us_socket socket = us_open(US_AF_INET, US_SOCK_DGRAM, 0);
    if (us_bind(socket, &here) != 0 || us_settimeout(socket, 1000) != 0 ||
        us_sendto(socket, "around", 6, 0, &here) != 6) {
        return false;
    }
    char got[16];
    return us_recv(socket, got, sizeof got, 0) == 6 && std::memcmp(got, "around", 6) == 0;
}

} // namespace

int main() {
    const bool good = goes_around();
    board_puts(good ? "what was sent came back\n" : "what was sent is lost\n");
    return good ? 0 : 1;
}

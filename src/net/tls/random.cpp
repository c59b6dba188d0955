#include "net/tls/random.hpp"

#include <mbedtls/entropy.h>

#if defined(__unix__) || defined(__APPLE__)
#include <algorithm>

#include <sys/random.h>
#include <unistd.h>
#else
#include <weft/port.hpp>
#endif

namespace weft::tls {

int random(void*, unsigned char* into, std::size_t size) noexcept {
#if defined(__unix__) || defined(__APPLE__)
    constexpr std::size_t most = 256; // getentropy gives no more at a time
    while (size > 0) {
        const std::size_t n = std::min(size, most);
        if (::getentropy(into, n) != 0) {
            return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
        }
        into += n;
        size -= n;
    }
#else
    weft_port_random(into, size);
#endif
    return 0;
}

} // namespace weft::tls

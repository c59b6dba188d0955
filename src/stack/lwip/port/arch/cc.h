/* What lwIP asks of a compiler and a platform: GCC and clang, 64-bit hosts and bare-metal ARM.
 *
 * weft_lwip_rand is called from inside lwip_init(), for the first TCP and UDP ports. */
#ifndef WEFT_LWIP_ARCH_CC_H
#define WEFT_LWIP_ARCH_CC_H

#include <limits.h>
#include <stdint.h>
/* For ssize_t. Left to itself lwIP makes its own, which meets the C library's in C++ on newlib. */
#include <sys/types.h>

#ifndef SSIZE_MAX
#define SSIZE_MAX LONG_MAX
#endif
/* lwIP would include unistd.h, and with it names like close and read. */
#define LWIP_NO_UNISTD_H 1
/* lwIP's own isdigit and the like: the C library's need a table of it. */
#define LWIP_NO_CTYPE_H 1

#ifndef BYTE_ORDER
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define BYTE_ORDER BIG_ENDIAN
#else
#define BYTE_ORDER LITTLE_ENDIAN
#endif
#endif

/* One instruction each instead of a call. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define lwip_htons(x) ((uint16_t)__builtin_bswap16((uint16_t)(x)))
#define lwip_htonl(x) ((uint32_t)__builtin_bswap32((uint32_t)(x)))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* An invariant of lwIP's does not hold; what says which. Must not return: lwIP goes on as if it
 * held. */
__attribute__((noreturn)) void
weft_lwip_assert_failed(const char* what, const char* file, int line);

/* 32 unpredictable bits, for ports, DNS and DHCP transaction ids and the jitter of IGMP and MLD. */
uint32_t weft_lwip_rand(void);

#ifdef __cplusplus
}
#endif

#define LWIP_PLATFORM_ASSERT(what) weft_lwip_assert_failed(what, __FILE__, __LINE__)
#define LWIP_RAND() weft_lwip_rand()

/* Assertions follow the build: on unless NDEBUG. (LWIP_ERROR, which guards arguments, never
 * asserts.) */
#ifdef NDEBUG
#define LWIP_NOASSERT
#endif

/* lwIP's own log, which only WEFT_LWIP_DEBUG compiles (lwipopts.h). Off, it must not name
 * printf: firmware has none. */
#ifdef WEFT_LWIP_DEBUG
#include <stdio.h>
#define LWIP_PLATFORM_DIAG(arguments)                                                              \
    do {                                                                                           \
        printf arguments;                                                                          \
    } while (0)
#else
#define LWIP_PLATFORM_DIAG(arguments)                                                              \
    do {                                                                                           \
    } while (0)
#endif

#endif

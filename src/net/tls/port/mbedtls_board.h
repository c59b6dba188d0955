/* mbedTLS's configuration on a board: TLS 1.2, client and server, by elliptic curves alone, in an
 * arena of weft's. What is here is in an image only as far as its program uses it; what costs RAM
 * says so.
 *
 * WEFT_TLS_RECORD_BYTES (Meson: tls_record_bytes) is the longest record, each way, and RAM of each
 * connection twice. A message of a handshake, certificates above all, has to fit into one; a client
 * asks its servers for no longer ones.
 *
 * WEFT_TLS_OVERRIDES (Meson: tls_overrides) is a header that is read last: it may #undef and
 * #define any of this. */
#ifndef WEFT_MBEDTLS_BOARD_H
#define WEFT_MBEDTLS_BOARD_H

/* The board: no files, no clock (tls_options::clock is one for certificates), no threads, and
 * weft_port_random for random numbers, which mbedTLS is given with each call. */
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_CALLOC_MACRO weft_tls_allocate
#define MBEDTLS_PLATFORM_FREE_MACRO weft_tls_release
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_NO_UDBL_DIVISION /* no 64-bit division of libgcc */
#define MBEDTLS_DEPRECATED_REMOVED

/* Records. ChaCha is the quicker one without AES in hardware. AES's tables stay in flash: 8 KB. */
#define MBEDTLS_CIPHER_C
#define MBEDTLS_CHACHA20_C
#define MBEDTLS_POLY1305_C
#define MBEDTLS_CHACHAPOLY_C
#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_GCM_C

#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_SHA512_C /* SHA-384 of certificates and of AES-256's suites */
#define MBEDTLS_SHA512_SMALLER

/* Key exchange and signatures. Deterministic ones: a poor source of random numbers does not give
 * the key away (RFC 6979). A table of multiples for each connection would cost 3 KB of RAM. */
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_MPI_WINDOW_SIZE 1
#define MBEDTLS_MPI_MAX_SIZE 512 /* RSA of 4096 bits */
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED /* certificates of the public authorities */
#define MBEDTLS_ECP_DP_CURVE25519_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_WINDOW_SIZE 4
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 0
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
/* In steps, between which the loop turns: 4 KB of flash, and 0.8 KB of RAM while a server shakes
 * hands. Without, clients agree on X25519 again. */
#define MBEDTLS_ECP_RESTARTABLE
#define MBEDTLS_ECDH_LEGACY_CONTEXT
#define MBEDTLS_ECDSA_DETERMINISTIC
#define MBEDTLS_HMAC_DRBG_C
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED

/* Certificates and keys. */
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_OID_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_CHECK_KEY_USAGE
#define MBEDTLS_X509_CHECK_EXTENDED_KEY_USAGE
#define MBEDTLS_X509_REMOVE_INFO
#define MBEDTLS_PEM_PARSE_C
#define MBEDTLS_BASE64_C

/* TLS 1.2 without renegotiation. Tickets, which spare both ends the elliptic curves: the peer keeps
 * them. What the peer has shown is not kept (1 KB and more): tls_stream::peer_certificate() is
 * empty. */
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_SRV_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_ASYNC_PRIVATE /* a server's signature in steps */
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_ALPN
#define MBEDTLS_SSL_SESSION_TICKETS
#define MBEDTLS_SSL_TICKET_C
#define MBEDTLS_SSL_MAX_FRAGMENT_LENGTH
#define MBEDTLS_SSL_IN_CONTENT_LEN WEFT_TLS_RECORD_BYTES
#define MBEDTLS_SSL_OUT_CONTENT_LEN WEFT_TLS_RECORD_BYTES

#ifdef WEFT_TLS_OVERRIDES
#include WEFT_TLS_OVERRIDES
#endif

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
void* weft_tls_allocate(size_t count, size_t size); /* zeros, or null */
void weft_tls_release(void* memory);
#ifdef __cplusplus
}
#endif

#include <mbedtls/check_config.h>

#endif

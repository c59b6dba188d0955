/* For -Dtls_overrides: a client. */
#undef MBEDTLS_SSL_SRV_C
#undef MBEDTLS_SSL_TICKET_C
#undef MBEDTLS_SSL_ASYNC_PRIVATE

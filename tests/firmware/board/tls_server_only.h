/* For -Dtls_overrides: a server with a key of P-256 that asks its clients for no certificates. */
#undef MBEDTLS_SSL_CLI_C
#undef MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED
#undef MBEDTLS_RSA_C
#undef MBEDTLS_PKCS1_V15
#undef MBEDTLS_ECP_DP_SECP384R1_ENABLED

/* TLS by the C ABI; in builds without, what is said then. */
#include "abi.h"

/* An authority, of nobody. */
static const char authority[] = "-----BEGIN CERTIFICATE-----\n"
                                "MIIBlDCCATugAwIBAgIUWjQHfIL2nwOLEermeZJ057Gb1dIwCgYIKoZIzj0EAwIw\n"
                                "FDESMBAGA1UEAwwJd2VmdC50ZXN0MCAXDTI2MTEyMjAzMDA0NloYDzIxMjYxMDI5\n"
                                "MDMwMDQ2WjAUMRIwEAYDVQQDDAl3ZWZ0LnRlc3QwWTATBgcqhkjOPQIBBggqhkjO\n"
                                "PQMBBwNCAASSV+g74DMX64wInYNWInrSdbEgnkixWZhHUOOAochDMdSND3Q0bMKS\n"
                                "PCIqPum0JJnT72nx3UVBpoJclg6PvlIqo2kwZzAdBgNVHQ4EFgQUfmOIiDI1w2m3\n"
                                "gaXbE61DlXXrxHgwHwYDVR0jBBgwFoAUfmOIiDI1w2m3gaXbE61DlXXrxHgwDwYD\n"
                                "VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALggl3ZWZ0LnRlc3QwCgYIKoZIzj0EAwID\n"
                                "RwAwRAIgEQHZxFepsdbhM49p3CY/dOPNc07YjdD11obXWJ84lbYCIGhWR+wxc1M7\n"
                                "+6aux9MMiCcJnCqgbz/ZpQxw/rmVlKGK\n"
                                "-----END CERTIFICATE-----\n";

void becoming_tls(void) {
    IS(us_error_number(-104), 104);
    IS(us_error_number(-1002), -2);
    IS(us_error_number(-302), -0x7780); /* mbedTLS's, of a fatal alert */
    us_tls client = {0};
    us_tls careful = {0};
    us_tls server = {0};
    server.server_side = 1;
    careful.cert_reqs = US_CERT_REQUIRED;
    careful.cadata = authority;
    careful.cadata_size = sizeof authority - 1;
    const struct pair p = connected();
#if defined(WITH_TLS)
    IS(us_wrap(p.client, NULL), -22);
    IS(us_wrap(p.server, &server), -22); /* it has nothing to show */
    server.cert = "no certificate";
    server.cert_size = 14;
    IS(us_wrap(p.server, &server), -22);
    IS(us_tls_default(&server), -22);
    IS(us_tls_default(&client), 0);
    IS(us_do_handshake(p.client), -22);   /* of no TLS */
    IS(us_wrap(p.client, &careful), -22); /* anybody's certificate would do */
    IS(us_tls_default(&careful), 0);      /* connect() knows no names */
    IS(us_tls_default(&client), 0);
    IS(us_wrap(p.client, &client), 0);
    IS(us_wrap(p.client, &client), -106);
    IS(us_settimeout(p.client, 0), 0);
    IS(us_do_handshake(p.client), -11);
    IS(us_send(p.client, "x", 1, 0), -11);
    IS(us_send(p.server, "no TLS", 6, 0), 6);
    IS(us_settimeout(p.client, 20000), 0);
    IS(us_do_handshake(p.client), -301);
    IS(us_do_handshake(p.client), -107);
    IS(us_wrap(p.client + 1000000, &client), -9);
#else
    IS(us_wrap(p.client, &client), -93);
    IS(us_wrap(p.server, &server), -93);
    IS(us_wrap(p.client, &careful), -93);
    IS(us_tls_default(&client), -93);
#endif
    close_all(p);
}

/* What the checks of the C ABI share. */
#ifndef ABI_H
#define ABI_H

#include "c/usocket.h"

void check_at(const char* file, int line, int truth, const char* what, long long got);
#define IS(call, expected)                                                                         \
    do {                                                                                           \
        const long long got_ = (long long)(call);                                                  \
        check_at(__FILE__, __LINE__, got_ == (long long)(expected), #call " == " #expected, got_); \
    } while (0)
#define HOLDS(truth) check_at(__FILE__, __LINE__, (truth) != 0, #truth, 0)

struct pair {
    us_socket listener;
    us_socket client;
    us_socket server;
};

struct pair connected(void);
void close_all(struct pair p);

void becoming_tls(void); /* abi_tls.c */

#endif

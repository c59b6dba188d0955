// doctest itself, compiled once for all programs that use it.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

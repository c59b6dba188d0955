#include <doctest/doctest.h>

#include "traffic.hpp"

int main(int argc, char** argv) {
    const int run = frames::traffic_main(argc, argv);
    return run >= 0 ? run : doctest::Context(argc, argv).run();
}

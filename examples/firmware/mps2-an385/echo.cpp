// The echo server of programs/echo.cpp at port 7, until a 'q' comes over the console.
#include "board.hpp"

#include <echo.hpp>

namespace {

constexpr programs::echo_start telling{
    .listening = [](const weft::endpoint& at,
                    weft::stack&) { board::say("echoing at port ", at.port); },
    .dropped = [](weft::errc why) { board::say("a connection was dropped: ", why); },
};

weft::task<> serve(weft::stack& net) {
    return programs::echo(net, {weft::address::any(), 7}, telling);
}

} // namespace

int main() {
    return board::run(&serve);
}

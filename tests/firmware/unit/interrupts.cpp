// Real interrupts: a timer's, and PendSV's at a lower priority, so that one comes into the other.
#include "board.h"
#include "tests.hpp"
#include "ticker.h"

#include <weft/interrupt_event.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>

#include <chrono>
#include <cstdint>

namespace {

using namespace std::chrono_literals;
using check::error_of;
using weft::errc;

// System control block, Armv6-M Architecture Reference Manual B3.2.
auto& scb_icsr = *reinterpret_cast<volatile std::uint32_t*>(0xe000ed04);
auto& scb_shpr3 = *reinterpret_cast<volatile std::uint32_t*>(0xe000ed20);

void pend_handler() noexcept {
    scb_icsr = 1U << 28;
    asm volatile("dsb\n\tisb" ::: "memory");
}
/// Everything else may interrupt PendSV's handler.
void pendsv_is_lowest() noexcept {
    scb_shpr3 = scb_shpr3 | 0xffU << 16;
}

// What the handlers do in the test that runs.
void (*on_pendsv)();
weft::interrupt_event* event;
weft::loop* home;
weft::posted* node;
volatile std::uint32_t ticks_left;
volatile std::uint32_t sets; // by set_event()
std::uint32_t pendsv_sets;
volatile bool in_pendsv;
volatile std::uint32_t nested; // ticks that came into PendSV's handler

void set_event() noexcept {
    sets = sets + 1;
    event->set();
}

/// Restores everything at the end of a test.
struct handlers {
    handlers(weft::loop& l, weft::interrupt_event* e = nullptr) noexcept {
        home = &l;
        event = e;
        sets = 0;
        on_pendsv = nullptr;
    }
    handlers(const handlers&) = delete;
    handlers& operator=(const handlers&) = delete;
    ~handlers() { CHECK_EQUAL(ticks_left, 0); }
};

bool in_handler() noexcept {
    std::uint32_t number;
    asm volatile("mrs %0, ipsr" : "=r"(number));
    return number != 0;
}

struct counting_node : weft::posted {
    counting_node() noexcept : posted(&arrive) {}
    static void arrive(weft::posted& p) {
        CHECK(!in_handler());
        ++static_cast<counting_node&>(p).runs;
    }
    std::uint32_t runs = 0;
};

void post_from_handler() {
    check::runtime rt;
    const handlers set_up(rt.home);
    counting_node work;
    node = &work;
    on_pendsv = [] {
        CHECK(in_handler());
        home->post(*node);
        home->post(*node); // queued already
    };
    pend_handler();
    CHECK_EQUAL(work.runs, 0);
    rt.turn();
    CHECK_EQUAL(work.runs, 1);
    pend_handler();
    rt.turn();
    CHECK_EQUAL(work.runs, 2);
    rt.turn(3);
    CHECK_EQUAL(work.runs, 2);
}

weft::task<> take(weft::interrupt_event& e, std::uint32_t& count) {
    auto times = co_await e.wait();
    CHECK(times.has_value());
    count = times.value_or(0);
}
void set_before_the_wait() {
    check::runtime rt;
    weft::interrupt_event e{rt.home};
    const handlers set_up(rt.home, &e);
    on_pendsv = &set_event;
    pend_handler();
    pend_handler();
    pend_handler();
    CHECK(e.is_set());
    std::uint32_t count = 0;
    CHECK(weft::sync_wait(rt.home, take(e, count)).has_value());
    CHECK_EQUAL(count, 3);
    CHECK(!e.is_set());
    CHECK_EQUAL(rt.driver.wakeups(), 0);
}

void set_ends_a_sleep() {
    check::runtime rt;
    weft::interrupt_event e{rt.home};
    const handlers set_up(rt.home, &e);
    for (int i = 0; i < 5; ++i) {
        ticks_left = 1;
        ticker_start(500'000, [] {
            ticks_left = 0;
            set_event();
            return std::uint32_t{0};
        });
        std::uint32_t count = 0;
        CHECK(weft::sync_wait(rt.home, take(e, count)).has_value()); // no deadline: WFI
        CHECK_EQUAL(count, 1);
    }
    CHECK_EQUAL(rt.driver.wakeups(), 5);
}

weft::task<> wait_in_vain(weft::interrupt_event& e, errc& outcome) {
    auto times = co_await weft::timeout(e.wait(), 2ms);
    outcome = error_of(times);
}
void canceled_wait() {
    check::runtime rt;
    weft::interrupt_event e{rt.home};
    const handlers set_up(rt.home, &e);
    on_pendsv = &set_event;
    errc outcome = errc::ok;
    CHECK(weft::sync_wait(rt.home, wait_in_vain(e, outcome)).has_value());
    CHECK(outcome == errc::timed_out);
    pend_handler();
    std::uint32_t count = 0;
    CHECK(weft::sync_wait(rt.home, take(e, count)).has_value());
    CHECK_EQUAL(count, 1);
}

// --- a storm of interrupts, at every place that the loop, post() and set() have

std::uint32_t random_state;
volatile float in_handlers; // on an M4F in the registers that the loop uses, too

std::uint32_t next_random() noexcept {
    random_state = random_state * 1664525 + 1013904223;
    return random_state >> 10;
}
/// Until the next tick: about as many instructions, so that it often comes into what the last one
/// began.
std::uint32_t next_tick() noexcept {
    return 200 + next_random() % 4096;
}
std::uint32_t tick() {
    set_event();
    if (in_pendsv) {
        nested = nested + 1;
    }
    in_handlers = in_handlers * 0.5F + 1.0F;
    if (on_pendsv != nullptr) {
        scb_icsr = 1U << 28;
    }
    ticks_left = ticks_left - 1;
    return ticks_left == 0 ? 0 : next_tick();
}
void begin_storm(std::uint32_t ticks) noexcept {
    ticks_left = ticks;
    random_state = 1;
    ticker_start(next_tick(), &tick);
}

/// Takes until all have come; a set that nobody sees ends it with timed_out.
weft::task<> take_all(weft::interrupt_event& e, std::uint32_t& sum, std::uint32_t& rounds) {
    while (ticks_left != 0 || e.is_set()) {
        auto times = co_await weft::timeout(e.wait(), 1s);
        if (!times) {
            CHECK(times.has_value());
            co_return;
        }
        CHECK(*times != 0);
        sum += *times;
        ++rounds;
    }
}
weft::task<> keep_busy(const bool& over) {
    for (int i = 0; !over; i = (i + 1) % 1000) {
        const float quarter = static_cast<float>(i) * 0.25F;
        auto back = co_await weft::yield();
        (void)back;
        if (static_cast<int>(quarter * 4.0F) != i) {
            CHECK_EQUAL(static_cast<int>(quarter * 4.0F), i);
        }
    }
}

/// One tick a round, so that nothing else ends a sleep that a lost one should have ended. It comes
/// at every place between here and the sleep, and after it.
weft::task<> one_at_a_time(weft::interrupt_event& e, std::uint32_t& rounds) {
    for (; rounds < ticks_in_storm; ++rounds) {
        ticks_left = 1;
        ticker_start(200 + next_random() % 4096, &tick);
        for (std::uint32_t few = next_random() % 64; few != 0; --few) {
            asm volatile("");
        }
        auto times = co_await weft::timeout(e.wait(), 1s);
        if (!times) {
            CHECK(times.has_value());
            co_return;
        }
        CHECK_EQUAL(*times, 1);
    }
}
void storm_over_sleeps() {
    check::runtime rt;
    weft::interrupt_event e{rt.home};
    const handlers set_up(rt.home, &e);
    std::uint32_t rounds = 0;
    random_state = 1;
    CHECK(weft::sync_wait(rt.home, one_at_a_time(e, rounds)).has_value());
    CHECK_EQUAL(rounds, ticks_in_storm);
    CHECK_EQUAL(sets, ticks_in_storm);
    CHECK(rt.driver.wakeups() > ticks_in_storm / 10); // it did sleep
}

weft::task<>
take_all_then(weft::interrupt_event& e, std::uint32_t& sum, std::uint32_t& rounds, bool& over) {
    auto all = co_await take_all(e, sum, rounds);
    (void)all;
    over = true;
}
/// The tick's handler comes into PendSV's, into post() and set() of the same nodes.
void storm_of_nested_handlers() {
    check::runtime rt;
    weft::interrupt_event e{rt.home};
    const handlers set_up(rt.home, &e);
    counting_node work;
    node = &work;
    pendsv_is_lowest();
    on_pendsv = [] {
        in_pendsv = true;
        for (int i = 0; i < 40; ++i) {
            home->post(*node);
            event->set();
        }
        pendsv_sets += 40;
        in_pendsv = false;
    };
    pendsv_sets = 0;
    nested = 0;
    std::uint32_t sum = 0;
    std::uint32_t rounds = 0;
    bool over = false;
    begin_storm(ticks_in_storm);
    weft::task_group group{rt.home};
    CHECK(group.spawn(keep_busy(over)).has_value());
    CHECK(weft::sync_wait(rt.home, take_all_then(e, sum, rounds, over)).has_value());
    on_pendsv = nullptr;
    rt.turn(3);
    CHECK_EQUAL(sets, ticks_in_storm);
    CHECK_EQUAL(sum, sets + pendsv_sets);
    CHECK(!e.is_set());
    CHECK(nested > ticks_in_storm / 20);     // it does test that
    CHECK(work.runs > ticks_in_storm / 200); // the loop had its turns
    CHECK(work.runs <= pendsv_sets);
}

constexpr check::test tests[] = {
    {"post() in a handler: it runs in the loop, once", &post_from_handler},
    {"an interrupt sets an event before anyone waits: nothing is lost", &set_before_the_wait},
    {"an interrupt that sets an event ends the sleep in WFI", &set_ends_a_sleep},
    {"a wait that timed out takes nothing from the next", &canceled_wait},
    {"interrupts that come while the loop falls asleep: none is lost", &storm_over_sleeps},
    {"a storm of interrupts into handlers and a busy loop: none is lost",
     &storm_of_nested_handlers},
};

} // namespace

extern "C" void pendsv_handler() {
    if (on_pendsv != nullptr) {
        on_pendsv();
    }
}

const std::span<const check::test> interrupt_tests = tests;

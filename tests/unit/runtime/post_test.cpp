// loop::post from other threads. Built with -Db_sanitize=thread it also shows that nothing races.
#include "fixture.hpp"
#include "waking_driver.hpp"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

using namespace test;

namespace {

constexpr int threads = 4;
constexpr int posts = 20'000;

/// Written by one thread without a lock before each post, and read by the run.
struct parcel : weft::posted {
    explicit parcel(weft::loop& to) : posted(&arrive), home(&to) {}
    static void arrive(weft::posted& p) {
        auto& self = static_cast<parcel&>(p);
        self.seen = self.content.load(std::memory_order_relaxed);
        ++self.runs;
        if (self.seen == posts) {
            if (++*self.finished == threads) {
                self.home->stop();
            }
        }
    }
    weft::loop* home;
    std::atomic<int> content{0};
    int seen = 0;
    int runs = 0;
    int* finished = nullptr;
};

} // namespace

TEST_CASE("what was written before a post is seen by a run after it; the last one is never lost") {
    waking_driver driver;
    weft::loop home{driver};
    int finished = 0;
    std::vector<std::unique_ptr<parcel>> parcels;
    for (int i = 0; i < threads; ++i) {
        parcels.push_back(std::make_unique<parcel>(home));
        parcels.back()->finished = &finished;
    }
    std::vector<std::thread> senders;
    for (auto& each : parcels) {
        senders.emplace_back([&home, node = each.get()] {
            for (int n = 1; n <= posts; ++n) {
                node->content.store(n, std::memory_order_relaxed);
                home.post(*node);
            }
        });
    }
    CHECK(home.run().has_value());
    for (auto& each : senders) {
        each.join();
    }
    for (auto& each : parcels) {
        CHECK(each->seen == posts);
        CHECK(each->runs <= posts);
    }
}

TEST_CASE("a post hands over plain data, one message at a time") {
    waking_driver driver;
    weft::loop home{driver};
    struct message : weft::posted {
        message() : posted(&arrive) {}
        static void arrive(weft::posted& p) {
            auto& self = static_cast<message&>(p);
            self.sum += self.value;
            self.taken.store(true, std::memory_order_release);
        }
        long value = 0; // plain: the post is what orders it
        long sum = 0;
        std::atomic<bool> taken{true};
    } note;
    struct ending : weft::posted {
        explicit ending(weft::loop& l) : posted(&end), home(&l) {}
        static void end(weft::posted& p) { static_cast<ending&>(p).home->stop(); }
        weft::loop* home;
    } end(home);
    std::thread sender([&] {
        for (int i = 1; i <= 2000; ++i) {
            while (!note.taken.load(std::memory_order_acquire)) {
                std::this_thread::yield();
            }
            note.taken.store(false, std::memory_order_relaxed);
            note.value = i;
            home.post(note);
        }
        home.post(end);
    });
    CHECK(home.run().has_value());
    sender.join();
    CHECK(note.sum == 2000L * 2001 / 2);
}

TEST_CASE("many threads post one node: it runs, and never twice at once") {
    waking_driver driver;
    weft::loop home{driver};
    struct shared : weft::posted {
        explicit shared(weft::loop& l) : posted(&arrive), home(&l) {}
        static void arrive(weft::posted& p) {
            auto& self = static_cast<shared&>(p);
            ++self.runs;
            if (self.done.load(std::memory_order_relaxed) == threads) {
                self.home->stop();
            }
        }
        weft::loop* home;
        std::atomic<int> done{0};
        int runs = 0; // plain: only the loop's thread touches it
    } node(home);
    std::vector<std::thread> senders;
    for (int i = 0; i < threads; ++i) {
        senders.emplace_back([&] {
            for (int n = 0; n < posts; ++n) {
                home.post(node);
            }
            node.done.fetch_add(1, std::memory_order_relaxed);
            home.post(node);
        });
    }
    CHECK(home.run().has_value());
    for (auto& each : senders) {
        each.join();
    }
    CHECK(node.runs >= 1);
    CHECK(node.runs <= threads * (posts + 1));
}

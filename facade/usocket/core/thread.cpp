#include "usocket/core/thread.hpp"

#include "usocket/core/name_query.hpp"
#include "usocket/core/object.hpp"

#include <algorithm>
#include <cstddef>
#include <new>

namespace usocket {

weft::errc refuse(
    std::span<char> why, weft::errc error, std::string_view a, std::string_view b,
    std::string_view c) noexcept {
    std::size_t at = 0;
    for (const std::string_view part : {std::string_view("WEFT_STACK: "), a, b, c}) {
        at += part.copy(why.data() + at, why.size() - 1 - at);
    }
    why[at] = '\0';
    return error;
}

thread& thread::here() noexcept {
#if defined(__STDCPP_THREADS__)
    static thread_local thread of_this_thread;
    return of_this_thread;
#else
    // There is one, and a board never ends.
    alignas(thread) static std::byte room[sizeof(thread)];
    static thread* const only = ::new (room) thread;
    return *only;
#endif
}

thread::~thread() {
    close_all(nullptr);
    idle_ = nullptr;
}

weft::result<weft::stack*> thread::net() noexcept {
    if (chosen_ != nullptr) {
        return chosen_;
    }
    if (!own_) {
        weft::result<std::unique_ptr<default_stack>> made = make_default_stack(explanation_);
        if (!made) {
            return weft::fail(made.error());
        }
        own_ = std::move(*made);
    }
    return &own_->net();
}

weft::result<interface_facts> thread::interface() noexcept {
    const weft::result<weft::stack*> here = net();
    if (!here) {
        return weft::fail(here.error());
    }
    if (!own_ || *here != &own_->net()) {
        return weft::fail(weft::errc::no_such_device);
    }
    return own_->facts();
}

weft::stack* thread::existing_net() const noexcept {
    return chosen_ != nullptr ? chosen_ : own_ ? &own_->net() : nullptr;
}

weft::errc thread::use_named(std::string_view name) noexcept {
    if (own_) {
        return weft::errc::busy;
    }
    weft::result<std::unique_ptr<default_stack>> made = make_named_stack(name, explanation_);
    if (!made) {
        return made.error();
    }
    own_ = std::move(*made);
    chosen_ = nullptr;
    return weft::errc::ok;
}

void thread::close_all(const weft::loop* home) noexcept {
    objects_.for_each([home](of_thread& each) {
        auto& o = static_cast<object&>(each);
        if (home == nullptr || o.home() == home) {
            o.close();
        }
    });
    name_query::cancel_all(*this, home);
}

std::int64_t thread::number_query(query_of_thread& q) noexcept {
    queries_.push_back(q);
    return handles::next_number();
}

weft::errc thread::sleep(weft::loop& home, weft::time_point deadline) noexcept {
    if (idle_ == nullptr) {
        const weft::result<> turned = home.step(deadline);
        return turned ? weft::errc::ok : turned.error();
    }
    const weft::time_point next_look = weft::deadline_after(home.read_clock(), idle_interval_);
    const weft::result<> turned = home.step(std::min(deadline, next_look));
    if (idle_(idle_context_) != 0) {
        return weft::errc::interrupted;
    }
    return turned ? weft::errc::ok : turned.error();
}

void thread::explain(std::initializer_list<std::string_view> parts) noexcept {
    std::size_t at = 0;
    for (const std::string_view part : parts) {
        at += part.copy(explanation_.data() + at, explanation_.size() - 1 - at);
    }
    explanation_[at] = '\0';
}

} // namespace usocket

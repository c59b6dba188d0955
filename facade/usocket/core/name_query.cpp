#include "usocket/core/name_query.hpp"

#include <weft/stack.hpp>
#include <weft/timeout.hpp>

#include <new>

namespace usocket {

using weft::errc;
using weft::fail;
using weft::result;

weft::task<> name_query::ask(
    name_query& self, weft::stack& net, std::uint16_t port, name_filter filter,
    weft::duration limit) {
    const std::string_view host(self.host_.get(), self.host_size_);
    auto found = co_await weft::timeout(look_up(net, host, port, filter), limit);
    if (found) {
        self.found_ = *found;
        self.outcome_ = errc::ok;
    } else {
        const errc error = found.error();
        self.outcome_ = error == errc::timed_out   ? errc::name_try_again
                        : error == errc::no_memory ? errc::name_no_memory
                                                   : error;
    }
}

result<std::int64_t> name_query::start(
    thread& owner, std::string_view host, std::uint16_t port, name_filter filter,
    weft::duration limit) noexcept {
    const result<weft::stack*> net = owner.net();
    if (!net) {
        return fail(net.error());
    }
    auto* const made = new (std::nothrow) name_query((*net)->loop());
    if (made == nullptr) {
        return fail(errc::name_no_memory);
    }
    made->host_.reset(new (std::nothrow) char[host.size() + 1]);
    bool asked = made->host_ != nullptr;
    if (asked) {
        made->host_size_ = host.copy(made->host_.get(), host.size());
        asked = made->asking_.spawn(ask(*made, **net, port, filter, limit)).has_value();
    }
    if (!asked) {
        delete made;
        return fail(errc::name_no_memory);
    }
    made->number_ = owner.number_query(*made);
    return made->number_;
}

name_query* name_query::find(thread& owner, std::int64_t number) noexcept {
    name_query* found = nullptr; // there are few
    owner.queries().for_each([&](query_of_thread& each) {
        auto& query = static_cast<name_query&>(each);
        found = query.number_ == number ? &query : found;
    });
    return found;
}

errc name_query::take(thread& owner, std::int64_t number, address_entries& into) noexcept {
    name_query* query = find(owner, number);
    if (query != nullptr && query->outcome_ == errc::would_block && !query->home_->running()) {
        (void)query->home_->poll();  // whoever only asks again and again gets an answer, too
        query = find(owner, number); // a callback may have cancelled it
    }
    if (query == nullptr) {
        return errc::bad_handle;
    }
    const errc outcome = query->outcome_;
    if (outcome == errc::would_block) {
        return outcome;
    }
    into = query->found_;
    delete query;
    return outcome;
}

errc name_query::cancel(thread& owner, std::int64_t number) noexcept {
    name_query* const query = find(owner, number);
    if (query == nullptr) {
        return errc::bad_handle;
    }
    delete query;
    return errc::ok;
}

void name_query::cancel_all(thread& owner, const weft::loop* home) noexcept {
    owner.queries().for_each([home](query_of_thread& each) {
        auto* const query = &static_cast<name_query&>(each);
        if (home == nullptr || query->home_ == home) {
            delete query;
        }
    });
}

} // namespace usocket

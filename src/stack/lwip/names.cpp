#include "stack/lwip/names.hpp"

#include "stack/lwip/convert.hpp"
#include "stack/lwip/core.hpp"
#include "stack/lwip/host.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <string_view>

namespace weft::lwip {

namespace {

/// What lwIP makes of silence.
constexpr errc no_answer = errc::name_try_again;

/// Of two answers for one name, A and AAAA: the one that tells the least has the say, so that a
/// name that may exist is not said to be none.
errc worse(errc a, errc b) noexcept {
    const auto rank = [](errc e) {
        switch (e) {
        case errc::ok:
            return 0;
        case errc::name_not_found:
            return 1;
        case errc::name_no_address:
            return 2;
        case errc::name_try_again:
            return 3;
        default:
            return 4;
        }
    };
    return rank(a) < rank(b) ? b : a;
}

/// RFC 1035, 4.1.1: the second byte of flags. Without an address in it a truncated answer is no
/// answer, and there is no TCP to ask again by.
errc reason_of(pbuf* p) noexcept {
    const int first = pbuf_try_get_at(p, 2);
    const int second = pbuf_try_get_at(p, 3);
    if (first < 0 || second < 0) {
        return no_answer;
    }
    switch (second & 0x0f) {
    case 0:
        return (first & 0x02) != 0 ? errc::name_failed : errc::name_no_address;
    case 2: // server failure, not implemented, refused
    case 4:
    case 5:
        return errc::name_try_again;
    case 3:
        return errc::name_not_found;
    default:
        return errc::name_failed;
    }
}

void* to_argument(std::size_t index, std::uint16_t generation) noexcept {
    return reinterpret_cast<void*>(std::uintptr_t{generation} << 8 | index);
}

} // namespace

names& core::need_names() noexcept {
    alignas(lwip::names) static std::byte room[sizeof(lwip::names)];
    if (names_ == nullptr) {
        names_ = ::new (room) lwip::names; // never destroyed, as this is not
    }
    return *names_;
}

void names::start(host& on, name_query& query) noexcept {
    if (awaited_ != 0 && asking_ != &on && !anybody_waits()) {
        give_up();
    }
    if (waiting_.empty() && (awaited_ == 0 || asking_ == &on)) {
        ask(query);
    } else {
        waiting_.push_back(query);
    }
}

void names::ask(name_query& query) noexcept {
    const auto free = std::find_if(
        requests_.begin(), requests_.end(), [](const request& r) { return r.awaited == 0; });
    if (free == requests_.end()) {
        query.complete(errc::name_try_again);
        return;
    }
#if !LWIP_IPV6
    if (!query.wants(family::ipv4)) {
        query.complete(errc::name_family_not_supported);
        return;
    }
#endif
    asking_ = static_cast<host*>(&query.asked());
    write_servers(servers_of(*asking_));
    std::array<char, 256> text;
    std::string_view name = query.name();
    if (name.ends_with('.')) { // 2.1.3 would ask for an empty label
        name.remove_suffix(1);
    }
    std::memcpy(text.data(), name.data(), name.size());
    text[name.size()] = '\0';

    free->asker = &query;
    free->outcome = errc::ok;
    ++free->generation;
    free->awaited = 1; // this function: nothing is settled before everything was asked
    ++awaited_;
    if (query.wants(family::ipv4)) {
        ask_for(*free, text.data(), family::ipv4);
    }
#if LWIP_IPV6
    if (query.wants(family::ipv6)) {
        ask_for(*free, text.data(), family::ipv6);
    }
#endif
    settle(*free, errc::ok);
}

void names::ask_for(request& r, const char* name, family f) noexcept {
    const udp_pcb* const before = udp_pcbs;
    const auto index = static_cast<std::size_t>(&r - requests_.data());
    ip_addr_t cached = {};
    reason_ = no_answer;
    core::instance().set_asking(asking_);
    ++r.awaited;
    ++awaited_;
    const err_t asked = dns_gethostbyname_addrtype(
        name, &cached, &on_found, to_argument(index, r.generation),
        f == family::ipv4 ? LWIP_DNS_ADDRTYPE_IPV4 : LWIP_DNS_ADDRTYPE_IPV6);
    core::instance().set_asking(nullptr);
    switch (asked) {
    case ERR_INPROGRESS:
        adopt_new_pcbs(before);
        break;
    case ERR_OK:
        r.asker->add(from_lwip(cached));
        settle(r, errc::ok);
        break;
    case ERR_ARG: // longer than DNS_MAX_NAME_LENGTH
        settle(r, errc::name_failed);
        break;
    default: // no server, or the table or the pool of pcbs is full
        settle(r, errc::name_try_again);
        break;
    }
}

/// lwIP made itself a pcb for the question: from now on it hears this host's interface alone, and
/// what it hears goes through us first.
void names::adopt_new_pcbs(const udp_pcb* before) noexcept {
    for (udp_pcb* pcb = udp_pcbs; pcb != before && pcb != nullptr; pcb = pcb->next) {
        udp_bind_netif(pcb, &asking_->interface());
        lwips_receive_ = pcb->recv;
        udp_recv(pcb, &on_datagram, pcb->recv_arg);
    }
}

/// lwIP tells those who asked that there is nothing, and not why; the datagram says it. It does not
/// look at the port either (RFC 5452, 9.1).
void names::on_datagram(
    void* arg, udp_pcb* pcb, pbuf* p, const ip_addr_t* from, u16_t port) noexcept {
    names& self = *core::instance().names();
    if (port != DNS_SERVER_PORT) {
        pbuf_free(p);
        return;
    }
    self.reason_ = reason_of(p);
    self.lwips_receive_(arg, pcb, p, from, port);
    self.reason_ = no_answer;
}

void names::on_found(const char*, const ip_addr_t* found, void* arg) noexcept {
    names& self = *core::instance().names();
    const auto number = reinterpret_cast<std::uintptr_t>(arg);
    request& r = self.requests_[number & 0xff];
    if (r.awaited == 0 || r.generation != static_cast<std::uint16_t>(number >> 8)) {
        return;
    }
    if (found != nullptr && r.asker != nullptr) {
        r.asker->add(from_lwip(*found));
    }
    self.settle(r, found != nullptr ? errc::ok : self.reason_);
}

/// One of the answers that a request waits for is there.
void names::settle(request& r, errc outcome) noexcept {
    r.outcome = worse(r.outcome, outcome);
    --awaited_;
    if (--r.awaited == 0 && r.asker != nullptr) {
        r.asker->complete(r.outcome);
        r.asker = nullptr;
    }
    if (awaited_ == 0 && !waiting_.empty()) {
        asking_->loop().make_ready(turn_);
    }
}

void names::serve() noexcept {
    if (awaited_ != 0) {
        return;
    }
    while (!waiting_.empty() && (awaited_ == 0 || &waiting_.front().asked() == asking_)) {
        ask(waiting_.pop_front());
    }
}

void names::forget(name_query& query) noexcept {
    for (request& each : requests_) {
        if (each.asker == &query) {
            each.asker = nullptr;
        }
    }
    if (awaited_ != 0 && !waiting_.empty() && !anybody_waits()) {
        give_up();
    }
}

void names::host_goes(host& going) noexcept {
    waiting_.for_each([&going](name_query& each) {
        if (&each.asked() == &going) {
            each.complete(errc::network_down); // and so leaves the list
        }
    });
    if (asking_ != &going) {
        return;
    }
    for (request& each : requests_) { // all are its
        if (each.asker != nullptr) {
            each.asker->complete(errc::network_down);
            each.asker = nullptr;
        }
    }
    if (awaited_ != 0) {
        give_up();
    }
    asking_ = nullptr;
}

bool names::anybody_waits() const noexcept {
    return std::any_of(
        requests_.begin(), requests_.end(), [](const request& r) { return r.asker != nullptr; });
}

/// The only way to end lwIP's queries: without a server each fails at its next try, and there are
/// no more than DNS_MAX_RETRIES runs of the timer to that. What is cached ages by as many seconds.
void names::give_up() noexcept {
    write_servers({});
    for (int runs = 0; runs < DNS_MAX_RETRIES && awaited_ != 0; ++runs) {
        dns_tmr();
    }
}

std::span<const ip_addr_t> names::servers_of(const host& of) noexcept {
    for (std::size_t i = 0; i < written_.size(); ++i) {
        const ip_addr_t* const current = dns_getserver(static_cast<u8_t>(i));
        if (!ip_addr_eq(current, &written_[i])) {
            announced_[i] = *current;
        }
    }
    const std::span<const ip_addr_t> own = of.name_servers();
    return own.empty() ? std::span<const ip_addr_t>(announced_) : own;
}

void names::write_servers(std::span<const ip_addr_t> servers) noexcept {
    for (std::size_t i = 0; i < written_.size(); ++i) {
        written_[i] = i < servers.size() ? servers[i] : *IP_ADDR_ANY;
        dns_setserver(static_cast<u8_t>(i), &written_[i]);
    }
}

} // namespace weft::lwip

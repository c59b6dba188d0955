// What a wire is made of: frames on paths, paths into ends.
#pragma once

#include <weft/seeded_random.hpp>
#include <weft/wire.hpp>

namespace weft {

/// Its bytes, room for the MTU and the header, follow it in memory.
struct wire::frame {
    frame* next = nullptr;
    frame* previous = nullptr;
    time_point arrival{};
    std::uint64_t sequence = 0; // of entering a path: what comes first among equal arrivals
    std::uint64_t digest = 0;
    std::size_t size = 0;

    [[nodiscard]] std::byte* bytes() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
    [[nodiscard]] const std::byte* bytes() const noexcept {
        return reinterpret_cast<const std::byte*>(this + 1);
    }
    [[nodiscard]] hardware_address destination() const noexcept;
};

/// One direction between two ends; it belongs to the end that receives.
struct wire::path {
    /// Doubly linked, because most frames go to the tail and leave from the head, but a late one is
    /// overtaken.
    struct queue {
        frame* head = nullptr;
        frame* tail = nullptr;

        void push_back(frame& f) noexcept { insert_after(tail, f); }
        void insert_after(frame* before, frame& f) noexcept;
        frame& pop_front() noexcept;
    };

    path(
        const hardware_address& sender, const end& to, std::uint64_t seed,
        const impairments& initial) noexcept
        : from(sender), receiver(to), random(seed), settings(initial) {}

    hardware_address from; // not the end itself, which may be gone before its last frame
    const end& receiver;
    path* next = nullptr;
    seeded_random random;
    impairments settings;
    bool is_cut = false;
    bool holds = false;
    bool sender_left = false; // nothing more comes; freed once it is empty
    queue held;
    queue travelling;          // by arrival, then sequence
    std::size_t frames = 0;    // in both queues
    time_point line_free_at{}; // when bits_per_second lets the next frame start
    time_point last_arrival{}; // of the frames that were not reordered
    std::array<std::uint64_t, wire_fates> counts{};
};

class wire::end final : public link {
  public:
    end(wire& home, const hardware_address& address) noexcept
        : wire_(&home), address_(address), mtu_(home.options_.mtu) {}
    ~end() override {
        if (wire_ != nullptr) {
            wire_->detach(*this);
        }
    }

    [[nodiscard]] std::size_t mtu() const noexcept override { return mtu_; }
    [[nodiscard]] hardware_address address() const noexcept override { return address_; }
    result<> send(std::span<const std::span<const std::byte>> parts) noexcept override {
        return up() ? wire_->send(*this, parts) : fail(errc::network_down);
    }
    std::size_t receive(std::span<std::byte> buffer) noexcept override {
        return up() ? wire_->receive(*this, buffer) : 0;
    }
    [[nodiscard]] time_point next_arrival() noexcept override {
        return up() ? wire_->next_arrival(*this) : never;
    }
    void advance(time_point now) noexcept override {
        if (wire_ != nullptr && now > wire_->now_) {
            wire_->now_ = now;
        }
    }
    [[nodiscard]] bool up() const noexcept override { return wire_ != nullptr && plugged_; }

  private:
    friend class wire;

    [[nodiscard]] path* path_from(const hardware_address& sender) const noexcept {
        path* way = incoming_;
        while (way != nullptr && (way->from != sender || way->sender_left)) {
            way = way->next;
        }
        return way;
    }

    wire* wire_; // null once it is gone
    end* next_ = nullptr;
    path* incoming_ = nullptr;
    hardware_address address_;
    std::size_t mtu_;
    bool plugged_ = true;
};

} // namespace weft

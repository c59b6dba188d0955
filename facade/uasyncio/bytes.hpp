// bytes: what a read returns. Move-only and two words: handing it on costs nothing.
//
//     auto line = co_await peer.readline();       // weft::result<uasyncio::bytes>
//     if (line && *line == "quit\n") { co_return; }
//     std::string_view text = *line;              // or std::span<const std::byte>
#pragma once

#include <weft/result.hpp>

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace uasyncio {

/// Owned bytes of a size that does not change but to become less. Moved from it is empty.
class bytes {
  public:
    using value_type = std::byte;

    bytes() noexcept = default;
    bytes(bytes&& other) noexcept
        : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
    bytes& operator=(bytes&& other) noexcept {
        data_ = std::move(other.data_);
        size_ = std::exchange(other.size_, 0);
        return *this;
    }

    /// `size` bytes that are not set; errc::no_memory.
    [[nodiscard]] static weft::result<bytes> with_size(std::size_t size) noexcept {
        if (size == 0) {
            return bytes();
        }
        std::unique_ptr<std::byte[]> data(new (std::nothrow) std::byte[size]);
        if (!data) {
            return weft::fail(weft::errc::no_memory);
        }
        return bytes(std::move(data), size);
    }
    /// A copy; errc::no_memory.
    [[nodiscard]] static weft::result<bytes> copy_of(std::span<const std::byte> from) noexcept {
        weft::result<bytes> made = with_size(from.size());
        if (made && !from.empty()) {
            std::memcpy(made->data(), from.data(), from.size());
        }
        return made;
    }
    /// Takes over an array of at least `size` bytes.
    bytes(std::unique_ptr<std::byte[]> data, std::size_t size) noexcept
        : data_(std::move(data)), size_(size) {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::byte* data() noexcept { return data_.get(); }
    [[nodiscard]] const std::byte* data() const noexcept { return data_.get(); }
    [[nodiscard]] const std::byte* begin() const noexcept { return data_.get(); }
    [[nodiscard]] const std::byte* end() const noexcept { return data_.get() + size_; }
    [[nodiscard]] std::byte operator[](std::size_t at) const noexcept { return data_[at]; }

    /// Forgets what is behind the first `size`; no memory goes back. More than size() has no
    /// effect.
    void shrink(std::size_t size) noexcept { size_ = size < size_ ? size : size_; }

    [[nodiscard]] std::span<const std::byte> span() const noexcept { return {data_.get(), size_}; }
    [[nodiscard]] std::string_view view() const noexcept {
        return {reinterpret_cast<const char*>(data_.get()), size_};
    }
    operator std::span<const std::byte>() const noexcept { return span(); }
    operator std::string_view() const noexcept { return view(); }

    friend bool operator==(const bytes& a, const bytes& b) noexcept { return a.view() == b.view(); }
    friend bool operator==(const bytes& a, std::string_view b) noexcept { return a.view() == b; }

  private:
    std::unique_ptr<std::byte[]> data_;
    std::size_t size_ = 0;
};

} // namespace uasyncio

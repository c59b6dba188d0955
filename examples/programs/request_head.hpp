// The head of an HTTP/1.1 request, RFC 9112, as far as a server of a few read-only pages needs it:
// strict, and bounded in everything that a stranger decides.
//
//     programs::request_head head;
//     auto taken = head.take(received);     // bytes that belong to it, however they are cut
//     if (head.ended()) { ... head.status() ... head.what() ... head.stays() ... }
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace programs {

enum class resource : std::uint8_t { none, page, json };

/// States: request_line -> fields -> ended, and from any of them ended with an error's status.
class request_head {
  public:
    static constexpr std::size_t longest_line = 128;  // of the request line: then 414
    static constexpr std::size_t longest_head = 4096; // then 431

    /// Takes bytes of the head, all of them unless it ends in between; how many.
    std::size_t take(std::span<const std::byte> bytes) noexcept;

    /// Something of it has come.
    [[nodiscard]] bool begun() const noexcept { return size_ != 0; }
    [[nodiscard]] bool ended() const noexcept { return state_ == state::ended; }

    // --- once it has ended ---------------------------------------------------------------------

    /// 200, or the status of what is wrong: 400, 404, 405, 414, 431, 505.
    [[nodiscard]] std::uint16_t status() const noexcept { return status_; }
    [[nodiscard]] resource what() const noexcept { return what_; }
    /// HEAD: the answer has no body.
    [[nodiscard]] bool without_body() const noexcept { return method_ == method::head; }
    /// HTTP/1.1: an answer may be sent in chunks.
    [[nodiscard]] bool takes_chunks() const noexcept { return minor_version_ != 0; }
    /// Another request may follow on the connection. Not if this one has a body: nobody reads it.
    [[nodiscard]] bool stays() const noexcept { return stays_ && status_ == 200; }

  private:
    enum class state : std::uint8_t { request_line, fields, ended };
    enum class method : std::uint8_t { get, head, other };

    void take(char c) noexcept;
    void end_line() noexcept;
    void request_line(std::string_view line) noexcept;
    void field(std::string_view line) noexcept;
    void connection(std::string_view list) noexcept;
    void end_head() noexcept;
    void end(std::uint16_t status) noexcept {
        status_ = status;
        state_ = state::ended;
    }

    std::array<char, longest_line> line_; // its beginning
    std::uint16_t length_ = 0;            // of what is in line_
    std::uint16_t size_ = 0;              // of the head by now
    std::uint16_t status_ = 200;
    state state_ = state::request_line;
    method method_ = method::get;
    resource what_ = resource::none;
    std::uint8_t minor_version_ = 1; // of HTTP/1.x
    bool after_cr_ = false;
    bool cut_ = false; // the line is longer than line_
    bool has_host_ = false;
    bool has_length_ = false;
    bool has_coding_ = false;
    bool stays_ = true;
};

} // namespace programs

// Socket options of the operating system.
#pragma once

#include <weft/socket.hpp>

#include <string_view>

namespace weft::host {

/// setsockopt(2) of an int.
[[nodiscard]] result<> set_flag(int descriptor, int level, int option, int value) noexcept;

[[nodiscard]] result<> set_option(int descriptor, socket_option option, int value) noexcept;
/// A buffer's size as the system keeps it: Linux doubles what was set, for its own bookkeeping.
[[nodiscard]] result<int> get_option(int descriptor, socket_option option) noexcept;

/// SO_ERROR: told once.
[[nodiscard]] errc pending_error(int descriptor) noexcept;

[[nodiscard]] result<> bind_device(int descriptor, std::string_view name) noexcept;

enum class membership : bool { leaves, joins };
[[nodiscard]] result<> change_membership(
    int descriptor, const address& group, const address& own, membership change) noexcept;

} // namespace weft::host

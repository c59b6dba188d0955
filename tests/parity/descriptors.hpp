// This process's descriptors: how many there are, and how many there may be.
#pragma once

#include <sys/resource.h>

#include <cstddef>

namespace parity {

std::size_t open_descriptors();
std::size_t highest_descriptor();

/// Raises the limit to this many, if the system lets it.
void allow_descriptors(std::size_t wanted);

/// Lowers the limit to this many, until it goes out of scope.
class descriptor_limit {
  public:
    explicit descriptor_limit(std::size_t descriptors);
    descriptor_limit(const descriptor_limit&) = delete;
    descriptor_limit& operator=(const descriptor_limit&) = delete;
    ~descriptor_limit();

  private:
    rlimit before_{};
};

} // namespace parity

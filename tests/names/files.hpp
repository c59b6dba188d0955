// The files that resolvers read, written for a test.
#pragma once

#include <string>

namespace names_test {

/// A file in a directory of its own, both gone with this object.
class temporary_file {
  public:
    explicit temporary_file(const std::string& content);
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;
    ~temporary_file();
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    std::string directory_;
    std::string path_;
};

/// Gives this process a view of the files of its own, in which /etc/hosts is `hosts`. Empty, or
/// what went wrong.
std::string replace_hosts_file(const std::string& hosts);

/// What dnsmasq serves: v4.test, v6.test and both.test, many.test with 60 addresses, and n0.test to
/// n99.test with two each.
std::string zone();

} // namespace names_test

// What the tests of links need of the machine: a folder of their own, other programs and processes,
// and a loud word when something is missing.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace frames {

/// Removed with all that is in it at the end of the test.
class temporary_folder {
  public:
    temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder();
    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

/// Says SKIP and why; where CI=true a skipped test is a failed one.
void skip(const char* why);

[[nodiscard]] std::string read_all(const std::string& file);
[[nodiscard]] bool exists(const std::string& file);

/// Runs a program with these arguments (found on PATH) and waits. Its exit code, 127 if it is not
/// there; its standard output in `output` if that is wanted.
int run(const std::vector<std::string>& arguments, std::string* output = nullptr);

/// Runs `body` in a forked process and waits: what it returned. It must not use doctest.
int in_child(const std::function<int()>& body);

/// Waits until the descriptor is readable; false after ten seconds, which no test expects.
bool wait_readable(int descriptor);

} // namespace frames

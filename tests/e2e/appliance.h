#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/temp_dir.h"

/// The real thing under test: the built binary with a state directory and a stack file of its own. What the tests judge
/// it by are other people's programs: docker, dig, curl.
namespace devstack::e2e {

struct Output {
  int code = 0;
  std::string text;  ///< stdout and stderr together
};

/// Runs a shell command line, at most `seconds` long (then it is killed and the code is 124).
Output sh(const std::string& command, int seconds = 60);
/// Its output without the last newline; a test failure when it does not exit with 0.
std::string ok(const std::string& command, int seconds = 60);
/// Asks again until `condition` holds or the deadline has passed; the answer is the condition's last.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit = std::chrono::seconds(10));
boost::json::value parse_json(const std::string& text);

class Appliance {
 public:
  /// `stack` is the stack file's text.
  explicit Appliance(std::string_view stack);
  /// Takes everything down; what is left is a test failure.
  ~Appliance();
  Appliance(const Appliance&) = delete;
  Appliance& operator=(const Appliance&) = delete;

  /// `devstack ARGS` with this appliance's state and stack file.
  [[nodiscard]] Output run(const std::string& args, int seconds = 150) const;
  /// run(), which must succeed.
  std::string must(const std::string& args) const;
  [[nodiscard]] std::string command_line(const std::string& args) const;
  [[nodiscard]] boost::json::value status() const;
  [[nodiscard]] int supervisor_pid() const;
  void rewrite(std::string_view stack) const;
  [[nodiscard]] const test::TempDir& dir() const { return dir_; }
  [[nodiscard]] std::string state_dir() const { return dir_.file("state"); }

 private:
  test::TempDir dir_;
};

/// docker0's address.
std::string bridge();
/// An image made from busybox, curl and getent, with the given Dockerfile lines; made once, named "devstack-e2e/NAME".
std::string busybox_image(const std::string& name, const std::vector<std::string>& changes);
/// Containers made by a test, removed with it.
class Containers {
 public:
  ~Containers();
  /// `docker run -d --name NAME ARGS`; returns the id.
  std::string run(const std::string& name, const std::string& args);
  void remove(const std::string& name);

 private:
  std::vector<std::string> names_;
};

}  // namespace devstack::e2e

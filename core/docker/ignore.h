#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace devstack::docker {

/// The lines of a .dockerignore: https://docs.docker.com/build/concepts/context/#dockerignore-files. Pure.
class IgnoreRules {
 public:
  IgnoreRules() = default;
  explicit IgnoreRules(std::string_view text);
  /// `path` is relative to the context, '/' between its parts. What is below an ignored folder is ignored, unless a
  /// later line takes it out.
  [[nodiscard]] bool ignores(std::string_view path) const;
  /// A line beginning with `!` may take something out of any ignored folder: they must be looked into.
  [[nodiscard]] bool has_exceptions() const { return exceptions_; }

 private:
  struct Rule {
    std::vector<std::string> parts;
    bool exception = false;
  };
  std::vector<Rule> rules_;
  bool exceptions_ = false;
};

}  // namespace devstack::docker

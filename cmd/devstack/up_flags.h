#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cmd/devstack/up_choice.h"

namespace devstack {

/// The flags that `up` and `plan` share: which services, how many, and what is made anew.
struct UpFlags {
  supervisor::ApplyOptions how;
  std::vector<std::string> scale;
  bool build = false, no_build = false;
  bool watch = false;
};

void add_up_flags(CLI::App& command, const std::shared_ptr<UpFlags>& flags);
/// Errc::usage for what cannot be meant together.
Result<UpChoice> choice_of(const UpFlags& flags);

}  // namespace devstack

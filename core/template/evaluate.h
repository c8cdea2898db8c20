#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/registry/command.h"
#include "core/registry/state.h"
#include "core/template/ast.h"

/// A template and what is known → its text, what it looked at, and what it lacks. Pure; any thread.
namespace devstack::templates {

/// What one evaluation may cost; more is an error (Errc::too_large).
struct Limits {
  std::size_t steps = 20'000'000;  ///< statements, rounds, calls, and 64 bytes of a value that is handed on
  std::size_t bytes = 64U << 20U;  ///< of the output, and of any one value
};

/// Everything a template can see.
struct Inputs {
  std::shared_ptr<const registry::State> state;
  std::string node;        ///< what `node` without a name means
  std::string datacenter;  ///< the only one there is; data of any other is missing
  std::map<std::string, std::string> environment;
  std::chrono::system_clock::time_point now;
  Limits limits{};
};

struct Evaluation {
  std::string text;                   ///< empty when something is missing or wrong
  std::vector<registry::Watch> used;  ///< sorted; a change of one of them may change the text
  std::vector<std::string> missing;   ///< `key "app/name"`: blocks rendering until it is there
  /// A failed execution, with its position: `executing at <expr>: reason`. Not set when something is missing, because
  /// what follows from missing data is not the template's fault.
  std::optional<Error> error;
};

Evaluation evaluate(const Template& parsed, const Inputs& inputs);

}  // namespace devstack::templates

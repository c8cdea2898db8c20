#include "core/health/check_probe.h"

#include <algorithm>

namespace devstack::health {

std::chrono::nanoseconds time_limit(const registry::CheckDefinition& definition, std::chrono::seconds otherwise) {
  if (definition.timeout.count() <= 0) return otherwise;
  return std::min<std::chrono::nanoseconds>(definition.timeout, longest_timeout);
}

std::size_t output_limit(const registry::CheckDefinition& definition) {
  return std::min(definition.output_max_bytes, most_output);
}

CheckResult critical(std::string output) {
  CheckResult result;
  result.output = std::move(output);
  return result;
}

}  // namespace devstack::health

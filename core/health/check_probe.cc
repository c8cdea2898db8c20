#include "core/health/check_probe.h"

namespace devstack::health {

std::chrono::nanoseconds time_limit(const registry::CheckDefinition& definition, std::chrono::seconds otherwise) {
  return definition.timeout.count() > 0 ? definition.timeout : otherwise;
}

CheckResult critical(std::string output) {
  CheckResult result;
  result.output = std::move(output);
  return result;
}

}  // namespace devstack::health

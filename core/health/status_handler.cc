#include "core/health/status_handler.h"

#include "core/registry/types.h"

namespace devstack::health {
namespace {

/// Counting stops at the threshold: a check may run for years.
bool count_up(int& counter, int needed) {
  if (counter < needed) ++counter;
  return counter >= needed;
}

}  // namespace

bool StatusHandler::record(std::string_view status) {
  if (status == registry::status::critical) {
    successes_ = 0;
    return count_up(failures_, failures_needed_);
  }
  failures_ = 0;
  return count_up(successes_, successes_needed_);
}

}  // namespace devstack::health

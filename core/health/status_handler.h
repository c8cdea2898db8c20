#pragma once

#include <string_view>

/// How many results in a row a check needs before its status follows them (success_before_passing,
/// failures_before_critical). Pure.
/// https://developer.hashicorp.com/consul/docs/services/usage/checks#success-failures-before-passing-warning-critical
namespace devstack::health {

/// As Consul's agent counts: passing and warning are successes of one kind, and the first result of a new definition
/// always counts (the counters begin at their thresholds).
class StatusHandler {
 public:
  StatusHandler(int success_before_passing, int failures_before_critical)
      : successes_needed_(success_before_passing),
        failures_needed_(failures_before_critical),
        successes_(success_before_passing),
        failures_(failures_before_critical) {}

  /// Takes a result; true when the check is to show it. While a threshold is not reached not even the output changes.
  bool record(std::string_view status);

 private:
  int successes_needed_, failures_needed_;
  int successes_, failures_;
};

}  // namespace devstack::health

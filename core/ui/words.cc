#include "core/ui/words.h"

#include <fmt/format.h>

#include <algorithm>

namespace devstack::ui {
namespace {

using supervisor::Status;
using supervisor::UnitState;
using supervisor::UnitStatus;

/// More than these in one sentence nobody reads.
constexpr std::size_t kMostNamed = 3;

struct Counts {
  int all = 0;
  int well = 0;  ///< good, done or idle
  int busy = 0;
  bool bad = false;
  std::vector<std::string> wrong;  ///< the names of those that are warn or bad
};

Counts count(const std::vector<UnitStatus>& units) {
  Counts counts;
  for (const auto& unit : units) {
    ++counts.all;
    switch (tone_of(unit)) {
      case Tone::busy:
        ++counts.busy;
        break;
      case Tone::bad:
        counts.bad = true;
        [[fallthrough]];
      case Tone::warn:
        counts.wrong.push_back(unit.name);
        break;
      default:
        ++counts.well;
    }
  }
  return counts;
}

std::string things(int count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

int count_tone(const std::vector<UnitStatus>& units, Tone tone) {
  return static_cast<int>(std::count_if(units.begin(), units.end(), [&](const auto& u) { return tone_of(u) == tone; }));
}

/// "a", "a and b", "a, b and c".
std::string listed(const std::vector<std::string>& names) {
  if (names.size() < 2) return names.empty() ? std::string() : names.front();
  return fmt::format("{} and {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

std::string all_well(const Status& status) {
  const auto& services = status.services;
  if (services.empty()) return "devstack is running, without services";
  if (services.size() == 1) return fmt::format("{} is {}", services.front().name, state_words(services.front()));
  const int up = count_tone(services, Tone::good);
  const int completed = count_tone(services, Tone::done);
  const int stopped = count_tone(services, Tone::idle);
  if (up == 0 && completed == 0) return "All services are stopped";
  const bool checked = std::all_of(services.begin(), services.end(), [](const UnitStatus& unit) {
    return tone_of(unit) != Tone::good || unit.health == "healthy";
  });
  const auto* how = checked ? "healthy" : "running";
  if (completed == 0 && stopped == 0) return fmt::format("All {} services are {}", up, how);
  auto text = fmt::format("{} {}", things(up, "service", "services"), how);
  if (completed > 0) text += fmt::format(", {} completed", completed);
  if (stopped > 0) text += fmt::format(", {} stopped", stopped);
  return text;
}

}  // namespace

std::string_view to_string(Tone tone) {
  switch (tone) {
    case Tone::good:
      return "good";
    case Tone::busy:
      return "busy";
    case Tone::warn:
      return "warn";
    case Tone::bad:
      return "bad";
    case Tone::done:
      return "done";
    case Tone::idle:
      return "idle";
  }
  return "idle";
}

Tone tone_of(const UnitStatus& unit) {
  switch (unit.state) {
    case UnitState::pending:
    case UnitState::waiting:
    case UnitState::starting:
    case UnitState::stopping:
      return Tone::busy;
    case UnitState::running:
      if (unit.health == "unhealthy") return Tone::bad;
      if (unit.health == "starting") return Tone::busy;
      return unit.degraded ? Tone::warn : Tone::good;
    case UnitState::unhealthy:
    case UnitState::failed:
      return Tone::bad;
    case UnitState::backoff:
      return Tone::warn;
    case UnitState::completed:
      return Tone::done;
    case UnitState::paused:
    case UnitState::stopped:
      return Tone::idle;
  }
  return Tone::idle;
}

std::string state_words(const UnitStatus& unit) {
  switch (unit.state) {
    case UnitState::running:
      if (unit.degraded) return "degraded";
      return unit.health.empty() ? "running" : unit.health;
    case UnitState::backoff:
      return "restarting";
    case UnitState::failed:
      return unit.exit_code == 0 ? "failed" : fmt::format("failed, exit code {}", unit.exit_code);
    default:
      return std::string(supervisor::to_string(unit.state));
  }
}

Tone tone_of(const supervisor::DiscoveredService& service) {
  if (service.status == "passing") return Tone::good;
  if (service.status == "maintenance") return Tone::idle;
  return service.passing == 0 && service.status == "critical" ? Tone::bad : Tone::warn;
}

std::string state_words(const supervisor::DiscoveredService& service) {
  if (service.instances == 1) return service.status;
  if (service.passing == service.instances) return fmt::format("{} passing", service.instances);
  return fmt::format("{} of {} passing", service.passing, service.instances);
}

Verdict verdict(const Status& status) {
  if (status.stopping) return {Tone::busy, "Stopping"};
  const auto services = count(status.services);
  const auto components = count(status.components);
  if (!services.wrong.empty()) {
    const auto tone = services.bad || components.bad ? Tone::bad : Tone::warn;
    if (services.wrong.size() > kMostNamed) {
      return {tone, fmt::format("{} of {} services need attention", services.wrong.size(), services.all)};
    }
    const auto* need = services.wrong.size() == 1 ? "needs" : "need";
    return {tone, fmt::format("{} {} attention", listed(services.wrong), need)};
  }
  if (components.bad) return {Tone::bad, fmt::format("{} needs attention", components.wrong.front())};
  if (services.busy > 0) {
    return {Tone::busy,
            fmt::format("Starting: {} of {} ready", services.well, things(services.all, "service", "services"))};
  }
  if (components.busy > 0) return {Tone::busy, "Starting"};
  if (!components.wrong.empty()) {
    return {Tone::warn, fmt::format("{}; {} is degraded", all_well(status), components.wrong.front())};
  }
  return {Tone::good, all_well(status)};
}

std::string elapsed_words(std::chrono::seconds span) {
  const auto seconds = std::max<std::int64_t>(0, span.count());
  if (seconds < 60) return fmt::format("{} s", seconds);
  const auto minutes = seconds / 60;
  if (minutes < 60) return fmt::format("{} min", minutes);
  const auto hours = minutes / 60;
  if (hours < 24)
    return minutes % 60 == 0 ? fmt::format("{} h", hours) : fmt::format("{} h {} min", hours, minutes % 60);
  const auto days = hours / 24;
  return hours % 24 == 0 ? fmt::format("{} d", days) : fmt::format("{} d {} h", days, hours % 24);
}

std::vector<std::string> compact_addresses(const std::vector<std::string>& addresses) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& address : addresses) {
    const auto slash = address.rfind('/');
    const auto protocol = slash == std::string::npos ? std::string() : address.substr(slash + 1);
    const bool known = protocol == "udp" || protocol == "tcp";
    const auto place = known ? address.substr(0, slash) : address;
    const auto at = std::find_if(found.begin(), found.end(), [&](const auto& entry) { return entry.first == place; });
    if (at == found.end()) {
      found.emplace_back(place, known ? " " + protocol : "");
    } else if (known && at->second.find(protocol) == std::string::npos) {
      at->second += " " + protocol;
    }
  }
  std::vector<std::string> out;
  for (auto& [place, protocols] : found) out.push_back(place + protocols);
  return out;
}

}  // namespace devstack::ui

#include "cmd/devstack/status_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cmd/devstack/terminal.h"
#include "core/base/append.h"

namespace devstack {
namespace {

using supervisor::Status;
using supervisor::UnitStatus;

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) append_part(out, word, ", ");
  return out;
}

/// Text padded by what is seen, not by its colour codes.
std::string padded(const std::string& shown, std::size_t visible, std::size_t width) {
  return shown + std::string(visible < width ? width - visible : 0, ' ');
}

std::size_t widest_name(const std::vector<UnitStatus>& units) {
  std::size_t width = 10;
  for (const auto& unit : units) width = std::max(width, unit.name.size());
  return width;
}

std::string where(const UnitStatus& unit) {
  const std::string places = join(unit.links.empty() ? unit.addresses : unit.links);
  if (unit.detail.empty()) return places;
  if (places.empty()) return unit.detail;
  return places + terminal::dim("  " + unit.detail);
}

std::string rows(const std::vector<UnitStatus>& units) {
  const std::size_t width = widest_name(units);
  std::string out;
  for (const auto& unit : units) out += "  " + unit_line(unit, width) + "\n";
  return out;
}

std::string kind(const UnitStatus& unit) {
  return fmt::format("{}{}", supervisor::to_string(unit.type), unit.id.empty() ? "" : " " + unit.id);
}

}  // namespace

std::string unit_line(const UnitStatus& unit, std::size_t name_width) {
  const auto state = supervisor::to_string(unit.state);
  return fmt::format("{} {}  {}  {}", terminal::mark(unit.state), padded(unit.name, unit.name.size(), name_width),
                     padded(terminal::state(unit.state), state.size(), 9), where(unit));
}

std::string services_text(const Status& status) {
  const std::size_t width = widest_name(status.services);
  std::string out = terminal::dim(fmt::format("{:<{}}  {:<9}  {:<9}  {:<5}  {:<8}  {:<24}  ADDRESSES", "NAME", width,
                                              "STATE", "HEALTH", "UP", "RESTARTS", "RUNS AS")) +
                    "\n";
  for (const auto& unit : status.services) {
    const auto state = supervisor::to_string(unit.state);
    out += fmt::format("{:<{}}  {}  {:<9}  {:<5}  {:<8}  {:<24}  {}\n", unit.name, width,
                       padded(terminal::state(unit.state), state.size(), 9), unit.health.empty() ? "-" : unit.health,
                       terminal::since(unit.started_at), unit.restarts, kind(unit), join(unit.addresses));
  }
  return out;
}

std::string status_text(const Status& status) {
  std::string out = fmt::format("{}  {}  {}\n", terminal::bold(status.project.empty() ? "devstack" : status.project),
                                status.stopping  ? terminal::warn("stopping")
                                : status.healthy ? terminal::good("healthy")
                                                 : terminal::bad("not healthy"),
                                terminal::dim(fmt::format("node {}, pid {}, up {}, {}", status.node, status.pid,
                                                          terminal::since(status.started_at), status.stack_file)));
  out += status.docker.empty() ? terminal::warn("  no Docker engine: " + status.docker_detail) + "\n" : "";
  out += terminal::bold("Components") + "\n" + rows(status.components);
  if (!status.services.empty()) out += terminal::bold("Services") + "\n" + rows(status.services);
  if (!status.discovered.empty()) {
    out += terminal::bold("Also in the registry") + "\n";
    std::size_t width = 10;
    for (const auto& found : status.discovered) width = std::max(width, found.name.size());
    for (const auto& found : status.discovered) {
      out += fmt::format("    {:<{}}  {}/{} passing  {}\n", found.name, width, found.passing, found.instances,
                         join(found.links.empty() ? found.addresses : found.links));
    }
  }
  return out;
}

}  // namespace devstack

#include "cmd/devstack/startup_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmd/devstack/terminal.h"

namespace devstack {
namespace {

using supervisor::StartPhase;
using supervisor::StartSpan;
using supervisor::Startup;
using supervisor::UnitStart;

std::string seconds(StartSpan span) { return fmt::format("{:.3f} s", std::chrono::duration<double>(span).count()); }

std::string path_line(const supervisor::CriticalStep& at, std::size_t width) {
  const auto took = seconds(at.step.ended - at.step.began);
  // In brackets what the lines above it are about already.
  auto line = fmt::format("  {:<{}}  {:<10}  {:>11}  {}", at.unit, width, supervisor::to_string(at.step.phase),
                          at.waits ? "(" + took + ")" : took + " ", at.step.detail);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string outcome(const UnitStart& unit) {
  if (unit.ready) return "ready after " + seconds(*unit.ready);
  if (unit.ended) return "ended after " + seconds(*unit.ended);
  return "not ready yet";
}

std::string unit_line(const UnitStart& unit, std::size_t width) {
  std::string steps;
  for (const auto& step : unit.steps) {
    steps += fmt::format("{}{} {}", steps.empty() ? "" : ", ", supervisor::to_string(step.phase),
                         seconds(step.ended - step.began));
  }
  return fmt::format("  {:<{}}  {}: {}\n", unit.unit, width, outcome(unit), steps);
}

}  // namespace

std::string startup_text(const Startup& startup) {
  if (startup.units.empty()) return "nothing had to be started\n";
  std::size_t width = 10;
  for (const auto& unit : startup.units) width = std::max(width, unit.unit.size());
  std::string out = terminal::bold("Critical path") + ": the start took " + seconds(startup.took) + "\n";
  for (const auto& step : startup.critical_path) out += path_line(step, width);
  out += terminal::bold("Each unit") + "\n";
  for (const auto& unit : startup.units) out += unit_line(unit, width);
  return out;
}

}  // namespace devstack

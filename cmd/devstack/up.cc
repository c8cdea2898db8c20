#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/daemon.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/status_text.h"
#include "cmd/devstack/terminal.h"
#include "core/base/async/clock.h"
#include "core/base/duration.h"
#include "core/base/log.h"
#include "core/control/client.h"
#include "core/control/status_json.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;
using supervisor::Status;
using supervisor::UnitState;
using supervisor::UnitStatus;

struct UpOptions {
  bool foreground = false;
  bool detach = false;
  int ready_fd = -1;
  std::string wait_timeout = "120s";
};

/// Says each unit once when it settles, and again when that changes.
class Progress {
 public:
  explicit Progress(const Globals& globals) : quiet_(globals.json) {}

  void show(const Status& status) {
    if (quiet_) return;
    std::size_t width = 10;
    for (const auto* list : {&status.components, &status.services}) {
      for (const auto& unit : *list) width = std::max(width, unit.name.size());
    }
    for (const auto* list : {&status.components, &status.services}) {
      for (const auto& unit : *list) say(unit, width);
    }
    std::fflush(stdout);
  }

 private:
  void say(const UnitStatus& unit, std::size_t width) {
    const bool worth =
        supervisor::settled(unit.state) || unit.state == UnitState::backoff || unit.state == UnitState::unhealthy;
    auto& shown = shown_[unit.name];
    if (!worth || shown == unit.state) return;
    shown = unit.state;
    fmt::print("{}\n", unit_line(unit, width));
  }

  bool quiet_;
  std::map<std::string, UnitState> shown_;
};

bool all_settled(const Status& status) {
  for (const auto* list : {&status.components, &status.services}) {
    for (const auto& unit : *list) {
      if (!supervisor::settled(unit.state)) return false;
    }
  }
  return true;
}

std::string what_is_wrong(const Status& status) {
  std::string out;
  for (const auto* list : {&status.components, &status.services}) {
    for (const auto& unit : *list) {
      if (supervisor::settled_well(unit.state)) continue;
      out += fmt::format("{}{} is {}{}", out.empty() ? "" : "\n  ", unit.name, supervisor::to_string(unit.state),
                         unit.detail.empty() ? "" : ": " + unit.detail);
    }
  }
  return out;
}

/// Polls the supervisor until every unit of the project has settled or time is up.
asio::awaitable<Result<Status>> wait_settled(control::ControlClient client, std::string project, Instant deadline,
                                             Progress& progress) {
  for (;;) {
    CO_TRY(auto all, co_await client.status());
    auto status = supervisor::of_project(std::move(all), project);
    progress.show(status);
    // Settled and well but not healthy: a change is still being carried out.
    if (status.healthy || (all_settled(status) && !what_is_wrong(status).empty())) co_return status;
    if (std::chrono::steady_clock::now() >= deadline) {
      co_return fail(Errc::unhealthy, "not healthy in time:\n  {}\nit goes on starting; see: devstack status",
                     what_is_wrong(status));
    }
    co_await steady_clock().sleep_for(50ms);
  }
}

std::string summary(const Status& status, std::chrono::steady_clock::duration took) {
  std::string out =
      fmt::format("{} is up: {} components, {} services, {:.1f} s\n", terminal::bold(status.project),
                  status.components.size(), status.services.size(), std::chrono::duration<double>(took).count());
  for (const auto& unit : status.components) {
    if (unit.name == "ui" && !unit.links.empty()) out += fmt::format("  status page  {}\n", unit.links.front());
  }
  for (const auto& unit : status.services) {
    if (!unit.links.empty()) out += fmt::format("  {:<11}  {}\n", unit.name, unit.links.front());
  }
  return out;
}

int wait_and_report(const Globals& globals, const control::ControlClient& client, const std::string& project,
                    std::chrono::nanoseconds limit, std::chrono::steady_clock::time_point began) {
  Progress progress(globals);
  const auto deadline = began + std::chrono::duration_cast<Instant::duration>(limit);
  const auto status = run_blocking(wait_settled(client, project, deadline, progress));
  if (!status) return report(status.error());
  if (!status->healthy) {
    return report(Error{Errc::failed, "not everything runs:\n  " + what_is_wrong(*status) +
                                          "\nthe rest is up; see: devstack status, devstack logs NAME"});
  }
  if (globals.json) {
    fmt::print("{}\n", control::to_json(*status));
  } else {
    fmt::print("{}", summary(*status, std::chrono::steady_clock::now() - began));
  }
  return 0;
}

int up(const Globals& globals, const UpOptions& options) {
  const auto began = std::chrono::steady_clock::now();
  const auto limit = parse_duration(options.wait_timeout);
  if (!limit) return report(Error{Errc::usage, "--wait-timeout: " + limit.error().message});
  const auto load = load_options(globals);
  auto file = stack::load(load);
  if (!file) return report(file.error());
  if (options.foreground) {
    return run_in_foreground(globals, ForegroundOptions{load, std::move(*file), options.ready_fd});
  }
  for (const auto& warning : file->warnings) terminal::complain(warning);

  const control::ControlClient client(state_dir());
  if (run_blocking(client.is_running())) {
    const auto changes = run_blocking(client.apply(apply_request(load)));
    if (!changes) return report(changes.error());
    if (!globals.json) {
      fmt::print("{}\n", changes->empty() ? file->project + " is already up, nothing changed" : *changes);
    }
  } else if (const auto started = start_in_background(globals, *file); !started) {
    return report(started.error());
  }
  return wait_and_report(globals, client, file->project, *limit, began);
}

}  // namespace

void add_up(CommandLine line) {
  auto* command = line.cli.add_subcommand("up", "start the stack and return when all of it is healthy");
  auto options = std::make_shared<UpOptions>();
  command->add_flag("-d,--detach", options->detach, "run in the background (the default)");
  command->add_flag("--foreground", options->foreground, "stay in this terminal; for systemd");
  command->add_option("--wait-timeout", options->wait_timeout, "how long to wait for health (default 120s)");
  command->add_option("--ui-dir", line.globals.ui_dir, "serve the status page's files from this folder");
  command->add_option("--ready-fd", options->ready_fd)->group("");
  command->callback(
      [line, options] { line.chosen = [&globals = line.globals, options] { return up(globals, *options); }; });
}

}  // namespace devstack

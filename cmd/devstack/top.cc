// top and wait: the processes of services, and their end.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/project_choice.h"
#include "cmd/devstack/table.h"
#include "cmd/devstack/terminal.h"
#include "core/control/client.h"
#include "core/docker/client.h"
#include "core/process/child.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;
using supervisor::UnitState;
using supervisor::UnitStatus;

bool has_ended(UnitState state) {
  return state == UnitState::completed || state == UnitState::failed || state == UnitState::stopped;
}

/// The session of a host process, as ps shows it.
asio::awaitable<Result<std::string>> process_table(std::string pid) {
  process::Spec spec;
  spec.argv = {"ps", "-o", "user,pid,ppid,stime,time,args", "-s", std::move(pid)};
  spec.env = environment();
  CO_TRY(auto finished, co_await process::run(std::move(spec), 10s));
  co_return finished.output;
}

asio::awaitable<Result<std::string>> container_table(docker::Client& client, std::string id) {
  CO_TRY(const auto processes, co_await client.top(std::move(id)));
  Table table(processes.titles);
  for (const auto& row : processes.rows) {
    std::vector<Table::Cell> cells;
    for (const auto& cell : row) cells.push_back({terminal::printable(cell)});
    cells.resize(processes.titles.size());
    table.add(std::move(cells));
  }
  co_return table.text();
}

asio::awaitable<Result<std::string>> top(std::string project, std::vector<std::string> services) {
  const ProjectClient stack(std::move(project));
  CO_TRY(const auto units, co_await stack.units(std::move(services)));
  CO_TRY(auto client, docker::Client::connect_to());
  std::string out;
  for (const auto& unit : units) {
    if (unit.id.empty() || unit.started_at == 0) continue;
    Result<std::string> table;
    if (unit.type == supervisor::UnitType::process) {
      table = co_await process_table(unit.id);
    } else {
      table = co_await container_table(client, unit.id);
    }
    // One that ended just now is no reason to show nothing of the others.
    out +=
        (out.empty() ? "" : "\n") + terminal::bold(unit.name) + "\n" + (table ? *table : table.error().message + "\n");
  }
  co_return out.empty() ? std::string("nothing runs\n") : out;
}

/// Prints each code as it comes; returns the first one's.
asio::awaitable<Result<int>> wait_for_end(std::string project, std::vector<std::string> services) {
  const control::ControlClient client(state_dir());
  CO_TRY(const auto before, co_await client.status());
  CO_CHECK(chosen_units(before, project, services));
  std::map<std::string, int> codes;
  std::optional<int> first;
  std::function<bool(const supervisor::Status&)> look = [&](const supervisor::Status& status) {
    bool all = true;
    const auto units = chosen_units(status, project, services);
    if (!units) return false;  // the project is down
    for (const auto& unit : *units) {
      if (!has_ended(unit.state)) {
        all = false;
      } else if (codes.emplace(unit.name, unit.exit_code).second) {
        fmt::print("{} exited with code {}\n", unit.name, unit.exit_code);
        std::fflush(stdout);
        if (!first) first = unit.exit_code;
      }
    }
    return !all;
  };
  CO_CHECK(co_await client.watch(std::move(look)));
  co_return first.value_or(0);
}

}  // namespace

void add_top(CommandLine line) {
  auto* top_command = line.cli.add_subcommand("top", "the processes of services");
  auto shown = std::make_shared<std::vector<std::string>>();
  top_command->add_option("SERVICE", *shown, "services or units; none: all");
  top_command->callback([line, shown] {
    line.chosen = [&globals = line.globals, shown] {
      const auto text = run_blocking(top(named_project(globals), *shown));
      if (!text) return report(text.error());
      fmt::print("{}", *text);
      return 0;
    };
  });
  auto* wait = line.cli.add_subcommand("wait", "wait until services have ended; exit with the first one's code");
  auto awaited = std::make_shared<std::vector<std::string>>();
  wait->add_option("SERVICE", *awaited, "services or units")->required();
  wait->callback([line, awaited] {
    line.chosen = [&globals = line.globals, awaited] {
      const auto code = run_blocking(wait_for_end(named_project(globals), *awaited));
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace devstack

#include <fmt/format.h>

#include <cstdio>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/project_choice.h"
#include "cmd/devstack/status_text.h"
#include "cmd/devstack/terminal.h"
#include "core/base/async/clock.h"
#include "core/control/client.h"
#include "core/control/status_json.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;
enum class Table { all, services };

asio::awaitable<Result<supervisor::Status>> fetch() {
  const control::ControlClient client(state_dir());
  co_return co_await client.status();
}

int print_status(const Globals& globals, Table table) {
  auto status = run_blocking(fetch());
  if (!status) return report(status.error());
  if (table == Table::services) *status = supervisor::of_project(std::move(*status), named_project(globals));
  if (globals.json) {
    fmt::print("{}\n", control::to_json(*status));
  } else {
    fmt::print("{}", table == Table::all ? status_text(*status) : services_text(*status));
  }
  return status->healthy || table == Table::services ? 0 : 1;
}

asio::awaitable<Result<bool>> watch_loop(Table table) {
  for (;;) {
    CO_TRY(const auto status, co_await fetch());
    fmt::print("\033[H\033[2J{}", table == Table::all ? status_text(status) : services_text(status));
    std::fflush(stdout);
    co_await steady_clock().sleep_for(1s);
  }
}

int watch_status(Table table) {
  const auto ended = run_blocking(watch_loop(table));
  return ended ? 0 : report(ended.error());
}

}  // namespace

void add_status(CommandLine line) {
  auto* status = line.cli.add_subcommand("status", "components, services, addresses, and what is wrong");
  auto watch = std::make_shared<bool>(false);
  status->add_flag("-w,--watch", *watch, "redraw each second until interrupted");
  status->callback([line, watch] {
    line.chosen = [&globals = line.globals, watch] {
      return *watch ? watch_status(Table::all) : print_status(globals, Table::all);
    };
  });
  auto* ps = line.cli.add_subcommand("ps", "the stack's services");
  ps->callback([line] { line.chosen = [&globals = line.globals] { return print_status(globals, Table::services); }; });
}

}  // namespace devstack

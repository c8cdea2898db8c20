// watch: what changes in a service's sources is synced, restarted or rebuilt, as its develop.watch says.
#include "cmd/devstack/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "cmd/devstack/up.h"
#include "core/stack/explain.h"

namespace devstack {
namespace {

asio::awaitable<Result<int>> until_signal(EngineWork& work, const stack::StackFile& file, const stack::Plan& plan,
                                          WatchSettings settings) {
  using namespace asio::experimental::awaitable_operators;
  asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
  WatchSession session(work, file, plan, std::move(settings));
  auto ended = co_await (session.run() || signals.async_wait(asio::use_awaitable));
  if (auto* outcome = std::get_if<0>(&ended)) co_return std::move(*outcome);
  fmt::print("Watch disabled\n");
  co_return 0;
}

Result<int> follow(const Globals& globals, WatchSettings settings) {
  auto load = load_options(globals);
  load.targets = settings.services;
  TRY(const auto file, stack::load(load));
  TRY(const auto whole, stack::make_plan(file, stack::EngineAvailable::yes));
  TRY(const auto plan, stack::narrow({}, whole, settings.services, stack::Dependencies::with));
  std::set<std::string> services;
  for (const auto& unit : plan.units) services.insert(unit.service);
  settings.services.assign(services.begin(), services.end());
  EngineWork work(file);
  return work.run([&](EngineWork& ready) { return until_signal(ready, file, whole, settings); }, whole, {});
}

}  // namespace

bool has_watch_rules(const stack::StackFile& file, std::string_view action) {
  return std::any_of(file.services.begin(), file.services.end(), [&](const auto& entry) {
    const auto& rules = entry.second.watch;
    return std::any_of(rules.begin(), rules.end(),
                       [&](const auto& rule) { return action.empty() || rule.action == action; });
  });
}

int watch_sources(const Globals& globals, WatchSettings settings) {
  const auto code = follow(globals, std::move(settings));
  return code ? *code : report(code.error());
}

void add_watch(CommandLine line) {
  auto* command = line.cli.add_subcommand("watch", "follow the sources of services: sync, restart or rebuild them");
  auto settings = std::make_shared<WatchSettings>();
  auto no_up = std::make_shared<bool>(false);
  command->add_flag("--no-up", *no_up, "do not build and start the services first");
  command->add_flag("--quiet", settings->quiet, "nothing of what builds print");
  command->add_flag("--prune,!--no-prune", settings->prune, "remove the images that a rebuild replaces (the default)");
  command->add_option("SERVICE", settings->services, "these and what they depend on; none: all");
  command->callback([line, settings, no_up] {
    line.chosen = [&globals = line.globals, settings, no_up] {
      if (!*no_up) {
        UpFlags flags;
        flags.how.services = settings->services;
        flags.how.build = true;
        if (const int code = bring_up(globals, flags); code != 0) return code;
      }
      return watch_sources(globals, *settings);
    };
  });
}

}  // namespace devstack

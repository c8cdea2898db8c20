#include "cmd/devstack/watch_session.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

#include "cmd/devstack/paths.h"
#include "cmd/devstack/settle.h"
#include "cmd/devstack/terminal.h"
#include "cmd/devstack/up_choice.h"
#include "core/control/client.h"
#include "core/stack/images.h"
#include "core/supervisor/develop_files.h"
#include "core/supervisor/hook_options.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;
using supervisor::DevelopBatch;
using supervisor::DevelopRule;

/// Compose's: so long nothing must change before what did is acted on.
constexpr auto kQuiet = 500ms;
constexpr auto kReplaceLimit = 120s;
constexpr auto kExecLimit = 10min;
constexpr std::size_t kOutputMost = 65536;
/// Paths in one `rm`: the kernel bounds the length of a command line.
constexpr std::size_t kMostRemoved = 500;

void say(std::string_view line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

/// As Compose writes them: ["api" "web"].
std::string list(const std::set<std::string>& services) {
  return fmt::format("[\"{}\"]", fmt::join(services, "\" \""));
}

void tell(const Result<void>& done, std::string_view what) {
  if (done || done.error().code == Errc::cancelled) return;  // the second: by who ends the watching
  terminal::complain(fmt::format("{}: {}", what, done.error().to_string()));
}

Result<void> ended_well(const docker::ExecResult& ended, const std::string& program) {
  if (ended.exit_code == 0) return {};
  return fail(Errc::failed, "\"{}\" exited with code {}{}{}", program, ended.exit_code,
              ended.output.empty() ? "" : ": ", terminal::printable(ended.output));
}

/// What changed; of more than can be told, whatever there is now.
std::set<std::string> paths_of(const supervisor::PathChanges& changes, const std::vector<DevelopRule>& rules) {
  auto paths = changes.paths;
  if (!changes.everything) return paths;
  for (const auto& rule : rules) paths.merge(supervisor::concerned_files(rule));
  return paths;
}

}  // namespace

WatchSession::WatchSession(EngineWork& work, const stack::StackFile& file, const stack::Plan& plan,
                           WatchSettings settings)
    : work_(work), file_(file), plan_(plan), settings_(std::move(settings)), stack_(file.project) {}

Result<void> WatchSession::read_rules() {
  for (const auto& name : settings_.services) {
    TRY(auto read, supervisor::read_develop_rules(file_.services.at(name)));
    for (const auto& warning : read.warnings) terminal::complain(warning);
    std::move(read.rules.begin(), read.rules.end(), std::back_inserter(rules_));
  }
  if (!rules_.empty()) return {};
  return fail(Errc::not_found, "none of these services is to be watched: give one a `develop.watch`");
}

Result<std::unique_ptr<supervisor::PathWatch>> WatchSession::open(const asio::any_io_executor& loop) const {
  std::vector<std::string> paths;
  for (const auto& rule : rules_) paths.push_back(rule.trigger.path);
  supervisor::PathWatchOptions options;
  options.quiet = kQuiet;
  options.counts = [this](const std::string& path) {
    return std::any_of(rules_.begin(), rules_.end(), [&](const auto& rule) { return rule.concerns(path); });
  };
  options.looks_into = [this](const std::string& path) {
    return std::any_of(rules_.begin(), rules_.end(), [&](const auto& rule) { return rule.looks_into(path); });
  };
  return supervisor::PathWatch::open(loop, std::move(paths), steady_clock(), std::move(options));
}

asio::awaitable<Result<int>> WatchSession::run() {
  CO_CHECK(read_rules());
  CO_CHECK(co_await stack_.status());
  // Before the first copy: a change meanwhile is not missed.
  CO_TRY(const auto watch, open(co_await asio::this_coro::executor));
  co_await sync_initially();
  say("Watch enabled");
  for (;;) {
    const auto changes = co_await watch->next();
    auto batch = supervisor::develop_batch(rules_, paths_of(changes, rules_));
    if (!batch.empty()) co_await act(std::move(batch));
  }
}

asio::awaitable<void> WatchSession::sync_initially() {
  std::map<std::string, std::vector<supervisor::SyncedPath>> all;
  for (const auto& rule : rules_) {
    if (!rule.syncs() || !rule.trigger.initial_sync) continue;
    const auto paths = supervisor::initial_sync(rule, file_.services.at(rule.service));
    all[rule.service].insert(all[rule.service].end(), paths.begin(), paths.end());
  }
  for (const auto& [service, paths] : all) {
    if (paths.empty()) continue;
    const auto done = co_await sync(service, paths);
    tell(done, "initial sync of " + service);
  }
}

/// What fails is no reason to leave out the rest: a service that its last change broke is restarted with the next.
asio::awaitable<void> WatchSession::act(DevelopBatch batch) {
  if (!batch.rebuild.empty()) {
    const auto done = co_await rebuild(batch.rebuild);
    tell(done, "rebuilding");
  }
  for (const auto& [service, paths] : batch.sync) {
    say(fmt::format("Syncing service \"{}\" after {} changes were detected", service, paths.size()));
    const auto done = co_await sync(service, paths);
    tell(done, "syncing " + service);
  }
  if (!batch.restart.empty()) {
    const auto done = co_await restart(batch.restart);
    tell(done, "restarting");
  }
  for (const auto& [service, hooks] : batch.exec) {
    for (const auto& hook : hooks) {
      const auto done = co_await exec(service, hook);
      tell(done, "exec in " + service);
    }
  }
}

asio::awaitable<Result<void>> WatchSession::rebuild(Names services) {
  say(fmt::format("Rebuilding service(s) {} after changes were detected...", list(services)));
  CO_TRY(const auto replaced, co_await build(services));
  say(fmt::format("service(s) {} successfully built", list(services)));
  CO_CHECK(co_await replace(services));
  if (!settings_.prune) co_return Result<void>();
  for (const auto& image : replaced) co_await prune(image);
  co_return Result<void>();
}

/// The images that are not the services' any more.
asio::awaitable<Result<std::set<std::string>>> WatchSession::build(Names services) {
  supervisor::ApplyOptions how;
  how.build = true;
  work_.follow(plan_, how);
  std::set<std::string> replaced;
  for (const auto& name : services) {
    const auto& service = file_.services.at(name);
    const auto before = co_await work_.client().inspect_image(stack::image_name(service, work_.project()));
    auto note = [this, name](const std::string& text) {
      if (!settings_.quiet && !text.empty()) say(fmt::format("{}: {}", name, terminal::printable(text)));
    };
    auto built = co_await work_.image(service, std::move(note));
    if (!built) co_return tl::unexpected(std::move(built).error().with_context("build failed"));
    if (before && before->id != built->id) replaced.insert(before->id);
  }
  co_return replaced;
}

/// Only these, in as many instances as there are, though the image may be the same.
asio::awaitable<Result<void>> WatchSession::replace(Names services) {
  UpChoice choice;
  choice.how.services.assign(services.begin(), services.end());
  choice.how.no_deps = true;
  choice.how.force_recreate = true;
  choice.how.pull = "missing";  // what was built a moment ago is not to be pulled over, whatever the pull_policy
  CO_TRY(const auto status, co_await stack_.status());
  for (const auto& unit : status.services) {
    if (services.contains(unit.service)) ++choice.scale[unit.service];
  }
  const control::ControlClient client(state_dir());
  CO_CHECK(co_await client.apply(choice_request(choice, work_.project())));
  co_return co_await wait_running(work_.project(), choice.how.services, kReplaceLimit);
}

/// Unless it has a name, or something else uses it.
asio::awaitable<void> WatchSession::prune(std::string id) {
  const auto image = co_await work_.client().inspect_image(id);
  if (!image || !image->tags.empty()) co_return;
  const auto removed = co_await work_.client().remove_image(id);
  if (!removed && removed.error().code != Errc::conflict) terminal::complain(removed.error().message);
}

asio::awaitable<Result<std::vector<supervisor::UnitStatus>>> WatchSession::containers(std::string service) {
  std::vector<std::string> words{service};
  CO_TRY(auto units, co_await stack_.units(std::move(words)));
  std::erase_if(units,
                [](const auto& unit) { return unit.type != supervisor::UnitType::container || unit.id.empty(); });
  if (units.empty()) co_return fail(Errc::conflict, "it has no container");
  co_return units;
}

asio::awaitable<Result<void>> WatchSession::sync(std::string service, std::vector<supervisor::SyncedPath> paths) {
  CO_TRY(const auto work, supervisor::sync_work(paths));
  CO_TRY(const auto units, co_await containers(service));
  Result<void> outcome;
  for (const auto& unit : units) {
    auto removed = co_await remove(unit.id, work.gone);
    if (!removed) outcome = tl::unexpected(std::move(removed).error().with_context("deleting paths in " + unit.name));
    if (work.tar.empty()) continue;
    // With their owners: the engine gives them to the user that the container runs as.
    auto copied = co_await work_.client().put_archive(unit.id, "/", work.tar, true);
    if (!copied) outcome = tl::unexpected(std::move(copied).error().with_context("copying files to " + unit.name));
  }
  co_return outcome;
}

asio::awaitable<Result<void>> WatchSession::remove(std::string container, stack::Texts paths) {
  for (std::size_t at = 0; at < paths.size(); at += kMostRemoved) {
    std::vector<std::string> argv{"rm", "-rf", "--"};
    const auto end = std::min(at + kMostRemoved, paths.size());
    argv.insert(argv.end(), paths.begin() + static_cast<std::ptrdiff_t>(at),
                paths.begin() + static_cast<std::ptrdiff_t>(end));
    CO_TRY(const auto ended, co_await work_.client().exec(container, std::move(argv), kOutputMost, kExecLimit));
    CO_CHECK(ended_well(ended, "rm"));
  }
  co_return Result<void>();
}

asio::awaitable<Result<void>> WatchSession::restart(Names services) {
  control::UnitOrder order;
  order.action = control::UnitAction::restart;
  order.name = fmt::format("{}", fmt::join(services, ","));
  CO_CHECK(co_await stack_.carry_out(std::move(order)));
  say(fmt::format("service(s) {} restarted", list(services)));
  co_return Result<void>();
}

asio::awaitable<Result<void>> WatchSession::exec(std::string service, stack::Hook hook) {
  CO_TRY(const auto units, co_await containers(service));
  Result<void> outcome;
  const auto program = hook.command.empty() ? std::string() : hook.command.front();
  for (const auto& unit : units) {
    auto options = supervisor::exec_options(hook);
    const auto ended = co_await work_.client().exec(unit.id, std::move(options), kOutputMost, kExecLimit);
    if (!ended) {
      outcome = tl::unexpected(ended.error());
      continue;
    }
    say(fmt::format("\"{}\" was run in {}", program, unit.name));
    (void)terminal::write(ended->output);
    if (ended->exit_code != 0) outcome = fail(Errc::failed, "\"{}\" exited with code {}", program, ended->exit_code);
  }
  co_return outcome;
}

}  // namespace devstack

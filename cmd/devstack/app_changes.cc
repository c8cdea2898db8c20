// A running appliance whose stack file, or what is wanted of it, changes.
#include <algorithm>
#include <filesystem>
#include <utility>

#include "cmd/devstack/app_impl.h"
#include "cmd/devstack/command.h"
#include "core/base/async/directory_watch.h"
#include "core/base/log.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// Editors write a file in several steps; what is read meanwhile is half of it.
constexpr auto kQuiet = 150ms;

/// Whether a stack may be read from it: what it was read from, and files beside it of the kinds that it may name.
bool concerns_stack(const std::string& path, const stack::StackFile& file) {
  if (path == file.path || std::find(file.files.begin(), file.files.end(), path) != file.files.end()) return true;
  const auto name = fs::path(path).filename().string();
  return name.find(".env") != std::string::npos || name.ends_with(".yaml") || name.ends_with(".yml");
}

std::set<std::string> stack_folders(const stack::StackFile& file, const stack::LoadOptions& load) {
  std::set<std::string> folders{file.project_dir, fs::path(file.path).parent_path().string()};
  for (const auto& path : file.files) folders.insert(fs::path(path).parent_path().string());
  for (const auto& path : load.env_files) folders.insert((fs::path(load.cwd) / path).parent_path().string());
  return folders;
}

}  // namespace

void App::Impl::start_watching(App& app) {
  if (std::exchange(follows_files, true)) return;
  tasks.spawn("follow the stack's files", follow_files(app));
}

asio::awaitable<void> App::Impl::follow_files(App& app) {
  DirectoryWatch watch(loop);
  for (;;) {
    const auto seen = watch.changed().version();
    for (const auto& folder : stack_folders(options.file, options.load)) {
      if (const auto added = watch.add(folder); !added) log::warn("core", "{}", added.error().message);
    }
    const bool more = co_await watch.changed().wait_past(seen, Instant::max());
    if (!more) co_return;
    bool quiet = false;
    while (!quiet) {
      const auto latest = watch.changed().version();
      const bool again = co_await watch.changed().wait_past(latest, steady_clock().now() + kQuiet);
      quiet = !again;
    }
    bool concerned = false;
    for (const auto& path : watch.take()) concerned = concerned || concerns_stack(path, options.file);
    if (!concerned) continue;
    const auto changes = co_await app.reload();
    if (!changes) {
      log::error("core", "the changed stack file was not taken: {}", changes.error().to_string());
    } else if (!changes->empty()) {
      log::info("core", "the stack's files have changed: {}", *changes);
    }
  }
}

std::set<std::string> App::Impl::idle_units() const {
  using supervisor::UnitState;
  std::set<std::string> idle;
  for (const auto& unit : supervisor->status().services) {
    const bool down = unit.state == UnitState::stopped || unit.state == UnitState::pending;
    if (down || unit.state == UnitState::failed) idle.insert(unit.name);
  }
  return idle;
}

Result<App::Impl::Wanted> App::Impl::wanted(const std::string& request) const {
  Wanted out;
  out.load = options.load;
  if (names_files(request)) {
    TRY(out.load, parse_apply_request(request));
  }
  TRY(out.choice, parse_up_choice(request));
  TRY(out.file, stack::load(out.load));
  if (out.file.project != options.file.project) {
    return fail(Errc::conflict, "{} is up here: run `devstack down` first, or set DEVSTACK_STATE_DIR for a second one",
                options.file.project);
  }
  TRY(out.plan, chosen_plan(supervisor->plan(), out.file, out.choice, engine_available()));
  out.changes = unit_changes(supervisor->plan(), out.plan, out.choice.how, idle_units());
  return out;
}

asio::awaitable<Result<std::string>> App::reload() { co_return co_await apply(choice_request(impl_->options.choice)); }

asio::awaitable<Result<std::string>> App::apply(std::string request) {
  auto& app = *impl_;
  CO_TRY(auto wanted, app.wanted(request));
  auto said = changes_words(wanted.changes);
  const auto components = describe_changes({}, app.options.file, wanted.file);
  if (!components.empty()) said += (said.empty() ? "" : "\n") + components;
  app.supervisor->apply(std::move(wanted.plan), wanted.choice.how);
  if (wanted.choice.watch) app.start_watching(*this);
  app.options.load = std::move(wanted.load);
  app.options.choice = lasting_choice(app.options.choice, wanted.choice);
  app.options.file.services = std::move(wanted.file.services);
  app.options.file.files = std::move(wanted.file.files);
  co_return said;
}

asio::awaitable<Result<std::string>> App::plan(std::string request) {
  auto& app = *impl_;
  CO_TRY(const auto wanted, app.wanted(request.empty() ? choice_request(app.options.choice) : request));
  co_return changes_json(wanted.file.project, true, wanted.changes);
}

}  // namespace devstack

// A running appliance whose stack file, or what is wanted of it, changes.
#include <algorithm>
#include <filesystem>
#include <sstream>
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

void App::Impl::follow_files(App& app) {
  const auto followed = projects->followed();
  if (followed.empty()) return;
  const bool first = files == nullptr;
  if (first) files = std::make_unique<DirectoryWatch>(loop);
  for (const auto& [load, file] : followed) {
    for (const auto& folder : stack_folders(file, load)) {
      if (const auto added = files->add(folder); !added) log::warn("core", "{}", added.error().message);
    }
  }
  if (first) tasks.spawn("follow the stack's files", apply_changed_files(app));
}

asio::awaitable<void> App::Impl::apply_changed_files(App& app) {
  for (;;) {
    const auto seen = files->changed().version();
    const bool more = co_await files->changed().wait_past(seen, Instant::max());
    if (!more) co_return;
    bool quiet = false;
    while (!quiet) {
      const auto latest = files->changed().version();
      const bool again = co_await files->changed().wait_past(latest, steady_clock().now() + kQuiet);
      quiet = !again;
    }
    bool concerned = false;
    const auto followed = projects->followed();
    for (const auto& path : files->take()) {
      for (const auto& [load, file] : followed) concerned = concerned || concerns_stack(path, file);
    }
    if (!concerned) continue;
    const auto changes = co_await app.reload();
    if (!changes) {
      // A record of the log is a line; each error of the file has its own.
      std::istringstream lines(changes.error().to_string());
      for (std::string line; std::getline(lines, line);) {
        log::error("core", "the changed stack file was not taken: {}", line);
      }
    } else if (!changes->empty()) {
      log::info("core", "the stack's files have changed: {}", *changes);
    }
  }
}

asio::awaitable<Result<std::string>> App::reload() {
  auto said = co_await impl_->projects->reload();
  impl_->follow_files(*this);
  co_return said;
}

asio::awaitable<Result<std::string>> App::apply(std::string request) {
  auto& app = *impl_;
  CO_TRY(auto wanted, app.projects->read(request));
  if (wanted.file.project == app.options.file.project) {
    app.options.file.services = wanted.file.services;
    app.options.file.files = wanted.file.files;
  }
  CO_TRY(auto said,
         co_await app.projects->apply(std::move(wanted.load), std::move(wanted.choice), std::move(wanted.file)));
  app.follow_files(*this);
  co_return said;
}

asio::awaitable<Result<std::string>> App::plan(std::string request) { co_return impl_->projects->plan(request); }

}  // namespace devstack

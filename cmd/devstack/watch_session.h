#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cmd/devstack/engine_work.h"
#include "cmd/devstack/project_choice.h"
#include "core/base/result.h"
#include "core/stack/plan.h"
#include "core/stack/stack_file.h"
#include "core/supervisor/develop_rules.h"
#include "core/supervisor/path_watch.h"

namespace devstack {

struct WatchSettings {
  std::vector<std::string> services;  ///< whose develop.watch is followed
  bool quiet = false;                 ///< nothing of what builds print
  bool prune = true;                  ///< what a rebuild leaves without a name is removed
};

/// Acts on the sources of a stack that runs, as develop.watch says: a line on standard output for each thing done, one
/// on standard error for what fails, which ends nothing. Within EngineWork::run(), on its loop; `work`, `file` and
/// `plan` outlive it.
/// https://docs.docker.com/compose/how-tos/file-watch/
class WatchSession {
 public:
  WatchSession(EngineWork& work, const stack::StackFile& file, const stack::Plan& plan, WatchSettings settings);

  /// Until it is cancelled. An error when it cannot begin: what PathWatch::open() says, Errc::unavailable where no
  /// stack runs, not_found where none of the services has such rules.
  asio::awaitable<Result<int>> run();

 private:
  using Names = std::set<std::string>;
  Result<void> read_rules();
  Result<std::unique_ptr<supervisor::PathWatch>> open(const asio::any_io_executor& loop) const;
  asio::awaitable<void> sync_initially();
  asio::awaitable<void> act(supervisor::DevelopBatch batch);
  asio::awaitable<Result<void>> rebuild(Names services);
  asio::awaitable<Result<std::set<std::string>>> build(Names services);
  asio::awaitable<Result<void>> replace(Names services);
  asio::awaitable<void> prune(std::string id);
  asio::awaitable<Result<void>> sync(std::string service, std::vector<supervisor::SyncedPath> paths);
  asio::awaitable<Result<void>> remove(std::string container, stack::Texts paths);
  asio::awaitable<Result<void>> restart(Names services);
  asio::awaitable<Result<void>> exec(std::string service, stack::Hook hook);
  asio::awaitable<Result<std::vector<supervisor::UnitStatus>>> containers(std::string service);

  EngineWork& work_;
  const stack::StackFile& file_;
  const stack::Plan& plan_;
  WatchSettings settings_;
  ProjectClient stack_;
  std::vector<supervisor::DevelopRule> rules_;
};

}  // namespace devstack

#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/docker/engine_watcher.h"
#include "core/stack/plan.h"
#include "core/stack/stack_file.h"
#include "core/supervisor/container_shared.h"

namespace devstack {

/// What a command does with the engine itself, as the supervisor would: images pulled and built, and everything that a
/// container needs made first. Main thread.
class EngineWork {
 public:
  explicit EngineWork(const stack::StackFile& file);
  ~EngineWork();
  EngineWork(const EngineWork&) = delete;
  EngineWork& operator=(const EngineWork&) = delete;

  [[nodiscard]] stack::EngineAvailable available();

  /// Runs `work` to its end with the definitions of a plan. Errc::docker_unreachable where no engine answers.
  using Work = std::function<asio::awaitable<Result<int>>(EngineWork& work)>;
  Result<int> run(const Work& work, const stack::Plan& plan, const supervisor::ApplyOptions& how);

  // --- within run() ---
  [[nodiscard]] docker::Client& client();
  [[nodiscard]] const std::string& project() const { return shared_->project; }
  /// The definitions are those of this plan from now on; images that were pulled or built may be so again.
  void follow(const stack::Plan& plan, const supervisor::ApplyOptions& how) { shared_->follow(plan, how); }
  asio::awaitable<Result<docker::Image>> image(stack::ServiceSpec service, supervisor::ContainerShared::Note note);
  /// Its image, networks, volumes and files are there then.
  asio::awaitable<Result<docker::ContainerSpec>> container(stack::PlannedUnit unit);

 private:
  asio::awaitable<Result<int>> carry_out(const Work& work);
  asio::awaitable<Result<std::map<std::string, std::string>>> parents(stack::ServiceSpec service);

  asio::io_context io_;
  supervisor::SupervisorOptions options_;
  std::unique_ptr<docker::EngineWatcher> engine_;
  std::unique_ptr<supervisor::ContainerShared> shared_;
};

}  // namespace devstack

#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/base/async/blocking_pool.h"
#include "core/docker/engine_watcher.h"
#include "core/supervisor/container_spec.h"
#include "core/supervisor/grants.h"
#include "core/supervisor/registry_credentials.h"
#include "core/supervisor/supervisor.h"
#include "core/supervisor/turns.h"

namespace devstack::supervisor {

/// What all container units of a supervisor share: the project's networks, volumes, files and images, each made once
/// however many containers wait for it. It outlives the units. Loop thread.
class ContainerShared {
 public:
  ContainerShared(const asio::any_io_executor& loop, docker::EngineWatcher& watcher,
                  const SupervisorOptions& supervisor);

  asio::any_io_executor executor;
  docker::EngineWatcher& engine;
  const SupervisorOptions& options;
  std::string project;
  Turns creating, starting, removing;  ///< so many at a time: the engine gains nothing from more
  /// pre_start: the steps of a service, by its name, one instance after the other; and the configurations, by their
  /// hash, whose steps for the service as a whole this apply() has run.
  Turns& preparing(const std::string& service);
  std::set<std::string> prepared;
  std::function<void()> changed;  ///< what describe() tells is another

  /// Its definitions are the ones to be made from now on; images count as not refreshed.
  void follow(const stack::Plan& plan, const ApplyOptions& how);
  [[nodiscard]] ContainerContext context() const;
  /// Errc::docker_unreachable with the reason while the engine is down.
  [[nodiscard]] Result<void> reachable() const;

  // --- networks and volumes (container_resources.cc) ---
  /// Makes a network of the project unless it is there; Errc::not_found for an external one that is not. Its id.
  asio::awaitable<Result<std::string>> ensure_network(std::string key);
  asio::awaitable<Result<void>> ensure_volume(std::string key);
  /// Removes the project's networks whose definition is another now: their containers are disconnected, and show it.
  asio::awaitable<Result<void>> drop_changed_networks();
  asio::awaitable<Result<void>> remove_networks();
  asio::awaitable<Result<void>> remove_volumes();

  // --- images (container_images.cc) ---
  using Note = std::function<void(std::string)>;  ///< "pulling redis:7, 3 of 7 layers"; "" when it is done
  /// The service's image is there, as its pull_policy and the user's wish say; pulled or built once an apply().
  asio::awaitable<Result<docker::Image>> ensure_image(stack::ServiceSpec service, Note note);
  /// Whether ensure_image() may have something to do although the image is there.
  [[nodiscard]] bool wants_refresh(const stack::ServiceSpec& service) const;

  asio::awaitable<Result<stack::Texts>> write_files(stack::ServiceSpec service);

 private:
  asio::awaitable<Result<void>> pull(stack::ServiceSpec service, std::string image, Note note);
  [[nodiscard]] CredentialSource credential_source() const;
  asio::awaitable<Result<void>> build(stack::ServiceSpec service, std::string image, Note note);

  std::string project_dir_;
  stack::Texts files_, env_files_;
  std::map<std::string, stack::NetworkDef> networks_;
  std::map<std::string, stack::VolumeDef> volumes_;
  FileDefs configs_, secrets_;
  std::map<std::string, stack::Texts> containers_;
  bool build_wanted_ = false;
  std::string pull_wanted_;
  std::set<std::string> refreshed_;  ///< images that this apply() has pulled or built
  std::map<std::string, std::unique_ptr<Turns>> image_turns_, preparing_;
  Turns making_;  ///< networks and volumes: the engine would make two networks of one name
  Turns pulling_;
  BlockingPool disk_;
};

}  // namespace devstack::supervisor

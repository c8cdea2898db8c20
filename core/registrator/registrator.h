#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>
#include <vector>

#include "core/base/async/component.h"
#include "core/docker/engine_watcher.h"
#include "core/registrator/registrations.h"
#include "core/registry/registry.h"

namespace devstack::registrator {

/// Keeps the registry in agreement with the containers that run: listens to the engine's events, inspects what changed,
/// writes only differences. On every connection to the engine and each minute it reconciles both ways: containers
/// that are not registered, and registrations of ours (Service::source) that no container stands behind. A container
/// that is told to stop is taken out before it is gone. What could not be written is tried again. Without an engine
/// it says so and waits for one.
///
/// SERVICE_CHECK_* is kept in the service's metadata, as Registrator does, and read by check_definition.h; Docker's own
/// HEALTHCHECK becomes the check "Docker health check". Registrations stay when the component stops.
///
/// Loop thread only. Owner: cmd/devstack/app.cc, which keeps what it hands in alive longer.
class Registrator final : public Component {
 public:
  Registrator(asio::any_io_executor loop, docker::EngineWatcher& engine, registry::RegistryView& view,
              registry::RegistryWriter& writer, RegistratorOptions options);
  ~Registrator() override;

  [[nodiscard]] std::string_view name() const override { return "registrator"; }
  [[nodiscard]] std::vector<std::string> after() const override { return {"registry"}; }
  /// Waits for the first reconciliation when the engine is up, for five seconds at most.
  asio::awaitable<Result<void>> start() override;
  asio::awaitable<void> stop() override;
  [[nodiscard]] ComponentReport report() const override;

  /// The names of the TCP services that a container which is there, but does not run yet, will have. None when the
  /// engine does not tell, or chooses the ports only when it runs.
  asio::awaitable<std::vector<std::string>> foretell(std::string container);

  /// The address behind published ports changed: registers them anew.
  void set_host_address(std::string address);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace devstack::registrator

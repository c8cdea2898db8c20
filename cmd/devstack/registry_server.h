#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/api/api.h"
#include "core/base/async/component.h"
#include "core/docker/client.h"
#include "core/health/check_runner.h"
#include "core/http/server.h"
#include "core/registry/expiry.h"
#include "core/registry/registry.h"

namespace devstack {

struct RegistryServerOptions {
  std::vector<asio::ip::tcp::endpoint> endpoints;
  std::string setting = "registry.http";  ///< the stack-file key that moves the port, for errors
  std::string ui_location;
  /// The least TTL a session may ask for; Consul's session_ttl_min.
  std::chrono::nanoseconds session_ttl_min = std::chrono::seconds(10);
  /// Script and Docker checks may be registered through the API, and run.
  bool enable_script_checks = false;
  /// For Docker checks; without it $DOCKER_HOST or the usual socket.
  std::optional<docker::Client> engine;
  std::function<void()> reload = [] {};  ///< PUT agent/reload
  std::function<api::OutsideMetrics()> outside_metrics;
};

/// The component "registry": Consul's HTTP API on a set of addresses that may change while it runs, the runner of the
/// agent's checks, and what passes with time (session TTLs, TTL checks). The registry outlives it. Loop thread.
class RegistryServer final : public Component {
 public:
  RegistryServer(asio::any_io_executor loop, registry::Registry& registry, RegistryServerOptions options);
  ~RegistryServer() override;

  [[nodiscard]] std::string_view name() const override { return "registry"; }
  asio::awaitable<Result<void>> start() override;
  asio::awaitable<void> stop() override;
  [[nodiscard]] ComponentReport report() const override;

  /// Before start().
  void set_outside_metrics(std::function<api::OutsideMetrics()> metrics) {
    options_.outside_metrics = std::move(metrics);
  }
  /// Listens where it does not yet, stops listening where it no longer should. What cannot be bound is in report().
  void set_endpoints(std::vector<asio::ip::tcp::endpoint> endpoints);

 private:
  Result<void> listen(const asio::ip::tcp::endpoint& where);

  asio::any_io_executor loop_;
  registry::Registry& registry_;
  RegistryServerOptions options_;
  registry::SessionExpiry sessions_;
  registry::TtlChecks ttl_checks_;
  health::CheckRunner checks_;
  api::Api api_;
  std::unique_ptr<http::Server> server_;
  std::string problem_;
};

}  // namespace devstack

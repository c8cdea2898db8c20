#include "cmd/devstack/registry_server.h"

#include <algorithm>

#include "core/base/log.h"
#include "core/net/port_holder.h"

namespace devstack {
namespace {

std::string to_text(const asio::ip::tcp::endpoint& where) {
  return where.address().is_v6() ? fmt::format("[{}]:{}", where.address().to_string(), where.port())
                                 : fmt::format("{}:{}", where.address().to_string(), where.port());
}

health::CheckRunnerOptions runner_options(const RegistryServerOptions& options) {
  health::CheckRunnerOptions runner;
  runner.enable_scripts = options.enable_script_checks;
  runner.engine = options.engine;
  return runner;
}

}  // namespace

RegistryServer::RegistryServer(asio::any_io_executor loop, registry::Registry& registry, RegistryServerOptions options)
    : loop_(std::move(loop)),
      registry_(registry),
      options_(std::move(options)),
      sessions_(loop_, registry, registry),
      ttl_checks_(loop_, registry, registry),
      checks_(loop_, registry, registry, runner_options(options_)),
      api_(registry, registry, [this] {
        api::ApiOptions api;
        api.ui_location = options_.ui_location;
        api.session_ttl_min = options_.session_ttl_min;
        if (options_.enable_script_checks) api.remote_scripts = api::RemoteScripts::allow;
        api.reload = options_.reload;
        api.outside_metrics = [this] {
          return options_.outside_metrics ? options_.outside_metrics() : api::OutsideMetrics();
        };
        api.renew_session = [this](std::string id) { sessions_.renew(std::move(id)); };
        api.heartbeat = [this](std::string node, std::string check) {
          ttl_checks_.heartbeat(std::move(node), std::move(check));
        };
        return api;
      }()) {}

RegistryServer::~RegistryServer() = default;

Result<void> RegistryServer::listen(const asio::ip::tcp::endpoint& where) {
  const auto bound = server_->listen(where);
  if (bound) return {};
  if (bound.error().code != Errc::port_taken) return tl::unexpected(bound.error());
  return tl::unexpected(
      net::port_taken(net::Transport::tcp, where.address().to_string(), where.port(), options_.setting));
}

asio::awaitable<Result<void>> RegistryServer::start() {
  http::ServerLimits limits;
  limits.body_bytes_of = api::body_limit;
  server_ = std::make_unique<http::Server>(
      loop_, "registry", [this](http::Request request) { return api_.handle(std::move(request)); }, limits);
  for (const auto& where : options_.endpoints) {
    if (auto listening = listen(where); !listening) {
      co_await server_->stop();
      server_.reset();
      co_return listening;
    }
  }
  sessions_.start();
  ttl_checks_.start();
  checks_.start();
  co_return Result<void>();
}

asio::awaitable<void> RegistryServer::stop() {
  if (!server_) co_return;
  co_await server_->stop();
  server_.reset();
  co_await sessions_.stop();
  co_await ttl_checks_.stop();
  co_await checks_.stop();
}

void RegistryServer::set_endpoints(std::vector<asio::ip::tcp::endpoint> endpoints) {
  options_.endpoints = std::move(endpoints);
  if (!server_) return;
  problem_.clear();
  const auto listed = [](const auto& list, const auto& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  };
  const auto now = server_->endpoints();
  for (const auto& where : now) {
    if (!listed(options_.endpoints, where)) server_->close(where);
  }
  for (const auto& where : options_.endpoints) {
    if (listed(now, where)) continue;
    if (const auto listening = listen(where); !listening) {
      problem_ = listening.error().message;
      log::warn("registry", "{}", problem_);
    }
  }
  if (on_change) on_change();
}

ComponentReport RegistryServer::report() const {
  ComponentReport report;
  if (!server_) return report;
  for (const auto& where : server_->endpoints()) report.addresses.push_back(to_text(where));
  report.degraded = !problem_.empty();
  if (report.degraded) {
    report.detail = problem_;
  } else {
    const auto state = registry_.snapshot();
    report.detail = fmt::format("{} services, index {}", state->services().size(), state->index());
  }
  return report;
}

}  // namespace devstack

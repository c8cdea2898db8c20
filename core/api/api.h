#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "core/http/message.h"
#include "core/registry/registry.h"

/// The Consul-compatible HTTP API over a registry: everything under /v1, as a handler for http::Server. Baseline is
/// Consul 1.10 as a single server with ACLs and Connect off (https://developer.hashicorp.com/consul/api-docs); areas of
/// a switched-off feature answer as that server does, known endpoints that are not built answer 501.
///
///     Api api(registry, registry, options);
///     http::Server server(executor, "consul http", [&](http::Request r) { return api.handle(std::move(r)); });
namespace devstack::api {

namespace asio = boost::asio;

/// Script and Docker checks run commands on this machine: whether they may come in over HTTP.
enum class RemoteScripts { refuse, allow };

struct ApiOptions {
  std::string version = "1.10.11";  ///< what agent/self and agent/members say; clients parse it as semver
  int server_port = 8300;           ///< the port that status/leader and agent/self name
  /// Where `/` leads (301), e.g. "http://127.0.0.1:7500/"; "" answers `Consul Agent`.
  std::string ui_location;
  RemoteScripts remote_scripts = RemoteScripts::refuse;
  std::chrono::nanoseconds session_ttl_min = std::chrono::seconds(10);
  /// PUT session/renew: SessionExpiry::renew.
  std::function<void(std::string session_id)> renew_session = [](const std::string&) {};
  /// agent/check/pass, warn, fail, update: TtlChecks::heartbeat.
  std::function<void(std::string node, std::string check_id)> heartbeat = [](const std::string&, const std::string&) {};
};

/// Keeps no state of its own beyond its options; `handle` may be called from any executor and thread at once.
class Api {
 public:
  /// `view` and `writer` outlive it.
  Api(registry::RegistryView& view, registry::RegistryWriter& writer, ApiOptions options = {});
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  /// Answers one request; a blocking query returns when its data changed, at its deadline, or when cancelled.
  asio::awaitable<http::Response> handle(http::Request request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace devstack::api

#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// What another part of the program measures, for agent/metrics under names like those of Consul's telemetry.
struct OutsideMetrics {
  using Labels = std::vector<std::pair<std::string, std::string>>;
  /// Of values; `squares` for the deviation.
  struct Sum {
    std::uint64_t count = 0;
    double sum = 0, squares = 0, least = 0, most = 0;
  };
  /// In milliseconds.
  struct Sample {
    std::string name;
    Labels labels;
    Sum finished;  ///< of the last whole interval
    Sum total;     ///< since the start
  };
  /// A count since the start: a counter for Prometheus, among the gauges in JSON, whose counters are of an interval.
  struct Total {
    std::string name;
    Labels labels;
    std::uint64_t count = 0;
  };
  std::vector<Sample> samples;
  std::vector<Total> totals;
};

struct ApiOptions {
  std::string version = "1.10.11";  ///< what agent/self and agent/members say; clients parse it as semver
  int server_port = 8300;           ///< the port that status/leader and agent/self name
  /// Where `/` leads (301), e.g. "http://127.0.0.1:7500/"; "" answers `Consul Agent`.
  std::string ui_location;
  RemoteScripts remote_scripts = RemoteScripts::refuse;
  std::chrono::nanoseconds session_ttl_min = std::chrono::seconds(10);
  /// Blocking queries that may wait at once; one more is answered 429. Below the connections a server takes, so that
  /// others still get through.
  std::size_t blocked_most = 7680;
  std::chrono::nanoseconds metrics_interval{std::chrono::seconds(10)};  ///< that agent/metrics aggregates over
  /// Called for each report, on the loop.
  std::function<OutsideMetrics()> outside_metrics;
  /// PUT agent/reload: reads again what can be read again.
  std::function<void()> reload = [] {};
  /// PUT session/renew: SessionExpiry::renew.
  std::function<void(std::string session_id)> renew_session = [](const std::string&) {};
  /// agent/check/pass, warn, fail, update: TtlChecks::heartbeat.
  std::function<void(std::string node, std::string check_id)> heartbeat = [](const std::string&, const std::string&) {};
};

/// What http::ServerLimits::body_bytes_of is for this API: a snapshot to restore may be larger than anything else.
std::optional<std::size_t> body_limit(std::string_view method, std::string_view target);

/// Keeps no state of its own beyond its options and what agent/metrics counts.
class Api {
 public:
  /// `view` and `writer` outlive it.
  Api(registry::RegistryView& view, registry::RegistryWriter& writer, ApiOptions options = {});
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  /// Answers one request, on the loop; a blocking query returns when its data changed, at its deadline, or when
  /// cancelled.
  asio::awaitable<http::Response> handle(http::Request request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace devstack::api

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <tuple>

#include "core/api/handlers.h"
#include "core/api/json_writer.h"
#include "core/api/metrics.h"

/// GET /v1/agent/metrics and metrics/stream. https://developer.hashicorp.com/consul/api-docs/agent#view-metrics
namespace devstack::api {
namespace {

/// Of this process, in bytes: the first two fields of proc(5)'s statm.
struct Memory {
  double total = 0, resident = 0;
};
Memory own_memory() {
  std::ifstream statm("/proc/self/statm");
  Memory pages;
  statm >> pages.total >> pages.resident;
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  return {pages.total * page, pages.resident * page};
}

std::vector<Gauge> gauges_of(const Backend& backend) {
  const auto state = backend.view.snapshot();
  const auto datacenter = backend.writer.identity().datacenter;
  const auto there = state->counts();
  std::size_t sessions_with_ttl = 0;
  for (const auto& session : state->sessions()) sessions_with_ttl += session->ttl.empty() ? 0 : 1;
  const auto memory = own_memory();
  const Labels where{{"datacenter", datacenter}};
  const auto count = [](std::size_t value) { return static_cast<double>(value); };
  return {{"consul.autopilot.failure_tolerance", 0, {}},
          {"consul.autopilot.healthy", 1, {}},
          {"consul.members.servers", 1, where},
          {"consul.rpc.queries_blocking", count(backend.blocked), {}},
          {"consul.runtime.alloc_bytes", memory.resident, {}},
          {"consul.runtime.sys_bytes", memory.total, {}},
          {"consul.server.isLeader", 1, {}},
          {"consul.session_ttl.active", count(sessions_with_ttl), {}},
          {"consul.state.kv_entries", count(there.keys), where},
          {"consul.state.nodes", count(there.nodes), where},
          {"consul.state.service_instances", count(there.instances), where},
          {"consul.state.services", count(there.services), where}};
}

Aggregate aggregate(const OutsideMetrics::Sum& sum) { return {sum.count, sum.sum, sum.squares, sum.least, sum.most}; }

void add_outside(Report& report, OutsideMetrics outside) {
  for (auto& one : outside.samples) {
    if (one.total.count == 0) continue;
    report.samples.push_back(
        {std::move(one.name), std::move(one.labels), aggregate(one.finished), aggregate(one.total)});
  }
  // Rows of one name stand together in Prometheus' format.
  std::sort(report.samples.begin(), report.samples.end(), [](const Measured& a, const Measured& b) {
    return std::tie(a.name, a.labels) < std::tie(b.name, b.labels);
  });
  for (auto& one : outside.totals) {
    if (one.count == 0) continue;
    report.totals.push_back({std::move(one.name), static_cast<double>(one.count), std::move(one.labels)});
  }
}

Report report_of(const Backend& backend) {
  auto report = backend.metrics.report();
  report.gauges = gauges_of(backend);
  if (backend.options.outside_metrics) add_outside(report, backend.options.outside_metrics());
  return report;
}

asio::awaitable<void> follow_metrics(const Backend& backend, http::BodyWriter& writer) {
  bool written = true;
  while (written) {
    co_await steady_clock().sleep_until(backend.metrics.ends());
    auto text = pretty_json(metrics_json(report_of(backend)));
    written = co_await writer.write(std::move(text));
  }
}

}  // namespace

void agent_metrics(const Call& call, const State&, Answer& answer) {
  const auto accept = call.request.headers.get("Accept").value_or("");
  const auto report = report_of(call.backend);
  if (call.param("format") == "prometheus" || accept.find("application/openmetrics-text") != std::string_view::npos) {
    answer.body = metrics_prometheus(report);
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return;
  }
  answer.body = metrics_json(report);
}

asio::awaitable<http::Response> agent_metrics_stream(const Call& call) {
  http::Response response;
  response.headers.set("Content-Type", "application/json");
  response.stream = [&backend = call.backend](http::BodyWriter& writer) { return follow_metrics(backend, writer); };
  co_return response;
}

}  // namespace devstack::api

#include "core/api/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <set>

#include "core/api/json_writer.h"

namespace devstack::api {
namespace {

/// Services counted one by one; the others share the empty name.
constexpr std::size_t kServicesMost = 1024;
constexpr std::array<std::string_view, 5> kMethodNames = {"GET", "PUT", "DELETE", "POST", "OTHER"};

/// By alternative of registry::Command; "" for what Consul does not count.
constexpr std::array<std::string_view, std::variant_size_v<registry::Command>> kCommandNames = {"catalog.register",
                                                                                                "catalog.deregister",
                                                                                                "catalog.register",
                                                                                                "kvs.apply",
                                                                                                "kvs.apply",
                                                                                                "session.apply",
                                                                                                "session.apply",
                                                                                                "txn.apply",
                                                                                                "prepared-query.apply",
                                                                                                "prepared-query.apply",
                                                                                                "",
                                                                                                "",
                                                                                                ""};

double milliseconds(std::chrono::nanoseconds span) { return static_cast<double>(span.count()) / 1e6; }

std::size_t method_number(std::string_view method) {
  for (std::size_t i = 0; i + 1 < kMethodNames.size(); ++i) {
    if (kMethodNames.at(i) == method) return i;
  }
  return kMethodNames.size() - 1;
}

/// "/v1/kv/" with `joint` between its parts: "v1.kv._".
std::string joined(std::string_view route, char joint) {
  std::string out;
  route.remove_prefix(1);
  while (true) {
    const auto part = route.substr(0, route.find('/'));
    out += part.empty() ? "_" : std::string(part);
    if (part.size() == route.size()) return out;
    route.remove_prefix(part.size() + 1);
    out += joint;
  }
}

void add_up(Aggregate& to, const Aggregate& from) {
  if (from.count == 0) return;
  to.least = to.count == 0 ? from.least : std::min(to.least, from.least);
  to.most = to.count == 0 ? from.most : std::max(to.most, from.most);
  to.count += from.count, to.sum += from.sum, to.squares += from.squares;
}

void write_labels(JsonWriter& out, const Labels& labels) {
  out.key("Labels");
  out.open_object();
  for (const auto& [name, value] : labels) {
    out.escaped_key(name);
    out.string(value);
  }
  out.close_object();
}

void write_measured(JsonWriter& out, std::string_view key, const std::vector<Measured>& rows, double interval_s) {
  out.key(key);
  out.open_array();
  for (const auto& row : rows) {
    const auto& values = row.finished;
    if (values.count == 0) continue;
    out.open_object();
    out.field("Name", row.name);
    out.field("Count", values.count);
    out.field("Rate", values.sum / interval_s);
    out.field("Sum", values.sum);
    out.field("Min", values.least);
    out.field("Max", values.most);
    out.field("Mean", values.mean());
    out.field("Stddev", values.deviation());
    write_labels(out, row.labels);
    out.close_object();
  }
  out.close_array();
}

std::string prometheus_name(std::string_view name) {
  std::string out(name);
  for (auto& c : out) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!fits) c = '_';
  }
  return out;
}

std::string prometheus_labels(const Labels& labels) {
  if (labels.empty()) return "";
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    if (out.size() > 1) out += ',';
    out += prometheus_name(name) + "=\"";
    for (const char c : value) {
      if (c == '\n') {
        out += "\\n";
      } else {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
      }
    }
    out += '"';
  }
  return out + "}";
}

/// HELP and TYPE stand once before the lines of a name; rows are sorted by name.
void begin_family(std::string& out, std::string& last, const std::string& name, std::string_view type) {
  if (name == last) return;
  last = name;
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, name, name, type);
}

}  // namespace

void Aggregate::add(double value) {
  least = count == 0 ? value : std::min(least, value);
  most = count == 0 ? value : std::max(most, value);
  ++count;
  sum += value;
  squares += value * value;
}

double Aggregate::deviation() const {
  if (count < 2) return 0;
  const auto n = static_cast<double>(count);
  return std::sqrt(std::max(0.0, (n * squares - sum * sum) / (n * (n - 1))));
}

std::string metrics_json(const Report& report) {
  const std::time_t began = report.began_unix_s;
  std::tm utc{};
  gmtime_r(&began, &utc);
  char time[40];
  std::strftime(time, sizeof time, "%Y-%m-%d %H:%M:%S +0000 UTC", &utc);
  JsonWriter out(16384);
  out.open_object();
  out.field("Timestamp", time);
  out.key("Gauges");
  out.open_array();
  for (const auto* gauges : {&report.gauges, &report.totals}) {
    for (const auto& gauge : *gauges) {
      out.open_object();
      out.field("Name", gauge.name);
      out.field("Value", gauge.value);
      write_labels(out, gauge.labels);
      out.close_object();
    }
  }
  out.close_array();
  out.key("Points");
  out.raw("[]");
  write_measured(out, "Counters", report.counters, report.interval_s);
  write_measured(out, "Samples", report.samples, report.interval_s);
  out.close_object();
  return out.take();
}

std::string metrics_prometheus(const Report& report) {
  std::string out, last;
  for (const auto& gauge : report.gauges) {
    const auto name = prometheus_name(gauge.name);
    begin_family(out, last, name, "gauge");
    out += fmt::format("{}{} {}\n", name, prometheus_labels(gauge.labels), gauge.value);
  }
  for (const auto& count : report.totals) {
    const auto name = prometheus_name(count.name);
    begin_family(out, last, name, "counter");
    out += fmt::format("{}{} {}\n", name, prometheus_labels(count.labels), count.value);
  }
  for (const auto& counter : report.counters) {
    const auto name = prometheus_name(counter.name);
    begin_family(out, last, name, "counter");
    out += fmt::format("{}{} {}\n", name, prometheus_labels(counter.labels), counter.total.sum);
  }
  for (const auto& sample : report.samples) {
    const auto name = prometheus_name(sample.name);
    begin_family(out, last, name, "summary");
    const auto labels = prometheus_labels(sample.labels);
    out +=
        fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, labels, sample.total.sum, name, labels, sample.total.count);
  }
  return out;
}

Metrics::Metrics(std::chrono::nanoseconds interval, std::vector<std::string> routes)
    : interval_(interval),
      ends_(std::chrono::steady_clock::now() + std::chrono::duration_cast<Instant::duration>(interval)),
      began_unix_s_(std::time(nullptr)),
      routes_(std::move(routes)),
      requests_(routes_.size() * kMethods) {}

template <class Each>
void Metrics::for_each(Each each) {
  for (auto& series : requests_) each(series);
  for (auto& series : commands_) each(series);
  each(queries_);
  for (auto* map : {&catalog_queries_, &health_queries_}) {
    for (auto& [name, series] : *map) each(series);
  }
}

void Metrics::roll() {
  const auto now = std::chrono::steady_clock::now();
  if (now < ends_) return;
  // Nothing happened in whole intervals that nobody looked at: the last finished one is empty then.
  const auto interval = std::chrono::duration_cast<Instant::duration>(interval_);
  const auto skipped = (now - ends_) / interval;
  for_each([skipped](Series& series) {
    series.finished = skipped == 0 ? series.current : Aggregate{};
    series.current = {};
  });
  ends_ += interval * (skipped + 1);
  const auto behind = std::chrono::duration_cast<std::chrono::seconds>(now - (ends_ - interval)).count();
  began_unix_s_ = static_cast<std::int64_t>(std::time(nullptr)) - behind;
  finished_unix_s_ = began_unix_s_ - std::chrono::duration_cast<std::chrono::seconds>(interval_).count();
  any_finished_ = true;
}

bool Metrics::by_service(std::size_t route) const {
  return routes_[route] == "/v1/catalog/service/" || routes_[route] == "/v1/health/service/";
}

void Metrics::request(std::size_t route, std::string_view method, std::string_view subject,
                      std::chrono::nanoseconds took) {
  roll();
  requests_[route * kMethods + method_number(method)].add(milliseconds(took));
  if (!by_service(route)) return;
  auto& services = routes_[route] == "/v1/catalog/service/" ? catalog_queries_ : health_queries_;
  queries_.add(1);
  auto found = services.find(subject);
  if (found == services.end()) {
    found = services.try_emplace(services.size() < kServicesMost ? std::string(subject) : "").first;
  }
  found->second.add(1);
}

void Metrics::command(std::size_t kind, std::chrono::nanoseconds took) {
  roll();
  commands_.at(kind).add(milliseconds(took));
}

Report Metrics::report() {
  roll();
  Report out;
  out.began_unix_s = any_finished_ ? finished_unix_s_ : began_unix_s_;
  out.interval_s = std::chrono::duration<double>(interval_).count();
  const auto add = [&](std::vector<Measured>& to, std::string name, Labels labels, const Series& series) {
    if (series.total.count == 0) return;
    to.push_back({std::move(name), std::move(labels), any_finished_ ? series.finished : series.current, series.total});
  };
  add(out.counters, "consul.rpc.query", {}, queries_);
  for (const auto& [service, series] : catalog_queries_) {
    add(out.counters, "consul.catalog.service.query", {{"service", service}}, series);
  }
  for (const auto& [service, series] : health_queries_) {
    add(out.counters, "consul.health.service.query", {{"service", service}}, series);
  }
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    const auto& route = routes_[i / kMethods];
    const std::string method(kMethodNames.at(i % kMethods));
    add(out.samples, "consul.api.http", {{"method", method}, {"path", joined(route, '_')}}, requests_[i]);
    add(out.samples, "consul.http." + method + "." + joined(route, '.'), {}, requests_[i]);
  }
  std::map<std::string_view, Series> commands;
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    if (kCommandNames.at(i).empty()) continue;
    auto& series = commands[kCommandNames.at(i)];
    add_up(series.current, commands_.at(i).current);
    add_up(series.finished, commands_.at(i).finished);
    add_up(series.total, commands_.at(i).total);
  }
  for (const auto& [name, series] : commands) add(out.samples, "consul." + std::string(name), {}, series);
  const auto by_name = [](const Measured& a, const Measured& b) {
    return std::tie(a.name, a.labels) < std::tie(b.name, b.labels);
  };
  std::sort(out.counters.begin(), out.counters.end(), by_name);
  std::sort(out.samples.begin(), out.samples.end(), by_name);
  return out;
}

asio::awaitable<Result<registry::CommandResult>> CountedWriter::apply(registry::Command command) {
  const auto kind = command.index();
  const auto began = std::chrono::steady_clock::now();
  auto result = co_await inner_.apply(std::move(command));
  metrics_.command(kind, std::chrono::steady_clock::now() - began);
  co_return result;
}

}  // namespace devstack::api

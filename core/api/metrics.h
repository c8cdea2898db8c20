#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/async/clock.h"
#include "core/registry/registry.h"

/// What this server counts of itself, under the names of Consul's telemetry, aggregated over an interval as its
/// go-metrics does (https://developer.hashicorp.com/consul/docs/reference/agent/telemetry). Plain structs on the loop:
/// a request costs two readings of the clock and a few additions. Private to the room.
namespace devstack::api {

/// Of one interval, or since the start.
struct Aggregate {
  std::uint64_t count = 0;
  double sum = 0, squares = 0, least = 0, most = 0;

  void add(double value);
  [[nodiscard]] double mean() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
  [[nodiscard]] double deviation() const;  ///< of a sample; 0 for fewer than two values
};

struct Series {
  Aggregate current, finished, total;
  void add(double value) { current.add(value), total.add(value); }
};

using Labels = std::vector<std::pair<std::string, std::string>>;

/// One line of a report.
struct Gauge {
  std::string name;
  double value = 0;
  Labels labels;
};
struct Measured {
  std::string name;
  Labels labels;
  Aggregate finished;  ///< the last whole interval's; the running one's while there is none
  Aggregate total;
};
struct Report {
  std::int64_t began_unix_s = 0;  ///< of the interval
  double interval_s = 10;
  std::vector<Gauge> gauges;
  std::vector<Gauge> totals;  ///< counts since the start; by name
  std::vector<Measured> counters, samples;
};

/// As GET agent/metrics shows it.
std::string metrics_json(const Report& report);
/// Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/): totals.
std::string metrics_prometheus(const Report& report);

class Metrics {
 public:
  /// `routes`: the patterns that requests are counted by.
  Metrics(std::chrono::nanoseconds interval, std::vector<std::string> routes);

  /// Whether requests of that route are counted by service too, as Consul does for two reads.
  [[nodiscard]] bool by_service(std::size_t route) const;
  /// A request of route number `route` has been answered. `subject` is the service it asked for, where that counts and
  /// there is one: names that clients make up must not fill the table, nor reach a reader of the metrics.
  void request(std::size_t route, std::string_view method, std::string_view subject, std::chrono::nanoseconds took);
  /// A command of that alternative of registry::Command has been carried out.
  void command(std::size_t kind, std::chrono::nanoseconds took);

  /// Gauges are the caller's to add.
  [[nodiscard]] Report report();
  /// When the running interval ends.
  [[nodiscard]] Instant ends() const { return ends_; }

 private:
  static constexpr std::size_t kMethods = 5;
  void roll();
  template <class Each>
  void for_each(Each each);

  std::chrono::nanoseconds interval_;
  Instant ends_;
  std::int64_t began_unix_s_ = 0, finished_unix_s_ = 0;
  bool any_finished_ = false;
  std::vector<std::string> routes_;
  std::vector<Series> requests_;  ///< by route, then method
  std::array<Series, std::variant_size_v<registry::Command>> commands_;
  Series queries_;
  std::map<std::string, Series, std::less<>> catalog_queries_, health_queries_;  ///< by service
};

/// A writer whose commands are counted.
class CountedWriter final : public registry::RegistryWriter {
 public:
  CountedWriter(registry::RegistryWriter& inner, Metrics& metrics) : inner_(inner), metrics_(metrics) {}
  asio::awaitable<Result<registry::CommandResult>> apply(registry::Command command) override;
  [[nodiscard]] registry::Identity identity() const override { return inner_.identity(); }

 private:
  registry::RegistryWriter& inner_;
  Metrics& metrics_;
};

}  // namespace devstack::api

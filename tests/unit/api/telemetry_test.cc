#include <gtest/gtest.h>

#include "core/api/host.h"
#include "core/api/metrics.h"
#include "core/api/monitor.h"

namespace devstack::api {
namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

const log::Line kLine{std::chrono::system_clock::time_point(std::chrono::microseconds(1622548800123456)),
                      log::Level::info, "dns", "listening on \"lo\""};

TEST(Monitor, WritesLinesAsConsulDoes) {
  EXPECT_EQ(monitor_line(kLine, LogForm::text), "2021-06-01T12:00:00.123Z [INFO]  dns: listening on \"lo\"\n");
  EXPECT_EQ(
      monitor_line(kLine, LogForm::json),
      R"({"@level":"info","@message":"listening on \"lo\"","@module":"dns","@timestamp":"2021-06-01T12:00:00.123456Z"})"
      "\n");
}

TEST(Monitor, KnowsLevelsInAnyCase) {
  EXPECT_EQ(monitor_level("DEBUG"), log::Level::debug);
  EXPECT_EQ(monitor_level("warn"), log::Level::warn);
  EXPECT_EQ(monitor_level("ERR"), log::Level::error);
  EXPECT_FALSE(monitor_level("loud"));
  EXPECT_FALSE(monitor_level(""));
}

TEST(Aggregates, AreThoseOfAnInterval) {
  Aggregate values;
  for (const double value : {2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0}) values.add(value);
  EXPECT_EQ(values.count, 8U);
  EXPECT_DOUBLE_EQ(values.sum, 40);
  EXPECT_DOUBLE_EQ(values.mean(), 5);
  EXPECT_DOUBLE_EQ(values.least, 2);
  EXPECT_DOUBLE_EQ(values.most, 9);
  EXPECT_NEAR(values.deviation(), 2.13809, 1e-5);
  EXPECT_EQ(Aggregate{}.deviation(), 0);
}

TEST(Metrics, CountRequestsByRouteAndMethodUnderBothNames) {
  Metrics metrics(std::chrono::hours(1), {"/v1/kv/", "/v1/health/service/"});
  metrics.request(0, "PUT", "a", std::chrono::milliseconds(2));
  metrics.request(0, "PUT", "b", std::chrono::milliseconds(4));
  metrics.request(1, "GET", "web", std::chrono::milliseconds(1));
  const auto text = metrics_json(metrics.report());
  EXPECT_TRUE(contains(text, R"("Name":"consul.http.PUT.v1.kv._","Count":2,"Rate":)")) << text;
  EXPECT_TRUE(contains(text, R"("Sum":6,"Min":2,"Max":4,"Mean":3,"Stddev":1.414)")) << text;
  EXPECT_TRUE(contains(text, R"("Labels":{"method":"PUT","path":"v1_kv__"})")) << text;
  EXPECT_TRUE(contains(text, R"("Name":"consul.health.service.query","Count":1)")) << text;
  EXPECT_TRUE(contains(text, R"("Labels":{"service":"web"})")) << text;
}

TEST(Metrics, AreTotalsForPrometheus) {
  Metrics metrics(std::chrono::hours(1), {"/v1/kv/"});
  metrics.request(0, "GET", "a", std::chrono::milliseconds(3));
  auto report = metrics.report();
  report.gauges = {{"consul.state.nodes", 2, {{"datacenter", "d\"c"}}}};
  const auto text = metrics_prometheus(report);
  EXPECT_TRUE(contains(text, "# TYPE consul_state_nodes gauge\nconsul_state_nodes{datacenter=\"d\\\"c\"} 2\n")) << text;
  EXPECT_TRUE(contains(text, "# TYPE consul_http_GET_v1_kv__ summary\nconsul_http_GET_v1_kv___sum 3\n")) << text;
  EXPECT_TRUE(contains(text, "consul_api_http_count{method=\"GET\",path=\"v1_kv__\"} 1\n")) << text;
}

TEST(Metrics, ManyServicesShareOneNameInTheEnd) {
  Metrics metrics(std::chrono::hours(1), {"/v1/health/service/"});
  for (int i = 0; i < 3000; ++i) metrics.request(0, "GET", "s" + std::to_string(i), std::chrono::milliseconds(1));
  EXPECT_LT(metrics.report().counters.size(), 1100U);
}

TEST(Host, ReadsMemoryInBytes) {
  JsonWriter out;
  write_memory(out,
               "MemTotal:  1000 kB\nMemFree: 200 kB\nMemAvailable: 600 kB\nBuffers: 50 kB\nCached: 100 kB\n"
               "SReclaimable: 50 kB\nHugePages_Total: 7\n");
  EXPECT_TRUE(
      out.text().starts_with(R"({"total":1024000,"available":614400,"used":614400,"usedPercent":60,"free":204800,)"))
      << out.text();
  EXPECT_TRUE(contains(out.text(), R"("cached":153600,)"));
  EXPECT_TRUE(contains(out.text(), R"("hugePagesTotal":7,)"));
}

TEST(Host, ListsEachProcessor) {
  JsonWriter out;
  write_processors(
      out,
      "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: A CPU\ncpu MHz\t\t: 2400.5\nflags\t\t: fpu vme\n\n"
      "processor\t: 1\nvendor_id\t: GenuineIntel\n\n");
  EXPECT_TRUE(out.text().starts_with(R"([{"cpu":0,"vendorId":"GenuineIntel",)")) << out.text();
  EXPECT_TRUE(contains(out.text(), R"("modelName":"A CPU","mhz":2400.5,)")) << out.text();
  EXPECT_TRUE(contains(out.text(), R"("flags":["fpu","vme"])"));
  EXPECT_TRUE(contains(out.text(), R"({"cpu":1,)"));
}

}  // namespace
}  // namespace devstack::api

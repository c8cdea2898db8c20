#include <gtest/gtest.h>

#include "core/base/async/task_group.h"
#include "core/base/log.h"
#include "tests/integration/http/raw_client.h"
#include "tests/support/api_server.h"

/// What the server tells of itself while it runs, and how much it lets wait.
namespace devstack::test {
namespace {

using Where = asio::ip::tcp::endpoint;

Where endpoint_of(const ApiServer& server) { return {asio::ip::address_v4::loopback(), server.port}; }

asio::awaitable<void> follow(asio::any_io_executor executor, Where where, std::string request,
                             std::function<void()> once_open, std::string wanted) {
  RawClient client(executor);
  co_await client.connect(where);
  co_await client.send(std::move(request));
  co_await client.expect("\r\n\r\n");
  // The head is sent before the stream begins: a line of its own is asked for until it comes.
  const bool came = co_await eventually([&] {
    once_open();
    return client.socket().available() > 0;
  });
  EXPECT_TRUE(came);
  co_await client.expect(std::move(wanted));
}

TEST(ApiMonitor, StreamsTheLogAlsoBelowItsOwnLevel) {
  ApiServer server;
  run(server.io,
      follow(
          server.io.get_executor(), endpoint_of(server), "GET /v1/agent/monitor?loglevel=debug HTTP/1.1\r\n\r\n",
          [] { log::debug("test", "a line of detail"); }, "[DEBUG] test: a line of detail\n"));
  run(server.io, follow(
                     server.io.get_executor(), endpoint_of(server), "GET /v1/agent/monitor?logjson HTTP/1.1\r\n\r\n",
                     [] { log::warn("test", "seen"); }, R"("@message":"seen","@module":"test")"));
  EXPECT_FALSE(log::enabled(log::Level::debug));
}

asio::awaitable<void> flood(asio::any_io_executor executor, Where where) {
  RawClient client(executor);
  co_await client.connect(where);
  co_await client.send("GET /v1/agent/monitor?loglevel=debug HTTP/1.1\r\n\r\n");
  co_await client.expect("\r\n\r\n");
  co_await eventually([] { return log::enabled(log::Level::debug); });
  for (int i = 0; i < 2000; ++i) log::debug("test", "line {}", i);
  co_await client.expect("lines were left out: this reader is too slow");
}

asio::awaitable<void> read_head(asio::any_io_executor executor, Where where, std::string path, std::string& head) {
  RawClient client(executor);
  co_await client.connect(where);
  std::string request = "GET " + path + " HTTP/1.1\r\n\r\n";
  co_await client.send(std::move(request));
  co_await client.expect("\r\n\r\n");
  head = client.seen;
}

TEST(ApiMonitor, StreamsHaveTheHeadersOfEveryAnswer) {
  ApiServer server;
  for (const std::string path : {"/v1/agent/monitor", "/v1/agent/metrics/stream"}) {
    std::string head;
    run(server.io, read_head(server.io.get_executor(), endpoint_of(server), path, head));
    EXPECT_NE(head.find("\r\nX-Consul-Default-Acl-Policy: allow\r\n"), std::string::npos) << head;
    EXPECT_NE(head.find("\r\nVary: Accept-Encoding\r\n"), std::string::npos) << head;
  }
}

TEST(ApiMonitor, AFloodCostsNoMemoryButLinesAndSaysSo) {
  ApiServer server;
  run(server.io, flood(server.io.get_executor(), endpoint_of(server)));
}

TEST(ApiMetrics, HaveRealValues) {
  ApiServer server;
  server.exchange("PUT", "/v1/kv/a", "x");
  const auto answer = server.exchange("GET", "/v1/agent/metrics");
  EXPECT_NE(answer.body.find(R"("Name":"consul.kvs.apply","Count":1)"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find(R"({"Name":"consul.state.nodes","Value":1,"Labels":{"datacenter":"dc1"}})"),
            std::string::npos);
  const auto text = server.exchange("GET", "/v1/agent/metrics?format=prometheus");
  EXPECT_EQ(text.headers.get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(text.body.find("\nconsul_kvs_apply_count 1\n"), std::string::npos) << text.body;
}

TEST(ApiMetrics, CountByNameOnlyServicesThatExist) {
  ApiServer server;
  server.exchange("PUT", "/v1/agent/service/register", R"({"Name":"web"})");
  for (const std::string name : {"web", "WEB", "invented", "%ff%fe"}) {
    server.exchange("GET", "/v1/health/service/" + name);
    server.exchange("GET", "/v1/catalog/service/" + name);
  }
  const auto text = server.exchange("GET", "/v1/agent/metrics?format=prometheus").body;
  for (const std::string counter : {"consul_health_service_query", "consul_catalog_service_query"}) {
    EXPECT_NE(text.find("\n" + counter + "{service=\"web\"} 2\n"), std::string::npos) << text;
    EXPECT_NE(text.find("\n" + counter + "{service=\"\"} 2\n"), std::string::npos) << text;
  }
  EXPECT_EQ(text.find("invented"), std::string::npos);
  EXPECT_EQ(text.find('\xff'), std::string::npos);
}

TEST(ApiMetrics, HaveWhatOtherPartsMeasure) {
  api::ApiOptions options;
  options.outside_metrics = [] {
    api::OutsideMetrics out;
    out.samples = {{"consul.dns.ptr_query", {{"node", "n1"}}, {}, {}},
                   {"consul.dns.domain_query", {{"node", "n1"}}, {2, 3, 5, 1, 2}, {7, 20, 90, 1, 9}}};
    out.totals = {{"devstack.dns.answers", {{"code", "NOERROR"}}, 7}, {"devstack.dns.answers", {{"code", "X"}}, 0}};
    return out;
  };
  ApiServer server(std::move(options));
  const auto json = server.exchange("GET", "/v1/agent/metrics").body;
  EXPECT_NE(json.find(R"("Name":"consul.dns.domain_query","Count":2,"Rate":0.3,"Sum":3,"Min":1,"Max":2,"Mean":1.5,)"),
            std::string::npos)
      << json;
  EXPECT_NE(json.find(R"({"Name":"devstack.dns.answers","Value":7,"Labels":{"code":"NOERROR"}})"), std::string::npos)
      << json;
  const auto text = server.exchange("GET", "/v1/agent/metrics?format=prometheus").body;
  EXPECT_NE(text.find("\nconsul_dns_domain_query_sum{node=\"n1\"} 20\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nconsul_dns_domain_query_count{node=\"n1\"} 7\n"), std::string::npos);
  EXPECT_NE(text.find("# TYPE devstack_dns_answers counter\ndevstack_dns_answers{code=\"NOERROR\"} 7\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("ptr_query"), std::string::npos) << "what never happened is no row";
}

TEST(ApiMetrics, StreamGivesOneDocumentAnInterval) {
  api::ApiOptions options;
  options.metrics_interval = std::chrono::milliseconds(50);
  ApiServer server(std::move(options));
  run(server.io, follow(
                     server.io.get_executor(), endpoint_of(server), "GET /v1/agent/metrics/stream HTTP/1.1\r\n\r\n",
                     [] {}, "\"Gauges\": ["));
}

TEST(ApiReload, CallsWhoeverCanReload) {
  int reloads = 0;
  api::ApiOptions options;
  options.reload = [&reloads] { ++reloads; };
  ApiServer server(std::move(options));
  EXPECT_EQ(server.exchange("PUT", "/v1/agent/reload").status, 200);
  EXPECT_EQ(reloads, 1);
}

asio::awaitable<void> poll(ApiServer& server, std::string path) {
  try {
    co_await server.request("GET", std::move(path));
  } catch (const std::runtime_error&) {  // cut off when the server stops
  }
}

asio::awaitable<void> fill_and_overflow(ApiServer& server) {
  const auto executor = co_await asio::this_coro::executor;
  for (int i = 0; i < 2; ++i) spawn(executor, "poll", poll(server, "/v1/kv/a?index=100000&wait=60s"));
  co_await until([&] { return server.registry->stats().waiters >= 4; });  // two of them are the expiry loops'
  for (const std::string path : {"/v1/kv/a?index=100000&wait=60s", "/v1/event/list?index=1&wait=60s"}) {
    const auto refused = co_await server.request("GET", path);
    EXPECT_EQ(refused.status, 429) << path;
    EXPECT_EQ(refused.body, "Too many blocking queries are waiting, please retry later");
  }
  const auto at_once = co_await server.request("GET", "/v1/kv/a");
  EXPECT_EQ(at_once.status, 404);
  const auto written = co_await server.request("PUT", "/v1/kv/a", "x");
  EXPECT_EQ(written.status, 200);
}

TEST(ApiLimits, OneBlockingQueryTooManyIsToldSo) {
  api::ApiOptions options;
  options.blocked_most = 2;
  ApiServer server(std::move(options));
  run(server.io, fill_and_overflow(server));
}

}  // namespace
}  // namespace devstack::test

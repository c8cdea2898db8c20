#include <gtest/gtest.h>

#include "tests/support/api_server.h"

/// Blocking queries over a real socket: what wakes them and what does not.
namespace devstack::test {
namespace {

using namespace std::chrono_literals;

std::string index_of(const http::Response& answer) {
  return std::string(answer.headers.get("X-Consul-Index").value_or(""));
}

/// Starts `GET path&index=…` (and `more`), makes sure it is waiting in the registry, then runs the writes one after the
/// other; what the reader was answered, and how many writes had been made by then.
struct Watched {
  http::Response answer;
  std::size_t writes_before_answer = 0;
};

struct Write {
  std::string method, path, body;
};

Watched watch(ApiServer& server, std::string path, std::vector<Write> writes, std::string_view more = {}) {
  auto first = server.exchange("GET", path);
  path += (path.find('?') == std::string::npos ? "?" : "&") + std::string("wait=20s&index=") + index_of(first);
  path += more;
  Watched out;
  bool answered = false;
  auto reader = [](ApiServer& s, std::string target, Watched& result, bool& done) -> asio::awaitable<void> {
    result.answer = co_await s.request("GET", std::move(target));
    done = true;
  };
  asio::co_spawn(server.io, reader(server, path, out, answered), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (server.registry->stats().waiters == 0 && !answered && std::chrono::steady_clock::now() < deadline) {
    server.io.run_one_for(10ms);
  }
  EXPECT_FALSE(answered) << "answered before anything was written";
  for (const auto& write : writes) {
    server.exchange(write.method, write.path, write.body);
    // Whatever the write released has its answer on the way: let it arrive before the next one.
    server.io.run_for(20ms);
    if (!answered) ++out.writes_before_answer;
  }
  while (!answered && std::chrono::steady_clock::now() < deadline) server.io.run_one_for(10ms);
  EXPECT_TRUE(answered);
  return out;
}

TEST(BlockingQuery, UnrelatedKeyDoesNotWake) {
  ApiServer server;
  server.exchange("PUT", "/v1/kv/a", "1");
  const auto seen =
      watch(server, "/v1/kv/a", {{"PUT", "/v1/kv/b", "x"}, {"PUT", "/v1/kv/a/child", "x"}, {"PUT", "/v1/kv/a", "2"}});
  EXPECT_EQ(seen.writes_before_answer, 2U);
  EXPECT_NE(seen.answer.body.find("\"Mg==\""), std::string::npos);
}

TEST(BlockingQuery, SameValueDoesNotWake) {
  ApiServer server;
  server.exchange("PUT", "/v1/kv/a", "1");
  const auto seen = watch(server, "/v1/kv/a", {{"PUT", "/v1/kv/a", "1"}, {"DELETE", "/v1/kv/a", ""}});
  EXPECT_EQ(seen.writes_before_answer, 1U);
  EXPECT_EQ(seen.answer.status, 404);
}

TEST(BlockingQuery, DeleteUnderAPrefixWakes) {
  ApiServer server;
  server.exchange("PUT", "/v1/kv/p/1", "1");
  server.exchange("PUT", "/v1/kv/p/2", "2");
  const auto seen = watch(server, "/v1/kv/p/?recurse", {{"PUT", "/v1/kv/q", "x"}, {"DELETE", "/v1/kv/p/2", ""}});
  EXPECT_EQ(seen.writes_before_answer, 1U);
  EXPECT_EQ(seen.answer.status, 200);
  EXPECT_EQ(seen.answer.body.find("p/2"), std::string::npos);
}

TEST(BlockingQuery, LastInstanceGoingAwayWakes) {
  ApiServer server;
  server.exchange("PUT", "/v1/agent/service/register", R"({"Name":"web","Port":80})");
  const auto seen = watch(server, "/v1/health/service/web",
                          {{"PUT", "/v1/agent/service/register", R"({"Name":"other"})"},
                           {"PUT", "/v1/agent/service/register", R"({"Name":"web","Port":80})"},
                           {"PUT", "/v1/agent/service/deregister/web", ""}});
  EXPECT_EQ(seen.writes_before_answer, 2U);
  EXPECT_EQ(seen.answer.body, "[]");
}

TEST(BlockingQuery, AppearingServiceWakes) {
  ApiServer server;
  const auto seen = watch(server, "/v1/health/service/web",
                          {{"PUT", "/v1/agent/service/register", R"({"Name":"other"})"},
                           {"PUT", "/v1/agent/service/register", R"({"Name":"web"})"}});
  EXPECT_EQ(seen.writes_before_answer, 1U);
  EXPECT_NE(seen.answer.body, "[]");
}

TEST(BlockingQuery, CheckChangeWakesHealthButNotCatalog) {
  ApiServer server;
  server.exchange("PUT", "/v1/agent/service/register", R"({"Name":"web","Check":{"TTL":"1h"}})");
  const auto health = watch(server, "/v1/health/service/web", {{"PUT", "/v1/agent/check/pass/service:web", ""}});
  EXPECT_EQ(health.writes_before_answer, 0U);
  const auto catalog =
      watch(server, "/v1/catalog/service/web",
            {{"PUT", "/v1/agent/check/fail/service:web", ""}, {"PUT", "/v1/agent/service/deregister/web", ""}});
  EXPECT_EQ(catalog.writes_before_answer, 1U);
}

TEST(BlockingQuery, HeartbeatWithTheSameStatusDoesNotWake) {
  ApiServer server;
  server.exchange("PUT", "/v1/agent/service/register", R"({"Name":"web","Check":{"TTL":"1h"}})");
  server.exchange("PUT", "/v1/agent/check/pass/service:web?note=one");
  const auto seen = watch(
      server, "/v1/health/service/web",
      {{"PUT", "/v1/agent/check/pass/service:web?note=two", ""}, {"PUT", "/v1/agent/check/warn/service:web", ""}});
  EXPECT_EQ(seen.writes_before_answer, 1U);
}

TEST(BlockingQuery, FutureIndexBlocksToItsTimeoutAndAnswersTheRealOne) {
  ApiServer server;
  server.exchange("PUT", "/v1/kv/a", "1");
  const auto now = index_of(server.exchange("GET", "/v1/kv/a"));
  const auto start = std::chrono::steady_clock::now();
  const auto answer = server.exchange("GET", "/v1/kv/a?index=1000000&wait=120ms");
  EXPECT_GE(std::chrono::steady_clock::now() - start, 120ms);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(index_of(answer), now);
}

TEST(BlockingQuery, AProxyThatLeftBetweenTwoPollsIsNotMissed) {
  ApiServer server;
  server.exchange("PUT", "/v1/agent/service/register", R"({"Name":"web","Port":80})");
  server.exchange("PUT", "/v1/kv/a", "1");
  server.exchange(
      "PUT", "/v1/catalog/register",
      R"({"Node":"ext","Address":"10.0.0.1","Service":{"Service":"web-proxy","Kind":"connect-proxy","Port":1,)"
      R"("Proxy":{"DestinationServiceName":"web"}}})");
  std::vector<std::pair<std::string, std::string>> seen;
  for (const std::string path : {"/v1/health/connect/web", "/v1/catalog/connect/web"}) {
    const auto answer = server.exchange("GET", path);
    EXPECT_NE(answer.body.find("web-proxy"), std::string::npos) << answer.body;
    seen.emplace_back(path, index_of(answer));
  }
  server.exchange("PUT", "/v1/catalog/deregister", R"({"Node":"ext","ServiceID":"web-proxy"})");
  for (const auto& [path, index] : seen) {
    const auto answer = server.exchange("GET", path + "?wait=1s&index=" + index);
    EXPECT_EQ(answer.body, "[]") << path;
    EXPECT_GT(std::stoull(index_of(answer)), std::stoull(index)) << path;
  }
}

TEST(BlockingQuery, EventListWaitsForAnEventOfItsName) {
  ApiServer server;
  server.exchange("PUT", "/v1/event/fire/deploy", "1");
  const auto seen = watch(server, "/v1/event/list?name=deploy",
                          {{"PUT", "/v1/event/fire/other", "x"}, {"PUT", "/v1/event/fire/deploy", "2"}});
  EXPECT_EQ(seen.writes_before_answer, 1U);
  EXPECT_NE(seen.answer.body.find("\"Mg==\""), std::string::npos);
}

TEST(BlockingQuery, AgentServiceWaitsOnItsContentHash) {
  ApiServer server;
  server.exchange("PUT", "/v1/agent/service/register", R"({"Name":"web","Port":1})");
  const auto hash =
      std::string(server.exchange("GET", "/v1/agent/service/web").headers.get("X-Consul-Contenthash").value_or(""));
  ASSERT_FALSE(hash.empty());
  const auto seen = watch(server, "/v1/agent/service/web",
                          {{"PUT", "/v1/agent/service/register", R"({"Name":"other"})"},
                           {"PUT", "/v1/agent/service/register", R"({"Name":"web","Port":2})"}},
                          "&hash=" + hash);
  EXPECT_EQ(seen.writes_before_answer, 1U);
  EXPECT_NE(seen.answer.body.find("\"Port\":2"), std::string::npos);
}

}  // namespace
}  // namespace devstack::test

#include "core/registry/snapshot.h"

#include <gtest/gtest.h>

#include "core/api/archive.h"
#include "core/base/async/task_group.h"
#include "tests/support/api_server.h"

/// GET and PUT /v1/snapshot over a real socket.
namespace devstack::test {
namespace {

std::string save(ApiServer& server) {
  const auto answer = server.exchange("GET", "/v1/snapshot");
  EXPECT_EQ(answer.status, 200);
  return answer.body;
}

/// Everything a client can read of the registry's content.
std::string everything(ApiServer& server) {
  std::string out;
  for (const auto* path : {"/v1/kv/?recurse", "/v1/session/list", "/v1/catalog/nodes", "/v1/catalog/services",
                           "/v1/health/state/any", "/v1/health/service/web", "/v1/agent/services", "/v1/query"}) {
    out += server.exchange("GET", path).body + "\n";
  }
  return out;
}

void fill(ApiServer& server) {
  server.exchange("PUT", "/v1/agent/service/register",
                  R"({"Name":"web","Port":80,"Tags":["a"],"Check":{"TTL":"60s","Status":"passing"}})");
  server.exchange(
      "PUT", "/v1/catalog/register",
      R"({"Node":"ext","Address":"10.0.0.1","Service":{"Service":"db"},"Check":{"Name":"up","Status":"passing"}})");
  const auto made = server.exchange("PUT", "/v1/session/create", R"({"Name":"lock","TTL":"10s"})").body;
  const auto session = made.substr(7, 36);
  server.exchange("PUT", "/v1/kv/held?acquire=" + session, "mine");
  server.exchange("PUT", "/v1/kv/flagged?flags=18446744073709551615", "x");
  server.exchange("PUT", "/v1/kv/gone", "x");
  server.exchange("DELETE", "/v1/kv/gone");
  server.exchange("POST", "/v1/query", R"({"Name":"q","Service":{"Service":"web"}})");
}

TEST(ApiSnapshot, IsAnArchiveWithIndexHeaders) {
  ApiServer server;
  const auto answer = server.exchange("GET", "/v1/snapshot", "", {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(answer.headers.get("Content-Type"), "application/x-gzip");
  EXPECT_FALSE(answer.headers.get("Content-Encoding"));
  EXPECT_EQ(answer.headers.get("X-Consul-Index"), std::to_string(server.registry->snapshot()->index()));
  EXPECT_EQ(answer.headers.get("X-Consul-Knownleader"), "true");
  EXPECT_TRUE(answer.body.starts_with("\x1f\x8b"));
}

TEST(ApiSnapshot, OnlyARestoreMayBeLarge) {
  EXPECT_TRUE(api::body_limit("PUT", "/v1/snapshot?stale"));
  EXPECT_FALSE(api::body_limit("GET", "/v1/snapshot"));
  EXPECT_FALSE(api::body_limit("POST", "/v1/snapshot"));
  EXPECT_FALSE(api::body_limit("PUT", "/v1/kv/a"));
}

TEST(ApiSnapshot, RestoresEverythingAsItWas) {
  ApiServer server;
  fill(server);
  const auto before = everything(server);
  const auto archive = save(server);
  server.exchange("DELETE", "/v1/kv/?recurse");
  server.exchange("PUT", "/v1/kv/new", "x");
  server.exchange("PUT", "/v1/catalog/deregister", R"({"Node":"ext"})");
  server.exchange("PUT", "/v1/agent/service/deregister/web");
  ASSERT_NE(everything(server), before);
  const auto restored = server.exchange("PUT", "/v1/snapshot", archive);
  EXPECT_EQ(restored.status, 200);
  EXPECT_EQ(restored.body, "");
  EXPECT_FALSE(restored.headers.get("Content-Type"));
  EXPECT_EQ(everything(server), before);
}

TEST(ApiSnapshot, MovesToAnotherRegistry) {
  ApiServer one, two;
  fill(one);
  EXPECT_EQ(two.exchange("PUT", "/v1/snapshot", save(one)).status, 200);
  EXPECT_EQ(everything(two), everything(one));
}

TEST(ApiSnapshot, WhatIsNoSnapshotChangesNothing) {
  ApiServer server;
  fill(server);
  const auto before = everything(server);
  const auto index = server.registry->snapshot()->index();
  auto damaged = save(server);
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  const std::pair<std::string, std::string> cases[] = {
      {"", "failed to decompress snapshot: EOF"},
      {"this is no archive at all", "failed to decompress snapshot: gzip: invalid header"},
      {damaged, "failed to read snapshot file: "},
      {api::pack_snapshot({},
                          "\x81\xa5"
                          "state of a Consul"),
       "state.bin is not a devstack registry's"},
      {api::pack_snapshot({}, registry::encode_snapshot(*server.registry->snapshot()).substr(0, 200)),
       "state.bin is damaged"},
  };
  for (const auto& [body, text] : cases) {
    const auto answer = server.exchange("PUT", "/v1/snapshot", body);
    EXPECT_EQ(answer.status, 500);
    EXPECT_TRUE(answer.body.starts_with(text)) << answer.body;
  }
  EXPECT_EQ(everything(server), before);
  EXPECT_EQ(server.registry->snapshot()->index(), index);
}

TEST(ApiSnapshot, ARestoreReleasesBlockedQueries) {
  ApiServer server;
  server.exchange("PUT", "/v1/kv/a", "1");
  const auto archive = save(server);
  const auto later = std::to_string(server.registry->snapshot()->index() + 1000);
  struct Poll {
    static asio::awaitable<void> run(ApiServer& s, std::string path, std::vector<http::Response>& out) {
      out.push_back(co_await s.request("GET", std::move(path)));
    }
    static asio::awaitable<void> restore(ApiServer& s, std::string body, std::vector<http::Response>& out) {
      while (s.registry->stats().waiters < 3)
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
      const auto done = co_await s.request("PUT", "/v1/snapshot", std::move(body));
      EXPECT_EQ(done.status, 200);
      for (int i = 0; i < 100000 && out.size() < 3; ++i) {
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
      }
    }
  };
  std::vector<http::Response> answers;
  const std::string tail = "?wait=60s&index=" + later;
  for (const auto* path : {"/v1/kv/a", "/v1/kv/none", "/v1/health/service/web"}) {
    spawn(server.io.get_executor(), "poll", Poll::run(server, path + tail, answers));
  }
  run(server.io, Poll::restore(server, archive, answers));
  ASSERT_EQ(answers.size(), 3U);
  for (const auto& answer : answers) EXPECT_TRUE(answer.headers.get("X-Consul-Index"));
}

}  // namespace
}  // namespace devstack::test

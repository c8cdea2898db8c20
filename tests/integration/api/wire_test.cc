#include <gtest/gtest.h>

#include "tests/support/api_server.h"

/// Rules of the wire that the recordings do not cover and whole endpoints, over a real socket.
namespace devstack::test {
namespace {

std::string header(const http::Response& answer, std::string_view name) {
  return std::string(answer.headers.get(name).value_or("<none>"));
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(ApiWire, EveryApiAnswerCarriesAclPolicyAndVary) {
  ApiServer server;
  for (const std::string path : {"/v1/agent/self", "/v1/kv/none", "/v1/catalog/nodes?dc=x", "/v1/acl/list"}) {
    const auto answer = server.exchange("GET", path);
    EXPECT_EQ(header(answer, "X-Consul-Default-Acl-Policy"), "allow") << path;
    EXPECT_EQ(header(answer, "Vary"), "Accept-Encoding") << path;
  }
}

TEST(ApiWire, ReadsNameTheirConsistency) {
  ApiServer server;
  EXPECT_EQ(header(server.exchange("GET", "/v1/catalog/nodes"), "X-Consul-Effective-Consistency"), "leader");
  EXPECT_EQ(header(server.exchange("GET", "/v1/health/service/x?stale"), "X-Consul-Effective-Consistency"), "stale");
  EXPECT_EQ(header(server.exchange("GET", "/v1/kv/x?stale"), "X-Consul-Effective-Consistency"), "<none>");
  EXPECT_EQ(header(server.exchange("GET", "/v1/health/service/x?cached"), "X-Cache"), "MISS");
  EXPECT_EQ(header(server.exchange("GET", "/v1/agent/services"), "X-Consul-Index"), "<none>");
}

TEST(ApiWire, WrongMethodNamesTheRightOnes) {
  ApiServer server;
  const auto answer = server.exchange("POST", "/v1/kv/a");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(header(answer, "Allow"), "OPTIONS,GET,PUT,DELETE");
}

TEST(ApiWire, UncleanPathsAreRedirected) {
  ApiServer server;
  const auto answer = server.exchange("PUT", "/v1/kv/a//b?flags=1", "x");
  EXPECT_EQ(answer.status, 301);
  EXPECT_EQ(header(answer, "Location"), "/v1/kv/a/b?flags=1");
  EXPECT_EQ(header(server.exchange("GET", "/v1/session/info"), "Location"), "/v1/session/info/");
}

TEST(ApiWire, LargeAnswersAreCompressedWhenAskedFor) {
  ApiServer server;
  const http::Headers gzip{{"Accept-Encoding", "gzip"}};
  server.exchange("PUT", "/v1/kv/small", std::string(1300, 'a'));
  server.exchange("PUT", "/v1/kv/large", std::string(1400, 'a'));
  EXPECT_EQ(header(server.exchange("GET", "/v1/kv/small?raw", "", gzip), "Content-Encoding"), "<none>");
  EXPECT_EQ(header(server.exchange("GET", "/v1/kv/large?raw", "", gzip), "Content-Encoding"), "gzip");
  EXPECT_EQ(server.exchange("GET", "/v1/kv/large?raw").body, std::string(1400, 'a'));
}

TEST(ApiWire, PrettyIndents) {
  ApiServer server;
  EXPECT_EQ(server.exchange("GET", "/v1/catalog/datacenters?pretty").body, "[\n    \"dc1\"\n]\n");
}

TEST(ApiWire, EscapesInPathsAreDecodedOnceAndTwiceForAgentIds) {
  ApiServer server;
  server.exchange("PUT", "/v1/kv/a%2Fb%20c+d", "x");
  EXPECT_EQ(server.exchange("GET", "/v1/kv/a/b%20c+d?raw").body, "x");
  server.exchange("PUT", "/v1/agent/service/register", R"({"Name":"s","ID":"host:a/b:80"})");
  EXPECT_EQ(server.exchange("GET", "/v1/agent/service/host:a%2Fb:80").status, 200);
  server.exchange("PUT", "/v1/agent/service/register", R"({"Name":"s","ID":"a%b"})");
  EXPECT_EQ(server.exchange("GET", "/v1/agent/service/a%2525b").status, 200);
  EXPECT_EQ(server.exchange("GET", "/v1/agent/service/a%25b").status, 500);
}

TEST(ApiWire, KnownButUnbuiltIs501AndNamesItself) {
  ApiServer server;
  const auto answer = server.exchange("PUT", "/v1/config");
  EXPECT_EQ(answer.status, 501);
  EXPECT_TRUE(contains(answer.body, "/v1/config"));
}

TEST(ApiWire, NamespacesAreRefused) {
  ApiServer server;
  EXPECT_EQ(server.exchange("GET", "/v1/kv/a?ns=team").status, 400);
  EXPECT_EQ(server.exchange("GET", "/v1/kv/a", "", {{"X-Consul-Namespace", "team"}}).status, 400);
}

TEST(ApiTxn, RollsBackWholeAndNamesEveryFailure) {
  ApiServer server;
  server.exchange("PUT", "/v1/kv/old", "x");
  const auto failed = server.exchange("PUT", "/v1/txn",
                                      R"([{"KV":{"Verb":"set","Key":"new","Value":"dg=="}},)"
                                      R"({"KV":{"Verb":"check-not-exists","Key":"old"}},)"
                                      R"({"KV":{"Verb":"get","Key":"none"}}])");
  EXPECT_EQ(failed.status, 409);
  EXPECT_EQ(failed.body, R"({"Results":null,"Errors":[{"OpIndex":1,"What":"key \"old\" exists"},)"
                         R"({"OpIndex":2,"What":"key \"none\" doesn't exist"}]})");
  EXPECT_EQ(server.exchange("GET", "/v1/kv/new").status, 404);
}

TEST(ApiTxn, WritesHideValuesAndReadsCarryMeta) {
  ApiServer server;
  const auto written = server.exchange(
      "PUT", "/v1/txn", R"([{"KV":{"Verb":"set","Key":"k","Value":"dg==","Flags":18446744073709551615}}])");
  EXPECT_EQ(written.status, 200);
  EXPECT_TRUE(contains(written.body, R"("Flags":18446744073709551615,"Value":null)")) << written.body;
  EXPECT_TRUE(written.body.ends_with(R"("Errors":null})"));
  const auto read = server.exchange("PUT", "/v1/txn", R"([{"KV":{"Verb":"get","Key":"k"}}])");
  EXPECT_TRUE(contains(read.body, R"("Value":"dg==")")) << read.body;
  EXPECT_TRUE(contains(read.body, R"("KnownLeader":true)"));
  // What writes nothing is a read to Consul, though no verb of it is known.
  EXPECT_TRUE(server.exchange("PUT", "/v1/txn", R"([{"KV":{"Verb":"bogus","Key":"k"}}])")
                  .body.starts_with(R"({"Results":null,"Errors":[{"OpIndex":0,"What":"unknown KV verb \"bogus\""}],)"));
}

TEST(ApiTxn, TooManyOperationsAndTooLargeValuesAre413) {
  ApiServer server;
  std::string many = "[";
  for (int i = 0; i < 129; ++i) many += std::string(i > 0 ? "," : "") + R"({"KV":{"Verb":"get","Key":"a"}})";
  const auto refused = server.exchange("PUT", "/v1/txn", many + "]");
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.body, "Transaction contains too many operations (129 > 128)");
}

TEST(ApiQuery, LivesFromCreationToDeletion) {
  ApiServer server;
  server.exchange("PUT", "/v1/agent/service/register", R"({"Name":"web","ID":"w1","Port":80,"Tags":["a"]})");
  const auto created = server.exchange("POST", "/v1/query", R"({"Name":"q","Service":{"Service":"web","Tags":["a"]}})");
  ASSERT_EQ(created.status, 200) << created.body;
  const std::string id = created.body.substr(7, 36);
  EXPECT_TRUE(contains(server.exchange("GET", "/v1/query/" + id).body, R"("IgnoreCheckIDs":null)"));
  EXPECT_TRUE(contains(server.exchange("GET", "/v1/query/q/execute").body, R"("ID":"w1")"));
  EXPECT_TRUE(contains(server.exchange("GET", "/v1/query/q/explain").body, R"("Query":{"ID":")"));
  EXPECT_EQ(server.exchange("POST", "/v1/query", R"({"Name":"q","Service":{"Service":"x"}})").body,
            "raft apply failed: name 'q' aliases an existing query name");
  EXPECT_EQ(server.exchange("PUT", "/v1/query/" + id, R"({"Name":"q","Service":{"Service":"other"}})").status, 200);
  EXPECT_TRUE(contains(server.exchange("GET", "/v1/query/q/execute").body, R"("Nodes":[])"));
  EXPECT_EQ(server.exchange("DELETE", "/v1/query/" + id).body, "");
  EXPECT_EQ(server.exchange("GET", "/v1/query/q/execute").status, 404);
  EXPECT_EQ(server.exchange("DELETE", "/v1/query/" + id).status, 500);
}

TEST(ApiAgent, MaintenanceTurnsAServiceAwayAndBack) {
  ApiServer server;
  server.exchange("PUT", "/v1/agent/service/register", R"({"Name":"web"})");
  EXPECT_EQ(server.exchange("PUT", "/v1/agent/service/maintenance/web").body, "Missing value for enable");
  EXPECT_EQ(server.exchange("PUT", "/v1/agent/service/maintenance/none?enable=true").status, 404);
  server.exchange("PUT", "/v1/agent/service/maintenance/web?enable=true&reason=upgrade");
  const auto health = server.exchange("GET", "/v1/agent/health/service/id/web");
  EXPECT_EQ(health.status, 503);
  EXPECT_EQ(header(health, "X-Consul-Reason"), "maintenance");
  EXPECT_TRUE(contains(server.exchange("GET", "/v1/health/checks/web").body, R"("Notes":"upgrade")"));
  EXPECT_EQ(server.exchange("GET", "/v1/health/service/web?passing").body, "[]");
  server.exchange("PUT", "/v1/agent/service/maintenance/web?enable=false");
  EXPECT_EQ(server.exchange("GET", "/v1/agent/health/service/id/web").status, 200);
}

TEST(ApiAgent, ReregistrationKeepsStatusAndUnmentionedChecks) {
  ApiServer server;
  server.exchange("PUT", "/v1/agent/service/register",
                  R"({"Name":"web","Checks":[{"TTL":"1h"},{"TTL":"1h","CheckID":"own"}]})");
  server.exchange("PUT", "/v1/agent/check/pass/service:web:1");
  server.exchange("PUT", "/v1/agent/service/register",
                  R"({"Name":"web","Checks":[{"TTL":"1h","Status":"warning","CheckID":"service:web:1"}]})");
  const auto kept = server.exchange("GET", "/v1/agent/checks").body;
  EXPECT_TRUE(contains(kept, R"("CheckID":"service:web:1","Name":"Service 'web' check","Status":"passing")")) << kept;
  EXPECT_TRUE(contains(kept, R"("own":{)"));
  server.exchange("PUT", "/v1/agent/service/register?replace-existing-checks",
                  R"({"Name":"web","Check":{"TTL":"1h","CheckID":"service:web:1"}})");
  EXPECT_FALSE(contains(server.exchange("GET", "/v1/agent/checks").body, R"("own":{)"));
}

TEST(ApiAgent, SidecarComesAndGoesWithItsService) {
  ApiServer server;
  server.exchange("PUT", "/v1/agent/service/register", R"({"Name":"web","Port":80,"Connect":{"SidecarService":{}}})");
  const auto services = server.exchange("GET", "/v1/agent/services").body;
  EXPECT_TRUE(contains(services, R"("web-sidecar-proxy":{"Kind":"connect-proxy")")) << services;
  EXPECT_TRUE(contains(services, R"("Port":21000)"));
  server.exchange("PUT", "/v1/agent/service/deregister/web");
  EXPECT_EQ(server.exchange("GET", "/v1/agent/services").body, "{}");
}

TEST(ApiQuery, ConnectFindsProxiesOfAnyNameAndNativeInstances) {
  ApiServer server;
  const auto add = [&](const std::string& service) {
    server.exchange("PUT", "/v1/catalog/register", R"({"Node":"n","Address":"10.0.0.1","Service":)" + service + "}");
  };
  add(R"({"Service":"web","ID":"plain"})");
  add(R"({"Service":"web","ID":"native","Connect":{"Native":true}})");
  add(R"({"Service":"envoy","ID":"proxy","Kind":"connect-proxy","Port":1,"Proxy":{"DestinationServiceName":"web"}})");
  add(R"({"Service":"web-sidecar-proxy","ID":"namesake"})");
  server.exchange("POST", "/v1/query", R"({"Name":"q","Service":{"Service":"web"}})");
  const auto found = server.exchange("GET", "/v1/query/q/execute?connect=true").body;
  EXPECT_TRUE(contains(found, R"("ID":"native")")) << found;
  EXPECT_TRUE(contains(found, R"("ID":"proxy")")) << found;
  EXPECT_FALSE(contains(found, R"("ID":"plain")")) << found;
  EXPECT_FALSE(contains(found, R"("ID":"namesake")")) << found;
}

TEST(ApiAgent, ScriptChecksAreRefusedByDefault) {
  ApiServer server;
  const auto answer = server.exchange("PUT", "/v1/agent/service/register",
                                      R"({"Name":"web","Check":{"Args":["true"],"Interval":"1s"}})");
  EXPECT_EQ(answer.status, 500);
  EXPECT_TRUE(contains(answer.body, "Scripts are disabled"));
}

TEST(ApiCatalog, FilterNearAndNodeMetaSelectRows) {
  ApiServer server;
  for (const std::string node : {"a", "b"}) {
    server.exchange("PUT", "/v1/catalog/register",
                    R"({"Node":")" + node + R"(","Address":"10.0.0.1","NodeMeta":{"n":")" + node +
                        R"("},"Service":{"Service":"db","Tags":["m"]}})");
  }
  // Only the registry's own node has a coordinate: others are as near as they were.
  const auto near = server.exchange("GET", "/v1/catalog/nodes?near=_agent").body;
  EXPECT_LT(near.find(R"("Node":"node1")"), near.find(R"("Node":"a")"));
  const auto same = server.exchange("GET", "/v1/catalog/service/db?near=b").body;
  EXPECT_LT(same.find(R"("Node":"a")"), same.find(R"("Node":"b")"));
  EXPECT_FALSE(contains(server.exchange("GET", "/v1/catalog/service/db?node-meta=n:a").body, R"("Node":"b")"));
  EXPECT_EQ(server.exchange("GET", "/v1/catalog/service/db?filter=ServiceTags+is+empty").body, "[]");
  const auto wrong = server.exchange("GET", "/v1/health/service/db?filter=Bogus==1");
  EXPECT_EQ(wrong.status, 500);
  EXPECT_EQ(wrong.body, R"(Failed to create boolean expression evaluator: Selector "Bogus" is not valid)");
  EXPECT_EQ(server.exchange("GET", R"(/v1/catalog/services?filter=ServiceName+matches+"^d")").body, R"({"db":["m"]})");
}

TEST(ApiSession, RenewReturnsTheSessionAndUnknownIs404) {
  ApiServer server;
  const auto created =
      server.exchange("PUT", "/v1/session/create",
                      R"({"name":"p","checks":[],"lockdelay":"0.001s","behavior":"delete","ttl":"15.0s"})");
  ASSERT_EQ(created.status, 200) << created.body;
  const auto renewed = server.exchange("PUT", "/v1/session/renew/" + created.body.substr(7, 36));
  EXPECT_EQ(renewed.status, 200);
  EXPECT_TRUE(contains(renewed.body, R"("LockDelay":1000000,"Behavior":"delete","TTL":"15.0s","NodeChecks":[])"))
      << renewed.body;
  EXPECT_EQ(server.exchange("PUT", "/v1/session/renew/short").body,
            "failed session lookup: index error: UUID must be 36 characters");
}

}  // namespace
}  // namespace devstack::test

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/api/api.h"
#include "core/registry/registry.h"
#include "tests/support/run.h"

/// Random writes while every kind of blocking query waits, several of each. The model knows nothing of indexes, tables
/// or watches: it asks everything again, without blocking, before and after each write, and compares the texts. A query
/// whose answer differs must have returned; one that returned must have had a reason. Everything goes through the API.
/// https://developer.hashicorp.com/consul/api-docs/features/blocking
namespace devstack::test {
namespace {

namespace json = boost::json;

/// A query, and whose answers may move it: its own, unless Consul's coarser tables wake it for more.
struct Watched {
  std::string path;
  std::vector<std::string> reasons;  ///< empty: itself
  std::string tag = "X-Consul-Index", parameter = "index";
};

const std::vector<std::string> kv_keys{"a", "p/a", "p/b", "p/q/c", "r"};
const std::vector<std::string> nodes{"n1", "n2", "node1"};
const std::vector<std::string> names{"web", "db"};
const std::vector<std::string> ids{"i1", "i2"};

std::vector<Watched> watched() {
  std::vector<Watched> out;
  const std::string all_kv = "/v1/kv/?recurse";
  for (const auto& key : kv_keys) out.push_back({"/v1/kv/" + key, {}});
  // Any write wakes who waits below a prefix where nothing is; a value that changed wakes who lists keys.
  for (const std::string prefix : {"p/", "p/q", "zzz", ""}) {
    out.push_back({"/v1/kv/" + prefix + "?recurse", {all_kv}});
    out.push_back({"/v1/kv/" + prefix + "?keys", {all_kv}});
    out.push_back({"/v1/kv/" + prefix + "?keys&separator=/", {all_kv}});
  }
  std::vector<std::string> catalog;
  for (const auto& node : nodes) catalog.push_back("/v1/catalog/node/" + node);
  std::vector<std::string> everything = catalog;
  everything.emplace_back("/v1/health/state/any");
  out.push_back({"/v1/catalog/nodes", {}});
  out.push_back({"/v1/catalog/nodes?node-meta=env:prod", {"/v1/catalog/nodes"}});
  out.push_back({"/v1/coordinate/nodes", {"/v1/catalog/nodes"}});
  out.push_back({"/v1/catalog/services", catalog});
  out.push_back({"/v1/catalog/services?node-meta=env:prod", catalog});
  out.push_back({"/v1/internal/ui/services", everything});
  out.push_back({"/v1/internal/ui/nodes", everything});
  for (const auto& node : nodes) {
    out.push_back({"/v1/catalog/node/" + node, {}});
    out.push_back({"/v1/catalog/node-services/" + node, {}});
    out.push_back({"/v1/health/node/" + node, {}});
    out.push_back({"/v1/session/node/" + node, {"/v1/session/list"}});
  }
  for (const auto& name : names) {
    const std::string instances = "/v1/catalog/service/" + name, health = "/v1/health/service/" + name;
    out.push_back({instances, {}});
    out.push_back({instances + "?tag=t", {instances}});
    out.push_back({instances + "?node-meta=env:prod", {instances}});
    out.push_back({health, {}});
    out.push_back({health + "?passing", {health}});
    out.push_back({health + "?tag=t&passing", {health}});
    out.push_back({health + "?node-meta=env:prod", {health}});
    out.push_back({"/v1/health/checks/" + name, {}});
    out.push_back({"/v1/health/checks/" + name + "?node-meta=env:prod", everything});
    out.push_back({"/v1/health/connect/" + name, everything});
    out.push_back({"/v1/catalog/connect/" + name, everything});
  }
  for (const std::string state : {"any", "passing", "warning", "critical"}) {
    out.push_back({"/v1/health/state/" + state, {}});
    out.push_back({"/v1/health/state/" + state + "?node-meta=env:prod", everything});
  }
  out.push_back({"/v1/session/list", {}});
  out.push_back({"/v1/query", {}});
  out.push_back({"/v1/event/list", {}});
  out.push_back({"/v1/event/list?name=deploy", {}});
  for (const auto& id : ids) out.push_back({"/v1/agent/service/" + id, {}, "X-Consul-Contenthash", "hash"});
  return out;
}

struct Waiter {
  std::string path;
  std::string seen;
  std::optional<http::Response> answer;
};

class World {
 public:
  World() {
    registry::RegistryOptions options;
    options.identity.node = "node1";
    options.identity.address = "127.0.0.1";
    auto opened = run(io_, registry::Registry::open(io_.get_executor(), std::move(options)));
    if (!opened) throw std::runtime_error(opened.error().message);
    registry_ = std::move(*opened);
    api_ = std::make_unique<api::Api>(*registry_, *registry_);
  }
  ~World() {
    run(io_, registry_->close());
    settle();
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Whatever can go on without time passing has gone on.
  void settle() {
    io_.restart();
    while (io_.poll() > 0) {
    }
  }
  http::Response get(std::string path) { return run(io_, send("GET", std::move(path), {})); }
  /// Starts a request; `settle` carries it out.
  std::shared_ptr<std::optional<http::Response>> start(std::string method, std::string path, std::string body) {
    auto out = std::make_shared<std::optional<http::Response>>();
    struct Sending {
      static asio::awaitable<void> go(World& world, std::string m, std::string p, std::string b,
                                      std::shared_ptr<std::optional<http::Response>> into) {
        *into = co_await world.send(std::move(m), std::move(p), std::move(b));
      }
    };
    asio::co_spawn(io_, Sending::go(*this, std::move(method), std::move(path), std::move(body), out), rethrow);
    return out;
  }
  std::shared_ptr<Waiter> wait(const std::string& path, std::string seen, const std::string& parameter) {
    auto waiter = std::make_shared<Waiter>(Waiter{path, seen, std::nullopt});
    struct Waiting {
      static asio::awaitable<void> go(World& world, std::string target, std::shared_ptr<Waiter> into) {
        into->answer = co_await world.send("GET", std::move(target), {});
      }
    };
    std::string target = path + (path.find('?') == std::string::npos ? "?" : "&") + parameter;
    target += "=" + seen + "&wait=10m";
    asio::co_spawn(io_, Waiting::go(*this, std::move(target), waiter), rethrow);
    return waiter;
  }
  [[nodiscard]] std::uint64_t waiters() const { return registry_->stats().waiters; }

 private:
  static void rethrow(std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  }
  asio::awaitable<http::Response> send(std::string method, std::string path, std::string body) {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(path);
    request.body = std::move(body);
    co_return co_await api_->handle(std::move(request));
  }

  asio::io_context io_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<api::Api> api_;
};

struct Write {
  std::string method, path, body;
};

/// Random writes of every kind that the API takes, on few enough things that they meet.
class Writes {
 public:
  explicit Writes(unsigned seed) : random_(seed) {}

  std::vector<std::string> sessions, queries;  ///< those there are, from the answers

  Write next() {
    switch (random_() % 20) {
      case 0:
      case 1:
      case 2:
        return {"PUT", "/v1/kv/" + pick(kv_keys), pick({"1", "2"})};
      case 3:
        return {"PUT", "/v1/kv/" + pick(kv_keys) + pick({"?acquire=", "?release="}) + known(sessions), "1"};
      case 4:
        return {"DELETE", "/v1/kv/" + pick(kv_keys), ""};
      case 5:
        return {"DELETE", "/v1/kv/" + pick({"p/", "p/q", "a"}) + "?recurse", ""};
      case 6:
        return transaction();
      case 7:
        return {"PUT", "/v1/catalog/register", node() + "}"};
      case 8:
      case 9:
        return {"PUT", "/v1/catalog/register",
                node() + R"(,"Service":{"Service":")" + pick(names) + R"(","ID":")" + pick(ids) + R"(","Tags":)" +
                    tags() + connect() + "}}"};
      case 10:
      case 11:
        return {"PUT", "/v1/catalog/register",
                node() + R"(,"Check":{"CheckID":")" + pick({"c1", "c2"}) + R"(","Name":"c","Status":")" +
                    pick({"passing", "warning", "critical"}) + R"(","ServiceID":")" + pick({"i1", "i2", ""}) + "\"}}"};
      case 12:
        return deregister();
      case 13:
        return {"PUT", "/v1/agent/service/register",
                R"({"Name":")" + pick(names) + R"(","ID":")" + pick(ids) + R"(","Tags":)" + tags() + connect() +
                    pick({"", R"(,"Check":{"TTL":"24h","Status":"passing"})"}) + "}"};
      case 14:
        return {"PUT", "/v1/agent/service/deregister/" + pick(ids), ""};
      case 15:
        return {"PUT", "/v1/agent/check/" + pick({"pass", "warn", "fail"}) + "/service:" + pick(ids), ""};
      case 16:
        return {"PUT", "/v1/agent/service/maintenance/" + pick(ids) + "?enable=" + pick({"true", "false"}), ""};
      case 17:
        return session();
      case 18:
        if (random_() % 2 == 0) return {"DELETE", "/v1/query/" + known(queries), ""};
        return {"POST", "/v1/query", R"({"Name":")" + pick({"q1", "q2"}) + R"(","Service":{"Service":"web"}})"};
      default:
        return {"PUT", "/v1/event/fire/" + pick({"deploy", "other"}), ""};
    }
  }
  /// 1 to `most`.
  unsigned count(unsigned most) { return 1 + random_() % most; }
  bool chance(unsigned one_in) { return random_() % one_in == 0; }

 private:
  std::string pick(const std::vector<std::string>& from) { return from[random_() % from.size()]; }
  std::string known(const std::vector<std::string>& from) {
    return from.empty() ? "adf4238a-882b-9ddc-4a9d-5b6758e4159e" : pick(from);
  }
  std::string node() {
    return R"({"Node":")" + pick(nodes) + R"(","Address":")" + pick({"10.0.0.1", "10.0.0.2"}) + R"(","NodeMeta":)" +
           pick({R"({"env":"prod"})", R"({"env":"test"})"}) + pick({"", "", R"(,"SkipNodeUpdate":true)"});
  }
  std::string tags() { return pick({"[]", R"(["t"])", R"(["t","u"])"}); }
  std::string connect() {
    return pick({"", R"(,"Connect":{"Native":true})",
                 R"(,"Kind":"connect-proxy","Proxy":{"DestinationServiceName":")" + pick(names) + "\"}"});
  }
  Write transaction() {
    std::string body = "[";
    for (unsigned left = count(3); left > 0; --left) {
      body += R"({"KV":{"Verb":")" + pick({"set", "set", "delete", "delete-tree", "check-not-exists"}) +
              R"(","Key":")" + pick(kv_keys) + R"(","Value":")" + pick({"MQ==", "Mg=="}) + "\"}}" +
              (left > 1 ? "," : "]");
    }
    return {"PUT", "/v1/txn", body};
  }
  Write deregister() {
    std::string body = R"({"Node":")" + pick(nodes) + "\"";
    switch (random_() % 4) {
      case 0:
        break;
      case 1:
        body += R"(,"CheckID":")" + pick({"c1", "c2"}) + "\"";
        break;
      default:
        body += R"(,"ServiceID":")" + pick(ids) + "\"";
    }
    return {"PUT", "/v1/catalog/deregister", body + "}"};
  }
  Write session() {
    if (random_() % 2 == 0) return {"PUT", "/v1/session/destroy/" + known(sessions), ""};
    return {"PUT", "/v1/session/create",
            R"({"LockDelay":"0s","Node":")" + pick(nodes) + R"(","Behavior":")" + pick({"release", "delete"}) +
                R"(","Checks":)" + pick({"[]", R"(["c1"])"}) + "}"};
  }

  std::mt19937 random_;
};

std::string text_of(const http::Response& answer) { return std::to_string(answer.status) + " " + answer.body; }

std::uint64_t number(const http::Response& answer) {
  return std::stoull(std::string(answer.headers.get("X-Consul-Index").value_or("0")));
}

std::vector<std::string> ids_in(const http::Response& answer) {
  std::vector<std::string> out;
  const json::value parsed = json::parse(answer.body);
  for (const auto& element : parsed.as_array()) out.emplace_back(element.at("ID").as_string());
  return out;
}

class BlockingProperty : public testing::TestWithParam<unsigned> {
 protected:
  using Answers = std::map<std::string, http::Response>;

  Answers ask_all() {
    Answers out;
    for (const auto& query : queries_) out.emplace(query.path, world_.get(query.path));
    writes_.sessions = ids_in(out.at("/v1/session/list"));
    writes_.queries = ids_in(out.at("/v1/query"));
    return out;
  }
  /// Starts a waiter where one answered, on what `now` says. What cannot block (no hash: no such service) waits not.
  void wait_again(const Answers& now) {
    for (std::size_t i = 0; i < queries_.size(); ++i) {
      const auto& query = queries_[i];
      const auto seen = now.at(query.path).headers.get(query.tag);
      for (auto& waiter : waiting_[i]) {
        if (waiter == nullptr && seen) waiter = world_.wait(query.path, std::string(*seen), query.parameter);
      }
    }
    world_.settle();
    for (std::size_t i = 0; i < queries_.size(); ++i) {
      for (const auto& waiter : waiting_[i]) {
        ASSERT_FALSE(waiter != nullptr && waiter->answer) << queries_[i].path << " did not block";
      }
    }
  }
  bool had_reason(const Watched& query, const Answers& before, const Answers& after) const {
    const auto differs = [&](const std::string& path) { return text_of(before.at(path)) != text_of(after.at(path)); };
    return differs(query.path) || std::any_of(query.reasons.begin(), query.reasons.end(), differs);
  }
  /// Who was answered in the middle of several writes, and asks again from there, must come to what is now.
  void catch_up(const Watched& query, http::Response answer, const http::Response& current) {
    const auto now = text_of(current);
    for (int turn = 0; text_of(answer) != now; ++turn) {
      ASSERT_LT(turn, 10) << query.path;
      const auto seen = answer.headers.get(query.tag);
      // A node that is gone has index 1: who comes with the old one waits for the future, in Consul too.
      if (!seen || (query.path.starts_with("/v1/catalog/node") && current.headers.get(query.tag) == "1")) return;
      const auto again = world_.wait(query.path, std::string(*seen), query.parameter);
      world_.settle();
      ASSERT_TRUE(again->answer) << query.path << " sleeps on " << text_of(answer) << "\nwhile it is " << now;
      answer = *again->answer;
    }
  }
  /// What changed must have returned, with what is, and nothing else. `together`: of writes that came at once some may
  /// have undone others, so that a reason need not show.
  void judge(const Answers& before, const Answers& after, bool together) {
    for (std::size_t i = 0; i < queries_.size(); ++i) {
      const auto& query = queries_[i];
      const bool changed = text_of(before.at(query.path)) != text_of(after.at(query.path));
      // Who comes late, with the index of before, must still be told of it.
      if (changed && query.path.find("/connect/") != std::string::npos) {
        ASSERT_GT(number(after.at(query.path)), number(before.at(query.path))) << query.path;
      }
      for (auto& waiter : waiting_[i]) {
        if (waiter == nullptr) continue;
        if (!waiter->answer) {
          ASSERT_FALSE(changed) << query.path << " sleeps on\nbefore: " << text_of(before.at(query.path))
                                << "\nafter:  " << text_of(after.at(query.path));
          continue;
        }
        ++woken_;
        if (together) {
          catch_up(query, *waiter->answer, after.at(query.path));
          if (HasFatalFailure()) return;
        } else {
          ASSERT_EQ(text_of(*waiter->answer), text_of(after.at(query.path))) << query.path;
          ASSERT_TRUE(had_reason(query, before, after))
              << query.path << " woke for nothing: " << waiter->seen << " " << text_of(*waiter->answer);
        }
        ASSERT_NE(waiter->answer->headers.get(query.tag).value_or(""), waiter->seen) << query.path;
        waiter = nullptr;
      }
    }
  }

  World world_;
  Writes writes_{GetParam()};
  std::vector<Watched> queries_ = watched();
  std::vector<std::array<std::shared_ptr<Waiter>, 2>> waiting_{queries_.size()};
  std::size_t woken_ = 0;
};

TEST_P(BlockingProperty, AWaiterReturnsWhenItsAnswerChangedAndOnlyThen) {
  auto before = ask_all();
  wait_again(before);
  // Nobody wakes for an index that is still to come.
  const auto early = world_.wait("/v1/kv/a", "1000000", "index");
  for (int step = 0; step < 500 && !HasFatalFailure(); ++step) {
    bool together = writes_.chance(4);
    std::string said;
    for (unsigned left = together ? writes_.count(4) : 1; left > 0; --left) {
      auto write = writes_.next();
      together |= write.path == "/v1/txn";
      said += write.method + " " + write.path + " " + write.body + "\n";
      world_.start(std::move(write.method), std::move(write.path), std::move(write.body));
    }
    SCOPED_TRACE(testing::Message() << "step " << step << "\n" << said);
    world_.settle();
    auto after = ask_all();
    judge(before, after, together);
    if (HasFatalFailure()) return;
    before = std::move(after);
    wait_again(before);
  }
  EXPECT_FALSE(early->answer);
  EXPECT_GT(woken_, 1000U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, BlockingProperty, testing::Range(1U, 7U));

}  // namespace
}  // namespace devstack::test

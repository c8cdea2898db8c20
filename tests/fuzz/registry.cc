#include "tests/fuzz/registry.h"

#include <boost/asio/co_spawn.hpp>
#include <optional>

#include "core/registry/row_json.h"
#include "tests/fuzz/fuzz.h"

namespace devstack::fuzz {
namespace {

using registry::Row;

std::string lower(std::string text) {
  for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

/// Where a row stands in the store.
struct Place {
  std::string operator()(const registry::NodePtr& v) const { return "node " + lower(v->name); }
  std::string operator()(const registry::ServicePtr& v) const { return "service " + pair(v->node, v->id); }
  std::string operator()(const registry::CheckPtr& v) const { return "check " + pair(v->node, v->id); }
  std::string operator()(const registry::KvPtr& v) const { return "kv " + v->key; }
  std::string operator()(const registry::SessionPtr& v) const { return "session " + lower(v->id); }
  std::string operator()(const registry::QueryPtr& v) const { return "query " + lower(v->id); }
  std::string operator()(const registry::TombstoneRow& v) const { return "tombstone " + v.key; }
  std::string operator()(const registry::IndexRow& v) const { return "index " + v.name; }
  std::string operator()(const registry::ClearRow&) const { return {}; }
  static std::string pair(const std::string& node, const std::string& id) {
    return std::to_string(node.size()) + ":" + lower(node) + lower(id);
  }
};

/// The row after its way through the file.
struct Reread {
  template <class T>
  Row operator()(const std::shared_ptr<const T>& value) const {
    const auto body = registry::to_body(*value);
    auto read = registry::from_body<T>(body);
    require(read.has_value(), "a stored row can be read again", body);
    require(registry::to_body(*read) == body, "a stored row reads as what was written", body);
    return {std::make_shared<const T>(std::move(*read)), Row::Kind::put};
  }
  Row operator()(const registry::KvPtr& value) const { return {value, Row::Kind::put}; }
  Row operator()(const registry::TombstoneRow& value) const { return {value, Row::Kind::put}; }
  Row operator()(const registry::IndexRow& value) const { return {value, Row::Kind::put}; }
  Row operator()(const registry::ClearRow& value) const { return {value, Row::Kind::put}; }
};

registry::RegisterCommand own_node() {
  registry::RegisterCommand command;
  command.node.name = "node1";
  command.node.id = "adf4238a-882b-9ddc-4a9d-5b6758e4159e";
  command.node.address = "127.0.0.1";
  command.node.datacenter = "dc1";
  command.node.meta = {{"rack", "r1"}};
  registry::Check alive;
  alive.node = "node1";
  alive.id = "serfHealth";
  alive.name = "Serf Health Status";
  alive.status = "passing";
  command.checks.push_back(alive);
  return command;
}

void put(registry::State& state, const registry::Command& command) {
  auto applied = state.apply(command);
  require(applied.has_value(), "the registry to begin with can be made", applied ? "" : applied.error().message);
  state = std::move(applied->state);
}

void put_service(registry::State& state, const std::string& name, const std::string& address, int port,
                 const std::string& status, std::vector<std::string> tags = {}) {
  static int count = 0;
  auto command = own_node();
  registry::Service service;
  service.node = "node1";
  service.name = name;
  service.id = name + "-" + std::to_string(++count);
  service.address = address;
  service.port = port;
  service.tags = std::move(tags);
  service.meta = {{"version", "1.2"}};
  service.agent_owned = true;
  registry::Check check;
  check.node = "node1";
  check.id = "service:" + service.id;
  check.service_id = service.id;
  check.status = status;
  check.agent_owned = true;
  command.checks.push_back(check);
  command.service = std::move(service);
  put(state, command);
}

}  // namespace

registry::State small_registry() {
  registry::State state;
  put(state, own_node());
  put_service(state, "consul", "", 8300, "passing");
  put_service(state, "web", "127.0.0.21", 8001, "passing", {"v1", "production"});
  put_service(state, "web", "127.0.0.22", 8002, "passing", {"v2"});
  put_service(state, "web", "127.0.0.23", 8003, "critical", {"v1"});
  put_service(state, "six", "fd00::1", 6, "passing");
  put_service(state, "byname", "db.example.com", 1234, "warning");
  put_service(state, "inside", "web.service.consul", 80, "passing");
  put_service(state, "circle", "circle.service.consul", 80, "passing");
  put_service(state, "nowhere", "not a name..", 80, "passing");
  put_service(state, "Mixed.Case", "", 0, "passing", {"udp", "a b"});
  for (int i = 0; i < 40; ++i) put_service(state, "many", "10.1.0." + std::to_string(i), 8000 + i, "passing");
  for (const auto* pair : {"app/name=demo", "app/json={\"a\":[1,{\"b\":null}]}", "app/list=a,b,c", "tree/a=1",
                           "tree/b/c=2", "vhosts/one/host=one.example"}) {
    std::string_view rest(pair);
    registry::KvSetCommand command;
    command.key = take_until(rest, "=");
    command.value = rest;
    put(state, command);
  }
  registry::SessionCreateCommand session;
  session.session.id = "7b1c1f8e-0000-4000-8000-000000000001";
  session.session.node = "node1";
  session.session.node_checks = {"serfHealth"};
  put(state, session);
  return state;
}

std::string described(const registry::State& state) {
  std::string out = "index " + std::to_string(state.index()) + "\n";
  for (const auto& node : state.nodes()) {
    out += "node " + registry::to_body(*node) + "\n";
    for (const auto& service : state.services_of(node->name)) out += "service " + registry::to_body(*service) + "\n";
    for (const auto& check : state.checks_of_node(node->name)) {
      auto shown = *check;
      shown.output.clear();  // an output alone is not stored
      out += "check " + registry::to_body(shown) + "\n";
    }
  }
  for (const auto& [name, tags] : state.services()) {
    out += "name " + name + " " + std::to_string(state.index_of({registry::Watch::Table::service, name}));
    for (const auto& tag : tags) out += " " + tag;
    for (const auto& each : state.instances(name))
      out += " " + each.service->id + std::string(each.aggregated_status());
    out += "\n";
  }
  for (const auto& entry : state.kv_prefix("")) {
    out += "kv " + entry->key + "=" + entry->value + " " + std::to_string(entry->flags) + " " +
           std::to_string(entry->lock_index) + " " + entry->session + " " + std::to_string(entry->create_index) + " " +
           std::to_string(entry->modify_index) + "\n";
  }
  out += "kv index " + std::to_string(state.kv_prefix_index("")) + "\n";
  for (const auto& session : state.sessions()) out += "session " + registry::to_body(*session) + "\n";
  for (const auto& query : state.queries()) out += "query " + registry::to_body(*query) + "\n";
  return out;
}

MemoryRegistry::MemoryRegistry() : state_(std::make_shared<const registry::State>()) {
  auto applied = state_->apply(own_node());
  require(applied.has_value(), "the own node can be registered");
  store(applied->rows);
  state_ = std::make_shared<const registry::State>(std::move(applied->state));
}

asio::awaitable<bool> MemoryRegistry::wait(std::vector<registry::Watch>, registry::Index,
                                           std::chrono::steady_clock::time_point) {
  co_return false;
}

asio::awaitable<Result<registry::CommandResult>> MemoryRegistry::apply(registry::Command command) {
  auto applied = state_->apply(command, Instant(std::chrono::hours(1)));
  if (!applied) co_return tl::unexpected<Error>(applied.error());
  if (!applied->changed.empty()) {
    require(applied->state.index() > state_->index() || applied->rows.empty(), "a change that is stored has an index");
  }
  store(applied->rows);
  state_ = std::make_shared<const registry::State>(std::move(applied->state));
  co_return std::move(applied->result);
}

registry::Identity MemoryRegistry::identity() const {
  registry::Identity who;
  who.node = "node1";
  who.node_id = "adf4238a-882b-9ddc-4a9d-5b6758e4159e";
  who.address = "127.0.0.1";
  return who;
}

void MemoryRegistry::store(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    if (std::holds_alternative<registry::ClearRow>(row.value)) {
      stored_.clear();
      continue;
    }
    const auto place = std::visit(Place{}, row.value);
    if (row.kind == Row::Kind::removed) {
      stored_.erase(place);
    } else {
      stored_.insert_or_assign(place, std::visit(Reread{}, row.value));
    }
  }
}

void MemoryRegistry::require_restorable() const {
  std::vector<Row> rows;
  for (const auto& [place, row] : stored_) rows.push_back(row);
  const auto restored = described(registry::State::restore(rows, 1));
  const auto live = described(*state_);
  require(restored == live, "a restart keeps everything", live + "--- restored:\n" + restored);
}

http::Response finish(asio::awaitable<http::Response> work) {
  static asio::io_context io;
  std::optional<http::Response> answer;
  asio::co_spawn(io, std::move(work), [&](std::exception_ptr failure, http::Response response) {
    require(failure == nullptr, "no exception leaves a handler");
    answer = std::move(response);
  });
  io.restart();
  io.run();
  require(answer.has_value(), "a handler that waits for nothing answers");
  return std::move(*answer);
}

}  // namespace devstack::fuzz

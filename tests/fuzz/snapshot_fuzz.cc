// Stored rows of any content: restoring, every reader, and writes upon what came of it. The input is lines of a table's
// name and a row: `node {…}`, `service {…}`, `check {…}`, `session {…}`, `query {…}`, `kv KEY=VALUE SESSION`,
// `tombstone 7 KEY`, `index 7 NAME`.
#include <charconv>

#include "core/dns/answer.h"
#include "core/dns/server.h"
#include "core/proxy/haproxy_config.h"
#include "core/proxy/routes.h"
#include "core/registry/row_json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/registry.h"

namespace {

using namespace devstack;  // NOLINT(google-build-using-namespace)
using fuzz::require;
using registry::Row;

registry::Index number(std::string_view text) {
  registry::Index value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

template <class T>
void add_body(std::string_view text, std::vector<Row>& rows) {
  auto value = registry::from_body<T>(text);
  if (!value) return;
  const auto body = registry::to_body(*value);
  const auto again = registry::from_body<T>(body);
  require(again && registry::to_body(*again) == body, "a row that was read can be written and read", body);
  rows.push_back({std::make_shared<const T>(std::move(*value)), Row::Kind::put});
}

void add_kv(std::string_view text, std::vector<Row>& rows) {
  auto entry = std::make_shared<registry::KvEntry>();
  entry->key = fuzz::take_until(text, "=");
  entry->value = fuzz::take_until(text, " ");
  entry->session = text;
  entry->create_index = entry->modify_index = 5;
  rows.push_back({registry::KvPtr(std::move(entry)), Row::Kind::put});
}

std::vector<Row> rows_of(std::string_view rest) {
  std::vector<Row> rows;
  while (!rest.empty() && rows.size() < 200) {
    auto line = fuzz::take_until(rest, "\n");
    const auto table = fuzz::take_until(line, " ");
    if (table == "node") add_body<registry::Node>(line, rows);
    if (table == "service") add_body<registry::Service>(line, rows);
    if (table == "check") add_body<registry::Check>(line, rows);
    if (table == "session") add_body<registry::Session>(line, rows);
    if (table == "query") add_body<registry::PreparedQuery>(line, rows);
    if (table == "kv") add_kv(line, rows);
    if (table != "tombstone" && table != "index") continue;
    const auto index = number(fuzz::take_until(line, " "));
    if (table == "tombstone") rows.push_back({registry::TombstoneRow{std::string(line), index}, Row::Kind::put});
    if (table == "index") rows.push_back({registry::IndexRow{std::string(line), index}, Row::Kind::put});
  }
  return rows;
}

void ask_dns(const registry::State& state) {
  static const auto options = dns::answer_options({}).value();
  std::vector<std::string> names;
  for (const auto& [name, tags] : state.services()) names.push_back(name + ".service.consul");
  for (const auto& node : state.nodes()) names.push_back(node->name + ".node.consul");
  if (names.size() > 8) names.resize(8);
  for (const auto& text : names) {
    const auto name = dns::Name::parse(text);
    if (!name) continue;
    for (const auto type : {dns::Type::a, dns::Type::srv, dns::Type::any}) {
      dns::Message message;
      message.questions.push_back({*name, type, dns::class_in});
      const auto reply = dns::answer({message, net::Transport::udp, 1, 1'700'000'000}, state, options);
      require(!dns::encode(reply.message).empty(), "a DNS reply can be encoded", text);
    }
  }
}

/// Nothing that somebody registers may become a line of its own, or a word, in the proxy's configuration.
void route(const registry::State& state) {
  proxy::Model model;
  model.bind = {"127.0.0.1"};
  model.routes = proxy::routes(state, {}).routes;
  proxy::Model nothing = model;
  nothing.routes.clear();
  for (const auto& route : model.routes) {
    require(!route.service.empty() &&
                route.service.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") == std::string::npos,
            "a route's name is safe in a configuration", route.service);
    for (const auto& host : route.hosts) {
      require(host.find_first_of(" \t\r\n#\"'\\") == std::string::npos, "a host name is one word", host);
    }
    for (const auto& backend : route.backends) {
      require(backend.port > 0 && backend.port < 65536, "a backend's port is one", proxy::to_string(backend));
      require(backend.address.find_first_not_of("0123456789abcdefABCDEF.:") == std::string::npos,
              "a backend's address is an IP literal", backend.address);
    }
  }
  const auto paths = proxy::haproxy::Paths::in("/f", "/s");
  require(!proxy::haproxy::config_text(model, paths, {}).empty(), "there is always a configuration");
  (void)proxy::haproxy::hosts_map(model);
  (void)proxy::haproxy::unknown_page_html(model);
}

void write_upon(registry::State state) {
  std::vector<registry::Command> commands;
  for (const auto& node : state.nodes()) {
    for (const auto& service : state.services_of(node->name)) {
      registry::RegisterCommand again;
      again.node = *node;
      again.service = *service;
      again.checks.resize(1);
      again.checks[0].node = node->name;
      again.checks[0].id = "new";
      again.checks[0].service_id = service->id;
      commands.emplace_back(std::move(again));
    }
    for (const auto& check : state.checks_of_node(node->name)) {
      commands.emplace_back(registry::UpdateCheckCommand{node->name, check->id, "critical", "x"});
    }
  }
  for (const auto& session : state.sessions()) commands.emplace_back(registry::SessionDestroyCommand{session->id});
  for (const auto& query : state.queries()) commands.emplace_back(registry::QueryDeleteCommand{query->id});
  for (const auto& node : state.nodes()) commands.emplace_back(registry::DeregisterCommand{node->name, {}, {}});
  commands.emplace_back(registry::KvDeleteCommand{"", true, {}});
  commands.emplace_back(registry::ReapTombstonesCommand{state.index()});
  for (const auto& command : commands) {
    auto applied = state.apply(command);
    if (!applied) continue;
    for (const auto& changed : applied->changed) (void)applied->state.index_of(changed);
    state = std::move(applied->state);
  }
  require(state.kv_prefix("").empty(), "no key is left once all are deleted");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 16384) return 0;
  const auto rows = rows_of(fuzz::text_of(data, size));
  const auto state = registry::State::restore(rows, 1);
  require(state.index() > 0, "an index is never 0");
  (void)fuzz::described(state);
  ask_dns(state);
  route(state);
  write_upon(state);
  return 0;
}

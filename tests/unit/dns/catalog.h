#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "core/dns/answer.h"
#include "core/dns/server.h"

/// Registries to ask questions of, without sockets.
namespace devstack::dns::test_support {

/// A registry being filled; every call must succeed.
class Catalog {
 public:
  Catalog() { node("n1", "127.0.0.1", {{"rack", "r1"}}); }

  Catalog& node(std::string name, std::string address, registry::StringMap meta = {}) {
    registry::RegisterCommand command;
    command.node.name = node_ = std::move(name);
    command.node.address = std::move(address);
    command.node.datacenter = "dc1";
    command.node.meta = std::move(meta);
    return apply(std::move(command));
  }
  /// On the node named last.
  Catalog& service(std::string name, std::string address, int port, std::vector<std::string> tags = {},
                   std::string status = "", registry::Weights weights = {}) {
    registry::RegisterCommand command;
    command.node = *state_.node(node_);
    registry::Service service;
    service.node = node_;
    service.id = name + std::to_string(++count_);
    service.name = std::move(name);
    service.address = std::move(address);
    service.port = port;
    service.tags = std::move(tags);
    service.weights = weights;
    if (!status.empty()) {
      registry::Check check;
      check.node = node_;
      check.id = "check-" + service.id;
      check.service_id = service.id;
      check.status = std::move(status);
      command.checks.push_back(check);
    }
    command.service = std::move(service);
    return apply(std::move(command));
  }
  Catalog& node_check(std::string status) {
    registry::RegisterCommand command;
    command.node = *state_.node(node_);
    registry::Check check;
    check.node = node_;
    check.id = "node-check";
    check.status = std::move(status);
    command.checks.push_back(check);
    return apply(std::move(command));
  }
  Catalog& tagged_service(std::string name, std::string address, std::string key, std::string tagged) {
    registry::RegisterCommand command;
    command.node = *state_.node(node_);
    registry::Service service;
    service.node = node_;
    service.id = service.name = std::move(name);
    service.address = std::move(address);
    service.tagged_addresses[std::move(key)] = {std::move(tagged), 0};
    command.service = std::move(service);
    return apply(std::move(command));
  }
  /// A service as it is, on the node named last.
  Catalog& add(registry::Service service) {
    registry::RegisterCommand command;
    command.node = *state_.node(node_);
    service.node = node_;
    command.service = std::move(service);
    return apply(std::move(command));
  }
  /// The node named last, changed.
  template <class Change>
  Catalog& change_node(Change change) {
    registry::RegisterCommand command;
    command.node = *state_.node(node_);
    change(command.node);
    return apply(std::move(command));
  }
  /// A prepared query with this definition, as the HTTP API stores it.
  Catalog& query(std::string id, std::string name, std::string definition) {
    registry::QuerySetCommand command;
    command.mode = registry::QuerySetCommand::Mode::create;
    command.query.id = std::move(id);
    command.query.name = std::move(name);
    command.query.definition = std::move(definition);
    return apply(registry::Command(std::move(command)));
  }
  [[nodiscard]] const registry::State& state() const { return state_; }

 private:
  Catalog& apply(registry::RegisterCommand command) { return apply(registry::Command(std::move(command))); }
  Catalog& apply(const registry::Command& command) {
    auto applied = state_.apply(command);
    if (!applied) throw std::runtime_error(applied.error().message);
    state_ = std::move(applied->state);
    return *this;
  }
  registry::State state_;
  std::string node_;
  int count_ = 0;
};

struct Ask {
  net::Transport transport = net::Transport::udp;
  std::optional<std::uint16_t> edns = std::nullopt;
  std::uint64_t seed = 1;
  std::string client_subnet = {};  ///< EDNS option in wire form
  asio::ip::address source = {};
};

inline Message question(std::string_view name, Type type, const Ask& how = {}) {
  Message query;
  query.header.id = 77;
  query.header.recursion_desired = true;
  query.questions.push_back({Name::parse(name).value(), type, class_in});
  if (how.edns) {
    query.edns.emplace();
    query.edns->udp_bytes = *how.edns;
    query.edns->options = how.client_subnet;
  }
  return query;
}

inline DnsOptions text_options() {
  DnsOptions options;
  options.domains = {"consul", "test"};
  return options;
}

inline Answer ask_all(const Catalog& catalog, std::string_view name, Type type, const Ask& how = {},
                      const DnsOptions& options = text_options()) {
  const auto made = answer_options(options).value();
  const Message query = question(name, type, how);
  return answer(Query{query, how.transport, how.seed, 1700000000, how.source}, catalog.state(), made);
}
inline Message ask(const Catalog& catalog, std::string_view name, Type type, const Ask& how = {},
                   const DnsOptions& options = text_options()) {
  return ask_all(catalog, name, type, how, options).message;
}

inline std::vector<std::string> lines(const std::vector<Record>& records) {
  std::vector<std::string> out;
  for (const auto& record : records) out.push_back(to_text(record));
  return out;
}

}  // namespace devstack::dns::test_support

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the registry holds: plain values in Consul's terms (the field names of its HTTP API, in our case).
/// Times that Consul keeps as durations are chrono; indexes are the registry's one counter of committed writes.
/// https://developer.hashicorp.com/consul/api-docs
namespace devstack::registry {

using Index = std::uint64_t;
using StringMap = std::map<std::string, std::string>;

struct Node {
  std::string id;  ///< UUID; may be empty for nodes registered through the catalog
  std::string name;
  std::string address;
  std::string datacenter;
  StringMap tagged_addresses;
  StringMap meta;
  Index create_index = 0;
  Index modify_index = 0;
};

struct ServiceAddress {
  std::string address;
  int port = 0;
  friend bool operator==(const ServiceAddress&, const ServiceAddress&) = default;
};

struct Weights {
  int passing = 1;
  int warning = 1;
  friend bool operator==(const Weights&, const Weights&) = default;
};

/// One instance of a service on a node; (node, id) is its key.
struct Service {
  std::string node;
  std::string kind;  ///< "" or "connect-proxy" …
  std::string id;
  std::string name;
  std::vector<std::string> tags;
  std::string address;  ///< "" means the node's
  std::map<std::string, ServiceAddress> tagged_addresses;
  StringMap meta;
  int port = 0;
  std::string socket_path;
  Weights weights;
  bool enable_tag_override = false;
  /// Registered through the agent API of this node (agent/services lists it), not through catalog/register alone.
  bool agent_owned = false;
  /// Which part of devstack registered it ("registrator", "supervisor"), "" for everybody else. Kept, never shown by
  /// the HTTP API: it tells an owner after a restart which entries are its own to reconcile.
  std::string source;
  /// JSON of Proxy and Connect as given, "" when absent: kept, answered, not acted on.
  std::string proxy_json;
  std::string connect_json;
  Index create_index = 0;
  Index modify_index = 0;
};

namespace status {
inline constexpr std::string_view passing = "passing";
inline constexpr std::string_view warning = "warning";
inline constexpr std::string_view critical = "critical";
inline constexpr std::string_view maintenance = "maintenance";
}  // namespace status

/// How an agent's check is run; empty kind for checks that others report (catalog, external monitors).
struct CheckDefinition {
  enum class Kind { none, ttl, http, tcp, script, docker, grpc, h2ping, alias };
  Kind kind = Kind::none;
  std::string http, method, body, tcp, grpc, h2ping;
  std::map<std::string, std::vector<std::string>> header;
  bool disable_redirects = false, tls_skip_verify = false, grpc_use_tls = false;
  std::string tls_server_name;
  std::vector<std::string> script_args;
  std::string docker_container_id, shell, alias_node, alias_service;
  std::chrono::nanoseconds interval{0}, timeout{0}, ttl{0}, deregister_critical_after{0};
  int success_before_passing = 0, failures_before_critical = 0;
  std::size_t output_max_bytes = 4096;
  friend bool operator==(const CheckDefinition&, const CheckDefinition&) = default;
};

/// A health check on a node, or on one service instance of it; (node, id) is its key.
struct Check {
  std::string node;
  std::string id;
  std::string name;
  std::string status{status::critical};
  std::string notes;
  std::string output;
  std::string service_id;    ///< "" for a node check
  std::string service_name;  ///< filled from the instance
  std::vector<std::string> service_tags;
  std::string type;               ///< "ttl", "http", …, "" for serfHealth
  std::string interval, timeout;  ///< as Consul shows them: "" or a Go duration
  bool agent_owned = false;
  CheckDefinition definition;
  Index create_index = 0;
  Index modify_index = 0;
};

struct KvEntry {
  std::string key;
  std::string value;  ///< bytes
  std::uint64_t flags = 0;
  Index lock_index = 0;
  std::string session;
  Index create_index = 0;
  Index modify_index = 0;
};

struct Session {
  enum class Behavior { release, remove };
  std::string id;
  std::string name;
  std::string node;
  std::chrono::nanoseconds lock_delay{std::chrono::seconds(15)};
  Behavior behavior = Behavior::release;
  std::string ttl;  ///< as given
  std::vector<std::string> node_checks;
  std::vector<std::string> checks;  ///< the older spelling of node_checks: linked, and shown, beside them
  std::vector<std::string> service_checks;
  bool service_checks_given = false;  ///< an empty list is shown as one, not as null
  Index create_index = 0;
  Index modify_index = 0;
};

/// A prepared query. Who may resolve it and how is the API's; here it is kept, found and removed with its session.
struct PreparedQuery {
  std::string id;
  std::string name;        ///< "" for none; unique otherwise
  std::string session;     ///< "" for none
  std::string definition;  ///< JSON as the API wants it back
  Index create_index = 0;
  Index modify_index = 0;
};

/// PUT event/fire.
struct UserEvent {
  std::string id;
  std::string name;
  std::string payload;
  std::string node_filter, service_filter, tag_filter;
  std::uint64_t ltime = 0;  ///< Lamport time: counts events; > 0 once fired
};

using NodePtr = std::shared_ptr<const Node>;
using ServicePtr = std::shared_ptr<const Service>;
using CheckPtr = std::shared_ptr<const Check>;
using KvPtr = std::shared_ptr<const KvEntry>;
using SessionPtr = std::shared_ptr<const Session>;
using QueryPtr = std::shared_ptr<const PreparedQuery>;
using EventPtr = std::shared_ptr<const UserEvent>;

/// A service instance with all that decides whether and where it can be used (Consul's CheckServiceNode).
struct Instance {
  NodePtr node;
  ServicePtr service;
  std::vector<CheckPtr> checks;  ///< of the node first, then of the instance

  /// The instance's address, or its node's when it has none.
  [[nodiscard]] const std::string& address() const {
    return service->address.empty() ? node->address : service->address;
  }
  /// The worst of `checks`: maintenance > critical > warning > passing; passing when there are none.
  [[nodiscard]] std::string_view aggregated_status() const;
};

}  // namespace devstack::registry

#include "core/api/definitions.h"

#include <limits>

#include "core/api/limits.h"
#include "core/api/proxy.h"
#include "core/api/select.h"
#include "core/base/duration.h"
#include "core/registry/agent.h"

namespace devstack::api {
namespace {

namespace json = boost::json;
using registry::Check;
using registry::CheckDefinition;
using registry::Service;
using Kind = CheckDefinition::Kind;

tl::unexpected<Error> undecodable(const Error& error) {
  return fail(Errc::parse, "Request decode failed: {}", error.message);
}

void read_weights(Fields& fields, registry::Weights& weights) {
  const auto* value = fields.find("Weights");
  if (value == nullptr) return;
  weights = {0, 0};
  Fields inner(*value, "Weights.Service.Weights");
  inner.read("Passing", weights.passing);
  inner.read("Warning", weights.warning);
  if (auto done = inner.done(Unknown::refuse); !done) fields.set_error(done.error());
}

void read_addresses(Fields& fields, std::map<std::string, registry::ServiceAddress>& out, std::string_view alias) {
  const auto* value = fields.find("TaggedAddresses", alias);
  if (value == nullptr) return;
  const auto* object = value->if_object();
  if (object == nullptr) return fields.set_error({Errc::parse, "json: cannot unmarshal into TaggedAddresses"});
  for (const auto& member : *object) {
    auto& at = out[std::string(member.key())];
    Fields inner(member.value(), "ServiceAddress");
    inner.read("Address", at.address);
    inner.read("Port", at.port);
    if (auto done = inner.done(Unknown::refuse); !done) fields.set_error(done.error());
  }
}

void read_service_proxy(Fields& fields, std::string& out) {
  const auto* value = fields.find("Proxy");
  if (value == nullptr) return;
  const auto proxy = read_proxy(*value);
  if (!proxy) return fields.set_error(proxy.error());
  out = proxy_text(*proxy);
}

/// The fields that a service has wherever it is defined; `alias` is the snake-case spelling, where one is taken.
void read_service_fields(Fields& fields, Service& service, std::string_view tagged_alias,
                         std::string_view override_alias) {
  fields.read("Kind", service.kind);
  fields.read("ID", service.id);
  fields.read("Tags", service.tags);
  fields.read("Address", service.address);
  read_addresses(fields, service.tagged_addresses, tagged_alias);
  fields.read("Meta", service.meta);
  fields.read("Port", service.port);
  fields.read("SocketPath", service.socket_path);
  read_weights(fields, service.weights);
  fields.read("EnableTagOverride", service.enable_tag_override, override_alias);
  read_service_proxy(fields, service.proxy_json);
  fields.skip("Locality");
}

Kind kind_of(const CheckDefinition& definition) {
  if (!definition.grpc.empty()) return Kind::grpc;
  if (!definition.http.empty()) return Kind::http;
  if (!definition.tcp.empty()) return Kind::tcp;
  if (!definition.h2ping.empty()) return Kind::h2ping;
  if (!definition.alias_node.empty() || !definition.alias_service.empty()) return Kind::alias;
  if (!definition.script_args.empty()) return definition.docker_container_id.empty() ? Kind::script : Kind::docker;
  return definition.ttl.count() > 0 ? Kind::ttl : Kind::none;
}

/// What a check inside a service and one of agent/check/register share.
void read_check_fields(Fields& fields, Check& check) {
  auto& definition = check.definition;
  fields.read("Name", check.name);
  fields.read("Status", check.status);
  fields.read("Notes", check.notes);
  fields.read("HTTP", definition.http);
  fields.read("Method", definition.method);
  fields.read("Header", definition.header);
  fields.read("Body", definition.body);
  fields.read("DisableRedirects", definition.disable_redirects, "disable_redirects");
  fields.read("TCP", definition.tcp);
  fields.read("GRPC", definition.grpc);
  fields.read("GRPCUseTLS", definition.grpc_use_tls, "grpc_use_tls");
  fields.read("H2PING", definition.h2ping);
  fields.read("TTL", definition.ttl);
  fields.read("ScriptArgs", definition.script_args, "script_args");
  fields.read("args", definition.script_args);
  fields.read("DockerContainerID", definition.docker_container_id, "docker_container_id");
  fields.read("Shell", definition.shell);
  fields.read("AliasNode", definition.alias_node, "alias_node");
  fields.read("AliasService", definition.alias_service, "alias_service");
  fields.read("Interval", definition.interval);
  fields.read("Timeout", definition.timeout);
  fields.read("TLSServerName", definition.tls_server_name, "tls_server_name");
  fields.read("TLSSkipVerify", definition.tls_skip_verify, "tls_skip_verify");
  fields.read("SuccessBeforePassing", definition.success_before_passing, "success_before_passing");
  fields.read("FailuresBeforeCritical", definition.failures_before_critical, "failures_before_critical");
  fields.read("DeregisterCriticalServiceAfter", definition.deregister_critical_after,
              "deregister_critical_service_after");
  int output_max = 0;
  fields.read("OutputMaxSize", output_max, "output_max_size");
  // Kept as an impossible size until the check is validated: which error is told first is part of the contract.
  if (output_max != 0) definition.output_max_bytes = static_cast<std::size_t>(output_max);
  for (const std::string_view unused :
       {"UDP", "OSService", "TCPUseTLS", "H2PingUseTLS", "FailuresBeforeWarning", "ProxyHTTP", "ProxyGRPC"}) {
    fields.skip(unused);
  }
  definition.kind = kind_of(definition);
}

bool is_empty(const json::value& value) { return value.is_object() && value.get_object().empty(); }

Result<void> add_service_check(const json::value& value, bool may_be_empty, ServiceDefinition& out) {
  if (value.is_null()) return {};
  Check check;
  check.status = "";
  Fields fields(value, "CheckType");
  fields.read("CheckID", check.id, "check_id");
  read_check_fields(fields, check);
  std::string ignored;
  fields.read("ServiceID", ignored, "service_id");
  CHECK(fields.done(Unknown::refuse));
  const bool empty = check.definition == CheckDefinition{} && check.id.empty() && check.name.empty() &&
                     check.status.empty() && check.notes.empty();
  if (may_be_empty && empty) return {};
  out.checks.push_back(std::move(check));
  return {};
}

Result<void> read_service_checks(Fields& fields, ServiceDefinition& out) {
  const auto* one = fields.find("Check");
  if (one != nullptr) CHECK(add_service_check(*one, true, out));
  const auto* many = fields.find("Checks");
  if (many == nullptr) return {};
  if (!many->is_array())
    return fail(Errc::parse, "json: cannot unmarshal into Go struct field .Checks of type []*CheckType");
  for (const auto& value : many->get_array()) CHECK(add_service_check(value, false, out));
  return {};
}

Result<void> read_connect(Fields& fields, ServiceDefinition& out) {
  const auto* connect = fields.find("Connect");
  if (connect == nullptr || is_empty(*connect)) return {};
  Fields inner(*connect, "ServiceConnect");
  bool native = false;
  inner.read("Native", native);
  if (const auto* sidecar = inner.find("SidecarService", "sidecar_service")) out.sidecar = *sidecar;
  inner.skip("PeerMeta");
  // Alone of all, this object may hold what Consul does not know.
  CHECK(inner.done(Unknown::ignore));
  if (native) out.service.connect_json = R"({"Native":true})";
  return {};
}

/// What the catalog calls a check that does not say what it is.
std::string_view shown_type(const CheckDefinition& definition) {
  const auto kind = definition.kind;
  const bool timed = kind == Kind::grpc || kind == Kind::http || kind == Kind::tcp || kind == Kind::h2ping;
  return timed && definition.interval.count() <= 0 ? "" : registry::type_name(kind);
}

/// A transaction takes the older half of a definition.
void forget_unknown_to_txn(CheckDefinition& definition) {
  definition.h2ping.clear();
  definition.disable_redirects = false;
  definition.script_args.clear();
  definition.docker_container_id.clear();
  definition.shell.clear();
  definition.alias_node.clear();
  definition.alias_service.clear();
  definition.ttl = {};
  definition.kind = kind_of(definition);
}

bool is_meta_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

bool is_any_address(std::string_view address) { return address == "0.0.0.0" || address == "::" || address == "[::]"; }

bool is_status(std::string_view status) {
  return status == registry::status::passing || status == registry::status::warning ||
         status == registry::status::critical;
}

Result<void> validate_check(const CheckDefinition& definition) {
  const bool probe = !definition.script_args.empty() || !definition.http.empty() || !definition.tcp.empty() ||
                     !definition.grpc.empty() || !definition.h2ping.empty();
  const bool alias = !definition.alias_node.empty() || !definition.alias_service.empty();
  const bool interval = definition.interval.count() > 0;
  const bool ttl = definition.ttl.count() > 0;
  const auto refuse = [](std::string_view text) { return fail(Errc::parse, "{}", text); };
  if (interval && ttl) return refuse("Interval and TTL cannot both be specified");
  if (probe && !interval) return refuse("Interval must be > 0 for Script, HTTP, H2PING, or TCP checks");
  if (probe && alias) return refuse("Interval cannot be set for Alias checks");
  if (alias && ttl) return refuse("TTL must be not be set for Alias checks");
  if (!probe && !alias && !ttl) return refuse("TTL must be > 0 for TTL checks");
  constexpr std::size_t kLargest = std::numeric_limits<int>::max();
  if (definition.output_max_bytes > kLargest) return refuse("MaxOutputMaxSize must be positive");
  return {};
}

Result<void> validate_weights(const registry::Weights& weights) {
  if (weights.passing < 1) return fail(Errc::parse, "Passing must be greater than 0");
  if (weights.warning < 0) return fail(Errc::parse, "Warning must be greater or equal than 0");
  if (weights.passing > 65535 || weights.warning > 65535) {
    return fail(Errc::parse, "DNS Weight must be between 0 and 65535");
  }
  return {};
}

Result<void> validate_meta(const registry::StringMap& meta, ReservedKeys reserved) {
  if (meta.size() > 64) return fail(Errc::parse, "Node metadata cannot contain more than 64 key/value pairs");
  for (const auto& [key, value] : meta) {
    const auto refuse = [&key = key, &value = value](std::string_view why) {
      return fail(Errc::parse, "Couldn't load metadata pair ('{}', '{}'): {}", key, value, why);
    };
    if (key.empty()) return refuse("Key cannot be blank");
    if (!is_meta_key(key)) return refuse("Key contains invalid characters");
    if (key.size() > 128) return refuse("Key is too long (limit: 128 characters)");
    if (key.starts_with("consul-") && reserved == ReservedKeys::refuse)
      return refuse("Key prefix 'consul-' is reserved for internal use");
    if (value.size() > 512) return refuse("Value is too long (limit: 512 characters)");
  }
  return {};
}

Result<ServiceDefinition> read_service_definition(const json::value& body) {
  ServiceDefinition out;
  Fields fields(body, "");
  fields.read("Name", out.service.name);
  read_service_fields(fields, out.service, "tagged_addresses", "enable_tag_override");
  std::string token;
  fields.read("Token", token);
  if (auto read = read_connect(fields, out); !read) return undecodable(read.error());
  if (auto read = read_service_checks(fields, out); !read) return undecodable(read.error());
  if (auto done = fields.done(Unknown::refuse); !done) return undecodable(done.error());
  if (out.service.id.empty()) out.service.id = out.service.name;
  return out;
}

Result<Check> read_check_definition(const json::value& body) {
  Check check;
  check.status = "";
  Fields fields(body, "");
  fields.read("ID", check.id);
  read_check_fields(fields, check);
  fields.read("ServiceID", check.service_id, "service_id");
  std::string token;
  fields.read("Token", token);
  if (auto done = fields.done(Unknown::refuse); !done) return undecodable(done.error());
  if (check.id.empty()) check.id = check.name;
  check.type = registry::type_name(check.definition.kind);
  check.interval = format_duration(check.definition.interval);
  check.timeout = format_duration(check.definition.timeout);
  return check;
}

Result<Service> read_node_service(const json::value& body) {
  Service service;
  Fields fields(body, "NodeService.Service");
  fields.read("Service", service.name);
  read_service_fields(fields, service, "", "");
  if (const auto* connect = fields.find("Connect")) {
    Fields inner(*connect, "ServiceConnect");
    bool native = false;
    inner.read("Native", native);
    if (auto done = inner.done(Unknown::ignore); !done) fields.set_error(done.error());
    if (native) service.connect_json = R"({"Native":true})";
  }
  fields.skip("CreateIndex");
  fields.read("ModifyIndex", service.modify_index);
  fields.skip("PeerName");
  fields.skip("Datacenter");
  fields.skip("ContentHash");
  CHECK(fields.done(Unknown::refuse));
  if (service.id.empty()) service.id = service.name;
  // Weights that DNS could not use are replaced, not refused.
  if (!validate_weights(service.weights)) service.weights = {};
  return service;
}

Result<Check> read_health_check(const json::value& body, CheckForm form) {
  Check check;
  check.status = "";
  Fields fields(body, "HealthCheck.Check");
  fields.read("Node", check.node);
  fields.read("CheckID", check.id);
  fields.read("Name", check.name);
  fields.read("Status", check.status);
  fields.read("Notes", check.notes);
  fields.read("Output", check.output);
  fields.read("ServiceID", check.service_id);
  fields.read("Type", check.type);
  if (form == CheckForm::catalog) {
    fields.read("Interval", check.interval);
    fields.read("Timeout", check.timeout);
    fields.skip("ExposedPort");
  }
  for (const std::string_view derived : {"ServiceName", "ServiceTags", "CreateIndex", "PeerName"}) fields.skip(derived);
  fields.read("ModifyIndex", check.modify_index);
  if (const auto* definition = fields.find("Definition")) {
    Check described;
    Fields inner(*definition, "HealthCheckDefinition");
    read_check_fields(inner, described);
    if (auto done = inner.done(Unknown::ignore); !done) fields.set_error(done.error());
    check.definition = std::move(described.definition);
  }
  if (form == CheckForm::catalog) {
    if (check.type.empty()) check.type = shown_type(check.definition);
  } else {
    check.type.clear();
    forget_unknown_to_txn(check.definition);
  }
  CHECK(fields.done(Unknown::refuse));
  if (check.id.empty()) check.id = check.name;
  if (check.status.empty()) check.status = registry::status::critical;
  return check;
}

}  // namespace devstack::api

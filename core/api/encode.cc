#include "core/api/encode.h"

#include <fmt/format.h>

#include "core/api/proxy.h"
#include "core/base/duration.h"

namespace devstack::api {
namespace {

constexpr std::string_view kNoProxy = R"({"Mode":"","MeshGateway":{},"Expose":{}})";

std::string_view or_default(const std::string& json, std::string_view fallback) {
  return json.empty() ? fallback : std::string_view(json);
}

void write_tags(JsonWriter& out, std::string_view name, const std::vector<std::string>& tags, EmptyList empty) {
  out.key(name);
  if (tags.empty() && empty == EmptyList::as_null) {
    out.null();
  } else {
    out.strings(tags);
  }
}

void write_addresses_unless_empty(JsonWriter& out, std::string_view name,
                                  const std::map<std::string, registry::ServiceAddress>& addresses) {
  if (addresses.empty()) return;
  out.key(name);
  out.open_object();
  for (const auto& [label, at] : addresses) {
    out.escaped_key(label);
    out.open_object();
    out.field("Address", at.address);
    out.field("Port", at.port);
    out.close_object();
  }
  out.close_object();
}

void write_weights(JsonWriter& out, std::string_view name, const registry::Weights& weights) {
  out.key(name);
  out.open_object();
  out.field("Passing", weights.passing);
  out.field("Warning", weights.warning);
  out.close_object();
}

void write_indexes(JsonWriter& out, registry::Index created, registry::Index modified) {
  out.field("CreateIndex", created);
  out.field("ModifyIndex", modified);
}

void write_duration_unless_zero(JsonWriter& out, std::string_view name, std::chrono::nanoseconds value) {
  if (value.count() != 0) out.field(name, format_duration(value));
}

void write_header(JsonWriter& out, const std::map<std::string, std::vector<std::string>>& header) {
  out.open_object();
  for (const auto& [name, values] : header) {
    out.escaped_key(name);
    out.strings(values);
  }
  out.close_object();
}

/// What an external monitor put into the catalog. An agent's own checks show `{}`.
void write_catalog_definition(JsonWriter& out, const registry::Check& check) {
  out.key("Definition");
  out.open_object();
  if (!check.agent_owned) {
    const auto& definition = check.definition;
    write_duration_unless_zero(out, "Interval", definition.interval);
    if (definition.output_max_bytes != registry::CheckDefinition{}.output_max_bytes) {
      out.field("OutputMaxSize", std::uint64_t{definition.output_max_bytes});
    }
    write_duration_unless_zero(out, "Timeout", definition.timeout);
    write_duration_unless_zero(out, "DeregisterCriticalServiceAfter", definition.deregister_critical_after);
    out.field_unless_empty("HTTP", definition.http);
    out.field_unless_empty("TLSServerName", definition.tls_server_name);
    if (definition.tls_skip_verify) out.field("TLSSkipVerify", true);
    if (!definition.header.empty()) {
      out.key("Header");
      write_header(out, definition.header);
    }
    out.field_unless_empty("Method", definition.method);
    out.field_unless_empty("Body", definition.body);
    if (definition.disable_redirects) out.field("DisableRedirects", true);
    out.field_unless_empty("TCP", definition.tcp);
    out.field_unless_empty("H2PING", definition.h2ping);
    out.field_unless_empty("GRPC", definition.grpc);
    if (definition.grpc_use_tls) out.field("GRPCUseTLS", true);
    out.field_unless_empty("DockerContainerID", definition.docker_container_id);
    out.field_unless_empty("Shell", definition.shell);
    if (!definition.script_args.empty()) out.field("ScriptArgs", definition.script_args);
    out.field_unless_empty("AliasNode", definition.alias_node);
    out.field_unless_empty("AliasService", definition.alias_service);
    write_duration_unless_zero(out, "TTL", definition.ttl);
  }
  out.close_object();
}

void write_check_with_indexes(JsonWriter& out, const registry::Check& check, EmptyList empty, registry::Index created,
                              registry::Index modified) {
  out.open_object();
  out.field("Node", check.node);
  out.field("CheckID", check.id);
  out.field("Name", check.name);
  out.field("Status", check.status);
  out.field("Notes", check.notes);
  out.field("Output", check.output);
  out.field("ServiceID", check.service_id);
  out.field("ServiceName", check.service_name);
  write_tags(out, "ServiceTags", check.service_tags, empty);
  out.field("Type", check.type);
  out.field("Interval", check.interval);
  out.field("Timeout", check.timeout);
  out.field("ExposedPort", 0);
  write_catalog_definition(out, check);
  write_indexes(out, created, modified);
  out.close_object();
}

void write_kv_with_value(JsonWriter& out, const registry::KvEntry& entry, std::string_view value) {
  out.open_object();
  out.field("LockIndex", entry.lock_index);
  out.field("Key", entry.key);
  out.field("Flags", entry.flags);
  out.key("Value");
  if (value.empty()) {
    out.null();
  } else {
    out.base64(value);
  }
  out.field_unless_empty("Session", entry.session);
  write_indexes(out, entry.create_index, entry.modify_index);
  out.close_object();
}

}  // namespace

void write_map_or_null(JsonWriter& out, std::string_view name, const registry::StringMap& map) {
  out.key(name);
  if (map.empty()) {
    out.null();
  } else {
    out.strings(map);
  }
}

void write_node(JsonWriter& out, const registry::Node& node) {
  out.open_object();
  out.field("ID", node.id);
  out.field("Node", node.name);
  out.field("Address", node.address);
  out.field("Datacenter", node.datacenter);
  write_map_or_null(out, "TaggedAddresses", node.tagged_addresses);
  write_map_or_null(out, "Meta", node.meta);
  write_indexes(out, node.create_index, node.modify_index);
  out.close_object();
}

void write_node_service(JsonWriter& out, const registry::Service& service, EmptyList empty) {
  out.open_object();
  out.field_unless_empty("Kind", service.kind);
  out.field("ID", service.id);
  out.field("Service", service.name);
  write_tags(out, "Tags", service.tags, empty);
  out.field("Address", service.address);
  write_addresses_unless_empty(out, "TaggedAddresses", service.tagged_addresses);
  write_map_or_null(out, "Meta", service.meta);
  if (service.port != 0) out.field("Port", service.port);
  out.field_unless_empty("SocketPath", service.socket_path);
  write_weights(out, "Weights", service.weights);
  out.field("EnableTagOverride", service.enable_tag_override);
  out.key("Proxy");
  out.raw(or_default(service.proxy_json, kNoProxy));
  out.key("Connect");
  out.raw(or_default(service.connect_json, "{}"));
  write_indexes(out, service.create_index, service.modify_index);
  out.close_object();
}

void write_service_node(JsonWriter& out, const registry::Instance& instance) {
  const auto& node = *instance.node;
  const auto& service = *instance.service;
  out.open_object();
  out.field("ID", node.id);
  out.field("Node", node.name);
  out.field("Address", node.address);
  out.field("Datacenter", node.datacenter);
  write_map_or_null(out, "TaggedAddresses", node.tagged_addresses);
  write_map_or_null(out, "NodeMeta", node.meta);
  out.field("ServiceKind", service.kind);
  out.field("ServiceID", service.id);
  out.field("ServiceName", service.name);
  out.field("ServiceTags", service.tags);
  out.field("ServiceAddress", service.address);
  write_addresses_unless_empty(out, "ServiceTaggedAddresses", service.tagged_addresses);
  write_weights(out, "ServiceWeights", service.weights);
  out.field("ServiceMeta", service.meta);
  out.field("ServicePort", service.port);
  out.field("ServiceSocketPath", service.socket_path);
  out.field("ServiceEnableTagOverride", service.enable_tag_override);
  out.key("ServiceProxy");
  out.raw(or_default(service.proxy_json, kNoProxy));
  out.key("ServiceConnect");
  out.raw(or_default(service.connect_json, "{}"));
  write_indexes(out, service.create_index, service.modify_index);
  out.close_object();
}

void write_check(JsonWriter& out, const registry::Check& check, EmptyList empty) {
  write_check_with_indexes(out, check, empty, check.create_index, check.modify_index);
}

void write_agent_check(JsonWriter& out, const registry::Check& check) {
  write_check_with_indexes(out, check, EmptyList::as_list, 0, 0);
}

void write_checks(JsonWriter& out, const std::vector<registry::CheckPtr>& checks, EmptyList empty) {
  out.open_array();
  for (const auto& check : checks) write_check(out, *check, empty);
  out.close_array();
}

void write_instance(JsonWriter& out, const registry::Instance& instance, EmptyList empty) {
  out.open_object();
  out.key("Node");
  write_node(out, *instance.node);
  out.key("Service");
  write_node_service(out, *instance.service, empty);
  out.key("Checks");
  if (instance.checks.empty() && empty == EmptyList::as_null) {
    out.raw("null");
  } else {
    write_checks(out, instance.checks, empty);
  }
  out.close_object();
}

void write_kv(JsonWriter& out, const registry::KvEntry& entry) { write_kv_with_value(out, entry, entry.value); }

void write_kv_without_value(JsonWriter& out, const registry::KvEntry& entry) { write_kv_with_value(out, entry, ""); }

void write_session(JsonWriter& out, const registry::Session& session) {
  out.open_object();
  out.field("ID", session.id);
  out.field("Name", session.name);
  out.field("Node", session.node);
  out.field("LockDelay", std::int64_t{session.lock_delay.count()});
  out.field("Behavior", session.behavior == registry::Session::Behavior::release ? "release" : "delete");
  out.field("TTL", session.ttl);
  out.field("NodeChecks", session.node_checks);
  if (!session.checks.empty()) out.field("Checks", session.checks);
  out.key("ServiceChecks");
  if (session.service_checks.empty() && !session.service_checks_given) {
    out.null();
  } else {
    out.open_array();
    for (const auto& id : session.service_checks) {
      out.open_object();
      out.field("ID", id);
      out.field("Namespace", "");
      out.close_object();
    }
    out.close_array();
  }
  write_indexes(out, session.create_index, session.modify_index);
  out.close_object();
}

void write_event(JsonWriter& out, const registry::UserEvent& event) {
  out.open_object();
  out.field("ID", event.id);
  out.field("Name", event.name);
  out.key("Payload");
  if (event.payload.empty()) {
    out.null();
  } else {
    out.base64(event.payload);
  }
  out.field("NodeFilter", event.node_filter);
  out.field("ServiceFilter", event.service_filter);
  out.field("TagFilter", event.tag_filter);
  out.field("Version", 1);
  out.field("LTime", event.ltime);
  out.close_object();
}

void write_agent_service(JsonWriter& out, const registry::Service& service, std::string_view datacenter,
                         std::string_view hash) {
  out.open_object();
  out.field_unless_empty("Kind", service.kind);
  out.field("ID", service.id);
  out.field("Service", service.name);
  out.field("Tags", service.tags);
  out.field("Meta", service.meta);
  out.field("Port", service.port);
  out.field("Address", service.address);
  out.field_unless_empty("SocketPath", service.socket_path);
  write_addresses_unless_empty(out, "TaggedAddresses", service.tagged_addresses);
  write_weights(out, "Weights", service.weights);
  out.field("EnableTagOverride", service.enable_tag_override);
  out.field_unless_empty("ContentHash", hash);
  if (service.kind == "connect-proxy" || is_gateway(service.kind)) {
    out.key("Proxy");
    write_agent_proxy(out, proxy_from_text(service.proxy_json));
  }
  if (!service.connect_json.empty()) {
    out.key("Connect");
    out.raw(service.connect_json);
  }
  out.field("Datacenter", datacenter);
  out.close_object();
}

void write_agent_health_check(JsonWriter& out, const registry::Check& check) {
  out.open_object();
  out.field("Node", check.node);
  out.field("CheckID", check.id);
  out.field("Name", check.name);
  out.field("Status", check.status);
  out.field("Notes", check.notes);
  out.field("Output", check.output);
  out.field("ServiceID", check.service_id);
  out.field("ServiceName", check.service_name);
  write_tags(out, "ServiceTags", check.service_tags, EmptyList::as_null);
  out.field("Type", "");
  out.key("Definition");
  // The real server answers from an API struct that the definition was never copied to: always these zeros.
  out.raw(
      R"({"Interval":"0s","Timeout":"0s","DeregisterCriticalServiceAfter":"0s","HTTP":"","Header":null,"Method":"",)"
      R"("Body":"","TLSServerName":"","TLSSkipVerify":false,"TCP":"","GRPC":"","GRPCUseTLS":false})");
  write_indexes(out, 0, 0);
  out.close_object();
}

std::string content_hash(const registry::Service& service) {
  JsonWriter content;
  write_agent_service(content, service, "", "");
  // FNV-1a: clients only compare it for equality.
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : content.text()) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211ULL;
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace devstack::api

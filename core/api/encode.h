#pragma once

#include <string_view>
#include <vector>

#include "core/api/json_writer.h"
#include "core/registry/types.h"

/// The JSON shapes of Consul's API: field order, null against [] against {} against left out, as Consul's server writes
/// them. Pure. Private to the room.
namespace devstack::api {

enum class EmptyList { as_list, as_null };

/// Objects that are null when nothing is in them.
void write_map_or_null(JsonWriter& out, std::string_view name, const registry::StringMap& map);
void write_node(JsonWriter& out, const registry::Node& node);
void write_node_service(JsonWriter& out, const registry::Service& service, EmptyList empty = EmptyList::as_list);
void write_service_node(JsonWriter& out, const registry::Instance& instance);
void write_check(JsonWriter& out, const registry::Check& check, EmptyList empty = EmptyList::as_list);
void write_checks(JsonWriter& out, const std::vector<registry::CheckPtr>& checks, EmptyList empty = EmptyList::as_list);
void write_instance(JsonWriter& out, const registry::Instance& instance, EmptyList empty = EmptyList::as_list);
void write_kv(JsonWriter& out, const registry::KvEntry& entry);
/// As the results of a transaction show a key that was written: without its value.
void write_kv_without_value(JsonWriter& out, const registry::KvEntry& entry);
void write_session(JsonWriter& out, const registry::Session& session);
void write_event(JsonWriter& out, const registry::UserEvent& event);

/// agent/services and agent/service/:id, the latter with its content hash ("" leaves it out).
void write_agent_service(JsonWriter& out, const registry::Service& service, std::string_view datacenter,
                         std::string_view content_hash);
/// agent/checks: as the catalog's, without indexes.
void write_agent_check(JsonWriter& out, const registry::Check& check);
/// agent/health/service: every field of the definition spelled out.
void write_agent_health_check(JsonWriter& out, const registry::Check& check);
/// Hex digest of an agent service's content, for X-Consul-Contenthash.
std::string content_hash(const registry::Service& service);

}  // namespace devstack::api

#include "core/api/proxy.h"
#include "core/api/select.h"

/// What `filter` may name, by endpoint. Indexes and check definitions are not selectable.
namespace devstack::api {
namespace {

using bexpr::Field;
using bexpr::Schema;
using registry::Check;
using registry::Instance;
using registry::Node;
using registry::Service;
using registry::ServiceAddress;
using registry::Weights;

const Node& node_of(const void* row) { return *static_cast<const Node*>(row); }
const Service& service_of(const void* row) { return *static_cast<const Service*>(row); }
const Check& check_of(const void* row) { return *static_cast<const Check*>(row); }
const Instance& instance_of(const void* row) { return *static_cast<const Instance*>(row); }

const Schema& weights_schema() {
  static const Schema schema{{
      {"Passing",
       Field::Integer([](const void* row) { return std::int64_t{static_cast<const Weights*>(row)->passing}; })},
      {"Warning",
       Field::Integer([](const void* row) { return std::int64_t{static_cast<const Weights*>(row)->warning}; })},
  }};
  return schema;
}

const Schema& address_schema() {
  static const Schema schema{{
      {"Address",
       Field::Text([](const void* row) { return std::string_view(static_cast<const ServiceAddress*>(row)->address); })},
      {"Port",
       Field::Integer([](const void* row) { return std::int64_t{static_cast<const ServiceAddress*>(row)->port}; })},
  }};
  return schema;
}

/// `TaggedAddresses` of the service that `Of` finds in a row.
template <const Service& (*Of)(const void*)>
Field::RecordMap tagged_addresses() {
  return {address_schema, [](const void* row) { return Of(row).tagged_addresses.size(); },
          [](const void* row, const std::string& label) -> const void* {
            const auto& map = Of(row).tagged_addresses;
            const auto found = map.find(label);
            return found == map.end() ? nullptr : &found->second;
          }};
}

const Service& service_of_instance(const void* row) { return *instance_of(row).service; }

template <const Service& (*Of)(const void*)>
Field::Record weights() {
  return {weights_schema, [](const void* row) -> const void* { return &Of(row).weights; }};
}

// --- Proxy and Connect: kept as text, read when a filter names them ---
const Proxy& proxy_row(const void* row) { return *static_cast<const Proxy*>(row); }
const Upstream& upstream_row(const void* row) { return *static_cast<const Upstream*>(row); }

const Schema& upstream_mesh_schema() {
  static const Schema schema{
      {{"Mode", Field::Text([](const void* row) { return std::string_view(upstream_row(row).mesh_mode); })}}};
  return schema;
}

const Schema& upstream_schema() {
  static const Schema schema{{
      {"DestinationType", Field::Text([](const void* row) { return std::string_view(upstream_row(row).type); })},
      {"DestinationNamespace", Field::Text([](const void* row) { return std::string_view(upstream_row(row).space); })},
      {"DestinationName", Field::Text([](const void* row) { return std::string_view(upstream_row(row).name); })},
      {"Datacenter", Field::Text([](const void* row) { return std::string_view(upstream_row(row).datacenter); })},
      {"LocalBindAddress",
       Field::Text([](const void* row) { return std::string_view(upstream_row(row).bind_address); })},
      {"LocalBindPort", Field::Integer([](const void* row) { return std::int64_t{upstream_row(row).bind_port}; })},
      {"MeshGateway", Field::Record{upstream_mesh_schema, [](const void* row) { return row; }}},
  }};
  return schema;
}

const Schema& mesh_schema() {
  static const Schema schema{
      {{"Mode", Field::Text([](const void* row) { return std::string_view(proxy_row(row).mesh_mode); })}}};
  return schema;
}

const Schema& expose_schema() {
  static const Schema schema{
      {{"Checks", Field::Boolean([](const void* row) { return proxy_row(row).expose_checks; })}}};
  return schema;
}

const Schema& transparent_schema() {
  static const Schema schema{{
      {"OutboundListenerPort",
       Field::Integer([](const void* row) { return std::int64_t{proxy_row(row).outbound_port}; })},
      {"DialedDirectly", Field::Boolean([](const void* row) { return proxy_row(row).dialed_directly; })},
  }};
  return schema;
}

const Schema& proxy_schema() {
  static const Schema schema{{
      {"DestinationServiceName",
       Field::Text([](const void* row) { return std::string_view(proxy_row(row).destination_name); })},
      {"DestinationServiceID",
       Field::Text([](const void* row) { return std::string_view(proxy_row(row).destination_id); })},
      {"LocalServiceAddress",
       Field::Text([](const void* row) { return std::string_view(proxy_row(row).local_address); })},
      {"LocalServicePort", Field::Integer([](const void* row) { return std::int64_t{proxy_row(row).local_port}; })},
      {"LocalServiceSocketPath",
       Field::Text([](const void* row) { return std::string_view(proxy_row(row).local_socket_path); })},
      {"Mode", Field::Text([](const void* row) { return std::string_view(proxy_row(row).mode); })},
      {"Upstreams",
       Field::Records{upstream_schema, [](const void* row) { return proxy_row(row).upstreams.size(); },
                      [](const void* row, std::size_t at) -> const void* { return &proxy_row(row).upstreams[at]; }}},
      {"MeshGateway", Field::Record{mesh_schema, [](const void* row) { return row; }}},
      {"Expose", Field::Record{expose_schema, [](const void* row) { return row; }}},
      {"TransparentProxy", Field::Record{transparent_schema, [](const void* row) { return row; }}},
  }};
  return schema;
}

/// The last one read, until the next is: a comparison looks at one row at a time.
template <const Service& (*Of)(const void*)>
Field::Record proxy() {
  return {proxy_schema, [](const void* row) -> const void* {
            thread_local Proxy read;
            read = proxy_from_text(Of(row).proxy_json);
            return &read;
          }};
}

template <const Service& (*Of)(const void*)>
const Schema& connect_schema() {
  static const Schema schema{
      {{"Native", Field::Boolean([](const void* row) { return !Of(row).connect_json.empty(); })}}};
  return schema;
}

template <const Service& (*Of)(const void*)>
Field::Record connect() {
  return {connect_schema<Of>, [](const void* row) { return row; }};
}

std::vector<Field> service_fields() {
  return {
      {"Kind", Field::Text([](const void* row) { return std::string_view(service_of(row).kind); })},
      {"ID", Field::Text([](const void* row) { return std::string_view(service_of(row).id); })},
      {"Service", Field::Text([](const void* row) { return std::string_view(service_of(row).name); })},
      {"Tags", Field::List([](const void* row) -> const auto& { return service_of(row).tags; })},
      {"Address", Field::Text([](const void* row) { return std::string_view(service_of(row).address); })},
      {"TaggedAddresses", tagged_addresses<service_of>()},
      {"Meta", Field::Map([](const void* row) -> const auto& { return service_of(row).meta; })},
      {"Port", Field::Integer([](const void* row) { return std::int64_t{service_of(row).port}; })},
      {"SocketPath", Field::Text([](const void* row) { return std::string_view(service_of(row).socket_path); })},
      {"Weights", weights<service_of>()},
      {"EnableTagOverride", Field::Boolean([](const void* row) { return service_of(row).enable_tag_override; })},
      {"Proxy", proxy<service_of>()},
      {"Connect", connect<service_of>()},
  };
}

}  // namespace

const Schema& node_schema() {
  static const Schema schema{{
      {"ID", Field::Text([](const void* row) { return std::string_view(node_of(row).id); })},
      {"Node", Field::Text([](const void* row) { return std::string_view(node_of(row).name); })},
      {"Address", Field::Text([](const void* row) { return std::string_view(node_of(row).address); })},
      {"Datacenter", Field::Text([](const void* row) { return std::string_view(node_of(row).datacenter); })},
      {"TaggedAddresses", Field::Map([](const void* row) -> const auto& { return node_of(row).tagged_addresses; })},
      {"Meta", Field::Map([](const void* row) -> const auto& { return node_of(row).meta; })},
  }};
  return schema;
}

const Schema& node_service_schema() {
  static const Schema schema{service_fields()};
  return schema;
}

const Schema& agent_service_schema() { return node_service_schema(); }

const Schema& check_schema() {
  static const Schema schema{{
      {"Node", Field::Text([](const void* row) { return std::string_view(check_of(row).node); })},
      {"CheckID", Field::Text([](const void* row) { return std::string_view(check_of(row).id); })},
      {"Name", Field::Text([](const void* row) { return std::string_view(check_of(row).name); })},
      {"Status", Field::Text([](const void* row) { return std::string_view(check_of(row).status); })},
      {"Notes", Field::Text([](const void* row) { return std::string_view(check_of(row).notes); })},
      {"Output", Field::Text([](const void* row) { return std::string_view(check_of(row).output); })},
      {"ServiceID", Field::Text([](const void* row) { return std::string_view(check_of(row).service_id); })},
      {"ServiceName", Field::Text([](const void* row) { return std::string_view(check_of(row).service_name); })},
      {"ServiceTags", Field::List([](const void* row) -> const auto& { return check_of(row).service_tags; })},
      {"Type", Field::Text([](const void* row) { return std::string_view(check_of(row).type); })},
      {"Interval", Field::Text([](const void* row) { return std::string_view(check_of(row).interval); })},
      {"Timeout", Field::Text([](const void* row) { return std::string_view(check_of(row).timeout); })},
      {"ExposedPort", Field::Integer([](const void*) { return std::int64_t{0}; })},
  }};
  return schema;
}

const Schema& service_node_schema() {
  static const Schema schema{{
      {"ID", Field::Text([](const void* row) { return std::string_view(instance_of(row).node->id); })},
      {"Node", Field::Text([](const void* row) { return std::string_view(instance_of(row).node->name); })},
      {"Address", Field::Text([](const void* row) { return std::string_view(instance_of(row).node->address); })},
      {"Datacenter", Field::Text([](const void* row) { return std::string_view(instance_of(row).node->datacenter); })},
      {"TaggedAddresses",
       Field::Map([](const void* row) -> const auto& { return instance_of(row).node->tagged_addresses; })},
      {"NodeMeta", Field::Map([](const void* row) -> const auto& { return instance_of(row).node->meta; })},
      {"ServiceKind", Field::Text([](const void* row) { return std::string_view(service_of_instance(row).kind); })},
      {"ServiceID", Field::Text([](const void* row) { return std::string_view(service_of_instance(row).id); })},
      {"ServiceName", Field::Text([](const void* row) { return std::string_view(service_of_instance(row).name); })},
      {"ServiceTags", Field::List([](const void* row) -> const auto& { return service_of_instance(row).tags; })},
      {"ServiceAddress",
       Field::Text([](const void* row) { return std::string_view(service_of_instance(row).address); })},
      {"ServiceTaggedAddresses", tagged_addresses<service_of_instance>()},
      {"ServiceWeights", weights<service_of_instance>()},
      {"ServiceMeta", Field::Map([](const void* row) -> const auto& { return service_of_instance(row).meta; })},
      {"ServicePort", Field::Integer([](const void* row) { return std::int64_t{service_of_instance(row).port}; })},
      {"ServiceSocketPath",
       Field::Text([](const void* row) { return std::string_view(service_of_instance(row).socket_path); })},
      {"ServiceEnableTagOverride",
       Field::Boolean([](const void* row) { return service_of_instance(row).enable_tag_override; })},
      {"ServiceProxy", proxy<service_of_instance>()},
      {"ServiceConnect", connect<service_of_instance>()},
  }};
  return schema;
}

const Schema& instance_schema() {
  static const Schema schema{{
      {"Node", Field::Record{node_schema, [](const void* row) -> const void* { return instance_of(row).node.get(); }}},
      {"Service", Field::Record{node_service_schema,
                                [](const void* row) -> const void* { return instance_of(row).service.get(); }}},
      {"Checks", Field::Records{
                     check_schema, [](const void* row) { return instance_of(row).checks.size(); },
                     [](const void* row, std::size_t at) -> const void* { return instance_of(row).checks[at].get(); }}},
  }};
  return schema;
}

}  // namespace devstack::api

#include "core/api/proxy.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>

namespace devstack::api {
namespace {

namespace json = boost::json;

std::string member_text(const json::value* value) {
  const auto* object = value == nullptr ? nullptr : value->if_object();
  return object == nullptr || object->empty() ? "" : json::serialize(*object);
}

Result<std::string> read_mesh_mode(Fields& fields) {
  std::string mode;
  const auto* value = fields.find("MeshGateway", "mesh_gateway");
  if (value == nullptr) return mode;
  Fields inner(*value, "MeshGatewayConfig");
  inner.read("Mode", mode);
  CHECK(inner.done(Unknown::refuse));
  return mode;
}

Result<Upstream> read_upstream(const json::value& value) {
  Upstream out;
  Fields fields(value, "Upstream");
  fields.read("DestinationType", out.type, "destination_type");
  fields.read("DestinationNamespace", out.space, "destination_namespace");
  fields.read("DestinationName", out.name, "destination_name");
  fields.read("Datacenter", out.datacenter);
  fields.read("LocalBindAddress", out.bind_address, "local_bind_address");
  fields.read("LocalBindPort", out.bind_port, "local_bind_port");
  fields.read("LocalBindSocketPath", out.socket_path, "local_bind_socket_path");
  fields.read("LocalBindSocketMode", out.socket_mode, "local_bind_socket_mode");
  out.config_json = member_text(fields.find("Config"));
  TRY(out.mesh_mode, read_mesh_mode(fields));
  fields.skip("CentrallyConfigured");
  CHECK(fields.done(Unknown::refuse));
  return out;
}

Result<ExposedPath> read_exposed_path(const json::value& value) {
  ExposedPath out;
  Fields fields(value, "ExposePath");
  fields.read("ListenerPort", out.listener_port, "listener_port");
  fields.read("Path", out.path);
  fields.read("LocalPathPort", out.local_port, "local_path_port");
  fields.read("Protocol", out.protocol);
  fields.read("ParsedFromCheck", out.from_check, "parsed_from_check");
  CHECK(fields.done(Unknown::refuse));
  return out;
}

template <class Item>
Result<std::vector<Item>> read_list(Fields& fields, std::string_view name, Result<Item> (*read)(const json::value&)) {
  std::vector<Item> out;
  const auto* list = fields.find(name);
  if (list == nullptr) return out;
  if (!list->is_array()) return fail(Errc::parse, "json: cannot unmarshal into Go struct field .{}", name);
  for (const auto& element : list->get_array()) {
    TRY(auto item, read(element));
    out.push_back(std::move(item));
  }
  return out;
}

Result<void> read_expose(Fields& fields, Proxy& proxy) {
  const auto* value = fields.find("Expose");
  if (value == nullptr) return {};
  Fields inner(*value, "ExposeConfig");
  inner.read("Checks", proxy.expose_checks);
  TRY(proxy.exposed_paths, read_list<ExposedPath>(inner, "Paths", read_exposed_path));
  return inner.done(Unknown::refuse);
}

void write_mesh(JsonWriter& out, const std::string& mode) {
  out.key("MeshGateway");
  out.open_object();
  out.field_unless_empty("Mode", mode);
  out.close_object();
}

void write_config(JsonWriter& out, const std::string& config) {
  if (config.empty()) return;
  out.key("Config");
  out.raw(config);
}

void write_number_unless_zero(JsonWriter& out, std::string_view name, int number) {
  if (number != 0) out.field(name, number);
}

enum class Form { catalog, agent };

void write_text(JsonWriter& out, std::string_view name, const std::string& text, bool always) {
  if (always) {
    out.field(name, text);
  } else {
    out.field_unless_empty(name, text);
  }
}

void write_upstream(JsonWriter& out, const Upstream& upstream, Form form) {
  const bool all = form == Form::catalog;
  out.open_object();
  write_text(out, "DestinationType", upstream.type, all);
  out.field_unless_empty("DestinationNamespace", upstream.space);
  out.field("DestinationName", upstream.name);
  write_text(out, "Datacenter", upstream.datacenter, all);
  out.field_unless_empty("LocalBindAddress", upstream.bind_address);
  write_number_unless_zero(out, "LocalBindPort", upstream.bind_port);
  out.field_unless_empty("LocalBindSocketPath", upstream.socket_path);
  out.field_unless_empty("LocalBindSocketMode", upstream.socket_mode);
  write_config(out, upstream.config_json);
  write_mesh(out, upstream.mesh_mode);
  out.close_object();
}

void write_expose(JsonWriter& out, const Proxy& proxy) {
  out.key("Expose");
  out.open_object();
  if (proxy.expose_checks) out.field("Checks", true);
  if (!proxy.exposed_paths.empty()) {
    out.key("Paths");
    out.open_array();
    for (const auto& path : proxy.exposed_paths) {
      out.open_object();
      write_number_unless_zero(out, "ListenerPort", path.listener_port);
      out.field_unless_empty("Path", path.path);
      write_number_unless_zero(out, "LocalPathPort", path.local_port);
      out.field_unless_empty("Protocol", path.protocol);
      out.field("ParsedFromCheck", path.from_check);
      out.close_object();
    }
    out.close_array();
  }
  out.close_object();
}

void write_proxy(JsonWriter& out, const Proxy& proxy, Form form) {
  out.open_object();
  out.field_unless_empty("DestinationServiceName", proxy.destination_name);
  out.field_unless_empty("DestinationServiceID", proxy.destination_id);
  out.field_unless_empty("LocalServiceAddress", proxy.local_address);
  write_number_unless_zero(out, "LocalServicePort", proxy.local_port);
  out.field_unless_empty("LocalServiceSocketPath", proxy.local_socket_path);
  write_text(out, "Mode", proxy.mode, form == Form::catalog);
  if (proxy.outbound_port != 0 || proxy.dialed_directly) {
    out.key("TransparentProxy");
    out.open_object();
    write_number_unless_zero(out, "OutboundListenerPort", proxy.outbound_port);
    if (proxy.dialed_directly) out.field("DialedDirectly", true);
    out.close_object();
  }
  write_config(out, proxy.config_json);
  if (!proxy.upstreams.empty()) {
    out.key("Upstreams");
    out.open_array();
    for (const auto& upstream : proxy.upstreams) write_upstream(out, upstream, form);
    out.close_array();
  }
  write_mesh(out, proxy.mesh_mode);
  write_expose(out, proxy);
  out.close_object();
}

std::string upstream_key(const Upstream& upstream) {
  std::string out = upstream.type.empty() || upstream.type == "service" ? "" : upstream.type + ":";
  out += upstream.name;
  return upstream.datacenter.empty() ? out : out + "?dc=" + upstream.datacenter;
}

void check_upstreams(const Proxy& proxy, std::vector<std::string>& errors) {
  std::set<std::string> keys, addresses;
  for (const auto& upstream : proxy.upstreams) {
    if (upstream.name.empty()) {
      errors.emplace_back("upstream destination name cannot be empty");
    } else if (upstream.name == "*") {
      errors.emplace_back("upstream destination name cannot be a wildcard");
    } else if (upstream.bind_port == 0 && upstream.socket_path.empty()) {
      errors.emplace_back("upstream local bind port or local socket path must be defined and nonzero");
    } else if (!keys.insert(upstream_key(upstream)).second) {
      errors.push_back("upstreams cannot contain duplicates of " + upstream_key(upstream));
    } else {
      const auto& host = upstream.bind_address.empty() ? "127.0.0.1" : upstream.bind_address;
      const auto place =
          upstream.bind_port == 0 ? upstream.socket_path : fmt::format("{}:{}", host, upstream.bind_port);
      if (addresses.insert(place).second) continue;
      errors.push_back(
          fmt::format("upstreams cannot contain duplicates by local bind address and port or unix path; "
                      "\"{}\" is specified twice",
                      place));
    }
  }
}

void check_exposed_paths(const Proxy& proxy, std::vector<std::string>& errors) {
  std::set<int> listeners;
  for (const auto& path : proxy.exposed_paths) {
    if (path.path.empty()) errors.emplace_back("expose.paths: empty path exposed");
    if (!listeners.insert(path.listener_port).second) {
      errors.emplace_back("expose.paths: duplicate listener ports exposed");
    }
    if (path.listener_port <= 0 || path.listener_port > 65535) {
      errors.push_back(fmt::format("expose.paths: invalid listener port: {}", path.listener_port));
    }
  }
}

void check_connect_proxy(const registry::Service& service, const Proxy& proxy, std::vector<std::string>& errors) {
  if (proxy.destination_name.find_first_not_of(" \t\r\n") == std::string::npos) {
    errors.emplace_back("Proxy.DestinationServiceName must be non-empty for Connect proxy services");
  }
  if (proxy.destination_name == "*") {
    errors.emplace_back("Proxy.DestinationServiceName must not be a wildcard for Connect proxy services");
  }
  if (service.port == 0 && service.socket_path.empty()) {
    errors.emplace_back("Port or SocketPath must be set for a Connect proxy");
  }
  if (!service.connect_json.empty()) {
    errors.emplace_back("A Proxy cannot also be Connect Native, only typical services");
  }
  check_upstreams(proxy, errors);
  check_exposed_paths(proxy, errors);
}

void check_gateway(const registry::Service& service, const Proxy& proxy, bool has_sidecar,
                   std::vector<std::string>& errors) {
  const auto& kind = service.kind;
  if (service.port == 0 && kind != "ingress-gateway") errors.push_back("Port must be non-zero for a " + kind);
  if (has_sidecar) errors.push_back(fmt::format("A {} cannot have a sidecar service defined", kind));
  const std::pair<bool, std::string_view> unfit[] = {{!proxy.destination_name.empty(), "DestinationServiceName"},
                                                     {!proxy.destination_id.empty(), "DestinationServiceID"},
                                                     {!proxy.local_address.empty(), "LocalServiceAddress"},
                                                     {proxy.local_port != 0, "LocalServicePort"},
                                                     {!proxy.local_socket_path.empty(), "LocalServiceSocketPath"},
                                                     {!proxy.upstreams.empty(), "Upstreams"}};
  for (const auto& [given, name] : unfit) {
    if (given) errors.push_back(fmt::format("The Proxy.{} configuration is invalid for a {}", name, kind));
  }
}

void check_sidecar(const json::value& sidecar, std::vector<std::string>& errors) {
  Fields fields(sidecar, "ServiceDefinition");
  std::string id;
  fields.read("ID", id);
  if (!id.empty()) errors.emplace_back("A SidecarService cannot specify an ID as this is managed by the agent");
  const auto* connect = fields.find("Connect");
  if (connect == nullptr) return;
  Fields inner(*connect, "ServiceConnect");
  if (inner.find("SidecarService", "sidecar_service") != nullptr) {
    errors.emplace_back("A SidecarService cannot have a nested SidecarService");
  }
}

}  // namespace

Result<Proxy> read_proxy(const json::value& value) {
  Proxy out;
  Fields fields(value, "ConnectProxyConfig");
  fields.read("DestinationServiceName", out.destination_name, "destination_service_name");
  fields.read("DestinationServiceID", out.destination_id, "destination_service_id");
  fields.read("LocalServiceAddress", out.local_address, "local_service_address");
  fields.read("LocalServicePort", out.local_port, "local_service_port");
  fields.read("LocalServiceSocketPath", out.local_socket_path, "local_service_socket_path");
  fields.read("Mode", out.mode);
  out.config_json = member_text(fields.find("Config"));
  TRY(out.upstreams, read_list<Upstream>(fields, "Upstreams", read_upstream));
  TRY(out.mesh_mode, read_mesh_mode(fields));
  CHECK(read_expose(fields, out));
  if (const auto* transparent = fields.find("TransparentProxy", "transparent_proxy")) {
    Fields inner(*transparent, "TransparentProxyConfig");
    inner.read("OutboundListenerPort", out.outbound_port, "outbound_listener_port");
    inner.read("DialedDirectly", out.dialed_directly, "dialed_directly");
    CHECK(inner.done(Unknown::refuse));
  }
  CHECK(fields.done(Unknown::refuse));
  return out;
}

std::string proxy_text(const Proxy& proxy) {
  const auto text = [](const Proxy& which) {
    JsonWriter out;
    write_proxy(out, which, Form::catalog);
    return out.take();
  };
  static const auto nothing = text(Proxy{});
  auto out = text(proxy);
  return out == nothing ? "" : out;
}

Proxy proxy_from_text(const std::string& text) {
  json::error_code error;
  const auto value = json::parse(text, error);
  auto proxy = error ? Result<Proxy>(Proxy{}) : read_proxy(value);
  return proxy ? std::move(*proxy) : Proxy{};
}

void write_agent_proxy(JsonWriter& out, const Proxy& proxy) { write_proxy(out, proxy, Form::agent); }

void complete_upstreams(Proxy& proxy) {
  for (auto& upstream : proxy.upstreams) {
    if (upstream.type.empty()) upstream.type = "service";
    if (upstream.mesh_mode.empty()) upstream.mesh_mode = proxy.mesh_mode;
  }
}

bool is_gateway(std::string_view kind) {
  return kind == "mesh-gateway" || kind == "terminating-gateway" || kind == "ingress-gateway";
}

Result<void> validate_service_kind(const registry::Service& service, const json::value* sidecar) {
  std::vector<std::string> errors;
  const auto proxy = proxy_from_text(service.proxy_json);
  if (service.kind == "connect-proxy") check_connect_proxy(service, proxy, errors);
  if (is_gateway(service.kind)) check_gateway(service, proxy, sidecar != nullptr, errors);
  if (sidecar != nullptr) check_sidecar(*sidecar, errors);
  if (errors.empty()) return {};
  return fail(Errc::parse, "{}", error_list(errors));
}

std::string error_list(const std::vector<std::string>& errors) {
  auto out = fmt::format("{} error{} occurred:\n", errors.size(), errors.size() == 1 ? "" : "s");
  for (const auto& error : errors) out += "\t* " + error + "\n";
  return out + "\n";
}

}  // namespace devstack::api

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/decode.h"
#include "core/api/json_writer.h"
#include "core/registry/types.h"

/// The Proxy of a service, which the registry keeps and shows but does not act on
/// (https://developer.hashicorp.com/consul/docs/connect/proxies/proxy-config-reference). Pure. Private to the room.
namespace devstack::api {

struct Upstream {
  std::string type, space, name, datacenter, bind_address, socket_path, socket_mode, mesh_mode;
  int bind_port = 0;
  std::string config_json;
};

struct ExposedPath {
  int listener_port = 0, local_port = 0;
  std::string path, protocol;
  bool from_check = false;
};

struct Proxy {
  std::string destination_name, destination_id, local_address, local_socket_path, mode, mesh_mode;
  int local_port = 0;
  std::string config_json;
  std::vector<Upstream> upstreams;
  bool expose_checks = false;
  std::vector<ExposedPath> exposed_paths;
  int outbound_port = 0;
  bool dialed_directly = false;
};

/// `Proxy` of a definition; names may be in snake case. Unknown fields are an error.
Result<Proxy> read_proxy(const boost::json::value& value);
/// What the registry keeps and the catalog shows; "" for a proxy that says nothing.
std::string proxy_text(const Proxy& proxy);
/// The opposite.
Proxy proxy_from_text(const std::string& text);
/// The form of agent/services, which leaves out what is empty.
void write_agent_proxy(JsonWriter& out, const Proxy& proxy);
/// What an agent adds when a service is registered with it: the kind of upstreams, and the mesh gateway they share.
void complete_upstreams(Proxy& proxy);

/// The rules for proxies, gateways and sidecars. The error lists all that is wrong, as Consul does.
Result<void> validate_service_kind(const registry::Service& service, const boost::json::value* sidecar);
/// mesh-gateway, terminating-gateway, ingress-gateway.
bool is_gateway(std::string_view kind);

/// "2 errors occurred:" and the list, as github.com/hashicorp/go-multierror writes them.
std::string error_list(const std::vector<std::string>& errors);

}  // namespace devstack::api

#include "core/api/sidecar.h"

#include <fmt/format.h>

#include <set>

#include "core/api/proxy.h"

namespace devstack::api {
namespace {

constexpr int kFirstPort = 21000;
constexpr int kLastPort = 21255;

Result<int> free_port(const registry::State& state, const std::string& node, const std::string& own_id) {
  std::set<int> taken;
  for (const auto& service : state.services_of(node)) {
    if (service->id == own_id) return service->port;
    taken.insert(service->port);
  }
  for (int port = kFirstPort; port <= kLastPort; ++port) {
    if (!taken.contains(port)) return port;
  }
  return fail(Errc::parse,
              "Bad request: Invalid SidecarService: no port provided for sidecar_service and none left in the "
              "configured range [{}, {}]",
              kFirstPort, kLastPort);
}

/// What a sidecar's Proxy says unless it was told otherwise.
void stand_for(const registry::Service& parent, Proxy& proxy) {
  if (proxy.destination_name.empty()) proxy.destination_name = parent.name;
  if (proxy.destination_id.empty()) proxy.destination_id = parent.id;
  if (!proxy.local_socket_path.empty() || (!proxy.local_address.empty() && proxy.local_port > 0)) return;
  if (!parent.socket_path.empty()) {
    proxy.local_socket_path = parent.socket_path;
    return;
  }
  if (proxy.local_address.empty()) proxy.local_address = "127.0.0.1";
  if (proxy.local_port < 1) proxy.local_port = parent.port;
}

void add_default_checks(const registry::Service& parent, const std::string& local_address, ServiceDefinition& sidecar) {
  using Kind = registry::CheckDefinition::Kind;
  const auto& service = sidecar.service;
  registry::Check listening;
  listening.name = "Connect Sidecar Listening";
  listening.status = "";
  listening.definition.kind = Kind::tcp;
  listening.definition.tcp = fmt::format("{}:{}", local_address, service.port);
  listening.definition.interval = std::chrono::seconds(10);
  sidecar.checks.push_back(std::move(listening));
  registry::Check alias;
  alias.name = "Connect Sidecar Aliasing " + parent.id;
  alias.status = "";
  alias.definition.kind = Kind::alias;
  alias.definition.alias_service = parent.id;
  sidecar.checks.push_back(std::move(alias));
}

}  // namespace

Result<ServiceDefinition> make_sidecar(const ServiceDefinition& parent, const registry::State& state,
                                       const std::string& node) {
  TRY(auto sidecar, read_service_definition(*parent.sidecar));
  auto& service = sidecar.service;
  service.id = parent.service.id + std::string(kSidecarSuffix);
  if (service.name.empty()) service.name = parent.service.name + std::string(kSidecarSuffix);
  if (service.kind.empty()) service.kind = "connect-proxy";
  if (service.tags.empty()) service.tags = parent.service.tags;
  if (service.meta.empty()) service.meta = parent.service.meta;
  if (service.port == 0) {
    TRY(service.port, free_port(state, node, service.id));
  }
  if (service.address.empty()) service.address = parent.service.address;
  auto proxy = proxy_from_text(service.proxy_json);
  stand_for(parent.service, proxy);
  service.proxy_json = proxy_text(proxy);
  if (sidecar.checks.empty()) add_default_checks(parent.service, proxy.local_address, sidecar);
  return sidecar;
}

}  // namespace devstack::api

#include "core/api/sidecar.h"

#include <fmt/format.h>

#include <set>

#include "core/api/json_writer.h"

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
  return fail(Errc::parse, "Invalid SidecarService: none left in the configured range [{}, {}]", kFirstPort, kLastPort);
}

std::string proxy_of(const registry::Service& parent) {
  JsonWriter out;
  out.open_object();
  out.field("DestinationServiceName", parent.name);
  out.field("DestinationServiceID", parent.id);
  out.field("LocalServiceAddress", "127.0.0.1");
  if (parent.port > 0) out.field("LocalServicePort", parent.port);
  out.field("Mode", "");
  out.key("MeshGateway");
  out.raw("{}");
  out.key("Expose");
  out.raw("{}");
  out.close_object();
  return out.take();
}

void add_default_checks(const registry::Service& parent, ServiceDefinition& sidecar) {
  using Kind = registry::CheckDefinition::Kind;
  const auto& service = sidecar.service;
  registry::Check listening;
  listening.name = "Connect Sidecar Listening";
  listening.status = "";
  listening.definition.kind = Kind::tcp;
  listening.definition.tcp =
      fmt::format("{}:{}", service.address.empty() ? "127.0.0.1" : service.address, service.port);
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
  if (service.proxy_json.empty()) service.proxy_json = proxy_of(parent.service);
  if (sidecar.checks.empty()) add_default_checks(parent.service, sidecar);
  return sidecar;
}

}  // namespace devstack::api

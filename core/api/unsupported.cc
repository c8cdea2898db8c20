#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/api/handlers.h"

/// Areas that a server with the feature switched off answers for, and known endpoints that are not built.
namespace devstack::api {
namespace {

using Table = Watch::Table;

constexpr std::array<std::string_view, 9> kConfigKinds = {
    "service-defaults",    "proxy-defaults",     "service-router",
    "service-splitter",    "service-resolver",   "ingress-gateway",
    "terminating-gateway", "service-intentions", "mesh"};

constexpr std::string_view kNoConnect = "Connect must be enabled in order to use this endpoint";

}  // namespace

asio::awaitable<http::Response> acl_disabled(const Call&) { co_return http::text(401, "ACL support disabled"); }

asio::awaitable<http::Response> connect_disabled(const Call&) { co_return http::text(500, std::string(kNoConnect)); }

asio::awaitable<http::Response> service_topology(const Call& call) {
  if (call.rest.empty()) co_return http::text(400, "Missing service name");
  if (!call.query.has("kind")) co_return http::text(400, "Missing service kind");
  co_return http::text(500, std::string(kNoConnect));
}

asio::awaitable<http::Response> connect_authorize(const Call& call) {
  if (call.request.body.find("spiffe://") == std::string::npos) {
    co_return http::text(400, "ClientCertURI not a valid Connect identifier");
  }
  co_return http::text(500, std::string(kNoConnect));
}

void config_list(const Call& call, const State& state, Answer& answer) {
  answer.index = state.index_of({Table::services, ""});
  const std::size_t slash = call.rest.find('/');
  const std::string_view kind = call.rest.substr(0, slash);
  if (!kind.empty() && std::find(kConfigKinds.begin(), kConfigKinds.end(), kind) == kConfigKinds.end()) {
    return answer.refuse(500, fmt::format("invalid config entry kind: {}", kind));
  }
  if (slash != std::string_view::npos && slash + 1 < call.rest.size()) {
    return answer.refuse(404,
                         fmt::format("Config entry not found for \"{}\" / \"{}\"", kind, call.rest.substr(slash + 1)));
  }
  answer.body = "[]";
}

void empty_list(const Call&, const State&, Answer& answer) { answer.body = "[]"; }

asio::awaitable<http::Response> not_built(const Call& call) {
  co_return http::text(
      501, fmt::format("{} {} is not implemented by this registry", call.request.method, call.request.raw_path()));
}

asio::awaitable<http::Response> keyring(const Call&) {
  co_return http::text(500, "operator keyring: Keyring is empty (encryption not enabled)");
}

asio::awaitable<http::Response> raft_peer(const Call& call) {
  const auto id = call.param("id");
  const auto address = call.param("address");
  if (id.empty() && address.empty()) {
    co_return http::text(400,
                         "Must specify either ?id with the server's ID or ?address with IP:port of peer to remove");
  }
  if (!id.empty() && !address.empty()) {
    co_return http::text(400, "Must specify only one of ?id or ?address");
  }
  const bool by_id = !id.empty();
  const std::string_view which = by_id ? id : address;
  co_return http::text(
      500, fmt::format("{} \"{}\" was not found in the Raft configuration", by_id ? "id" : "address", which));
}

}  // namespace devstack::api

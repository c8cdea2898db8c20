#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/api/decode.h"
#include "core/api/go_text.h"
#include "core/api/handlers.h"
#include "core/api/proxy.h"
#include "core/api/select.h"

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

asio::awaitable<http::Response> intention_match(const Call& call) {
  if (!call.query.has("by")) co_return http::text(500, "required query parameter 'by' not set");
  co_return co_await connect_disabled(call);
}

asio::awaitable<http::Response> intention_exact(const Call& call) {
  for (const std::string_view end : {"source", "destination"}) {
    if (!call.query.has(end)) co_return http::text(500, fmt::format("required query parameter '{}' not set", end));
  }
  co_return co_await connect_disabled(call);
}

asio::awaitable<http::Response> discovery_chain(const Call& call) {
  if (call.rest.empty()) co_return http::text(400, "Bad request: Missing chain name");
  co_return co_await connect_disabled(call);
}

asio::awaitable<http::Response> service_topology(const Call& call) {
  if (call.rest.empty()) co_return http::text(400, "Missing service name");
  const auto kind = call.query.get("kind");
  if (!kind) co_return http::text(400, "Missing service kind");
  if (!kind->empty() && *kind != "ingress-gateway") {
    co_return http::text(400, fmt::format("Unsupported service kind {}", go_quote(*kind)));
  }
  co_return http::text(500, std::string(kNoConnect));
}

asio::awaitable<http::Response> connect_authorize(const Call& call) {
  const auto refuse = [](std::string_view why) { return http::text(400, fmt::format("Bad request: {}", why)); };
  const auto body = parse_json(call.request.body);
  if (!body) co_return refuse("Request decode failed: " + body.error().message);
  std::string target;
  std::string uri;
  Fields fields(*body, "ConnectAuthorizeRequest");
  fields.read("Target", target);
  fields.read("ClientCertURI", uri);
  fields.skip("ClientCertSerial");
  if (auto done = fields.done(Unknown::refuse); !done)
    co_return refuse("Request decode failed: " + done.error().message);
  if (target.empty()) co_return refuse("Target service must be specified");
  if (!uri.starts_with("spiffe://")) co_return refuse("ClientCertURI not a valid Connect identifier");
  co_return http::text(500, std::string(kNoConnect));
}

void config_list(const Call& call, const State& state, Answer& answer) {
  answer.index = state.index_of({Table::services, ""});
  const std::size_t slash = call.rest.find('/');
  const std::string_view kind = call.rest.substr(0, slash);
  if (!kind.empty() && std::find(kConfigKinds.begin(), kConfigKinds.end(), kind) == kConfigKinds.end()) {
    return answer.refuse(500, fmt::format("invalid config entry kind: {}", kind));
  }
  if (slash != std::string_view::npos) {
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

asio::awaitable<http::Response> keyring(const Call& call) {
  const auto refuse = [](std::string_view why) { return http::text(400, fmt::format("Bad request: {}", why)); };
  if (const auto text = call.param("relay-factor"); !text.empty()) {
    int factor = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), factor);
    if (error != std::errc() || at != text.data() + text.size()) {
      co_return refuse(
          fmt::format("Error parsing relay factor: strconv.Atoi: parsing {}: invalid syntax", go_quote(text)));
    }
    if (factor < 0 || factor > 5) co_return refuse("Invalid relay-factor: Relay factor must be in range: [0, 5]");
  }
  if (const auto text = call.param("local-only"); !text.empty() && !parse_bool(text)) {
    co_return refuse(
        fmt::format("Error parsing local-only: strconv.ParseBool: parsing {}: invalid syntax", go_quote(text)));
  }
  if (call.request.method != "GET") {
    const auto body = parse_json(call.request.body);
    if (!body) co_return refuse("Request decode failed: " + body.error().message);
  }
  constexpr std::string_view kEmpty = "Keyring is empty (encryption not enabled)";
  const auto identity = call.backend.writer.identity();
  co_return http::text(500, error_list({"WAN error: 1/1 nodes reported failure",
                                        fmt::format("{}.{}: {}", identity.node, identity.datacenter, kEmpty),
                                        fmt::format("{} (LAN) error: 1/1 nodes reported failure", identity.datacenter),
                                        fmt::format("{}: {}", identity.node, kEmpty)}));
}

asio::awaitable<http::Response> raft_peer(const Call& call) {
  const auto id = call.param("id");
  const auto address = call.param("address");
  if (id.empty() && address.empty()) {
    co_return http::text(
        400, "Bad request: Must specify either ?id with the server's ID or ?address with IP:port of peer to remove");
  }
  if (!id.empty() && !address.empty()) {
    co_return http::text(400, "Bad request: Must specify only one of ?id or ?address");
  }
  const bool by_id = !id.empty();
  const std::string_view which = by_id ? id : address;
  co_return http::text(
      500, fmt::format("{} \"{}\" was not found in the Raft configuration", by_id ? "id" : "address", which));
}

}  // namespace devstack::api

#include "core/api/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/api/blocking.h"
#include "core/api/call.h"
#include "core/api/gzip.h"
#include "core/api/json_writer.h"
#include "core/api/metrics.h"
#include "core/api/paths.h"
#include "core/api/routes.h"
#include "core/api/status.h"
#include "core/base/html.h"
#include "core/base/log.h"

namespace devstack::api {
namespace {

constexpr std::size_t kGzipFrom = 1400;
constexpr std::string_view kNamespaces = "Namespaces are a Consul Enterprise feature";

/// As Go's http.Redirect: only who may read a page gets one.
http::Response moved(const http::Request& request, std::string location) {
  http::Response response;
  response.status = 301;
  if (request.method == "GET" || request.method == "HEAD") {
    if (request.method == "GET") response.body = "<a href=\"" + escape_html(location) + "\">Moved Permanently</a>.\n\n";
    response.headers.set("Content-Type", "text/html; charset=utf-8");
  }
  response.headers.set("Location", std::move(location));
  return response;
}

http::Response moved_to_path(const http::Request& request, std::string_view path) {
  std::string location = http::encode_path(path, http::Slash::keep);
  if (!request.raw_query().empty()) location.append("?").append(request.raw_query());
  return moved(request, std::move(location));
}

bool has_control_character(std::string_view path) {
  return std::any_of(path.begin(), path.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

bool may_need_cleaning(std::string_view path) {
  return path.empty() || path.front() != '/' || path.find("//") != std::string_view::npos ||
         path.find("/.") != std::string_view::npos;
}

bool allows(std::string_view methods, std::string_view method) {
  std::string_view rest = methods;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    if (rest.substr(0, comma) == method) return true;
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
  }
  return false;
}

/// One prepared query answers for its methods itself, unlike the table, since they depend on what is asked of it.
bool is_one_query(const Route& route) { return route.path == "/v1/query/"; }

std::string_view methods_of(const Route& route, const Call& call) {
  const bool only_read = is_one_query(route) && (call.rest.ends_with("/execute") || call.rest.ends_with("/explain"));
  return only_read ? "GET" : route.methods;
}

http::Response tell_methods(const Route& route, std::string_view methods) {
  auto response = is_one_query(route) ? http::json(200, "{}") : empty();
  response.headers.set("Allow", fmt::format("OPTIONS,{}", methods));
  return response;
}

http::Response refuse_method(const Route& route, std::string_view methods, std::string_view method) {
  auto response = http::text(405, fmt::format("method {} not allowed", method));
  response.headers.set("Allow", fmt::format("{}{}", is_one_query(route) ? "" : "OPTIONS,", methods));
  return response;
}

/// What the agent says of itself does not take the options of a read.
bool takes_options(const Route& route, const Call& call) {
  return call.query.begin() != call.query.end() && !route.path.starts_with("/v1/agent/");
}

bool names_other_datacenter(const Route& route, const Call& call) {
  if (route.checks == Checks::none || route.checks == Checks::name_space) return false;
  auto datacenter = call.query.get("datacenter");
  if (!datacenter) datacenter = call.query.get("dc");
  return datacenter && !datacenter->empty() && *datacenter != call.backend.writer.identity().datacenter;
}

/// Namespaces are for others.
std::optional<http::Response> refuse_namespace(const Route& route, const Call& call) {
  if (route.checks != Checks::name_space && route.checks != Checks::datacenter_and_namespace) return std::nullopt;
  const auto refused = [](std::optional<std::string_view> value) { return value && !value->empty(); };
  if (refused(call.query.get("ns"))) {
    return http::text(400, fmt::format("Bad request: Invalid query parameter: \"ns\" - {}", kNamespaces));
  }
  if (refused(call.request.headers.get("X-Consul-Namespace"))) {
    return http::text(400, fmt::format("Bad request: Invalid header: \"X-Consul-Namespace\" - {}", kNamespaces));
  }
  return std::nullopt;
}

/// A foreign datacenter has no path, but what is missing in the request itself is told first.
http::Response no_path(const Route& route, const Call& call) {
  if (call.request.method == "GET" && route.read != nullptr) {
    Answer answer;
    route.read(call, *call.backend.view.snapshot(), answer);
    if (answer.final && answer.body.starts_with("Missing ")) return http::text(answer.status, std::move(answer.body));
  }
  return http::text(500, "No path to datacenter");
}

/// Consul 1.10 answers a blocking or cached look at a service's health from a stream that it subscribes to, and says
/// so; sorted by distance (`near`) it asks its servers, as for everything else.
std::string_view query_backend(const Route& route, const Call& call) {
  const bool streamed = route.path == "/v1/health/service/" || route.path == "/v1/health/connect/";
  const bool asked = call.options.index > 0 || call.query.has("cached");
  return streamed && asked && call.param("near").empty() ? "streaming" : "blocking-query";
}

http::Response to_response(const Route& route, const Call& call, Answer answer) {
  http::Response response;
  response.status = answer.status;
  response.body = std::move(answer.body);
  auto& headers = response.headers;
  if (!answer.content_type.empty()) headers.add("Content-Type", std::string(answer.content_type));
  for (auto& [name, value] : answer.headers) headers.add(std::move(name), std::move(value));
  if (route.cacheable && !answer.final && call.query.has("cached")) headers.add("X-Cache", "MISS");
  if (answer.final || answer.bare || route.header == Header::none) return response;
  headers.add("X-Consul-Index", std::to_string(answer.index));
  headers.add("X-Consul-Knownleader", "true");
  headers.add("X-Consul-Lastcontact", "0");
  headers.add("X-Consul-Query-Backend", std::string(query_backend(route, call)));
  if (route.header == Header::index_and_consistency) {
    headers.add("X-Consul-Effective-Consistency", std::string(name_of(call.options.consistency)));
  }
  return response;
}

asio::awaitable<http::Response> carry_out(const Route& route, Call& call) {
  const std::string& method = call.request.method;
  const auto methods = methods_of(route, call);
  if (method == "OPTIONS") co_return tell_methods(route, methods);
  if (!allows(methods, method)) co_return refuse_method(route, methods, method);
  const bool reads = method == "GET" && route.read != nullptr;
  if (reads && takes_options(route, call)) {
    const auto options = read_options(call.query);
    if (!options) co_return http::text(400, options.error().message);
    call.options = *options;
  }
  if (auto refusal = refuse_namespace(route, call)) co_return std::move(*refusal);
  if (names_other_datacenter(route, call)) co_return no_path(route, call);
  if (!reads) co_return co_await route.act(call);
  if (route.header != Header::none && !call.backend.view.synced()) co_return http::text(500, "No cluster leader");
  Answer answer = co_await answer_when_changed(route, call);
  co_return to_response(route, call, std::move(answer));
}

bool is_json(const http::Response& response) {
  return response.headers.get("Content-Type").value_or("") == "application/json";
}

/// What every answer under /v1 carries, and the transfer form the client asked for.
void finish(const http::Request& request, const http::Query& query, http::Response& response) {
  response.headers.add("X-Consul-Default-Acl-Policy", "allow");
  response.headers.add("Vary", "Accept-Encoding");
  if (response.stream) return;
  if (query.has("pretty") && is_json(response) && !response.body.empty()) response.body = pretty_json(response.body);
  const bool packed_already = response.headers.get("Content-Type").value_or("") == "application/x-gzip";
  if (response.body.size() < kGzipFrom || packed_already) return;
  const auto accepted = request.headers.get("Accept-Encoding");
  if (!accepted || !accepts_gzip(*accepted)) return;
  std::string packed = gzip(response.body);
  if (packed.empty()) return;
  response.body = std::move(packed);
  response.headers.add("Content-Encoding", "gzip");
}

http::Response outside_api(const http::Request& request, std::string_view path, const std::string& ui_location) {
  if (path == "/robots.txt") return http::text(200, "User-agent: *\nDisallow: /");
  const bool root = path == "/";
  const bool ui = path == "/ui" || path.starts_with("/ui/");
  if ((root || ui) && !ui_location.empty()) return moved(request, ui_location);
  if (root) return http::text(200, "Consul Agent");
  return empty(404);
}

}  // namespace

std::string_view name_of(Consistency consistency) {
  switch (consistency) {
    case Consistency::leader:
      return "leader";
    case Consistency::stale:
      return "stale";
    case Consistency::consistent:
      return "consistent";
  }
  return "leader";
}

http::Response empty(int status) {
  http::Response response;
  response.status = status;
  return response;
}

http::Response respond(const Error& error) { return http::text(http_status(error.code), error.message); }

http::Response boolean(bool value) { return http::json(200, value ? "true" : "false"); }

void Answer::refuse(int with_status, std::string text) {
  status = with_status;
  body = std::move(text);
  content_type = "text/plain; charset=utf-8";
  final = true;
}

void Answer::refuse(const Error& error) { refuse(http_status(error.code), error.message); }

Blocked::Blocked(const Backend& backend) : count_(backend.blocked), admitted_(count_ < backend.options.blocked_most) {
  count_ += admitted_ ? 1 : 0;
}

struct Api::Impl {
  ApiOptions options;
  BlockingPool pool;
  Metrics metrics;
  CountedWriter counted;
  std::size_t blocked = 0;
  Backend backend;

  Impl(registry::RegistryView& view, registry::RegistryWriter& writer, ApiOptions given)
      : options(std::move(given)),
        metrics(options.metrics_interval, patterns()),
        counted(writer, metrics),
        backend{view, counted, options, pool, metrics, blocked} {}

  static std::vector<std::string> patterns() {
    std::vector<std::string> out;
    for (const auto& route : routes()) out.emplace_back(route.path);
    return out;
  }
  /// As it is registered, since upper and lower case are one; "" for none.
  static std::string service_of(const Call& call) {
    const auto instances = call.backend.view.snapshot()->instance_set(call.rest);
    return instances->empty() ? "" : instances->front().service->name;
  }
  void answered(const Route& route, const Call& call, std::chrono::nanoseconds took) {
    const auto number = static_cast<std::size_t>(&route - routes().data());
    metrics.request(number, call.request.method, metrics.by_service(number) ? service_of(call) : "", took);
    log::debug("http", "Request finished: method={} url={} from={} latency={:.3f}ms", call.request.method,
               call.request.target, call.request.peer, static_cast<double>(took.count()) / 1e6);
  }
};

Api::Api(registry::RegistryView& view, registry::RegistryWriter& writer, ApiOptions options)
    : impl_(std::make_unique<Impl>(view, writer, std::move(options))) {}

Api::~Api() = default;

asio::awaitable<http::Response> Api::handle(http::Request request) {
  const auto path = http::decode_path(request.raw_path());
  if (!path) co_return http::text(400, "400 Bad Request");
  if (has_control_character(*path)) co_return empty(400);
  if (may_need_cleaning(*path)) {
    const std::string cleaned = clean_path(*path);
    if (cleaned != *path) co_return moved_to_path(request, cleaned);
  }
  if (!path->starts_with("/v1/")) co_return outside_api(request, *path, impl_->options.ui_location);
  const Match match = find_route(*path);
  if (match.needs_slash) co_return moved_to_path(request, *path + "/");
  if (match.route == nullptr) co_return empty(404);
  const auto query = http::Query::parse(request.raw_query());
  if (!query) co_return empty(500);
  Call call{impl_->backend, request, match.rest, *query, {}};
  const auto began = std::chrono::steady_clock::now();
  http::Response response = co_await carry_out(*match.route, call);
  impl_->answered(*match.route, call, std::chrono::steady_clock::now() - began);
  finish(request, *query, response);
  co_return response;
}

}  // namespace devstack::api

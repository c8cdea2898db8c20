#include "core/ui/ui.h"

#include <boost/asio/ip/address.hpp>
#include <chrono>

#include "core/ui/assets.h"
#include "core/ui/page.h"

namespace devstack::ui {
namespace {

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void protect(http::Response& response) {
  response.headers.set("Content-Security-Policy",
                       "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
                       "frame-ancestors 'none'");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("X-Frame-Options", "DENY");
  response.headers.set("Referrer-Policy", "no-referrer");
  response.headers.set("Cross-Origin-Resource-Policy", "same-origin");
  response.headers.set("Cross-Origin-Opener-Policy", "same-origin");
}

bool reads(const http::Request& request) { return request.method == "GET" || request.method == "HEAD"; }

http::Response method_not_allowed(std::string allow) {
  auto response = http::text(405, "method not allowed: use " + allow + "\n");
  response.headers.set("Allow", std::move(allow));
  return response;
}

http::Response forbidden(const Error& error) { return http::text(403, error.message + "\n"); }

/// "127.0.0.1:7500", "[::1]:7500".
std::string authority(const asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address().to_string();
  return fmt::format("{}:{}", endpoint.address().is_v6() ? "[" + address + "]" : address, endpoint.port());
}

}  // namespace

Ui::Ui(asio::any_io_executor loop, control::ControlApi& api, UiOptions options)
    : loop_(std::move(loop)),
      api_(api),
      options_(std::move(options)),
      token_(random_token()),
      instance_(random_token()),
      access_(options_.addresses, options_.names, token_) {}

asio::awaitable<Result<void>> Ui::start() {
  co_await stop();
  http::ServerLimits limits;
  limits.connections = 256;
  limits.body_bytes = 64U << 10U;
  server_ = std::make_unique<http::Server>(
      loop_, "ui", [this](http::Request request) { return handle(std::move(request)); }, limits);
  auto port = options_.port;
  for (const auto& text : options_.addresses) {
    boost::system::error_code wrong;
    const auto address = asio::ip::make_address(text, wrong);
    auto bound =
        wrong ? Result<asio::ip::tcp::endpoint>(fail(Errc::invalid_argument, "ui: \"{}\" is not an address", text))
              : server_->listen(asio::ip::tcp::endpoint(address, port));
    if (!bound) {
      auto error = std::move(bound).error();
      if (error.code == Errc::port_taken && options_.port_taken) error = options_.port_taken(text, port);
      co_await stop();
      co_return tl::unexpected<Error>(std::move(error));
    }
    port = bound->port();
  }
  if (on_change) on_change();
  co_return Result<void>();
}

asio::awaitable<void> Ui::stop() {
  if (!server_) co_return;
  // Open event streams would hold every stop up for the whole grace: none of them has anything to finish.
  co_await server_->stop(std::chrono::milliseconds(50));
  server_.reset();
}

ComponentReport Ui::report() const {
  ComponentReport report;
  if (!server_) return report;
  for (const auto& endpoint : server_->endpoints()) {
    report.addresses.push_back(authority(endpoint));
    if (!endpoint.address().is_unspecified()) report.links.push_back("http://" + authority(endpoint) + "/");
  }
  return report;
}

http::Response Ui::page() const {
  const auto shell = find_asset("page.html", options_.dir);
  if (!shell) return http::text(500, "page.html is missing in " + options_.dir + "\n");
  http::Response response;
  response.headers.set("Content-Type", std::string(shell->content_type));
  response.headers.set("Cache-Control", "no-store");
  response.body = render_page(shell->content, api_.status(), {instance_, unix_now()}, token_);
  return response;
}

http::Response Ui::asset(std::string_view name) const {
  auto found = name == "page.html" ? std::nullopt : find_asset(name, options_.dir);
  if (!found) return http::text(404, "not found\n");
  http::Response response;
  response.headers.set("Content-Type", std::string(found->content_type));
  response.headers.set("Cache-Control", "no-cache");
  response.body = std::move(found->content);
  return response;
}

asio::awaitable<http::Response> Ui::route(http::Request request) {
  const std::string path(request.raw_path());
  constexpr std::string_view kUnits = "/api/units/";
  if (path.starts_with(kUnits)) {
    if (request.method != "POST") co_return method_not_allowed("POST");
    if (const auto allowed = access_.may_change(request); !allowed) co_return forbidden(allowed.error());
    request.target = "/v1/units/" + path.substr(kUnits.size());
    co_return co_await api_.handle(std::move(request));
  }
  if (!reads(request)) co_return method_not_allowed("GET");
  if (path == "/") co_return page();
  if (path == "/api/status") {
    request.target = "/v1/status";
    co_return co_await api_.handle(std::move(request));
  }
  if (path == "/api/queries") {
    const std::string query(request.raw_query());
    request.target = "/v1/dns/queries" + (query.empty() ? "" : "?" + query);
    co_return co_await api_.handle(std::move(request));
  }
  if (path == "/queries") co_return asset("queries.html");
  if (path == "/api/events") {
    const auto query = http::Query::parse(request.raw_query());
    if (query && query->get("view") == "page") {
      co_return api_.event_response("page", [this](const supervisor::Status& status) {
        return render_live(status, {instance_, unix_now()});
      });
    }
    request.target = "/v1/status/events";
    co_return co_await api_.handle(std::move(request));
  }
  co_return asset(std::string_view(path).substr(1));
}

asio::awaitable<http::Response> Ui::handle(http::Request request) {
  const auto allowed = access_.may_read(request);
  http::Response response;
  if (allowed) {
    response = co_await route(std::move(request));
  } else {
    response = forbidden(allowed.error());
  }
  protect(response);
  co_return response;
}

}  // namespace devstack::ui

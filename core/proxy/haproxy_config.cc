#include "core/proxy/haproxy_config.h"

#include <fmt/format.h>

namespace devstack::proxy::haproxy {
namespace {

/// A page must fit HAProxy's buffer (16 KiB with the headers); what does not is counted.
constexpr std::size_t page_budget = 9000;

constexpr std::string_view global_text = R"(# Written by devstack: changes here are overwritten.
global
  stats socket {socket} mode 600 level admin expose-fd listeners
  maxconn 4096
  hard-stop-after {drain}
{user}
defaults
  mode http
  timeout connect 1s
  timeout client 600s
  timeout server 600s
  timeout tunnel 1h
  timeout http-request 10s
  timeout http-keep-alive 60s
  timeout queue 10s
  balance roundrobin
  # A dead instance costs a retry on another one, not the request. Requests that change something are sent again only
  # when they have not left yet.
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response
  option forwardfor
  # After a reload the old process answers one more request on a kept-alive connection instead of cutting it.
  option idle-close-on-response

frontend http
{binds}  http-request set-var(txn.host) req.hdr(host),host_only,lower
  http-request set-var(txn.shown) var(txn.host),regsub("[^a-z0-9._:-]","?",g)
  http-request set-var(txn.backend) var(txn.host),map({hosts},unknown)
  http-request disable-l7-retry if !{{ method GET HEAD OPTIONS }}
  http-request set-header X-Forwarded-Host %[req.hdr(host)] if {{ req.hdr(host) -m found }}
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port %[dst_port]
  use_backend %[var(txn.backend)]
  default_backend unknown

backend unknown
  http-request return status 404 content-type "text/html; charset=utf-8" lf-file {html} if {{ req.hdr(accept) -m sub text/html }}
  http-request return status 404 content-type "text/plain; charset=utf-8" lf-file {text}
)";

// No rule on nbsrv: in a process that finishes after a reload it says 0 while the servers are well.
constexpr std::string_view backend_text = R"(
backend {backend}
  http-error status 503 content-type "text/plain; charset=utf-8" hdr Retry-After 1 lf-string "devstack: no healthy instance of {service} answers (asked for %[var(txn.shown)])\n"
)";

std::string binds(const Model& model) {
  std::string out;
  for (const auto& address : model.bind) {
    const bool v6 = address.find(':') != std::string::npos;
    out += fmt::format("  bind {}:{}{}\n", v6 ? "[" + address + "]" : address, model.port, v6 ? " v6only" : "");
  }
  return out;
}

std::string backends(const Model& model) {
  std::string out;
  for (const auto& route : model.routes) {
    out +=
        fmt::format(backend_text, fmt::arg("backend", backend_name(route.service)), fmt::arg("service", route.service));
    for (const auto& backend : route.backends) {
      out += fmt::format("  server {} {}\n", server_name(backend), proxy::to_string(backend));
    }
  }
  return out;
}

std::string url_of(const Model& model, const Route& route) {
  return "http://" + route.hosts.front() + (model.port == 80 ? "" : ":" + std::to_string(model.port)) + "/";
}

/// One line a service as long as the page has room.
template <class Line>
std::string listing(const Model& model, Line line) {
  std::string out;
  for (std::size_t i = 0; i < model.routes.size(); ++i) {
    auto next = line(model.routes[i]);
    if (out.size() + next.size() > page_budget) return out + fmt::format("… and {} more\n", model.routes.size() - i);
    out += next;
  }
  return out;
}

}  // namespace

Paths Paths::in(const std::string& folder, const std::string& admin_socket) {
  return {folder + "/haproxy.cfg", folder + "/hosts.map", folder + "/unknown.html", folder + "/unknown.txt",
          admin_socket};
}

std::string backend_name(const std::string& service) { return "svc:" + service; }

std::string server_name(const Backend& backend) { return fmt::format("{}:{}", backend.address, backend.port); }

std::string hosts_map(const Model& model) {
  std::string out;
  for (const auto& route : model.routes) {
    for (const auto& host : route.hosts) {
      // A fully qualified name may carry its dot.
      out += fmt::format("{0} {1}\n{0}. {1}\n", host, backend_name(route.service));
    }
  }
  return out;
}

std::string config_text(const Model& model, const Paths& paths, const ConfigOptions& options) {
  const auto user = options.user.empty() ? "" : fmt::format("  user {}\n", options.user);
  auto out = fmt::format(global_text, fmt::arg("socket", paths.admin_socket), fmt::arg("drain", options.drain_timeout),
                         fmt::arg("user", user), fmt::arg("binds", binds(model)), fmt::arg("hosts", paths.hosts),
                         fmt::arg("html", paths.unknown_html), fmt::arg("text", paths.unknown_text));
  out += backends(model);
  if (!model.extra.empty()) out += "\n" + model.extra + "\n";
  return out;
}

std::string unknown_page_html(const Model& model) {
  const auto list = listing(model, [&](const Route& route) {
    return fmt::format("<li><a href=\"{}\">{}</a></li>\n", url_of(model, route), route.service);
  });
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>No such service</title>\n"
         "<style>body{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;max-width:40rem;padding:0 1rem}</style>"
         "</head><body>\n<h1>No service answers to <code>%[var(txn.shown)]</code></h1>\n" +
         (list.empty() ? "<p>No service is registered yet.</p>\n"
                       : "<p>These are registered:</p>\n<ul>\n" + list + "</ul>\n") +
         "</body></html>\n";
}

std::string unknown_page_text(const Model& model) {
  const auto list = listing(
      model, [&](const Route& route) { return fmt::format("  {}  {}\n", route.service, url_of(model, route)); });
  return "devstack: no service answers to \"%[var(txn.shown)]\"\n" +
         (list.empty() ? "no service is registered yet\n" : "registered services:\n" + list);
}

std::vector<File> files(const Model& model, const Paths& paths, const ConfigOptions& options) {
  return {{paths.hosts, hosts_map(model)},
          {paths.unknown_html, unknown_page_html(model)},
          {paths.unknown_text, unknown_page_text(model)},
          {paths.config, config_text(model, paths, options)}};
}

}  // namespace devstack::proxy::haproxy

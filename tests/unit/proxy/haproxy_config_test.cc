#include "core/proxy/haproxy_config.h"

#include <gtest/gtest.h>

namespace devstack::proxy {
namespace {

using haproxy::ConfigOptions;
using haproxy::Paths;

Model model() {
  Model out;
  out.bind = {"127.0.0.1", "172.17.0.1"};
  out.routes = {{"api", {"api.localhost", "api.service.consul"}, {}},
                {"web", {"web.localhost"}, {{"172.17.0.2", 8080}, {"fd00::2", 80}}}};
  return out;
}

const Paths paths = Paths::in("/state/a", "/state/admin.sock");

TEST(HaproxyConfig, IsThisText) {
  ConfigOptions options;
  options.user = "haproxy";
  EXPECT_EQ(haproxy::config_text(model(), paths, options), R"(# Written by devstack: changes here are overwritten.
global
  stats socket /state/admin.sock mode 600 level admin expose-fd listeners
  maxconn 4096
  hard-stop-after 600s
  user haproxy

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
  bind 127.0.0.1:80
  bind 172.17.0.1:80
  http-request set-var(txn.host) req.hdr(host),host_only,lower
  http-request set-var(txn.shown) var(txn.host),regsub("[^a-z0-9._:-]","?",g)
  http-request set-var(txn.backend) var(txn.host),map(/state/a/hosts.map,unknown)
  http-request disable-l7-retry if !{ method GET HEAD OPTIONS }
  http-request set-header X-Forwarded-Host %[req.hdr(host)] if { req.hdr(host) -m found }
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port %[dst_port]
  use_backend %[var(txn.backend)]
  default_backend unknown

backend unknown
  http-request return status 404 content-type "text/html; charset=utf-8" lf-file /state/a/unknown.html if { req.hdr(accept) -m sub text/html }
  http-request return status 404 content-type "text/plain; charset=utf-8" lf-file /state/a/unknown.txt

backend svc:api
  http-error status 503 content-type "text/plain; charset=utf-8" hdr Retry-After 1 lf-string "devstack: no healthy instance of api answers (asked for %[var(txn.shown)])\n"

backend svc:web
  http-error status 503 content-type "text/plain; charset=utf-8" hdr Retry-After 1 lf-string "devstack: no healthy instance of web answers (asked for %[var(txn.shown)])\n"
  server 172.17.0.2:8080 172.17.0.2:8080
  server fd00::2:80 [fd00::2]:80
)");
}

TEST(HaproxyConfig, ExtraTextStandsLast) {
  auto with_extra = model();
  with_extra.extra = "listen other\n  bind :9000";
  const auto text = haproxy::config_text(with_extra, paths, {});
  EXPECT_TRUE(text.ends_with("\nlisten other\n  bind :9000\n"));
  EXPECT_EQ(text.find("  user "), std::string::npos);
}

TEST(HaproxyConfig, MapHasEveryHostWithAndWithoutItsDot) {
  EXPECT_EQ(haproxy::hosts_map(model()),
            "api.localhost svc:api\napi.localhost. svc:api\n"
            "api.service.consul svc:api\napi.service.consul. svc:api\n"
            "web.localhost svc:web\nweb.localhost. svc:web\n");
}

TEST(HaproxyConfig, PagesListServicesWithTheirUrls) {
  auto on_8080 = model();
  on_8080.port = 8080;
  EXPECT_EQ(haproxy::unknown_page_text(on_8080),
            "devstack: no service answers to \"%[var(txn.shown)]\"\nregistered services:\n"
            "  api  http://api.localhost:8080/\n  web  http://web.localhost:8080/\n");
  EXPECT_NE(haproxy::unknown_page_html(model()).find("<a href=\"http://web.localhost/\">web</a>"), std::string::npos);
  EXPECT_NE(haproxy::unknown_page_text(Model{}).find("no service is registered yet"), std::string::npos);
}

TEST(HaproxyConfig, PagesFitHaproxysBuffer) {
  Model big;
  for (int i = 0; i < 2000; ++i) {
    const auto name = "service-" + std::to_string(i);
    big.routes.push_back({name, {name + ".localhost"}, {}});
  }
  for (const auto& page : {haproxy::unknown_page_html(big), haproxy::unknown_page_text(big)}) {
    EXPECT_LT(page.size(), 12000U);
    EXPECT_NE(page.find(" more\n"), std::string::npos);
  }
}

TEST(ModelChanges, BackendsOnly) {
  auto to = model();
  to.routes[1].backends = {{"172.17.0.2", 8080}, {"172.17.0.9", 80}};
  ASSERT_TRUE(only_backends_differ(model(), to));
  const auto changes = backend_changes(model(), to);
  EXPECT_EQ(changes.add, (std::vector<BackendChange>{{"web", {"172.17.0.9", 80}}}));
  EXPECT_EQ(changes.remove, (std::vector<BackendChange>{{"web", {"fd00::2", 80}}}));
}

TEST(ModelChanges, AnythingElseIsMore) {
  for (const auto& change : std::vector<void (*)(Model&)>{
           [](Model& m) { m.bind.pop_back(); }, [](Model& m) { m.port = 81; }, [](Model& m) { m.extra = "x"; },
           [](Model& m) { m.routes.pop_back(); }, [](Model& m) { m.routes[0].hosts.pop_back(); }}) {
    auto to = model();
    change(to);
    EXPECT_FALSE(only_backends_differ(model(), to));
  }
}

}  // namespace
}  // namespace devstack::proxy

#include "core/proxy/routes.h"

#include <gtest/gtest.h>

#include "core/registry/state.h"

namespace devstack::proxy {
namespace {

using registry::Command;

class Routes : public testing::Test {
 protected:
  void add(const std::string& id, const std::string& name, const std::string& address, int port,
           const std::string& status = {}, std::vector<std::string> tags = {}) {
    registry::RegisterCommand change;
    change.node.name = "vm";
    change.node.address = "10.0.0.2";
    registry::Service service;
    service.id = id;
    service.name = name;
    service.address = address;
    service.port = port;
    service.tags = std::move(tags);
    change.service = service;
    if (!status.empty()) {
      registry::Check check;
      check.id = "check:" + id;
      check.name = "check";
      check.status = status;
      check.service_id = id;
      change.checks.push_back(check);
    }
    auto applied = state_.apply(Command(change));
    ASSERT_TRUE(applied) << applied.error().to_string();
    state_ = applied->state;
  }
  RouteTable table() { return routes(state_, {}); }
  registry::State state_;
};

TEST_F(Routes, ServiceAnswersUnderItsThreeNames) {
  add("web-1", "Web", "172.17.0.2", 8080);
  const auto found = table();
  ASSERT_EQ(found.routes.size(), 1U);
  EXPECT_EQ(found.routes[0].service, "web");
  EXPECT_EQ(found.routes[0].hosts,
            (std::vector<std::string>{"web.localhost", "web.service.consul", "web.service.dc1.consul"}));
  EXPECT_EQ(found.routes[0].backends, (std::vector<Backend>{{"172.17.0.2", 8080}}));
}

TEST_F(Routes, EmptyRoutesAreAddedForNamesThatHaveNone) {
  add("web-1", "web", "172.17.0.2", 8080);
  auto all = table().routes;
  add_empty_routes(all, {"WEB", "api", "Api", "not a host name", "consul"}, {});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].service, "api");
  EXPECT_EQ(all[0].hosts.front(), "api.localhost");
  EXPECT_TRUE(all[0].backends.empty());
  EXPECT_EQ(all[1].backends.size(), 1U);
  EXPECT_EQ(find_route(all, "web"), &all[1]);
  EXPECT_EQ(find_route(all, "we"), nullptr);
}

TEST_F(Routes, OtherDomainsAndDatacenter) {
  add("web-1", "web", "172.17.0.2", 80);
  RouteOptions options;
  options.domains = {"Test"};
  options.registry_domain = "home";
  options.datacenter = "Lab";
  EXPECT_EQ(routes(state_, options).routes[0].hosts,
            (std::vector<std::string>{"web.test", "web.service.home", "web.service.lab.home"}));
}

TEST_F(Routes, ConsulItselfHasNone) {
  add("consul", "consul", "", 8300);
  EXPECT_TRUE(table().routes.empty());
}

TEST_F(Routes, CriticalInstancesGetNoTraffic) {
  add("a", "web", "172.17.0.2", 80, "passing");
  add("b", "web", "172.17.0.3", 80, "critical");
  EXPECT_EQ(table().routes[0].backends, (std::vector<Backend>{{"172.17.0.2", 80}}));
}

TEST_F(Routes, WarningsOnlyWhereNothingPasses) {
  add("a", "web", "172.17.0.2", 80, "warning");
  EXPECT_EQ(table().routes[0].backends, (std::vector<Backend>{{"172.17.0.2", 80}}));
  add("b", "web", "172.17.0.3", 80, "passing");
  EXPECT_EQ(table().routes[0].backends, (std::vector<Backend>{{"172.17.0.3", 80}}));
}

TEST_F(Routes, ServiceWithoutHealthyInstanceKeepsItsRoute) {
  add("a", "web", "172.17.0.2", 80, "critical");
  ASSERT_EQ(table().routes.size(), 1U);
  EXPECT_TRUE(table().routes[0].backends.empty());
}

TEST_F(Routes, UdpAndPortlessInstancesDoNotCount) {
  add("tcp", "dns", "172.17.0.2", 53);
  add("udp", "dns", "172.17.0.2", 53, {}, {"udp"});
  add("only-udp", "ntp", "172.17.0.3", 123, {}, {"x", "udp"});
  add("portless", "job", "172.17.0.4", 0);
  const auto found = table();
  ASSERT_EQ(found.routes.size(), 1U);
  EXPECT_EQ(found.routes[0].service, "dns");
  EXPECT_EQ(found.routes[0].backends.size(), 1U);
}

TEST_F(Routes, NodesAddressStandsInForAMissingOne) {
  add("a", "web", "", 80);
  EXPECT_EQ(table().routes[0].backends, (std::vector<Backend>{{"10.0.0.2", 80}}));
}

TEST_F(Routes, UnusableNamesAreSkippedAndTheOthersStay) {
  add("a", "we b\nbackend evil", "172.17.0.2", 80);
  add("b", "fine", "172.17.0.3", 80);
  const auto found = table();
  ASSERT_EQ(found.routes.size(), 1U);
  EXPECT_EQ(found.routes[0].service, "fine");
  ASSERT_EQ(found.skipped.size(), 1U);
  EXPECT_EQ(found.skipped[0].what, "we b\nbackend evil");
}

TEST_F(Routes, AddressesThatAreNamesAreSkippedButLocalhost) {
  add("a", "web", "db.example.com", 80);
  add("b", "web", "localhost", 81);
  const auto found = table();
  EXPECT_EQ(found.routes[0].backends, (std::vector<Backend>{{"127.0.0.1", 81}}));
  ASSERT_EQ(found.skipped.size(), 1U);
  EXPECT_EQ(found.skipped[0].what, "a");
}

TEST_F(Routes, SameAddressTwiceIsOneBackendAndTheyAreSorted) {
  add("a", "web", "172.17.0.3", 80);
  add("b", "web", "172.17.0.2", 80);
  add("c", "web", "172.17.0.3", 80);
  EXPECT_EQ(table().routes[0].backends, (std::vector<Backend>{{"172.17.0.2", 80}, {"172.17.0.3", 80}}));
}

}  // namespace
}  // namespace devstack::proxy

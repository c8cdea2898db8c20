// Names from inside containers, as programs there resolve them: with glibc, with musl, and with busybox's own resolver;
// on docker0, where a container asks us itself, and on a network of the user's, where Docker's 127.0.0.11 stands
// between.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

using ::testing::HasSubstr;

constexpr const char* kNetwork = "e2e-resolvers";
constexpr const char* kUpstream = "127.0.0.1:15353";

/// busybox, glibc's getent and a program that musl-gcc linked.
std::string image() {
  const std::string base = busybox_image("tools", {"CMD [\"sleep\", \"600\"]"});
  const std::string name = "devstack-e2e/resolvers";
  if (sh("docker image inspect " + name).code == 0) return name;
  ok("set -e; d=$(mktemp -d); docker create --name e2e-resolvers-base " + base +
     " >/dev/null; docker export e2e-resolvers-base | tar -C $d -x; docker rm e2e-resolvers-base >/dev/null; "
     "musl-gcc -static -O1 -Wall -o $d/bin/resolve " DEVSTACK_SOURCE_DIR
     "/tests/e2e/resolve.c; "
     "tar -C $d -c . | docker import -c 'CMD [\"sleep\", \"600\"]' - " +
     name + " >/dev/null; rm -rf $d");
  return name;
}

class Resolvers : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ok("dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces --listen-address=127.0.0.1 --port=15353 "
       "--address=/www.example.org/10.1.2.3 --local=/example.org/ --pid-file=/tmp/devstack-e2e-dnsmasq.pid");
    ok(std::string("docker network create ") + kNetwork);
    appliance_ = new Appliance(fmt::format(R"(
name: e2eresolvers
dns:
  domains: [consul, test]
  recursors: ["{}"]
  records: {{legacy.test: 10.0.0.9}}
services:
  hello: {{image: devstack/hello, ports: ["8080"]}}
  inside: {{image: {}, stop_signal: SIGKILL, depends_on: [hello]}}
)",
                                           kUpstream, image()));
    appliance_->must("up");
    containers_ = new Containers;
    const std::string flags = "--dns " + bridge() + " --dns-search service.consul ";
    containers_->run("e2e-on-docker0", flags + image());
    // Docker asks for ndots:0 on such a network, and musl does not search then.
    containers_->run("e2e-on-network", flags + "--dns-opt ndots:1 --network " + kNetwork + " " + image());
    hello_ = ok("docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' " +
                ok("docker ps -q --filter ancestor=devstack/hello --filter status=running | head -1"));
  }
  static void TearDownTestSuite() {
    delete containers_;
    delete appliance_;
    sh(std::string("docker network rm ") + kNetwork);
    sh("kill $(cat /tmp/devstack-e2e-dnsmasq.pid)");
  }
  /// `name` by each resolver in `container`; a failure where one of them says something else.
  static void resolves(const std::string& container, const std::string& name, const std::string& address) {
    const auto in = "docker exec " + container + " ";
    EXPECT_THAT(sh(in + "getent ahostsv4 " + name).text, HasSubstr(address)) << "glibc in " << container;
    EXPECT_THAT(sh(in + "resolve " + name).text, HasSubstr(name + " " + address)) << "musl in " << container;
    EXPECT_THAT(sh(in + "ping -c 1 -W 1 " + name).text, HasSubstr("PING " + name + " (" + address + ")"))
        << "busybox in " << container;
  }

  static Appliance* appliance_;
  static Containers* containers_;
  static std::string hello_;
};
Appliance* Resolvers::appliance_ = nullptr;
Containers* Resolvers::containers_ = nullptr;
std::string Resolvers::hello_;

TEST_F(Resolvers, AContainerOfAnybodysResolvesEveryKindOfName) {
  for (const char* container : {"e2e-on-docker0", "e2e-on-network"}) {
    resolves(container, "hello.service.consul", hello_);
    resolves(container, "hello.test", hello_);
    resolves(container, "legacy.test", "10.0.0.9");
    resolves(container, "www.example.org", "10.1.2.3");
  }
}

TEST_F(Resolvers, ASearchDomainMakesShortNames) {
  for (const char* container : {"e2e-on-docker0", "e2e-on-network"}) resolves(container, "hello", hello_);
  // Without that option glibc still searches, after Docker's own aliases.
  containers_->run("e2e-no-option",
                   "--dns " + bridge() + " --dns-search service.consul --network " + kNetwork + " " + image());
  EXPECT_THAT(sh("docker exec e2e-no-option getent ahostsv4 hello").text, HasSubstr(hello_));
  EXPECT_THAT(sh("docker exec e2e-no-option ping -c 1 -W 1 hello").text, HasSubstr("PING hello (" + hello_ + ")"));
  containers_->remove("e2e-no-option");
}

TEST_F(Resolvers, AContainerOfTheStacksAsksUsWithoutBeingTold) {
  const auto inside = ok("docker ps -q --filter name=e2eresolvers --filter ancestor=" + image());
  resolves(inside, "hello.service.consul", hello_);
  resolves(inside, "legacy.test", "10.0.0.9");
  resolves(inside, "www.example.org", "10.1.2.3");
  resolves(inside, "hello", hello_);  // Docker's own alias on the stack's network
}

TEST_F(Resolvers, BusyboxsNslookupReadsOurReplies) {
  const auto said = sh("docker exec e2e-on-docker0 nslookup hello.service.consul " + bridge()).text;
  EXPECT_THAT(said, HasSubstr("Address: " + hello_));
  EXPECT_THAT(sh("docker exec e2e-on-docker0 nslookup nosuch.service.consul " + bridge()).text, HasSubstr("NXDOMAIN"));
}

TEST_F(Resolvers, WhatIsNotThereIsDeniedEverywhere) {
  for (const char* container : {"e2e-on-docker0", "e2e-on-network"}) {
    for (const char* name : {"nosuch.service.consul", "nosuch.example.org", "nosuch"}) {
      EXPECT_NE(sh(fmt::format("docker exec {} getent ahostsv4 {}", container, name)).code, 0) << name;
      EXPECT_NE(sh(fmt::format("docker exec {} resolve {}", container, name)).code, 0) << name;
    }
  }
}

TEST_F(Resolvers, DownSaysWhoIsLeftWithoutDnsAndSparesWhoIsNot) {
  containers_->run("e2e-with-another", "--dns " + bridge() + " --dns 192.0.2.53 " + image());
  const auto down = appliance_->run("down -t 3");
  EXPECT_EQ(down.code, 0);
  EXPECT_THAT(down.text, HasSubstr("ask no DNS server but devstack's"));
  EXPECT_THAT(down.text, HasSubstr("e2e-on-docker0, e2e-on-network"));
  EXPECT_THAT(down.text, ::testing::Not(HasSubstr("e2e-with-another")));
  EXPECT_NE(sh("docker exec e2e-on-docker0 resolve www.example.org").code, 0) << "as was said";
  appliance_->must("up");
  EXPECT_TRUE(eventually([] { return sh("docker exec e2e-on-docker0 resolve www.example.org").code == 0; }))
      << "back with the next up";
}

}  // namespace
}  // namespace devstack::e2e

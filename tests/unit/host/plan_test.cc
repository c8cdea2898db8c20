#include "core/host/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devstack::host {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A machine with a resolv.conf, the folders of its resolver, and no engine.
HostFacts facts(Resolver resolver) {
  HostFacts out;
  out.resolver = resolver;
  out.resolv_conf = "nameserver 10.0.0.1\n";
  for (const auto& path : paths_of_interest()) out.base[path] = {};
  out.base[kResolvConf] = regular_file(out.resolv_conf, 0640, 7, 8);
  const FileState folder{FileState::Kind::directory, "", 0755, 0, 0, 0};
  for (const char* path : {"/etc/systemd", "/etc/systemd/resolved.conf.d", "/etc/NetworkManager",
                           "/etc/NetworkManager/dnsmasq.d", "/etc/dnsmasq.d", "/etc/docker"}) {
    out.base[path] = folder;
  }
  out.now = out.base;
  return out;
}

HostSettings settings() {
  HostSettings out;
  out.address = "172.17.0.1";
  out.domains = {"consul", "test"};
  return out;
}

std::vector<std::string> paths(const Plan& plan) {
  std::vector<std::string> out;
  for (const auto& change : plan.changes) {
    if (change.needed()) out.push_back(change.path);
  }
  return out;
}

TEST(HostPlan, EachResolverIsWiredInItsOwnFile) {
  struct {
    Resolver resolver;
    const char* path;
    const char* text;
  } const cases[] = {
      {Resolver::plain, kResolvConf, "nameserver 172.17.0.1\nnameserver 10.0.0.1\n"},
      {Resolver::resolved, kResolvedDropIn, "[Resolve]\nDNS=172.17.0.1\nDomains=~consul ~test\n"},
      {Resolver::network_manager, kNetworkManagerDropIn, "server=/consul/172.17.0.1\nrebind-domain-ok=/consul/\n"},
      {Resolver::dnsmasq, kDnsmasqDropIn, "server=/test/172.17.0.1\nrebind-domain-ok=/test/\n"},
  };
  for (const auto& one : cases) {
    const auto made = plan(facts(one.resolver), settings());
    ASSERT_TRUE(made);
    EXPECT_THAT(paths(*made), ElementsAre(one.path));
    EXPECT_THAT(made->changes.back().after.bytes, HasSubstr(one.text));
    EXPECT_THAT(made->changes.back().reason, HasSubstr("172.17.0.1"));
  }
}

TEST(HostPlan, AnotherPortIsNamedWhereItCanBe) {
  auto other = settings();
  other.port = 8600;
  EXPECT_THAT(plan(facts(Resolver::resolved), other)->changes.back().after.bytes, HasSubstr("DNS=172.17.0.1:8600\n"));
  EXPECT_THAT(plan(facts(Resolver::dnsmasq), other)->changes.back().after.bytes, HasSubstr("/172.17.0.1#8600\n"));
  const auto refused = plan(facts(Resolver::plain), other);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("cannot name port 8600"));
  other.address = "fd00::1";
  EXPECT_THAT(plan(facts(Resolver::resolved), other)->changes.back().after.bytes, HasSubstr("DNS=[fd00::1]:8600\n"));
  EXPECT_THAT(plan(facts(Resolver::dnsmasq), other)->changes.back().after.bytes, HasSubstr("/fd00::1#8600\n"));
}

TEST(HostPlan, ServersOfResolvedConfComeAfterOurs) {
  auto machine = facts(Resolver::resolved);
  machine.resolved_servers = {"9.9.9.9", "1.1.1.1"};
  const auto made = plan(machine, settings());
  EXPECT_THAT(made->changes.back().after.bytes, HasSubstr("DNS=\nDNS=172.17.0.1 9.9.9.9 1.1.1.1\n"));
  EXPECT_THAT(made->notes, Contains(HasSubstr("restart systemd-resolved")));
}

TEST(HostPlan, AFileKeepsItsModeAndOwnerAndALinkBecomesAFile) {
  auto machine = facts(Resolver::plain);
  auto after = plan(machine, settings())->changes.back().after;
  EXPECT_EQ(after.mode, 0640U);
  EXPECT_EQ(after.uid, 7U);
  EXPECT_EQ(after.gid, 8U);
  machine.now[kResolvConf] = machine.base[kResolvConf] =
      FileState{FileState::Kind::symlink, "../run/resolvconf/resolv.conf", 0, 0, 0, 0};
  machine.writer = "resolvconf";
  const auto made = plan(machine, settings());
  EXPECT_EQ(made->changes.back().after.kind, FileState::Kind::file);
  EXPECT_THAT(made->changes.back().after.bytes, HasSubstr("nameserver 10.0.0.1\n"));
  EXPECT_THAT(made->notes, Contains(HasSubstr("resolvconf writes resolv.conf")));
}

TEST(HostPlan, ANetworkManagerThatWritesResolvConfIsToldToLeaveItAlone) {
  auto machine = facts(Resolver::plain);
  machine.writer = "NetworkManager";
  machine.now[kResolvConf] = machine.base[kResolvConf] =
      FileState{FileState::Kind::symlink, "/run/NetworkManager/resolv.conf", 0, 0, 0, 0};
  const auto made = plan(machine, settings());
  EXPECT_THAT(paths(*made), ElementsAre("/etc/NetworkManager/conf.d", kNetworkManagerConf, kResolvConf));
  EXPECT_THAT(made->changes.at(1).after.bytes, HasSubstr("\n[main]\ndns=none\n"));
  EXPECT_THAT(made->changes.back().after.bytes, HasSubstr("nameserver 172.17.0.1\nnameserver 10.0.0.1\n"));
  EXPECT_THAT(made->notes, Contains(HasSubstr("until `devstack host undo`")));
  const auto told = notifications({kNetworkManagerConf, kResolvConf});
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0].argv, ElementsAre("nmcli", "general", "reload"));
}

TEST(HostPlan, MissingFoldersAreMadeFirst) {
  auto machine = facts(Resolver::resolved);
  machine.now["/etc/systemd/resolved.conf.d"] = machine.base["/etc/systemd/resolved.conf.d"] = {};
  EXPECT_THAT(paths(*plan(machine, settings())), ElementsAre("/etc/systemd/resolved.conf.d", kResolvedDropIn));
}

TEST(HostPlan, DockerGetsTheAddressUnlessItCannotUseIt) {
  auto machine = facts(Resolver::plain);
  auto wanted = settings();
  wanted.resolver = false;
  EXPECT_THAT(paths(*plan(machine, wanted)), IsEmpty()) << "no engine";
  machine.docker = true;
  const auto alone = plan(machine, wanted);
  EXPECT_THAT(paths(*alone), ElementsAre(kDaemonJson));
  EXPECT_THAT(alone->notes, ElementsAre(HasSubstr("containers will ask only 172.17.0.1; while devstack is down they")));
  machine.base[kDaemonJson] = regular_file(R"({"dns": ["10.0.0.1"]})", 0600, 0, 0);
  const auto before_another = plan(machine, wanted);
  EXPECT_THAT(before_another->notes, IsEmpty());
  EXPECT_THAT(before_another->changes.back().reason, HasSubstr("ask 172.17.0.1 first"));
  machine.base.erase(kDaemonJson);
  machine.docker_flag = "--dns";
  EXPECT_THAT(plan(machine, wanted)->notes, ElementsAre(HasSubstr("dockerd got --dns on its command line")));
  EXPECT_THAT(paths(*plan(machine, wanted)), IsEmpty());
  machine.docker_flag.clear();
  wanted.address = "127.0.0.1";
  EXPECT_THAT(plan(machine, wanted)->notes, ElementsAre(HasSubstr("containers cannot ask 127.0.0.1")));
  wanted.address = "172.17.0.1";
  machine.base[kDaemonJson] = regular_file("{", 0600, 0, 0);
  const auto broken = plan(machine, wanted);
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().to_string(), HasSubstr("/etc/docker/daemon.json:1:2: "));
}

TEST(HostPlan, WhatIsMadeAlreadyIsNotNeeded) {
  auto machine = facts(Resolver::resolved);
  machine.docker = true;
  const auto first = plan(machine, settings());
  for (const auto& change : first->changes) machine.now[change.path] = change.after;
  EXPECT_THAT(paths(*plan(machine, settings())), IsEmpty());
  auto moved = settings();
  moved.address = "172.18.0.1";
  EXPECT_THAT(paths(*plan(machine, moved)), ElementsAre(kResolvedDropIn, kDaemonJson));
  EXPECT_EQ(plan(machine, moved)->changes.back().after.bytes, "{\n  \"dns\": [\"172.18.0.1\"]\n}\n");
}

TEST(HostPlan, WhatIsNotWantedAnyMoreIsPutBack) {
  auto machine = facts(Resolver::resolved);
  machine.docker = true;
  const auto first = plan(machine, settings());
  for (const auto& change : first->changes) machine.now[change.path] = change.after;
  auto fewer = settings();
  fewer.docker = false;
  const auto made = plan(machine, fewer);
  EXPECT_THAT(paths(*made), ElementsAre(kDaemonJson));
  EXPECT_FALSE(made->changes.back().after.exists());
}

TEST(HostPlan, ProgramsConcernedAreTold) {
  EXPECT_THAT(notifications({kResolvConf}), IsEmpty());
  const auto all = notifications({kResolvConf, kResolvedDropIn, kNetworkManagerDropIn, kDnsmasqDropIn, kDaemonJson});
  ASSERT_EQ(all.size(), 4U);
  for (const auto& one : all) EXPECT_EQ(one.interrupts, one.program == "Docker");
}

TEST(HostPlan, AMacGetsAFileForEachDomain) {
  EXPECT_THAT(macos_script(settings()),
              HasSubstr("printf 'nameserver 172.17.0.1\\nport 53\\n' > /etc/resolver/consul\n"));
  EXPECT_THAT(macos_script(settings()), HasSubstr("/etc/resolver/test\n"));
}

}  // namespace
}  // namespace devstack::host

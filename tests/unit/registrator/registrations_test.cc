#include "core/registrator/registrations.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

// The tables are Registrator's observed results ("vm" is the machine's name, 127.0.0.1 its address); a comment marks
// the rows where devstack answers better on purpose.
namespace devstack::registrator {
namespace {

using docker::Container;
using docker::ContainerPort;

const ContainerPort port80{80, "tcp"}, port443{443, "tcp"};

Container container(const std::string& name, const std::string& image = "web:test") {
  Container out;
  out.id = "a9a3" + std::string(60, '0');
  out.name = name;
  out.image = image;
  out.exposed_ports = {port80};
  out.ports[port80] = {};
  out.network_mode = "default";
  out.status = "running";
  out.running = true;
  out.networks["bridge"].ip_address = "172.17.0.2";
  return out;
}

Container publish(Container from, ContainerPort port, std::uint16_t host_port, const std::string& ip = "0.0.0.0") {
  if (std::find(from.exposed_ports.begin(), from.exposed_ports.end(), port) == from.exposed_ports.end()) {
    from.exposed_ports.push_back(port);
  }
  from.ports[port].push_back({ip, host_port});
  return from;
}

Container env(Container from, std::vector<std::string> variables) {
  for (auto& variable : variables) from.env.push_back(std::move(variable));
  return from;
}

/// No port table and no address: the host's network, another container's, or none.
Container without_own_network(const std::string& name, const std::string& mode) {
  auto out = container(name);
  out.ports.clear();
  out.networks.clear();
  out.networks[mode] = {};
  out.network_mode = mode;
  return out;
}

RegistratorOptions published() {
  RegistratorOptions options;
  options.mode = Mode::published;
  options.hostname = "vm";
  options.host_address = "127.0.0.1";
  return options;
}

RegistratorOptions internal() {
  auto options = published();
  options.mode = Mode::internal;
  return options;
}

/// `id / name / [tags] / address / port / {meta}`, a line a service.
std::string table(const std::vector<Registration>& all) {
  std::string out;
  for (const auto& [service, checks] : all) {
    out += service.id + " / " + service.name + " / [";
    for (const auto& tag : service.tags) out += (&tag == service.tags.data() ? "" : " ") + tag;
    out += "] / " + service.address + " / " + std::to_string(service.port);
    if (!service.meta.empty()) {
      out += " / {";
      for (const auto& [key, value] : service.meta) {
        out += (key == service.meta.begin()->first ? "" : " ") + key + ":" + value;
      }
      out += "}";
    }
    out += "\n";
  }
  return out;
}

std::string in_published(const Container& from) { return table(registrations(from, published())); }
std::string in_internal(const Container& from) { return table(registrations(from, internal())); }

TEST(PublishedMode, UnpublishedPortRegistersNothing) { EXPECT_EQ(in_published(container("rx-1")), ""); }

TEST(PublishedMode, PublishedPortIsRegisteredWithTheHostsAddress) {
  EXPECT_EQ(in_published(publish(container("rx-2"), port80, 18080)), "vm:rx-2:80 / web / [] / 127.0.0.1 / 18080\n");
}

TEST(PublishedMode, NameTagsAndAttributesComeFromTheEnvironment) {
  const auto from = env(publish(container("rx-3", "acme/foobar:1.2"), port80, 18081),
                        {"PATH=/bin", "SERVICE_NAME=db", "SERVICE_TAGS=master,backups", "SERVICE_REGION=us2"});
  EXPECT_EQ(in_published(from), "vm:rx-3:80 / db / [backups master] / 127.0.0.1 / 18081 / {region:us2}\n");
}

TEST(PublishedMode, SeveralPortsGetSuffixedImageBaseName) {
  const auto from = publish(publish(container("rx-4", "reg.local:5000/team/app:v3"), port80, 18082), port443, 18443);
  EXPECT_EQ(in_published(from),
            "vm:rx-4:80 / app-80 / [] / 127.0.0.1 / 18082\n"
            "vm:rx-4:443 / app-443 / [] / 127.0.0.1 / 18443\n");
}

TEST(PublishedMode, PortKeysReplaceGeneralOnes) {
  const auto from = env(publish(publish(container("rx-5"), port80, 18083), port443, 18444),
                        {"SERVICE_443_NAME=https", "SERVICE_NAME=multi", "SERVICE_443_ID=https.12345",
                         "SERVICE_443_SNI=on", "SERVICE_80_TAGS=p80", "SERVICE_TAGS=www"});
  EXPECT_EQ(in_published(from),
            "vm:rx-5:80 / multi-80 / [p80] / 127.0.0.1 / 18083\n"
            "https.12345 / https / [www] / 127.0.0.1 / 18444 / {sni:on}\n");
}

TEST(PublishedMode, UdpGetsItsOwnIdAndTag) {
  Container from = container("rx-6");
  from.exposed_ports.clear();
  from.ports.clear();
  from = publish(publish(std::move(from), {53, "udp"}, 18053), {53, "tcp"}, 18053);
  EXPECT_EQ(in_published(from),
            "vm:rx-6:53 / web-53 / [] / 127.0.0.1 / 18053\n"
            "vm:rx-6:53:udp / web-53 / [udp] / 127.0.0.1 / 18053\n");
}

TEST(PublishedMode, IgnoredPortStillCountsForTheSuffix) {
  const auto from =
      env(publish(publish(container("rx-7"), port80, 18084), port443, 18445), {"SERVICE_443_IGNORE=true"});
  EXPECT_EQ(in_published(from), "vm:rx-7:80 / web-80 / [] / 127.0.0.1 / 18084\n");
}

TEST(PublishedMode, AnyIgnoreTextIgnores) {
  EXPECT_EQ(in_published(env(publish(container("rx-8"), port80, 18085), {"SERVICE_IGNORE=1"})), "");
  EXPECT_EQ(in_published(env(publish(container("rx-8"), port80, 18085), {"SERVICE_IGNORE=false"})), "");
  EXPECT_NE(in_published(env(publish(container("rx-8"), port80, 18085), {"SERVICE_IGNORE="})), "");
}

// Better than Registrator, which pairs the container's address with the host's port.
TEST(PublishedMode, UserNetworkRegistersTheHostsAddressAndPort) {
  auto from = publish(container("rx-9"), port80, 18086);
  from.network_mode = "rxnet";
  from.networks = {{"rxnet", {"id", "172.18.0.2", "", "172.18.0.1", {}}}};
  EXPECT_EQ(in_published(from), "vm:rx-9:80 / web / [] / 127.0.0.1 / 18086\n");
}

TEST(PublishedMode, HostNetworkTakesExposedPortsAsTheyAre) {
  EXPECT_EQ(in_published(without_own_network("rx-10", "host")), "vm:rx-10:80 / web / [] / 127.0.0.1 / 80\n");
}

// Better than Registrator, which cannot be told.
TEST(PublishedMode, HostNetworkHonoursServicePort) {
  const auto from = env(without_own_network("rx-10", "host"), {"SERVICE_PORT=18099"});
  EXPECT_EQ(in_published(from), "vm:rx-10:18099 / web / [] / 127.0.0.1 / 18099 / {port:18099}\n");
}

TEST(PublishedMode, HostNetworkPortIsDeclaredByItsKeys) {
  auto from = env(without_own_network("rx-10", "host"), {"SERVICE_18099_NAME=api"});
  from.exposed_ports.clear();
  EXPECT_EQ(in_published(from), "vm:rx-10:18099 / api / [] / 127.0.0.1 / 18099\n");
}

TEST(PublishedMode, SharedNetworkHasTheOtherContainersAddress) {
  auto owner = container("rx-2");
  owner.networks["bridge"].ip_address = "172.17.0.3";
  const auto from = without_own_network("rx-11", "container:0123");
  EXPECT_EQ(table(registrations(from, published(), &owner)), "vm:rx-11:80 / web / [] / 172.17.0.3 / 80\n");
}

TEST(PublishedMode, NoneNetworkPublishesNothing) { EXPECT_EQ(in_published(without_own_network("rx-7", "none")), ""); }

TEST(PublishedMode, BindingsOwnAddressIsKept) {
  EXPECT_EQ(in_published(publish(container("rx-12"), port80, 18087, "127.0.0.1")),
            "vm:rx-12:80 / web / [] / 127.0.0.1 / 18087\n");
  EXPECT_EQ(in_published(publish(container("rx-12"), port80, 18087, "10.9.9.9")),
            "vm:rx-12:80 / web / [] / 10.9.9.9 / 18087\n");
}

TEST(PublishedMode, LabelsBeatTheEnvironmentAndCommasCanBeEscaped) {
  auto from = env(publish(container("rx-13"), port80, 18088), {"SERVICE_NAME=fromenv"});
  from.labels = {{"SERVICE_NAME", "fromlabel"}, {"SERVICE_TAGS", "a\\,b,c"}};
  EXPECT_EQ(in_published(from), "vm:rx-13:80 / fromlabel / [c a,b] / 127.0.0.1 / 18088\n");
}

TEST(PublishedMode, RandomHostPort) {
  EXPECT_EQ(in_published(publish(container("rx-14"), port80, 32769)), "vm:rx-14:80 / web / [] / 127.0.0.1 / 32769\n");
}

TEST(PublishedMode, OneIdForTwoPortsLeavesTheLast) {
  const auto from = env(publish(publish(container("rx-18"), port80, 18095), port443, 18096),
                        {"SERVICE_NAME=same", "SERVICE_80_NAME=same80", "SERVICE_ID=fixed"});
  EXPECT_EQ(in_published(from), "fixed / same-443 / [] / 127.0.0.1 / 18096\n");
}

TEST(PublishedMode, FirstOfTwoBindingsOfAPortCounts) {
  const auto from = publish(publish(container("rx-15"), port80, 18092), port80, 18091);
  EXPECT_EQ(in_published(from), "vm:rx-15:80 / web / [] / 127.0.0.1 / 18092\n");
}

TEST(PublishedMode, EveryInterfaceOfIpv6IsTheHostToo) {
  EXPECT_EQ(in_published(publish(container("rx-16"), port80, 18093, "::")),
            "vm:rx-16:80 / web / [] / 127.0.0.1 / 18093\n");
}

TEST(InternalMode, UnpublishedPortIsRegistered) {
  EXPECT_EQ(in_internal(container("rx-1")), "vm:rx-1:80 / web / [] / 172.17.0.2 / 80\n");
}

TEST(InternalMode, ContainerPortsAreUsed) {
  auto from = publish(publish(container("rx-2"), port80, 18080), {8443, "tcp"}, 18443);
  from.networks["bridge"].ip_address = "172.17.0.3";
  EXPECT_EQ(in_internal(from),
            "vm:rx-2:80 / web-80 / [] / 172.17.0.3 / 80\n"
            "vm:rx-2:8443 / web-8443 / [] / 172.17.0.3 / 8443\n");
}

TEST(InternalMode, UserNetworksAddress) {
  auto from = container("rx-3");
  from.network_mode = "rxnet";
  from.networks = {{"rxnet", {"id", "172.18.0.2", "", "", {}}}};
  EXPECT_EQ(in_internal(from), "vm:rx-3:80 / web / [] / 172.18.0.2 / 80\n");
}

TEST(InternalMode, BridgeWinsOverOtherNetworks) {
  auto from = container("rx-5");
  from.networks["bridge"].ip_address = "172.17.0.4";
  from.networks["a-net"].ip_address = "172.18.0.4";
  from.networks["rxnet2"].ip_address = "172.19.0.4";
  EXPECT_EQ(in_internal(from), "vm:rx-5:80 / web / [] / 172.17.0.4 / 80\n");
}

TEST(InternalMode, ProjectsNetworkWinsOverBridge) {
  auto from = container("rx-5");
  from.networks["demo_default"].ip_address = "172.18.0.4";
  from.networks["demo_back"].ip_address = "172.19.0.4";
  from.labels = {{"com.docker.compose.project", "demo"}};
  EXPECT_EQ(in_internal(from), "vm:rx-5:80 / web / [] / 172.18.0.4 / 80\n");
  from.networks.erase("demo_default");
  EXPECT_EQ(in_internal(from), "vm:rx-5:80 / web / [] / 172.19.0.4 / 80\n");
}

TEST(InternalMode, WithoutBridgeTheFirstNetworkByNameWithAnAddress) {
  auto from = container("rx-5");
  from.networks.clear();
  from.networks["a"] = {};
  from.networks["b"].ip_address = "172.18.0.4";
  from.networks["c"].ip_address = "172.19.0.4";
  EXPECT_EQ(in_internal(from), "vm:rx-5:80 / web / [] / 172.18.0.4 / 80\n");
}

TEST(InternalMode, NamedNetworkWins) {
  auto from = env(container("rx-5"), {"SERVICE_80_NETWORK=c"});
  from.networks["c"].ip_address = "172.19.0.4";
  EXPECT_EQ(in_internal(from), "vm:rx-5:80 / web / [] / 172.19.0.4 / 80 / {network:c}\n");
}

TEST(InternalMode, WithoutAnAddressTheNodesIsUsed) {
  EXPECT_EQ(in_internal(without_own_network("rx-6", "host")), "vm:rx-6:80 / web / [] /  / 80\n");
  EXPECT_EQ(in_internal(without_own_network("rx-7", "none")), "vm:rx-7:80 / web / [] /  / 80\n");
}

TEST(InternalMode, ExposedPortsOfBothKinds) {
  auto from = env(container("rx-9"), {"SERVICE_NAME=m"});
  from.exposed_ports = {port80, port443, {53, "udp"}};
  from.ports = {{port80, {}}, {port443, {}}, {{53, "udp"}, {}}};
  from.networks["bridge"].ip_address = "172.17.0.5";
  EXPECT_EQ(in_internal(from),
            "vm:rx-9:53:udp / m-53 / [udp] / 172.17.0.5 / 53\n"
            "vm:rx-9:80 / m-80 / [] / 172.17.0.5 / 80\n"
            "vm:rx-9:443 / m-443 / [] / 172.17.0.5 / 443\n");
}

TEST(InternalMode, CheckKeysStayInTheMetadata) {
  const auto from =
      env(container("rx-10"), {"SERVICE_80_CHECK_HTTP=/health", "SERVICE_80_CHECK_INTERVAL=15s",
                               "SERVICE_CHECK_TIMEOUT=1s", "SERVICE_80_CHECK_HTTP_METHOD=HEAD",
                               "SERVICE_CHECK_INITIAL_STATUS=passing", "SERVICE_CHECK_DEREGISTER_AFTER=90m"});
  EXPECT_EQ(in_internal(from),
            "vm:rx-10:80 / web / [] / 172.17.0.2 / 80 / {check_deregister_after:90m check_http:/health "
            "check_http_method:HEAD check_initial_status:passing check_interval:15s check_timeout:1s}\n");
}

RegistratorOptions with_all_flags() {
  auto options = published();
  options.ip = "192.0.2.50";
  options.explicit_names = true;
  options.ip_label = "my.ip";
  options.tags = [](const Container& from) { return "dev,/" + from.name + ",A9A3"; };
  return options;
}

TEST(Flags, ForcedAddressAndTags) {
  const auto from = env(publish(container("rx-2"), port80, 18082), {"SERVICE_NAME=a", "SERVICE_TAGS=t1,t2"});
  EXPECT_EQ(table(registrations(from, with_all_flags())),
            "vm:rx-2:80 / a / [t2 t1 A9A3 /rx-2 dev] / 192.0.2.50 / 18082\n");
}

TEST(Flags, AddressFromALabelBeatsAllAndLosesItsMask) {
  auto from = env(publish(container("rx-3"), port80, 18083, "127.0.0.1"), {"SERVICE_NAME=b"});
  from.labels["my.ip"] = "10.7.7.7/24";
  EXPECT_EQ(table(registrations(from, with_all_flags())), "vm:rx-3:80 / b / [A9A3 /rx-3 dev] / 10.7.7.7 / 18083\n");
}

TEST(Flags, UdpTagComesLast) {
  Container from = container("rx-6");
  from.exposed_ports.clear();
  from.ports.clear();
  from = env(publish(std::move(from), {80, "udp"}, 18086), {"SERVICE_80_NAME=u", "SERVICE_TAGS=z"});
  EXPECT_EQ(table(registrations(from, with_all_flags())),
            "vm:rx-6:80:udp / u / [z A9A3 /rx-6 dev udp] / 192.0.2.50 / 18086\n");
}

TEST(Flags, ExplicitSkipsPortsWithoutAName) {
  const auto from = env(publish(publish(container("rx-7"), port80, 18087), port443, 18447), {"SERVICE_80_NAME=only80"});
  EXPECT_EQ(table(registrations(from, with_all_flags())),
            "vm:rx-7:80 / only80 / [A9A3 /rx-7 dev] / 192.0.2.50 / 18087\n");
}

TEST(Flags, ForcedAddressWinsOnUserNetworks) {
  auto from = env(publish(container("rx-5"), port80, 18085), {"SERVICE_NAME=n"});
  from.network_mode = "rxnet";
  EXPECT_EQ(table(registrations(from, with_all_flags())), "vm:rx-5:80 / n / [A9A3 /rx-5 dev] / 192.0.2.50 / 18085\n");
}

TEST(DefaultName, IsNoneForAOneOffContainer) {
  auto run = publish(publish(container("demo-web-run-1"), port80, 18080), port443, 18443);
  run.labels = {{"com.docker.compose.service", "web"}, {"com.docker.compose.oneoff", "True"}};
  auto options = published();
  options.name_from = NameFrom::service;
  EXPECT_EQ(table(registrations(run, options)), "") << "it would stand for an instance of web";
  EXPECT_EQ(table(registrations(env(run, {"SERVICE_443_NAME=job"}), options)),
            "vm:demo-web-run-1:443 / job / [] / 127.0.0.1 / 18443\n");
  run.labels["com.docker.compose.oneoff"] = "False";
  EXPECT_EQ(registrations(run, options).size(), 2U);
}

TEST(DefaultName, IsTheImagesBaseName) {
  const std::map<std::string, std::string> names{{"redis", "redis"},
                                                 {"reg:5000/team/app:v3", "app"},
                                                 {"name@sha256:0123", "name@sha256"},
                                                 {"0123456789ab", "0123456789ab"}};
  for (const auto& [image, name] : names) {
    EXPECT_EQ(registrations(container("c", image), internal()).at(0).service.name, name) << image;
  }
}

TEST(DefaultName, CanBeTheContainersOrTheComposeServices) {
  auto from = container("demo-db-1", "postgres:15");
  auto options = internal();
  options.name_from = NameFrom::container;
  EXPECT_EQ(registrations(from, options).at(0).service.name, "demo-db-1");
  options.name_from = NameFrom::service;
  EXPECT_EQ(registrations(from, options).at(0).service.name, "postgres");
  from.labels["com.docker.compose.service"] = "db";
  EXPECT_EQ(registrations(from, options).at(0).service.name, "db");
}

TEST(Metadata, KeysAreCaseSensitiveInFrontAndLowerCasedBehind) {
  const auto from = env(container("c"), {"SERVICE_Foo_Bar=1", "service_name=no", "SERVICE_EMPTY=", "SERVICE_TAGS="});
  EXPECT_EQ(in_internal(from), "vm:c:80 / web / [] / 172.17.0.2 / 80 / {empty: foo_bar:1}\n");
}

// Better than Registrator, whose whole registration Consul refuses.
TEST(Metadata, WhatConsulWouldRefuseIsLeftOut) {
  const auto from = env(container("c"), {"SERVICE_FOO.BAR=1", "SERVICE_OK=2", "SERVICE_LONG=" + std::string(513, 'x')});
  EXPECT_EQ(in_internal(from), "vm:c:80 / web / [] / 172.17.0.2 / 80 / {ok:2}\n");
}

TEST(Addresses, Ipv6IsATaggedAddressOrTheOnlyOne) {
  auto from = container("c");
  from.networks["bridge"].ipv6_address = "fd00::2";
  const auto both = registrations(from, internal()).at(0).service;
  EXPECT_EQ(both.address, "172.17.0.2");
  EXPECT_EQ(both.tagged_addresses.at("lan_ipv6"), (registry::ServiceAddress{"fd00::2", 80}));
  from.networks["bridge"].ip_address.clear();
  EXPECT_EQ(registrations(from, internal()).at(0).service.address, "fd00::2");
}

TEST(DockerCheck, FollowsTheContainersHealth) {
  auto from = container("c");
  EXPECT_TRUE(registrations(from, internal()).at(0).checks.empty());
  const std::map<std::string, std::string> statuses{
      {"starting", "critical"}, {"healthy", "passing"}, {"unhealthy", "critical"}};
  for (const auto& [health, status] : statuses) {
    from.health = {health, 0, {"old", "newest"}};
    const auto checks = registrations(from, internal()).at(0).checks;
    ASSERT_EQ(checks.size(), 1U) << health;
    EXPECT_EQ(checks[0].status, status) << health;
    EXPECT_EQ(checks[0].id, "service:vm:c:80");
    EXPECT_EQ(checks[0].name, "Docker health check");
    EXPECT_EQ(checks[0].service_id, "vm:c:80");
  }
}

TEST(DockerCheck, PausedContainerIsCritical) {
  auto from = container("c");
  from.status = "paused";
  const auto checks = registrations(from, internal()).at(0).checks;
  ASSERT_EQ(checks.size(), 1U);
  EXPECT_EQ(checks[0].status, "critical");
  EXPECT_EQ(checks[0].output, "the container is paused");
}

TEST(ServiceCheck, IsWhatAnAgentMakesOfACheckInsideAService) {
  const auto from =
      env(container("rx-10"), {"SERVICE_NAME=web", "SERVICE_80_CHECK_HTTP=/health", "SERVICE_80_CHECK_INTERVAL=15s",
                               "SERVICE_CHECK_TIMEOUT=1s", "SERVICE_80_CHECK_HTTP_METHOD=HEAD",
                               "SERVICE_CHECK_INITIAL_STATUS=passing", "SERVICE_CHECK_DEREGISTER_AFTER=90m"});
  const auto checks = registrations(from, internal()).at(0).checks;
  ASSERT_EQ(checks.size(), 1U);
  const auto& check = checks[0];
  EXPECT_EQ(check.id, "service:vm:rx-10:80");
  EXPECT_EQ(check.name, "Service 'web' check");
  EXPECT_EQ(check.service_id, "vm:rx-10:80");
  EXPECT_EQ(check.status, "passing");
  EXPECT_EQ(check.type, "http");
  EXPECT_EQ(check.interval, "");
  EXPECT_EQ(check.timeout, "");
  EXPECT_TRUE(check.agent_owned);
  EXPECT_EQ(check.definition.http, "http://172.17.0.2:80/health");
  EXPECT_EQ(check.definition.method, "HEAD");
  EXPECT_EQ(check.definition.interval, std::chrono::seconds(15));
  EXPECT_EQ(check.definition.deregister_critical_after, std::chrono::minutes(90));
}

TEST(ServiceCheck, BelongsToItsPortAndIsCriticalUntilItRan) {
  const auto from = env(publish(publish(container("c"), port80, 18080), port443, 18443),
                        {"SERVICE_443_CHECK_TCP=true", "SERVICE_CHECK_INITIAL_STATUS=nonsense"});
  const auto all = registrations(from, published());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(all[0].checks.empty());
  ASSERT_EQ(all[1].checks.size(), 1U);
  EXPECT_EQ(all[1].checks[0].definition.tcp, "127.0.0.1:18443");
  EXPECT_EQ(all[1].checks[0].status, "critical");
}

TEST(ServiceCheck, OnTheHostsNetworkGoesToTheNode) {
  const auto from = env(without_own_network("h", "host"), {"SERVICE_CHECK_TCP=true"});
  const auto all = registrations(from, internal());
  EXPECT_EQ(all.at(0).service.address, "");
  EXPECT_EQ(all.at(0).checks.at(0).definition.tcp, "127.0.0.1:80");
}

TEST(ServiceCheck, KeepsItsIdBesideDockersOwn) {
  auto from = env(container("c"), {"SERVICE_CHECK_TTL=30s"});
  from.health = {"healthy", 0, {"fine"}};
  const auto checks = registrations(from, internal()).at(0).checks;
  ASSERT_EQ(checks.size(), 2U);
  EXPECT_EQ(checks[0].id, "service:vm:c:80");
  EXPECT_EQ(checks[0].type, "ttl");
  EXPECT_EQ(checks[1].id, "service:vm:c:80:docker");
  EXPECT_EQ(checks[1].name, "Docker health check");
  EXPECT_EQ(checks[1].status, "passing");
}

TEST(ServiceCheck, ThatIsMalformedIsCriticalAndSaysWhy) {
  const auto checks =
      registrations(env(container("c"), {"SERVICE_CHECK_HTTP=/", "SERVICE_CHECK_INTERVAL=10"}), internal())
          .at(0)
          .checks;
  ASSERT_EQ(checks.size(), 1U);
  EXPECT_EQ(checks[0].status, "critical");
  EXPECT_EQ(checks[0].definition.kind, registry::CheckDefinition::Kind::none);
  EXPECT_EQ(checks[0].output, "SERVICE_CHECK_INTERVAL: time: missing unit in duration \"10\"");
}

TEST(ServiceCheck, LongerThanMetadataMayBeIsReadAllTheSame) {
  const std::string script(600, 'x');
  const auto all = registrations(env(container("c"), {"SERVICE_CHECK_SCRIPT=" + script}), internal());
  EXPECT_FALSE(all.at(0).service.meta.contains("check_script"));
  EXPECT_EQ(all.at(0).checks.at(0).definition.script_args.back(), script);
}

TEST(RegistratorId, IsRecognised) {
  EXPECT_TRUE(is_registrator_id("vm:rx-1:80", "vm"));
  EXPECT_TRUE(is_registrator_id("vm:rx_1.a:80:udp", "vm"));
  EXPECT_FALSE(is_registrator_id("other:rx-1:80", "vm"));
  EXPECT_FALSE(is_registrator_id("vm:rx-1", "vm"));
  EXPECT_FALSE(is_registrator_id("vm:r:80", "vm"));
  EXPECT_FALSE(is_registrator_id("vm:rx-1:http", "vm"));
  EXPECT_FALSE(is_registrator_id("vm", "vm"));
}

}  // namespace
}  // namespace devstack::registrator

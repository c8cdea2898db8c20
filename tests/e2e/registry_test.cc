// The trio of the "Service Discovery" post (registry, registration, template) and the Hungarian post's internal mode.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

using ::testing::HasSubstr;

class Internal : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    image_ = busybox_image("web", {"EXPOSE 80", "EXPOSE 443", "CMD [\"httpd\", \"-f\", \"-h\", \"/etc\"]"});
    appliance_ = new Appliance(R"(
name: e2einternal
registry: {node: node1}
templates:
  - contents: |
      {{range service "lb"}}server {{.Address}}:{{.Port}}
      {{end}}
    destination: lb.conf
    command: echo reload >> reloads
  - contents: |
      {{range service "checked"}}{{.ID}}{{end}}|
    destination: checked.conf
services:
  hello:
    image: devstack/hello
    healthcheck: {test: ["CMD", "/hello", "--check"], interval: 500ms}
  inside: {image: devstack-e2e/web, stop_signal: SIGKILL}
  beside: {image: devstack-e2e/web, stop_signal: SIGKILL, network_mode: bridge}
  process: {command: ["hello"], x-process: {port: auto}}
)");
    appliance_->must("up");
  }
  static void TearDownTestSuite() {
    delete appliance_;
    appliance_ = nullptr;
  }
  static std::string file(const std::string& name) { return test::read_file(appliance_->dir().file(name)); }
  static std::string dig(const std::string& what) { return sh("dig +time=2 +tries=1 @127.0.0.1 " + what).text; }
  static std::string short_dig(const std::string& what) { return dig("+short " + what); }
  static std::string catalog(const std::string& name) {
    return sh("curl -s --max-time 5 http://127.0.0.1:8500/v1/catalog/service/" + name).text;
  }
  static std::string address_of(const std::string& container) {
    return ok("docker inspect -f '{{.NetworkSettings.IPAddress}}' " + container);
  }
  static Appliance* appliance_;
  static std::string image_;
};
Appliance* Internal::appliance_ = nullptr;
std::string Internal::image_;

TEST_F(Internal, S1_1_KeyRoundTrips) {
  EXPECT_EQ(ok("curl -s -X PUT -d 'Yes, it does' http://127.0.0.1:8500/v1/kv/docker/works"), "true");
  EXPECT_EQ(ok("curl -s http://127.0.0.1:8500/v1/kv/docker/works?raw"), "Yes, it does");
}

TEST_F(Internal, S1_2_S4_2_OneServiceAnswersAAndSrv) {
  EXPECT_EQ(short_dig("hello.service.consul A"),
            ok("docker inspect -f '{{(index .NetworkSettings.Networks \"e2einternal_default\").IPAddress}}' "
               "e2einternal-hello-1") +
                "\n");
  EXPECT_THAT(short_dig("hello.service.consul SRV"), HasSubstr("1 1 8080 "));
}

TEST_F(Internal, MetricsAndStatusPageCountWhatDnsWasAsked) {
  dig("hello.service.consul A");
  dig("-x 127.0.0.1");
  const std::string metrics = ok("curl -s '127.0.0.1:8500/v1/agent/metrics?format=prometheus'");
  EXPECT_THAT(metrics, HasSubstr("consul_dns_domain_query_count{node=\"node1\"} "));
  EXPECT_THAT(metrics, HasSubstr("consul_dns_ptr_query_count{node=\"node1\"} "));
  EXPECT_THAT(metrics, HasSubstr("devstack_dns_names{code=\"NOERROR\",name=\"hello.service.consul.\"} "));
  EXPECT_THAT(metrics, HasSubstr("devstack_dns_sources{source=\"registry\"} "));
  const std::string page = ok("curl -s http://127.0.0.1:7500/api/queries");
  EXPECT_THAT(page, HasSubstr("{\"name\":\"hello.service.consul.\",\"total\":"));
}

TEST_F(Internal, ContainersOfTheStackResolveAndReachServicesByName) {
  // One on the project's own network, where Docker's resolver forwards to us, and one on docker0.
  for (const char* container : {"e2einternal-inside-1", "e2einternal-beside-1"}) {
    const std::string exec = std::string("docker exec ") + container + " ";
    const std::string address = ok("dig +short @127.0.0.1 hello.service.consul");
    EXPECT_NE(address, "");
    EXPECT_THAT(ok(exec + "nslookup -type=a hello.service.consul"), HasSubstr(address));
    EXPECT_THAT(ok(exec + "getent ahostsv4 hello.service.consul"), HasSubstr(address));
    // A process of this machine is a service like a container.
    const std::string port = ok("dig +short @127.0.0.1 process.service.consul SRV | cut -d' ' -f3");
    EXPECT_THAT(ok(exec + "curl -sf --max-time 5 http://process.service.consul:" + port + "/"),
                HasSubstr("Hello from"));
    // And through the proxy, which listens on the bridge.
    EXPECT_THAT(ok(exec + "curl -sf --max-time 5 -H 'Host: hello.service.consul' http://" + bridge() + "/"),
                HasSubstr("Hello from"));
  }
}

TEST_F(Internal, S1_3_StoppedContainerLeavesCatalogAndDns) {
  Containers containers;
  containers.run("e2e-gone", "-e SERVICE_NAME=gone devstack/hello");
  ASSERT_TRUE(eventually([] { return !short_dig("gone.service.consul").empty(); }));
  ok("docker stop -t 1 e2e-gone");
  EXPECT_TRUE(eventually([] { return catalog("gone") == "[]"; }));
  EXPECT_THAT(dig("gone.service.consul"), HasSubstr("status: NXDOMAIN"));
}

TEST_F(Internal, S1_5_S1_6_S4_3_TemplateFollowsInstancesAndRunsItsCommandOnlyOnChange) {
  Containers containers;
  const auto reloads = [] { return std::ranges::count(file("reloads"), '\n'); };
  EXPECT_EQ(file("lb.conf"), "\n");
  containers.run("e2e-lb1", "-e SERVICE_NAME=lb devstack/hello");
  const std::string first = "server " + address_of("e2e-lb1") + ":8080\n";
  ASSERT_TRUE(eventually([&] { return file("lb.conf").find(first) != std::string::npos; })) << file("lb.conf");
  ASSERT_TRUE(eventually([&] { return reloads() >= 1; }));
  const auto before = reloads();
  // Something else in the registry changes: same text, no command.
  ok("curl -s -X PUT -d x http://127.0.0.1:8500/v1/kv/unrelated");
  containers.run("e2e-other", "-e SERVICE_NAME=other devstack/hello");
  ASSERT_TRUE(eventually([] { return catalog("other") != "[]"; }));
  containers.run("e2e-lb2", "-e SERVICE_NAME=lb devstack/hello");
  const std::string second = "server " + address_of("e2e-lb2") + ":8080\n";
  ASSERT_TRUE(eventually([&] { return file("lb.conf").find(second) != std::string::npos; }));
  ASSERT_TRUE(eventually([&] { return reloads() == before + 1; })) << file("reloads");
  // Traffic through the proxy reaches both.
  EXPECT_TRUE(eventually([] {
    const std::string many = sh("for i in $(seq 20); do curl -s -H 'Host: lb.localhost' http://127.0.0.1/; done").text;
    return many.find(ok("docker inspect -f '{{.Config.Hostname}}' e2e-lb1")) != std::string::npos &&
           many.find(ok("docker inspect -f '{{.Config.Hostname}}' e2e-lb2")) != std::string::npos;
  }));
  containers.remove("e2e-lb1");
  EXPECT_TRUE(eventually([&] { return file("lb.conf").find(first) == std::string::npos; }));
  EXPECT_THAT(file("lb.conf"), HasSubstr(second));
}

TEST_F(Internal, S3_2_InternalModeRegistersContainerAddressAndEachExposedPort) {
  Containers containers;
  containers.run("e2e-two", "-e SERVICE_NAME=valami " + image_);
  ASSERT_TRUE(eventually([] { return catalog("valami-443") != "[]"; }));
  const auto http = parse_json(catalog("valami-80")).as_array().at(0);
  EXPECT_EQ(http.at("ServiceAddress").as_string(), address_of("e2e-two"));
  EXPECT_EQ(http.at("ServicePort").as_int64(), 80);
  EXPECT_EQ(parse_json(catalog("valami-443")).as_array().at(0).at("ServicePort").as_int64(), 443);
}

TEST_F(Internal, S3_4_NameIsTheImagesUnlessServiceNameSaysOtherwise) {
  ok("docker tag devstack/hello reg.local:5000/team/valami2:v3");
  Containers containers;
  containers.run("e2e-named", "reg.local:5000/team/valami2:v3");
  containers.run("e2e-renamed", "-e SERVICE_NAME=other-name reg.local:5000/team/valami2:v3");
  EXPECT_TRUE(eventually([] { return catalog("valami2") != "[]" && catalog("other-name") != "[]"; }));
  EXPECT_EQ(catalog("e2e-named"), "[]");
  ok("docker rmi reg.local:5000/team/valami2:v3 2>/dev/null || true");
}

TEST_F(Internal, S4_4_OnlyPassingInstancesAreRendered) {
  Containers containers;
  containers.run("e2e-checked",
                 "-e SERVICE_NAME=checked --health-cmd '/hello --check' --health-interval 200ms --health-retries 2 "
                 "--entrypoint /hello devstack/hello");
  // The image has no shell, so docker's CMD-SHELL check fails and the container is unhealthy: never rendered.
  ASSERT_TRUE(eventually([] { return ok("docker inspect -f '{{.State.Health.Status}}' e2e-checked") == "unhealthy"; }));
  ASSERT_TRUE(eventually([] {
    return sh("curl -s http://127.0.0.1:8500/v1/health/checks/checked").text.find("\"critical\"") != std::string::npos;
  }));
  EXPECT_EQ(file("checked.conf"), "|\n");
  EXPECT_EQ(sh("curl -s 'http://127.0.0.1:8500/v1/health/service/checked?passing'").text, "[]");
  EXPECT_THAT(dig("checked.service.consul"), HasSubstr("status: NXDOMAIN"));
}

TEST_F(Internal, S4_8_AnyImageGetsANameAndARouteWithoutConfiguration) {
  ok("docker tag devstack/hello anyimage");
  Containers containers;
  containers.run("e2e-any1", "anyimage");
  containers.run("e2e-any2", "anyimage");
  EXPECT_TRUE(eventually([] {
    const std::string addresses = short_dig("anyimage.service.consul");
    return std::count(addresses.begin(), addresses.end(), '\n') == 2;
  }));
  EXPECT_TRUE(eventually(
      [] { return sh("curl -sf --resolve anyimage.localhost:80:127.0.0.1 http://anyimage.localhost/").code == 0; }));
  EXPECT_TRUE(eventually([] { return sh("curl -sf -H 'Host: anyimage.service.consul' http://127.0.0.1/").code == 0; }));
  containers.remove("e2e-any1");
  containers.remove("e2e-any2");
  ok("docker rmi anyimage");
}

TEST_F(Internal, CommandsFindTheRegistryOfTheRunningStack) {
  EXPECT_THAT(appliance_->must("services"), HasSubstr("hello"));
  EXPECT_THAT(appliance_->must("services hello"), HasSubstr("passing"));
  appliance_->must("kv put from/shell yes");
  EXPECT_EQ(ok("curl -s 'http://127.0.0.1:8500/v1/kv/from/shell?raw'"), "yes");
}

}  // namespace
}  // namespace devstack::e2e

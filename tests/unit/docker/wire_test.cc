#include "core/docker/wire.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "core/docker/client.h"
#include "core/docker/errors.h"

namespace devstack::docker {
namespace {

// Cut from an engine 20.10 (API 1.41): addresses also stand at the top of NetworkSettings.
constexpr std::string_view kEngine20 = R"({
  "Id": "4fa6e0f0c6786287e131c3852c58a2e01cc697a68231826813597e4994f1d6e2",
  "Created": "2026-01-02T03:04:05.000000006Z",
  "State": {"Status": "running", "Running": true, "Paused": false, "Restarting": false, "OOMKilled": false,
            "Dead": false, "Pid": 4711, "ExitCode": 0, "Error": "", "StartedAt": "2026-01-02T03:04:06Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
            "Health": {"Status": "unhealthy", "FailingStreak": 3, "Log": [
              {"Start": "x", "End": "y", "ExitCode": 1, "Output": "first"},
              {"Start": "x", "End": "y", "ExitCode": 1, "Output": "second"}]}},
  "Image": "sha256:abc",
  "Name": "/web",
  "HostConfig": {"NetworkMode": "default", "Dns": ["172.17.0.1", "10.0.0.1"],
                 "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}},
  "Config": {"Hostname": "4fa6e0f0c678", "Tty": true, "Env": ["PATH=/bin", "SERVICE_NAME=web"], "Cmd": ["sleep"],
             "Image": "redis:7", "StopTimeout": 25, "Labels": {"a": "b", "empty": ""}, "ExposedPorts": {"80/tcp": {}, "53/udp": {}}},
  "NetworkSettings": {"Bridge": "", "SandboxID": "s", "IPAddress": "172.17.0.2", "Gateway": "172.17.0.1",
    "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32768"}, {"HostIp": "::", "HostPort": "32768"}],
              "53/udp": null},
    "Networks": {"bridge": {"IPAMConfig": null, "Links": null, "Aliases": null, "NetworkID": "n1", "EndpointID": "e1",
      "Gateway": "172.17.0.1", "IPAddress": "172.17.0.2", "IPPrefixLen": 16, "GlobalIPv6Address": ""}}}
})";

// Engine 29 (API 1.52): NetworkSettings holds SandboxID, SandboxKey, Ports and Networks alone.
constexpr std::string_view kEngine29 = R"({
  "Id": "b0c1",
  "Name": "/api",
  "State": {"Status": "exited", "Running": false, "Pid": 0, "ExitCode": 137, "Error": "", "Health": null},
  "Image": "sha256:def",
  "ImageManifestDescriptor": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 1},
  "HostConfig": {"NetworkMode": "shop", "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}},
  "Config": {"Hostname": "b0c1", "Env": null, "Image": "api:1", "Labels": null},
  "NetworkSettings": {"SandboxID": "", "SandboxKey": "", "Ports": {},
    "Networks": {"shop": {"IPAMConfig": {}, "Links": null, "Aliases": ["api"], "DriverOpts": null, "GwPriority": 0,
      "NetworkID": "n2", "EndpointID": "e2", "Gateway": "172.18.0.1", "IPAddress": "172.18.0.9", "MacAddress": "",
      "IPPrefixLen": 16, "IPv6Gateway": "", "GlobalIPv6Address": "fd00::9", "DNSNames": ["api", "b0c1"]}}}
})";

TEST(InspectContainer, ReadsEngine20) {
  const auto container = wire::parse_container(kEngine20);
  ASSERT_TRUE(container) << container.error().message;
  EXPECT_EQ(container->name, "web");
  EXPECT_EQ(container->image, "redis:7");
  EXPECT_EQ(container->image_id, "sha256:abc");
  EXPECT_EQ(container->env, (std::vector<std::string>{"PATH=/bin", "SERVICE_NAME=web"}));
  EXPECT_EQ(container->labels, (StringMap{{"a", "b"}, {"empty", ""}}));
  EXPECT_TRUE(container->tty);
  EXPECT_EQ(container->exposed_ports, (std::vector<ContainerPort>{{80, "tcp"}, {53, "udp"}}));
  ASSERT_EQ(container->ports.size(), 2U);
  EXPECT_EQ(container->ports.at({80, "tcp"}), (std::vector<PortBinding>{{"0.0.0.0", 32768}, {"::", 32768}}));
  EXPECT_TRUE(container->ports.at({53, "udp"}).empty());
  EXPECT_EQ(container->networks.at("bridge").ip_address, "172.17.0.2");
  EXPECT_EQ(container->networks.at("bridge").gateway, "172.17.0.1");
  EXPECT_EQ(container->dns, (std::vector<std::string>{"172.17.0.1", "10.0.0.1"}));
  EXPECT_TRUE(container->running);
  EXPECT_EQ(container->pid, 4711);
  EXPECT_EQ(container->health.status, "unhealthy");
  EXPECT_EQ(container->health.failing_streak, 3);
  EXPECT_EQ(container->health.outputs, (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(container->restart_policy, "on-failure:3");
  EXPECT_EQ(container->stop_timeout, std::chrono::seconds(25));
}

TEST(InspectContainer, ReadsEngine29WithoutTopLevelAddresses) {
  const auto container = wire::parse_container(kEngine29);
  ASSERT_TRUE(container) << container.error().message;
  EXPECT_EQ(container->networks.at("shop").ip_address, "172.18.0.9");
  EXPECT_EQ(container->networks.at("shop").ipv6_address, "fd00::9");
  EXPECT_FALSE(container->stop_timeout);
  EXPECT_EQ(container->networks.at("shop").aliases, std::vector<std::string>{"api"});
  EXPECT_EQ(container->status, "exited");
  EXPECT_EQ(container->exit_code, 137);
  EXPECT_TRUE(container->env.empty());
  EXPECT_TRUE(container->labels.empty());
  EXPECT_EQ(container->health.status, "");
  EXPECT_EQ(container->network_mode, "shop");
  EXPECT_EQ(container->restart_policy, "no");
}

TEST(InspectContainer, ToleratesWhatIsMissingNullOrOfAnotherKind) {
  const auto bare = wire::parse_container(R"({"Id":"x"})");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->id, "x");
  const auto odd = wire::parse_container(
      R"({"Id":"x","State":null,"Config":[],"HostConfig":1,"NetworkSettings":{"Ports":{"no port":[],"80/tcp":[1,
         {"HostPort":"many"}]},"Networks":{"a":null}}})");
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->ports.at({80, "tcp"}), (std::vector<PortBinding>{{"", 0}}));
  EXPECT_TRUE(odd->networks.empty());
}

TEST(InspectContainer, WhatIsNoContainerIsAnError) {
  for (const auto* text : {"", "[]", "{}", "{\"Id\":", "null"}) {
    const auto container = wire::parse_container(text);
    ASSERT_FALSE(container) << text;
    EXPECT_EQ(container.error().code, Errc::parse) << text;
  }
}

TEST(ListContainers, StripsSlashesAndTakesNullForEmpty) {
  const auto rows = wire::parse_container_list(
      R"([{"Id":"1","Names":["/a","/b/alias"],"Image":"i","State":"running","Status":"Up","Labels":{"k":"v"}}, 7])");
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().names, (std::vector<std::string>{"a", "b/alias"}));
  EXPECT_EQ(rows->front().labels.at("k"), "v");
  EXPECT_TRUE(wire::parse_container_list("null")->empty());
}

TEST(EngineEvent, ReadsTypeActionAndActor) {
  const auto event = wire::parse_event(
      R"({"Type":"container","Action":"health_status: healthy","Actor":{"ID":"c1","Attributes":{"name":"web"}},
          "scope":"local","time":1700000000,"timeNano":1700000000123456789})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->type, "container");
  EXPECT_EQ(event->action, "health_status: healthy");
  EXPECT_EQ(event->actor_id, "c1");
  EXPECT_EQ(event->attributes.at("name"), "web");
  EXPECT_EQ(event->time_nano, 1700000000123456789);
}

TEST(ApiVersion, IsTheHighestBothSpeak) {
  EXPECT_EQ(*wire::choose_version({"20.10.24", "1.41", "1.12"}), "1.41");
  EXPECT_EQ(*wire::choose_version({"29.0.0", "1.52", "1.44"}), "1.51");
  EXPECT_EQ(*wire::choose_version({"17.03", "1.26", ""}), "1.26");
  EXPECT_FALSE(wire::choose_version({"1.9", "1.21", ""}));
  EXPECT_FALSE(wire::choose_version({"40.0", "1.90", "1.60"}));
  EXPECT_FALSE(wire::choose_version({"?", "", ""}));
}

TEST(CreateContainer, AliasesGoToTheUserDefinedNetwork) {
  ContainerSpec spec;
  spec.image = "app:1";
  spec.network = "shop";
  spec.aliases = {"app", "api"};
  const auto body = boost::json::parse(wire::create_container_body(spec));
  EXPECT_EQ(body.at_pointer("/NetworkingConfig/EndpointsConfig/shop/Aliases"), boost::json::parse(R"(["app","api"])"));
  EXPECT_EQ(body.at_pointer("/HostConfig/NetworkMode"), "shop");
}

TEST(CreateContainer, BridgeAndHostTakeNoAliases) {
  for (const auto* network : {"", "bridge", "host", "none", "container:abc"}) {
    ContainerSpec spec;
    spec.network = network;
    spec.aliases = {"x"};
    const auto body = boost::json::parse(wire::create_container_body(spec));
    EXPECT_FALSE(body.as_object().contains("NetworkingConfig")) << network;
    EXPECT_EQ(body.at_pointer("/HostConfig/NetworkMode"), *network == '\0' ? "bridge" : network);
  }
}

TEST(CreateContainer, WritesWhatTheEngineReads) {
  ContainerSpec spec;
  spec.image = "app";
  spec.command = {"serve"};
  spec.env = {"A=1"};
  spec.labels = {{"k", "v"}};
  spec.port_bindings[{80, "tcp"}] = {{"127.0.0.1", 8080}, {"", 0}};
  spec.exposed_ports = {{53, "udp"}};
  spec.restart_policy = "on-failure:3";
  spec.tmpfs = {"/run:size=1m", "/tmp"};
  spec.stop_timeout_seconds = 0;
  HealthcheckConfig check;
  check.test = {"CMD", "/check"};
  check.interval = std::chrono::seconds(2);
  check.retries = 4;
  spec.healthcheck = check;
  EXPECT_EQ(boost::json::parse(wire::create_container_body(spec)), boost::json::parse(R"({
    "Image": "app", "Cmd": ["serve"], "Env": ["A=1"], "Labels": {"k": "v"}, "StopTimeout": 0,
    "ExposedPorts": {"53/udp": {}, "80/tcp": {}},
    "Healthcheck": {"Test": ["CMD", "/check"], "Interval": 2000000000, "Retries": 4},
    "HostConfig": {"NetworkMode": "bridge", "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
      "Tmpfs": {"/run": "size=1m", "/tmp": ""},
      "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}, {"HostIp": "", "HostPort": ""}]}}})"));
}

TEST(CreateContainer, SaysEveryLimitAndRight) {
  ContainerSpec spec;
  spec.image = "app";
  spec.tty = spec.stdin_open = spec.init = spec.read_only = spec.privileged = true;
  spec.hostname = "h";
  spec.domainname = "d";
  spec.volumes = {"/anonymous"};
  spec.mounts = {{"tmpfs", "", "/t", false, "", false, "", 1024, 0700},
                 {"bind", "/s", "/d", true, "rslave", false, "", 0, 0}};
  spec.security_opt = {"no-new-privileges"};
  spec.group_add = {"7"};
  spec.devices = {{"/dev/null", "/dev/zero2", "r"}};
  spec.ulimits = {{"nofile", 10, 20}};
  spec.sysctls = {{"net.core.somaxconn", "7"}};
  spec.pid_mode = "host";
  spec.ipc_mode = "shareable";
  spec.shm_size = 4096;
  spec.resources.nano_cpus = 500000000;
  spec.resources.memory = 1 << 20;
  spec.resources.memory_and_swap = -1;
  spec.resources.swappiness = 0;
  spec.resources.pids = 9;
  spec.log_driver = "json-file";
  spec.log_options = {{"max-size", "1m"}};
  spec.port_bindings[{80, "tcp"}] = {{"", 9000, 9009}};
  EXPECT_EQ(boost::json::parse(wire::create_container_body(spec)), boost::json::parse(R"({
    "Image": "app", "Hostname": "h", "Domainname": "d", "Tty": true, "OpenStdin": true,
    "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/anonymous": {}},
    "HostConfig": {"NetworkMode": "bridge", "Init": true, "ReadonlyRootfs": true, "Privileged": true,
      "Mounts": [{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 1024, "Mode": 448}},
                 {"Type": "bind", "Source": "/s", "Target": "/d", "ReadOnly": true,
                  "BindOptions": {"Propagation": "rslave"}}],
      "SecurityOpt": ["no-new-privileges"], "GroupAdd": ["7"],
      "Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/zero2", "CgroupPermissions": "r"}],
      "Ulimits": [{"Name": "nofile", "Soft": 10, "Hard": 20}], "Sysctls": {"net.core.somaxconn": "7"},
      "PidMode": "host", "IpcMode": "shareable", "ShmSize": 4096, "NanoCpus": 500000000, "Memory": 1048576,
      "MemorySwap": -1, "MemorySwappiness": 0, "PidsLimit": 9,
      "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
      "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "9000-9009"}]}}})"));
}

TEST(CreateContainer, NewerEnginesAreToldMore) {
  ContainerSpec spec;
  spec.network = "one";
  spec.endpoints.resize(2);
  spec.endpoints[0].network = "one";
  spec.endpoints[0].ipv4_address = "10.0.0.2";
  spec.endpoints[0].mac_address = spec.mac_address = "02:42:0a:00:00:02";
  spec.endpoints[1].network = "two";
  spec.annotations = {{"a", "b"}};
  spec.healthcheck.emplace().start_interval = std::chrono::seconds(1);
  const auto old = boost::json::parse(wire::create_container_body(spec, "1.41"));
  EXPECT_EQ(old.at_pointer("/NetworkingConfig/EndpointsConfig").as_object().size(), 1U);
  EXPECT_EQ(old.at_pointer("/MacAddress"), "02:42:0a:00:00:02");
  EXPECT_FALSE(old.at("HostConfig").as_object().contains("Annotations"));
  EXPECT_TRUE(old.at("Healthcheck").as_object().empty());
  const auto now = boost::json::parse(wire::create_container_body(spec, "1.44"));
  EXPECT_EQ(now.at_pointer("/NetworkingConfig/EndpointsConfig").as_object().size(), 2U);
  EXPECT_EQ(now.at_pointer("/NetworkingConfig/EndpointsConfig/one/IPAMConfig/IPv4Address"), "10.0.0.2");
  EXPECT_FALSE(now.as_object().contains("MacAddress"));
  EXPECT_EQ(now.at_pointer("/HostConfig/Annotations/a"), "b");
  EXPECT_EQ(now.at_pointer("/Healthcheck/StartInterval"), 1000000000);
}

TEST(CreateNetwork, SaysEveryOption) {
  NetworkSpec spec;
  spec.name = "net";
  spec.driver = "bridge";
  spec.driver_opts = {{"o", "1"}};
  spec.internal = spec.attachable = true;
  spec.enable_ipv6 = false;
  spec.pools = {{"10.1.0.0/16", "10.1.5.0/24", "10.1.0.1", {{"router", "10.1.0.9"}}}};
  EXPECT_EQ(boost::json::parse(wire::create_network_body(spec)), boost::json::parse(R"({
    "Name": "net", "CheckDuplicate": true, "Driver": "bridge", "Options": {"o": "1"}, "Labels": {}, "Internal": true,
    "Attachable": true, "EnableIPv6": false, "IPAM": {"Driver": "default", "Config": [{"Subnet": "10.1.0.0/16",
      "IPRange": "10.1.5.0/24", "Gateway": "10.1.0.1", "AuxiliaryAddresses": {"router": "10.1.0.9"}}]}})"));
}

TEST(Build, AsksTheClassicBuilderForAllThatItKnows) {
  BuildSpec spec;
  spec.tags = {"a:1", "b"};
  spec.args = {{"K", "v w"}};
  spec.target = "final";
  spec.no_cache = true;
  EXPECT_EQ(wire::build_path(spec),
            "/build?rm=1&forcerm=1&t=a%3A1&t=b&target=final&nocache=1&buildargs=%7B%22K%22%3A%22v%20w%22%7D");
  const auto line = wire::parse_progress(R"({"stream":"Step 1/2 : FROM scratch\n"})");
  EXPECT_EQ(line->output, "Step 1/2 : FROM scratch\n");
  EXPECT_EQ(wire::parse_progress(R"({"aux":{"ID":"sha256:ab"}})")->built, "sha256:ab");
  const auto bytes = wire::parse_progress(
      R"({"status":"Downloading","progressDetail":{"current":7,"total":9},"progress":"…","id":"ab"})");
  EXPECT_EQ(bytes->current, 7);
  EXPECT_EQ(bytes->total, 9);
}

TEST(Exec, AsksForBothStreamsAndReadsTheEnd) {
  ExecOptions options;
  options.argv = {"sh", "-c", "true"};
  EXPECT_EQ(boost::json::parse(wire::create_exec_body(options)),
            boost::json::parse(R"({"AttachStdout": true, "AttachStderr": true, "Cmd": ["sh", "-c", "true"]})"));
  EXPECT_EQ(wire::parse_exec(R"({"Running":false,"ExitCode":3})")->exit_code, 3);
  EXPECT_FALSE(wire::parse_exec(R"({"Running":true,"ExitCode":null})")->exit_code);
  EXPECT_TRUE(wire::parse_exec(R"({"Running":true,"ExitCode":null})")->running);
  EXPECT_EQ(wire::parse_exec("[]").error().code, Errc::parse);
}

TEST(ImageName, SplitsAtTheTag) {
  const auto split = [](std::string_view name) {
    const auto parts = wire::split_image_name(name);
    return parts.repository + "|" + parts.tag;
  };
  EXPECT_EQ(split("redis"), "redis|latest");
  EXPECT_EQ(split("redis:7"), "redis|7");
  EXPECT_EQ(split("host:5000/redis"), "host:5000/redis|latest");
  EXPECT_EQ(split("host:5000/a/redis:7"), "host:5000/a/redis|7");
  EXPECT_EQ(split("redis@sha256:ab"), "redis@sha256:ab|");
}

TEST(EngineRefusal, SaysWhatTheEngineSaid) {
  EXPECT_EQ(refused(404, R"({"message":"No such container: x"})").code, Errc::not_found);
  EXPECT_EQ(refused(404, R"({"message":"No such container: x"})").message, "No such container: x");
  EXPECT_EQ(refused(409, "{}").code, Errc::conflict);
  EXPECT_EQ(refused(500, "plain words\n").message, "plain words");
  EXPECT_EQ(refused(500, "").code, Errc::failed);
}

}  // namespace
}  // namespace devstack::docker

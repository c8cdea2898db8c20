// The life of an appliance: up, up again, down, crashes, taken ports, machines without root or Docker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kStack = R"(
name: e2elife
registry: {kv: {app/greeting: hello}}
services:
  hello:
    image: devstack/hello
    healthcheck: {test: ["CMD", "/hello", "--check"], interval: 500ms}
  side:
    command: ["hello"]
    x-process: {port: auto}
    depends_on: {hello: {condition: service_healthy}}
)";

std::string unit_id(const Appliance& appliance, const std::string& unit) {
  const auto status = appliance.status();
  for (const auto& service : status.at("services").as_array()) {
    if (service.at("name").as_string() == unit) return std::string(service.at("id").as_string());
  }
  return "";
}

std::string state_of(const Appliance& appliance, const std::string& unit) {
  const auto status = appliance.status();
  for (const auto& service : status.at("services").as_array()) {
    if (service.at("name").as_string() == unit) return std::string(service.at("state").as_string());
  }
  return "";
}

TEST(Lifecycle, UpTwiceIsANoOpAndDownLeavesNothing) {
  const std::string processes_before = ok("pgrep -cx hello || true");
  {
    Appliance appliance(kStack);
    appliance.must("up");
    const auto container = unit_id(appliance, "hello");
    const auto process = unit_id(appliance, "side");
    EXPECT_THAT(appliance.must("up"), HasSubstr("nothing changed"));
    EXPECT_EQ(unit_id(appliance, "hello"), container);
    EXPECT_EQ(unit_id(appliance, "side"), process);
    EXPECT_THAT(appliance.must("down"), HasSubstr("e2elife is down"));
    EXPECT_EQ(ok("docker ps -aq --filter label=io.devstack.project=e2elife"), "");
    EXPECT_EQ(ok("docker network ls -q --filter label=io.devstack.project=e2elife"), "");
    EXPECT_EQ(ok("pgrep -cx hello || true"), processes_before);
    EXPECT_NE(sh("test -e " + appliance.state_dir() + "/control.sock").code, 0);
    EXPECT_EQ(ok("ss -Hltn 'sport = :8500 or sport = :7500 or sport = :80 or sport = :53'"), "");
    EXPECT_EQ(sh("pgrep -f '[h]aproxy.*" + appliance.state_dir() + "'").code, 1);
    EXPECT_THAT(appliance.must("down"), HasSubstr("nothing runs here"));
  }
}

TEST(Lifecycle, KilledSupervisorComesBackToTheSameContainersAndPids) {
  Appliance appliance(kStack);
  appliance.must("up");
  ok("curl -sf -X PUT -d kept http://127.0.0.1:8500/v1/kv/app/kept");
  const auto container = unit_id(appliance, "hello");
  const auto process = unit_id(appliance, "side");
  ok("kill -9 " + std::to_string(appliance.supervisor_pid()));
  appliance.must("up");
  EXPECT_EQ(unit_id(appliance, "hello"), container);
  EXPECT_EQ(unit_id(appliance, "side"), process);
  EXPECT_EQ(ok("curl -sf http://127.0.0.1:8500/v1/kv/app/kept?raw"), "kept");
  EXPECT_EQ(ok("docker ps -q --filter label=io.devstack.project=e2elife | wc -l"), "1");
  for (const char* name : {"hello", "side"}) {
    const auto rows = parse_json(ok("curl -sf http://127.0.0.1:8500/v1/catalog/service/" + std::string(name)));
    EXPECT_EQ(rows.as_array().size(), 1U) << name;
  }
  EXPECT_EQ(sh("curl -sf -H 'Host: hello.localhost' http://127.0.0.1/").code, 0);
}

TEST(Lifecycle, DownAfterAKilledSupervisorStillLeavesNothing) {
  Appliance appliance(kStack);
  appliance.must("up");
  const auto process = unit_id(appliance, "side");
  ok("kill -9 " + std::to_string(appliance.supervisor_pid()));
  appliance.must("down");
  EXPECT_EQ(ok("docker ps -aq --filter label=io.devstack.project=e2elife"), "");
  // A zombie is dead: its parent was killed, and this machine's init may take its time to reap it.
  EXPECT_NE(sh("ps -o stat= -p " + process + " | grep -v Z").code, 0);
  EXPECT_EQ(ok("ss -Hltn 'sport = :80'"), "");
}

TEST(Lifecycle, DownNamesTheContainersThatAreLeftWithoutDns) {
  Appliance appliance(kStack);
  appliance.must("up");
  Containers containers;
  containers.run("e2e-only-ours", "--dns " + bridge() + " devstack/hello");
  containers.run("e2e-other-too", "--dns " + bridge() + " --dns 9.9.9.9 devstack/hello");
  const std::string said = appliance.must("down");
  EXPECT_THAT(said, HasSubstr("ask no DNS server but devstack's"));
  EXPECT_THAT(said, HasSubstr(": e2e-only-ours;"));
  EXPECT_THAT(said, Not(HasSubstr("e2e-other-too")));
}

TEST(Lifecycle, SeededKeysAreNeverOverwritten) {
  Appliance appliance(kStack);
  appliance.must("up");
  EXPECT_EQ(ok("curl -sf http://127.0.0.1:8500/v1/kv/app/greeting?raw"), "hello");
  ok("curl -sf -X PUT -d mine http://127.0.0.1:8500/v1/kv/app/greeting");
  appliance.must("down");
  appliance.must("up");
  EXPECT_EQ(ok("curl -sf http://127.0.0.1:8500/v1/kv/app/greeting?raw"), "mine");
}

TEST(Lifecycle, ChangedServiceAloneIsReplaced) {
  Appliance appliance(kStack);
  appliance.must("up");
  const auto container = unit_id(appliance, "hello");
  const auto process = unit_id(appliance, "side");
  std::string changed = kStack;
  changed.replace(changed.find("x-process: {port: auto}"), 23,
                  "x-process: {port: auto}\n    environment: {HELLO_NAME: new}");
  appliance.rewrite(changed);
  EXPECT_THAT(appliance.must("up"), HasSubstr("side"));
  EXPECT_EQ(unit_id(appliance, "hello"), container);
  EXPECT_NE(unit_id(appliance, "side"), process);
  EXPECT_THAT(ok("curl -sf -H 'Host: side.localhost' http://127.0.0.1/"), HasSubstr("Hello from new"));
}

TEST(Lifecycle, CrashedServicesAreStartedAgain) {
  Appliance appliance(R"(
name: e2ecrash
services:
  box: {image: devstack/hello, restart: always}
  side: {command: ["hello"], x-process: {port: auto}, restart: always}
)");
  appliance.must("up");
  const auto process = unit_id(appliance, "side");
  ok("kill -9 " + process);
  ok("docker kill e2ecrash-box-1");
  EXPECT_TRUE(
      eventually([&] { return state_of(appliance, "side") == "running" && unit_id(appliance, "side") != process; }));
  EXPECT_TRUE(eventually([&] { return ok("docker inspect -f '{{.State.Running}}' e2ecrash-box-1") == "true"; }));
  EXPECT_TRUE(eventually([&] { return sh("curl -sf -H 'Host: side.localhost' http://127.0.0.1/").code == 0; }));
}

class TakenPort : public ::testing::TestWithParam<std::pair<int, const char*>> {};

TEST_P(TakenPort, NamesTheHolderAndExitsWithFourLeavingNothing) {
  const auto [port, kind] = GetParam();
  const std::string number = std::to_string(port);
  Appliance appliance(kStack);
  ASSERT_EQ(ok("ss -Hltn 'sport = :" + number + "'"), "");
  ok("setsid python3 -c 'import socket,time; s=socket.socket(socket.AF_INET, socket." + std::string(kind) +
     "); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((\"127.0.0.1\"," + number +
     ")); (s.listen() if s.type == socket.SOCK_STREAM else None); time.sleep(60)' >/dev/null 2>&1 & "
     "echo $! > /tmp/devstack-e2e-holder");
  ASSERT_TRUE(eventually([&] { return !ok("ss -Hlnut 'sport = :" + number + "'").empty(); }));
  const Output up = appliance.run("up");
  EXPECT_EQ(up.code, 4) << up.text;
  EXPECT_THAT(up.text, HasSubstr("python3"));
  EXPECT_THAT(up.text, HasSubstr(number));
  EXPECT_EQ(ok("docker ps -aq --filter label=io.devstack.project=e2elife"), "");
  EXPECT_EQ(sh("pgrep -f '[d]evstack.*" + appliance.state_dir() + "'").code, 1);
  EXPECT_EQ(sh("pgrep -f '[h]aproxy.*" + appliance.state_dir() + "'").code, 1);
  EXPECT_EQ(ok("ss -Hltn 'sport = :7500'"), "");
  ok("kill $(cat /tmp/devstack-e2e-holder)");
}

INSTANTIATE_TEST_SUITE_P(Ports, TakenPort,
                         ::testing::Values(std::pair(53, "SOCK_DGRAM"), std::pair(80, "SOCK_STREAM"),
                                           std::pair(8500, "SOCK_STREAM")));

TEST(Lifecycle, WithoutRootItFallsBackToHighPortsAndSaysSo) {
  // Somebody who may neither bind port 53 nor open Docker's socket.
  Appliance appliance(R"(
name: e2euser
services:
  hello: {image: devstack/hello, x-process: {command: ["hello"], port: auto}}
)");
  ok("chmod 755 " + appliance.dir().path() + " && mkdir -p " + appliance.state_dir() + " && chown nobody " +
     appliance.state_dir());
  const auto as_nobody = [&](const std::string& args) {
    return sh("cp -f " DEVSTACK_BINARY
              " /tmp/devstack-e2e && chmod 755 /tmp/devstack-e2e && cd /tmp && "
              "setpriv --reuid=65534 --regid=65534 --clear-groups env DEVSTACK_STATE_DIR=" +
                  appliance.state_dir() + " /tmp/devstack-e2e -f " + appliance.dir().file("stack.yaml") + " " + args,
              120);
  };
  const Output up = as_nobody("up");
  EXPECT_EQ(up.code, 0) << up.text << sh("tail -n 30 " + appliance.state_dir() + "/devstack.log").text;
  EXPECT_THAT(up.text, HasSubstr("8600"));
  EXPECT_THAT(up.text, HasSubstr("8080"));
  EXPECT_EQ(ok("dig +short -p 8600 @127.0.0.1 hello.service.consul"), bridge());
  EXPECT_THAT(ok("curl -sf -H 'Host: hello.localhost' http://127.0.0.1:8080/"), HasSubstr("Hello from"));
  EXPECT_EQ(as_nobody("down").code, 0);
}

TEST(Lifecycle, FollowsABridgeThatAppearsLaterAndMoves) {
  sh("ip link del ds-e2e0");
  Appliance appliance(R"(
name: e2ebridge
bridge: ds-e2e0
services: {hello: {command: ["hello"], x-process: {port: auto}}}
)");
  const auto answers_on = [](const std::string& address) {
    return sh("dig +short +time=1 +tries=1 @" + address +
              " hello.service.consul | grep -q . && curl -sf --max-time 2 http://" + address +
              ":8500/v1/status/leader && curl -sf --max-time 2 -H 'Host: hello.localhost' http://" + address + "/")
               .code == 0;
  };
  appliance.must("up");
  EXPECT_TRUE(answers_on("127.0.0.1"));
  EXPECT_FALSE(answers_on("10.77.0.1"));
  ok("ip link add ds-e2e0 type bridge && ip addr add 10.77.0.1/24 dev ds-e2e0 && ip link set ds-e2e0 up");
  EXPECT_TRUE(eventually([&] { return answers_on("10.77.0.1"); }));
  EXPECT_TRUE(eventually(
      [] { return sh("curl -s http://127.0.0.1:8500/v1/catalog/nodes").text.find("10.77.0.1") != std::string::npos; }));
  ok("ip addr add 10.77.0.2/24 dev ds-e2e0 && ip addr del 10.77.0.1/24 dev ds-e2e0; ip addr add 10.77.0.2/24 dev "
     "ds-e2e0 2>/dev/null || true");
  EXPECT_TRUE(eventually([&] { return answers_on("10.77.0.2"); }));
  EXPECT_TRUE(answers_on("127.0.0.1"));
  appliance.must("down");
  ok("ip link del ds-e2e0");
}

TEST(Lifecycle, WithoutAnEngineTheStandInRunsAndAContainerOnlyStackExitsWithThree) {
  Appliance appliance(R"(
name: e2enodocker
services:
  hello: {image: devstack/hello, x-process: {command: ["hello"], port: auto}}
)");
  const auto without = [&](const std::string& args) {
    return sh("DOCKER_HOST=unix:///nonexistent.sock " + appliance.command_line(args), 60);
  };
  const Output up = without("up");
  EXPECT_EQ(up.code, 0) << up.text;
  EXPECT_EQ(sh("curl -sf -H 'Host: hello.localhost' http://127.0.0.1/").code, 0);
  EXPECT_EQ(without("down").code, 0);
  appliance.rewrite("name: e2enodocker\nservices: {only: {image: busybox}}\n");
  const Output refused = without("up");
  EXPECT_EQ(refused.code, 3) << refused.text;
  EXPECT_THAT(refused.text, HasSubstr("only"));
}

TEST(Lifecycle, BrokenStackFileIsSaidWithItsPlaceAndChangesNothing) {
  Appliance appliance("name: e2ebroken\nservices:\n  web:\n    image: devstack/hello\n    prots: [\"80\"]\n");
  const Output up = appliance.run("up");
  EXPECT_EQ(up.code, 6);
  EXPECT_THAT(up.text, HasSubstr("stack.yaml:5:5:"));
  EXPECT_THAT(up.text, HasSubstr("did you mean \"ports\"?"));
  EXPECT_NE(sh("test -e " + appliance.state_dir() + "/registry.db").code, 0);
}

TEST(Lifecycle, UnhealthyServiceExitsWithFiveAndSaysWhy) {
  Appliance appliance(R"(
name: e2esick
services:
  sick: {image: devstack/hello, healthcheck: {test: ["CMD", "/hello", "--wrong"], interval: 200ms, retries: 1000}}
)");
  const Output up = appliance.run("up --wait-timeout 3s");
  EXPECT_EQ(up.code, 5) << up.text;
  EXPECT_THAT(up.text, HasSubstr("sick"));
}

TEST(Lifecycle, LogsShowContainersProcessesAndComponents) {
  Appliance appliance(kStack);
  appliance.must("up");
  const std::string logs = appliance.must("logs");
  EXPECT_THAT(logs, HasSubstr("hello | hello: serving on port 8080"));
  EXPECT_THAT(logs, HasSubstr("side  | hello: serving on port"));
  EXPECT_THAT(appliance.must("ps"), HasSubstr("side"));
  EXPECT_EQ(appliance.run("logs nosuch").code, 1);
}

TEST(Lifecycle, ProxyDropsNoRequestWhileInstancesComeAndGo) {
  Appliance appliance(R"(
name: e2ehitless
services:
  web: {image: devstack/hello, x-devstack: {}, environment: {SERVICE_NAME: web}}
)");
  appliance.must("up");
  ASSERT_TRUE(eventually([] { return sh("curl -sf -H 'Host: web.localhost' http://127.0.0.1/").code == 0; }));
  ok("rm -f /tmp/devstack-e2e-load; (for i in $(seq 1200); do curl -s -o /dev/null -w '%{http_code}\\n' -H 'Host: "
     "web.localhost' "
     "http://127.0.0.1/; done > /tmp/devstack-e2e-load) >/dev/null 2>&1 &");
  Containers containers;
  for (int round = 0; round < 3; ++round) {
    containers.run("e2e-web-a", "-e SERVICE_NAME=web devstack/hello");
    containers.run("e2e-web-b", "-e SERVICE_NAME=web devstack/hello");
    ok("docker stop -t 5 e2e-web-a && docker rm e2e-web-a");
    containers.remove("e2e-web-b");
  }
  ASSERT_TRUE(eventually([] { return ok("wc -l < /tmp/devstack-e2e-load") == "1200"; }, std::chrono::seconds(90)));
  EXPECT_EQ(ok("sort /tmp/devstack-e2e-load | uniq -c | awk '{print $1, $2}'"), "1200 200");
}

}  // namespace
}  // namespace devstack::e2e

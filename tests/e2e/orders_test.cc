// What a user does to single services of a stack that runs: pause, create, restart, rm; and what ends with a code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kStack = R"(
name: e2eorders
services:
  hello: {image: devstack/hello}
  side: {command: "sleep 1000"}
)";

std::string field(const Appliance& appliance, const std::string& unit, const char* name) {
  const auto status = appliance.status();
  for (const auto& service : status.at("services").as_array()) {
    if (service.at("name").as_string() == unit) return std::string(service.at(name).as_string());
  }
  return "";
}
std::string state_of(const Appliance& appliance, const std::string& unit) { return field(appliance, unit, "state"); }
std::string id_of(const Appliance& appliance, const std::string& unit) { return field(appliance, unit, "id"); }

std::string containers(const std::string& format) {
  return ok("docker ps -a --filter label=io.devstack.project=e2eorders --format '" + format + "'");
}

TEST(Orders, PauseHoldsServicesAndUnpauseLetsThemGoOn) {
  Appliance appliance(kStack);
  appliance.must("up");
  const auto container = id_of(appliance, "hello"), process = id_of(appliance, "side");
  appliance.must("pause");
  EXPECT_EQ(state_of(appliance, "hello"), "paused");
  EXPECT_EQ(state_of(appliance, "side"), "paused");
  EXPECT_EQ(ok("docker inspect -f '{{.State.Paused}}' " + container), "true");
  EXPECT_THAT(ok("ps -o stat= -p " + process), StartsWith("T"));
  EXPECT_THAT(appliance.must("ps"), HasSubstr("paused"));
  EXPECT_EQ(appliance.run("pause hello").code, 1);
  EXPECT_THAT(appliance.run("start hello").text, HasSubstr("devstack unpause hello"));
  const auto up = appliance.run("up");
  EXPECT_EQ(up.code, 1);
  EXPECT_THAT(up.text, HasSubstr("hello is paused"));
  appliance.must("unpause");
  EXPECT_EQ(state_of(appliance, "hello"), "running");
  EXPECT_EQ(ok("docker inspect -f '{{.State.Paused}}' " + container), "false");
  EXPECT_EQ(id_of(appliance, "hello"), container);
  EXPECT_EQ(id_of(appliance, "side"), process);
  EXPECT_EQ(appliance.run("unpause side").code, 1);
  appliance.must("up");
}

TEST(Orders, APausedServiceStopsAndOnePausedByDockerIsShown) {
  Appliance appliance(kStack);
  appliance.must("up");
  ok("docker pause " + id_of(appliance, "hello"));
  EXPECT_TRUE(eventually([&] { return state_of(appliance, "hello") == "paused"; }));
  appliance.must("pause side");
  appliance.must("stop");
  EXPECT_EQ(state_of(appliance, "hello"), "stopped");
  EXPECT_EQ(state_of(appliance, "side"), "stopped");
}

TEST(Orders, CreateMakesContainersAndStartStartsThem) {
  Appliance appliance(kStack);
  appliance.must("create");
  EXPECT_EQ(containers("{{.State}}"), "created");
  EXPECT_EQ(state_of(appliance, "hello"), "stopped");
  EXPECT_EQ(state_of(appliance, "side"), "stopped");
  const auto made = containers("{{.ID}}");
  appliance.must("start");
  EXPECT_TRUE(eventually([&] { return state_of(appliance, "hello") == "running"; }));
  EXPECT_TRUE(eventually([&] { return state_of(appliance, "side") == "running"; }));
  EXPECT_EQ(containers("{{.ID}}"), made);
}

TEST(Orders, UpNoStartLeavesRunningWhatRunsAndMakesTheRest) {
  Appliance appliance(kStack);
  appliance.must("up side");
  const auto process = id_of(appliance, "side");
  appliance.must("up --no-start");
  EXPECT_EQ(containers("{{.State}}"), "created");
  EXPECT_EQ(id_of(appliance, "side"), process);
  EXPECT_NE(appliance.run("up --no-start nosuch").code, 0);
}

TEST(Orders, RestartTakesAlongWhatDependsOnItWithRestartTrue) {
  Appliance appliance(R"(
name: e2eorders
services:
  db: {command: "sleep 1000"}
  asked: {command: "sleep 1000", depends_on: {db: {condition: service_started, restart: true}}}
  further: {command: "sleep 1000", depends_on: {asked: {condition: service_started, restart: true}}}
  other: {command: "sleep 1000", depends_on: [db]}
)");
  appliance.must("up");
  const auto id = [&](const char* unit) { return id_of(appliance, unit); };
  const auto all_run = [&] {
    return state_of(appliance, "db") == "running" && state_of(appliance, "further") == "running";
  };
  const auto db = id("db"), asked = id("asked"), further = id("further"), other = id("other");
  appliance.must("restart db");
  EXPECT_TRUE(eventually(all_run));
  EXPECT_NE(id("db"), db);
  EXPECT_NE(id("asked"), asked);
  EXPECT_NE(id("further"), further);
  EXPECT_EQ(id("other"), other);
  const auto asked_now = id("asked"), db_now = id("db");
  appliance.must("restart --no-deps db");
  EXPECT_TRUE(eventually(all_run));
  EXPECT_NE(id("db"), db_now);
  EXPECT_EQ(id("asked"), asked_now);
}

TEST(Orders, ExitCodeFromIsThatOfAServiceWhichTheAbortStopped) {
  const std::string image = busybox_image("plain", {});
  Appliance appliance(R"(
name: e2eorders
services:
  short: {command: "sleep 0.5"}
  process: {command: "sleep 1000"}
  killed: {image: )" + image +
                      R"(, command: sleep 1000, stop_grace_period: 0s}
  traps: {image: )" + image +
                      R"(, command: ["sh", "-c", "trap 'exit 9' TERM; while :; do sleep 0.1; done"]}
)");
  EXPECT_EQ(appliance.run("up --exit-code-from process").code, 143);
  EXPECT_EQ(appliance.run("up --exit-code-from killed").code, 137);
  EXPECT_EQ(appliance.run("up --exit-code-from traps").code, 9);
}

TEST(Orders, RmTakesAnonymousVolumesWithItWhenAskedTo) {
  Appliance appliance("name: e2eorders\nservices: {hello: {image: devstack/hello, volumes: [/data]}}\n");
  const auto volume_of = [&] {
    appliance.must("up");
    const auto name = ok("docker inspect -f '{{range .Mounts}}{{.Name}}{{end}}' " + id_of(appliance, "hello"));
    appliance.must("stop");
    return name;
  };
  const auto kept = volume_of();
  appliance.must("rm -f");
  EXPECT_EQ(containers("{{.ID}}"), "");
  EXPECT_EQ(ok("docker volume rm " + kept), kept);
  const auto gone = volume_of();
  appliance.must("rm -f -v");
  EXPECT_NE(sh("docker volume inspect " + gone).code, 0);
}

TEST(Orders, DownRmiRemovesTheImagesThatAKilledSupervisorLeft) {
  ok("docker tag " + busybox_image("plain", {}) + " e2eorders/own:1");
  Appliance appliance(
      "name: e2eorders\nservices: {own: {image: 'e2eorders/own:1', init: true, command: sleep 1000}}\n");
  appliance.must("up");
  ok("kill -9 " + std::to_string(appliance.supervisor_pid()));
  appliance.must("down --rmi all");
  EXPECT_EQ(containers("{{.ID}}"), "");
  EXPECT_NE(sh("docker image inspect e2eorders/own:1").code, 0);
}

}  // namespace
}  // namespace devstack::e2e

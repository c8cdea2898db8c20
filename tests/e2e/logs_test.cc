// What units print, from the shell: while they run, when they are gone, and over crashes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <sstream>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string stack() {
  return R"(
name: e2elogs
services:
  web: {image: )" +
         busybox_image("plain", {}) +
         R"(, command: [sh, -c, "i=0; while :; do i=$$((i+1)); echo w$$i; sleep 0.05; done"], stop_signal: SIGKILL}
  worker: {command: "i=0; while :; do i=$$((i+1)); echo p$$i; sleep 0.05; done"}
  once: {image: devstack-e2e/plain, command: [sh, -c, "echo out; echo err >&2; printf unfinished"]}
)";
}

std::vector<std::string> lines_of(const Output& out) {
  std::istringstream text(out.text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

/// Whether the numbered lines are 1, 2, 3 … with none missing and none twice.
void expect_counted(const Appliance& appliance, const std::string& unit, char letter) {
  int number = 0;
  for (const auto& line : lines_of(appliance.run("logs --no-log-prefix " + unit))) {
    ASSERT_EQ(line, letter + std::to_string(++number)) << unit;
  }
  EXPECT_GT(number, 5);
}

std::size_t count(const Appliance& appliance, const std::string& args) {
  return lines_of(appliance.run("logs " + args)).size();
}

TEST(Logs, AreKeptOverAKilledSupervisorAndAfterDown) {
  Appliance appliance(stack());
  appliance.must("up");
  ASSERT_TRUE(eventually([&] { return count(appliance, "web") > 5 && count(appliance, "worker") > 5; }));
  ok("kill -9 " + std::to_string(appliance.supervisor_pid()));
  // Written while nobody reads: the container's by the engine, the process's in its own file.
  const auto container = "docker logs e2elogs-web-1 | wc -l";
  const int before = std::stoi(ok(container));
  ASSERT_TRUE(eventually([&] { return std::stoi(ok(container)) > before + 5; }));
  appliance.must("up");
  appliance.must("down");
  EXPECT_EQ(ok("docker ps -aq --filter label=io.devstack.project=e2elogs"), "");
  expect_counted(appliance, "web", 'w');
  expect_counted(appliance, "worker", 'p');
  EXPECT_GT(count(appliance, "web"), static_cast<std::size_t>(before + 5));
  // Each `up` starts it; from its two pipes the engine reads in any order.
  EXPECT_THAT(lines_of(appliance.run("logs once --no-log-prefix")),
              testing::UnorderedElementsAre("out", "err", "unfinished", "out", "err", "unfinished"));
}

TEST(Logs, AreKeptWhenACrashIsCleanedUp) {
  Appliance appliance(stack());
  appliance.must("up");
  ASSERT_TRUE(eventually([&] { return count(appliance, "web") > 5 && count(appliance, "worker") > 5; }));
  ok("kill -9 " + std::to_string(appliance.supervisor_pid()));
  const int before = std::stoi(ok("docker logs e2elogs-web-1 | wc -l"));
  appliance.must("down");
  expect_counted(appliance, "web", 'w');
  expect_counted(appliance, "worker", 'p');
  EXPECT_GE(count(appliance, "web"), static_cast<std::size_t>(before));
}

TEST(Logs, OfAServiceThatIsTakenOutOfTheStackStay) {
  Appliance appliance(stack());
  appliance.must("up");
  ASSERT_TRUE(eventually([&] { return count(appliance, "web") > 5; }));
  appliance.rewrite("name: e2elogs\nservices: {worker: {command: \"sleep 1000\"}}\n");
  appliance.must("up");
  EXPECT_NE(sh("docker inspect e2elogs-web-1").code, 0);
  expect_counted(appliance, "web", 'w');
  EXPECT_THAT(appliance.must("logs"), Not(HasSubstr("web ")));
}

TEST(Logs, AreChosenByTailAndTimeAndMergedByTime) {
  Appliance appliance(stack());
  appliance.must("up");
  ASSERT_TRUE(eventually([&] { return count(appliance, "web") > 5 && count(appliance, "worker") > 5; }));
  EXPECT_EQ(count(appliance, "-n 2 web"), 2U);
  EXPECT_EQ(count(appliance, "--tail 3 web worker"), 6U);
  EXPECT_EQ(count(appliance, "-n 0"), 0U);
  std::string last;
  for (const auto& line : lines_of(appliance.run("--json logs"))) {
    const auto record = parse_json(line);
    const std::string time(record.at("time").as_string());
    EXPECT_LE(last, time);
    last = time;
    EXPECT_EQ(record.as_object().size(), 4U);
  }
  const auto rows = lines_of(appliance.run("--json logs -n 2 web"));
  const std::string from(parse_json(rows.at(1)).at("time").as_string());
  EXPECT_THAT(lines_of(appliance.run("logs -t --no-log-prefix --since " + from + " --until " + from + " web")),
              testing::ElementsAre(HasSubstr(from + " w")));
  EXPECT_EQ(count(appliance, "--until 1h web"), 0U);
  EXPECT_THAT(appliance.must("--json logs once"), HasSubstr("\"stream\":\"stderr\",\"text\":\"err\"}"));
  EXPECT_EQ(appliance.run("logs --since someday").code, 2);
  EXPECT_EQ(appliance.run("logs -n few").code, 2);
  EXPECT_EQ(appliance.run("logs nosuch").code, 1);
}

TEST(Logs, FollowingGoesOnOverAReplacedContainer) {
  Appliance appliance(stack());
  appliance.must("up");
  const auto file = appliance.dir().file("followed");
  const auto pid =
      ok("(" + appliance.command_line("logs -f -n 1 --no-log-prefix web") + " >" + file + " 2>&1 & echo $!)");
  ASSERT_TRUE(eventually([&] { return std::stoi(ok("wc -l < " + file)) > 5; }));
  auto changed = stack();
  changed.replace(changed.find("echo w"), 6, "echo v");
  appliance.rewrite(changed);
  appliance.must("up");
  EXPECT_TRUE(eventually([&] { return sh("grep -qx v3 " + file).code == 0; })) << ok("tail -n 3 " + file);
  ok("kill -INT " + pid);
}

}  // namespace
}  // namespace devstack::e2e

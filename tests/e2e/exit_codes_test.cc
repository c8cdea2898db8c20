// Each exit code that the manual promises, from the command that gives it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

using ::testing::HasSubstr;

constexpr const char* kStack = R"(
name: e2ecodes
services:
  short: {command: "sleep 1; exit 3"}
  long: {command: "sleep 1000"}
)";

TEST(ExitCodes, ZeroOneTwoAndSix) {
  Appliance appliance(kStack);
  EXPECT_EQ(appliance.run("version").code, 0);
  EXPECT_EQ(appliance.run("down").code, 0);    // nothing is there
  EXPECT_EQ(appliance.run("status").code, 1);  // nothing runs
  EXPECT_EQ(appliance.run("logs nosuch").code, 1);
  EXPECT_EQ(appliance.run("up --nonsense").code, 2);
  EXPECT_EQ(appliance.run("up --wait-timeout soon").code, 2);
  EXPECT_EQ(appliance.run("up --pull sometimes").code, 2);
  EXPECT_EQ(appliance.run("nosuch").code, 2);
  EXPECT_EQ(appliance.run("exec").code, 2);
  appliance.rewrite("services: [");
  EXPECT_EQ(appliance.run("up").code, 6);
  EXPECT_EQ(appliance.run("plan").code, 6);
  EXPECT_EQ(appliance.run("config").code, 6);
}

TEST(ExitCodes, ThreeWithoutAnEngine) {
  Appliance appliance("name: e2ecodes\nservices: {only: {image: devstack/hello}}\n");
  const auto without = [&](const std::string& args) {
    return sh("DOCKER_HOST=unix:///nonexistent.sock " + appliance.command_line(args)).code;
  };
  EXPECT_EQ(without("up"), 3);
  EXPECT_EQ(without("plan"), 3);
  EXPECT_EQ(without("run --rm only true"), 3);
  EXPECT_EQ(without("pull"), 3);
}

TEST(ExitCodes, FourForATakenPortAndFiveForWhatIsNotHealthyInTime) {
  Appliance appliance(R"(
name: e2ecodes
services:
  sick: {command: "sleep 1000", healthcheck: {test: ["CMD", "false"], interval: 200ms, retries: 1000}}
  lost: {image: nosuch.invalid/lost, pull_policy: never, scale: 0}
)");
  const auto holder =
      ok("(setsid python3 -c 'import socket,time; s=socket.socket(); s.setsockopt(socket.SOL_SOCKET, "
         "socket.SO_REUSEADDR, 1); s.bind((\"127.0.0.1\", 8500)); s.listen(); time.sleep(60)' "
         ">/dev/null 2>&1 & echo $!)");
  ASSERT_TRUE(eventually([] { return !ok("ss -Hltn 'sport = :8500'").empty(); }));
  EXPECT_EQ(appliance.run("up").code, 4);
  ok("kill " + holder);
  ASSERT_TRUE(eventually([] { return ok("ss -Hltn 'sport = :8500'").empty(); }));
  EXPECT_EQ(appliance.run("up --wait-timeout 1s").code, 5);
  EXPECT_EQ(appliance.run("scale sick=2 --wait-timeout 1s").code, 5);
  EXPECT_EQ(appliance.run("scale sick=3 --no-wait").code, 0);
  EXPECT_EQ(appliance.run("scale lost=1 --wait-timeout soon").code, 2);
  const auto lost = appliance.run("scale lost=1");
  EXPECT_EQ(lost.code, 1);
  EXPECT_THAT(lost.text, HasSubstr("lost is failed: services.lost: the image nosuch.invalid/lost is not there"));
}

TEST(ExitCodes, OfTheServiceThatIsNamed) {
  Appliance appliance(kStack);
  EXPECT_EQ(appliance.run("up --abort-on-container-exit").code, 3);
  EXPECT_EQ(appliance.run("down").text, "nothing runs here\n");
  EXPECT_EQ(appliance.run("up --exit-code-from short").code, 3);
}

TEST(ExitCodes, HundredThirtyWhenInterruptedOnceGracefulTwiceAtOnce) {
  Appliance appliance(
      "name: e2ecodes\nservices: {slow: {command: \"trap '' TERM; while :; do sleep 0.1; done\", "
      "stop_grace_period: 2s}}\n");
  const auto interrupted = [&](int times) {
    return ok("{ " + appliance.command_line("up --foreground") + " >" + appliance.dir().file("out") +
              " 2>&1 & } ; pid=$!; until [ -n \"$(" + appliance.command_line("ps --status running -q") +
              " 2>/dev/null)\" ]; do sleep 0.05; done; kill -INT $pid; " +
              (times > 1 ? "until grep -q 'stopping (again' " + appliance.dir().file("out") +
                               "; do sleep 0.05; done; kill -INT $pid; "
                         : "") +
              "wait $pid; echo $?");
  };
  EXPECT_EQ(interrupted(1), "130");
  EXPECT_EQ(appliance.run("down").text, "nothing runs here\n");
  EXPECT_EQ(interrupted(2), "130");
  EXPECT_THAT(appliance.must("down"), HasSubstr("e2ecodes is down"));  // what the second one left
}

}  // namespace
}  // namespace devstack::e2e

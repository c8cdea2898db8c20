// devstack watch: what changes in the sources of services is synced, restarted or rebuilt, as develop.watch says.
// https://docs.docker.com/compose/how-tos/file-watch/
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kStack = R"(
name: e2esources
services:
  web:
    build: ./web
    command: [sh, -c, "[ ! -e /conf/set ] || . /conf/set; trap 'exit 0' TERM; while :; do sleep 0.1; done"]
    stop_grace_period: 5s
    develop:
      watch:
        - {action: sync, path: ./src, target: /app, ignore: ["*.log", "vendor/"], initial_sync: true}
        - {action: sync+restart, path: ./conf, target: /conf}
        - action: sync+exec
          path: ./reload
          target: /reload
          exec: {command: [sh, -c, "echo $$HOW $$(id -g) in $$PWD: $$(cat /reload/x); cat /reload/x > /tmp/reloaded"],
                 user: "0:12", working_dir: /tmp, environment: {HOW: reloaded}}
        - {action: restart, path: ./etc}
        - {action: rebuild, path: ./web}
  other: {image: devstack-e2e/plain, command: [sleep, "1000"], stop_signal: SIGKILL}
)";

class Sources : public ::testing::Test {
 protected:
  Sources() : appliance_(stack()) {
    write("web/Dockerfile", "FROM devstack-e2e/plain\nCOPY version /version\n");
    write("web/version", "1\n");
    write("src/a", "1\n");
    write("src/noise.log", "1\n");
    for (const char* folder : {"conf", "reload", "etc"}) write(std::string(folder) + "/keep", "");
  }
  ~Sources() override {
    if (!pid_.empty()) sh("kill -INT " + pid_);
    sh("docker rmi -f e2esources-web");
  }
  static std::string stack() {
    busybox_image("plain", {});
    return kStack;
  }

  void write(const std::string& name, const std::string& text) const { appliance_.dir().write(name, text); }
  [[nodiscard]] std::string path(const std::string& name) const { return appliance_.dir().file(name); }
  [[nodiscard]] std::string said() const { return sh("cat " + path("out")).text; }
  [[nodiscard]] bool says(const std::string& text) const {
    return eventually([&] { return said().find(text) != std::string::npos; }, std::chrono::seconds(60));
  }
  /// Starts it in the background, its output in the file "out"; returns once it watches.
  void begin(const std::string& args) {
    sh("cd " + appliance_.dir().path() + "; ( " + appliance_.command_line(args) +
       " > out 2>&1 & echo $! > pid; wait $!; echo \"code $?\" >> out ) > /dev/null 2>&1 &");
    ASSERT_TRUE(says("Watch enabled\n")) << said();
    pid_ = ok("cat " + path("pid"));
  }
  void interrupt() {
    ok("kill -INT " + pid_);
    pid_.clear();
    EXPECT_TRUE(says("Watch disabled\ncode 0\n")) << said();
  }
  /// Output of a command in the container; what fails is as good as no output.
  Output in_web(const std::string& command) const { return sh("docker exec e2esources-web-1 sh -c '" + command + "'"); }
  [[nodiscard]] bool becomes(const std::string& file, const std::string& text) const {
    return eventually([&] { return in_web("cat " + file).text == text; }, std::chrono::seconds(30));
  }
  [[nodiscard]] static std::string container(const std::string& what) {
    return ok("docker inspect -f '{{" + what + "}}' e2esources-web-1");
  }

  Appliance appliance_;
  std::string pid_;
};

TEST_F(Sources, WhatChangesIsSynced) {
  begin("watch --quiet");
  const auto id = container(".Id");
  EXPECT_TRUE(becomes("/app/a", "1\n")) << "the initial sync";
  write("src/a", "2\n");
  EXPECT_TRUE(becomes("/app/a", "2\n")) << said();
  EXPECT_TRUE(says("Syncing service \"web\" after 1 changes were detected\n")) << said();
  write("src/made/deep/b", "1\n");
  EXPECT_TRUE(becomes("/app/made/deep/b", "1\n")) << "in folders that came: " << said();
  write("src/noise.log", "2\n");
  write("src/vendor/lib", "1\n");
  ok("cd " + path("src") + " && echo 3 > new && mv new a");  // as editors save
  EXPECT_TRUE(becomes("/app/a", "3\n")) << said();
  EXPECT_NE(in_web("ls /app/noise.log").code, 0);
  EXPECT_NE(in_web("ls -d /app/vendor").code, 0);
  ok("rm " + path("src/a"));
  EXPECT_TRUE(eventually([&] { return in_web("ls /app/a").code != 0; }, std::chrono::seconds(30))) << said();
  ok("mv " + path("src/made") + " " + path("src/renamed"));
  EXPECT_TRUE(becomes("/app/renamed/deep/b", "1\n")) << said();
  EXPECT_NE(in_web("ls -d /app/made").code, 0) << said();
  EXPECT_EQ(container(".Id"), id);
  EXPECT_EQ(container(".RestartCount") + in_web("cat /version").text, "01\n");
  interrupt();
  write("src/late", "1\n");
  EXPECT_THAT(appliance_.must("ps --services"), HasSubstr("web"));
  EXPECT_NE(in_web("ls /app/late").code, 0) << "nobody watches any more";
}

TEST_F(Sources, RestartKeepsTheContainerAndWhatWasSynced) {
  begin("watch --quiet web");
  const auto id = container(".Id");
  auto started = container(".State.StartedAt");
  const auto restarted = [&] {
    return eventually([&] { return container(".State.StartedAt") != started; }, std::chrono::seconds(30));
  };
  write("etc/x", "1\n");
  EXPECT_TRUE(restarted()) << said();
  EXPECT_TRUE(says("service(s) [\"web\"] restarted\n")) << said();
  EXPECT_THAT(said(), Not(HasSubstr("Syncing service")));
  started = container(".State.StartedAt");
  write("conf/app.conf", "new\n");
  EXPECT_TRUE(restarted()) << said();
  EXPECT_TRUE(becomes("/conf/app.conf", "new\n")) << said();
  EXPECT_TRUE(says("detected\nservice(s) [\"web\"] restarted\n")) << said();
  EXPECT_EQ(container(".Id"), id);
  interrupt();
}

TEST_F(Sources, WhatAChangeBrokeTheNextOneMends) {
  begin("watch --quiet");
  const auto id = container(".Id");
  write("conf/set", "exit 3\n");
  EXPECT_TRUE(
      eventually([&] { return container(".State.Status}}{{.State.ExitCode") == "exited3"; }, std::chrono::seconds(30)))
      << said();
  write("conf/set", "SET=1\n");
  EXPECT_TRUE(eventually([&] { return container(".State.Running") == "true"; }, std::chrono::seconds(30))) << said();
  EXPECT_EQ(in_web("cat /conf/set").text, "SET=1\n");
  EXPECT_EQ(container(".Id"), id);
  interrupt();
}

TEST_F(Sources, EveryInstanceIsSynced) {
  begin("up -w --scale web=2");
  write("src/a", "2\n");
  EXPECT_TRUE(becomes("/app/a", "2\n")) << said();
  EXPECT_TRUE(eventually([] { return sh("docker exec e2esources-web-2 cat /app/a").text == "2\n"; })) << said();
  write("web/version", "2\n");
  EXPECT_TRUE(says("Rebuilding service(s) [\"web\"]")) << said();
  EXPECT_TRUE(eventually([] { return sh("docker exec e2esources-web-2 cat /version").text == "2\n"; },
                         std::chrono::seconds(60)))
      << said();
  EXPECT_TRUE(becomes("/version", "2\n")) << "as many as there were";
  interrupt();
}

TEST_F(Sources, ExecRunsOnceAfterTheSyncAndItsFailureEndsNothing) {
  begin("watch --quiet");
  write("reload/x", "one\n");
  EXPECT_TRUE(becomes("/tmp/reloaded", "one\n")) << said();
  EXPECT_TRUE(says("\"sh\" was run in web\nreloaded 12 in /tmp: one\n")) << said();
  in_web("rm -f /tmp/reloaded; mkdir /tmp/reloaded");
  write("reload/x", "two\n");
  EXPECT_TRUE(says("exec in web: \"sh\" exited with code 1")) << said();
  in_web("rmdir /tmp/reloaded");
  write("reload/x", "three\n");
  EXPECT_TRUE(becomes("/tmp/reloaded", "three\n")) << said();
  interrupt();
}

TEST_F(Sources, RebuildReplacesTheServiceAloneAndABrokenBuildIsTold) {
  begin("watch");
  const auto id = container(".Id");
  const auto image = container(".Image");
  const auto other = ok("docker inspect -f '{{.Id}}' e2esources-other-1");
  write("web/version", "2\n");
  EXPECT_TRUE(becomes("/version", "2\n")) << said();
  EXPECT_TRUE(says("service(s) [\"web\"] successfully built\n")) << said();
  EXPECT_THAT(said(), HasSubstr("Rebuilding service(s) [\"web\"] after changes were detected...\n"));
  EXPECT_THAT(said(), HasSubstr("COPY version /version"));
  EXPECT_NE(container(".Id"), id);
  EXPECT_TRUE(eventually([&] { return sh("docker image inspect " + image).code != 0; })) << "the old image goes";
  EXPECT_EQ(ok("docker inspect -f '{{.Id}}' e2esources-other-1"), other);
  const auto second = container(".Id");
  write("web/Dockerfile", "FROM devstack-e2e/plain\nCOPY nosuch /version\n");
  EXPECT_TRUE(says("rebuilding: build failed")) << said();
  EXPECT_EQ(container(".Id"), second);
  write("web/Dockerfile", "FROM devstack-e2e/plain\nCOPY version /other\n");
  EXPECT_TRUE(becomes("/other", "2\n")) << said();
  write("src/a", "after\n");
  EXPECT_TRUE(becomes("/app/a", "after\n")) << "into the new container: " << said();
  interrupt();
}

TEST_F(Sources, UpWatchFollowsTheSourcesAndTheStackFile) {
  begin("up -w");
  write("src/a", "2\n");
  EXPECT_TRUE(becomes("/app/a", "2\n")) << said();
  const auto other = ok("docker inspect -f '{{.Id}}' e2esources-other-1");
  std::string changed = kStack;
  changed.replace(changed.find("\"1000\""), 6, "\"2000\"");
  appliance_.rewrite(changed);
  EXPECT_TRUE(eventually(
      [&] {
        const auto now = sh("docker inspect -f '{{.Id}}' e2esources-other-1");
        return now.code == 0 && now.text != other + "\n";
      },
      std::chrono::seconds(30)));
  interrupt();
}

TEST_F(Sources, WatchingNeedsARunningStackAndRules) {
  const auto down = appliance_.run("watch --no-up");
  EXPECT_EQ(down.code, 1);
  EXPECT_THAT(down.text, HasSubstr("no devstack is running here"));
  const auto none = appliance_.run("watch --no-up other");
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.text, HasSubstr("none of these services is to be watched"));
  EXPECT_EQ(appliance_.run("watch --no-up nosuch").code, 1);
  EXPECT_EQ(appliance_.run("up -w --no-build").code, 2);
  appliance_.must("up");
  begin("watch --no-up");
  write("src/a", "2\n");
  EXPECT_TRUE(becomes("/app/a", "2\n")) << said();
  interrupt();
}

}  // namespace
}  // namespace devstack::e2e

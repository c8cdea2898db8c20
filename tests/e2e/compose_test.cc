// Compose's commands on the stack that runs: exec, run, cp, top, scale, kill, rm, ps, images, wait, down -v.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string stack() {
  return R"(
name: e2ecompose
services:
  db: {image: )" +
         busybox_image("plain", {}) + R"(, command: [sleep, "1000"], stop_signal: SIGKILL}
  web:
    image: devstack-e2e/plain
    command: [sh, -c, "trap 'echo got HUP' HUP; trap 'exit 0' TERM; while :; do sleep 0.1; done"]
    environment: {COLOUR: blue}
    working_dir: /tmp
    depends_on: [db]
    ports: ["8080"]
    stop_grace_period: 2s
  tool: {command: "sleep 1000", working_dir: ., environment: {COLOUR: green}}
)";
}

class Compose : public ::testing::Test {
 protected:
  Compose() : appliance_(stack()) { appliance_.must("up"); }
  [[nodiscard]] Output run(const std::string& args) const { return appliance_.run(args); }
  std::string must(const std::string& args) const { return appliance_.must(args); }
  [[nodiscard]] std::string states() const {
    std::string out;
    const auto status = appliance_.status();
    for (const auto& unit : status.at("services").as_array()) {
      out += std::string(unit.at("name").as_string()) + "=" + std::string(unit.at("state").as_string()) + " ";
    }
    return out;
  }
  Appliance appliance_;
};

TEST_F(Compose, ExecPassesInputOutputEnvironmentAndExitCode) {
  EXPECT_EQ(must("exec -T web sh -c 'echo $COLOUR; pwd'"), "blue\n/tmp\n");
  EXPECT_EQ(must("exec -T -e COLOUR=red -w / -u 1 web sh -c 'echo $COLOUR $(id -u); pwd'"), "red 1\n/\n");
  EXPECT_EQ(run("exec -T web sh -c 'exit 7'").code, 7);
  EXPECT_THAT(run("exec -T web nosuchprogram").code, testing::AnyOf(126, 127));  // as the engine says it
  EXPECT_EQ(ok("printf 'a\\nb\\n' | { " + appliance_.command_line("exec -T web wc -l") + "; }"), "2");
  EXPECT_EQ(must("exec -d web sh -c 'echo done > /tmp/mark'"), "");
  EXPECT_TRUE(eventually([&] { return run("exec -T web cat /tmp/mark").text == "done\n"; }));
  const auto big = ok(appliance_.command_line("exec -T web sh -c 'head -c 3000000 /dev/zero'") + " | wc -c");
  EXPECT_EQ(big, "3000000");
  EXPECT_EQ(run("exec -T wbe true").code, 1);
  EXPECT_THAT(run("exec -T wbe true").text, HasSubstr("did you mean \"web\"?"));
  EXPECT_THAT(run("exec -T tool true").text, HasSubstr("host process"));
}

TEST_F(Compose, ExecHasATerminalWhereThereIsOne) {
  const auto out = ok("script -qec \"" + appliance_.command_line("exec web sh -c 'tty; exit 5'") +
                      "\" /dev/null </dev/null; echo code $?");
  EXPECT_THAT(out, HasSubstr("/dev/pts/"));
  EXPECT_THAT(out, HasSubstr("code 5"));
}

TEST_F(Compose, RunMakesAContainerOfItsOwn) {
  EXPECT_EQ(must("run --rm -T web sh -c 'echo $COLOUR; pwd'"), "blue\n/tmp\n");
  EXPECT_EQ(run("run --rm -T web sh -c 'exit 9'").code, 9);
  EXPECT_EQ(must("run --rm -T -e COLOUR=red --entrypoint echo web one two"), "one two\n");
  EXPECT_EQ(ok("printf 'x\\ny\\n' | { " + appliance_.command_line("run --rm -T web wc -l") + "; }"), "2");
  must("run -d --name e2e-one-off -p 127.0.0.1:18099:80 web sh -c \"trap exit TERM; while :; do sleep 0.1; done\"");
  EXPECT_EQ(ok("docker port e2e-one-off"), "80/tcp -> 127.0.0.1:18099");
  EXPECT_EQ(ok("docker inspect -f '{{index .Config.Labels \"com.docker.compose.oneoff\"}}' e2e-one-off"), "True");
  EXPECT_THAT(states(), HasSubstr("web=running"));
  EXPECT_THAT(must("down"), HasSubstr("the network e2ecompose_default stays: it is used by e2e-one-off"));
  EXPECT_EQ(ok("docker inspect -f '{{.State.Running}}' e2e-one-off"), "true");
  must("down --remove-orphans");
  EXPECT_NE(sh("docker inspect e2e-one-off").code, 0);
  EXPECT_EQ(ok("docker network ls -q --filter name=e2ecompose_default"), "");
}

TEST_F(Compose, RunOfAHostProcessHasItsEnvironmentAndFolder) {
  EXPECT_EQ(must("run tool sh -c 'echo $COLOUR; pwd'"), "green\n" + appliance_.dir().path() + "\n");
  EXPECT_EQ(run("run tool sh -c 'exit 11'").code, 11);
}

TEST(ComposeDown, RunStartsWhatTheServiceDependsOnAndNothingElse) {
  Appliance appliance(stack());
  EXPECT_EQ(appliance.must("run --rm -T web echo hi"), "hi\n");
  EXPECT_EQ(appliance.must("ps --services"), "db\n");
}

TEST(ComposeDown, VolumesRemovesLogsAndNamedVolumes) {
  Appliance appliance(
      "name: e2ecompose\nvolumes: {data: {}}\nservices:\n  db: {image: " + busybox_image("plain", {}) +
      ", command: [sh, -c, \"echo hi; sleep 1000\"], volumes: [\"data:/data\"], stop_signal: SIGKILL}\n");
  appliance.must("up");
  EXPECT_EQ(ok("docker volume ls -q --filter name=e2ecompose_data"), "e2ecompose_data");
  appliance.must("down");
  EXPECT_EQ(ok("docker volume ls -q --filter name=e2ecompose_data"), "e2ecompose_data");
  EXPECT_THAT(appliance.must("logs db"), HasSubstr("hi"));
  appliance.must("up");
  appliance.must("down -v");
  EXPECT_EQ(ok("docker volume ls -q --filter name=e2ecompose_data"), "");
  EXPECT_EQ(appliance.run("logs db").code, 1);
}

TEST_F(Compose, CpCopiesBothWays) {
  const auto dir = appliance_.dir().path();
  ok("cd " + dir +
     " && mkdir -p tree/sub && echo one > tree/a && echo two > tree/sub/b && chmod 640 tree/a && ln -s a tree/l");
  must("cp " + dir + "/tree web:/tmp");
  EXPECT_EQ(must("exec -T web sh -c 'cat /tmp/tree/a /tmp/tree/sub/b; readlink /tmp/tree/l; stat -c %a /tmp/tree/a'"),
            "one\ntwo\na\n640\n");
  must("cp " + dir + "/tree/a web:/tmp/renamed");
  EXPECT_EQ(must("exec -T web cat /tmp/renamed"), "one\n");
  must("cp web:/tmp/tree " + dir + "/back");
  EXPECT_EQ(ok("diff -r " + dir + "/tree " + dir + "/back && echo same"), "same");
  must("cp web:/tmp/renamed " + dir);
  EXPECT_EQ(ok("cat " + dir + "/renamed"), "one");
  EXPECT_THAT(ok(appliance_.command_line("cp web:/tmp/tree -") + " | tar t"), HasSubstr("tree/sub/b"));
  ok("tar -C " + dir + "/tree -c a | { " + appliance_.command_line("cp - web:/tmp") + "; }");
  ok("tar -C " + dir + "/tree -c --owner=77 a | { " + appliance_.command_line("cp -a - web:/tmp") + "; }");
  EXPECT_EQ(must("exec -T web stat -c %u /tmp/a"), "77\n");
  EXPECT_EQ(run("cp web:/nosuch " + dir).code, 1);
  EXPECT_EQ(run("cp a b").code, 2);
}

TEST_F(Compose, CpFollowsTheNamedLinkWhenAsked) {
  const auto dir = appliance_.dir().path();
  ok("cd " + dir + " && mkdir tree && echo one > tree/a && ln -s a tree/l && ln -s tree top");
  must("cp " + dir + "/tree/l web:/tmp/link");
  must("cp -L " + dir + "/tree/l web:/tmp/file");
  must("cp -L " + dir + "/top web:/tmp");
  EXPECT_EQ(must("exec -T web sh -c 'readlink /tmp/link; cat /tmp/file; readlink /tmp/top/l'"), "a\none\na\n")
      << "links below it stay links";
  ok("mkdir " + dir + "/out");
  must("cp web:/tmp/top/l " + dir + "/out/link");
  EXPECT_EQ(ok("readlink " + dir + "/out/link"), "a");
  must("cp -L web:/tmp/top/l " + dir + "/out");
  EXPECT_EQ(ok("test ! -L " + dir + "/out/l && cat " + dir + "/out/l"), "one") << "under the name that was asked for";
  must("cp -L web:/tmp/top/l " + dir + "/out/other");
  EXPECT_EQ(ok("cat " + dir + "/out/other"), "one");
}

TEST_F(Compose, ScaleChangesTheNumberOfInstances) {
  must("scale db=3");
  EXPECT_THAT(states(), HasSubstr("db-3=running")) << "it returns when they run";
  EXPECT_EQ(must("exec -T --index 3 db hostname").size(), 13U);
  must("scale db=1");
  EXPECT_THAT(states(), Not(HasSubstr("db-2")));
  EXPECT_EQ(ok("docker ps -aq --filter label=com.docker.compose.service=db | wc -l"), "1");
  must("up --scale db=2");
  EXPECT_THAT(states(), HasSubstr("db-2=running"));
  EXPECT_EQ(run("scale db").code, 2);
  EXPECT_EQ(run("scale nosuch=2").code, 1);
}

TEST_F(Compose, KillSendsSignalsAndRmTakesAwayWhatIsStopped) {
  must("kill -s HUP web");
  EXPECT_TRUE(eventually([&] { return run("logs web").text.find("got HUP") != std::string::npos; }));
  EXPECT_THAT(states(), HasSubstr("web=running"));
  EXPECT_THAT(must("rm -f"), HasSubstr("nothing to remove"));
  must("kill web tool");
  EXPECT_THAT(states(), HasSubstr("web=stopped"));
  EXPECT_THAT(states(), HasSubstr("tool=stopped"));
  EXPECT_EQ(run("kill web").code, 1);
  EXPECT_EQ(run("kill -s NOSUCH db").code, 1);
  EXPECT_EQ(must("rm -f web"), "web removed\n");
  EXPECT_NE(sh("docker inspect e2ecompose-web-1").code, 0);
  must("rm -fs db");
  EXPECT_NE(sh("docker inspect e2ecompose-db-1").code, 0);
  must("up");
  EXPECT_THAT(states(), HasSubstr("web=running"));
  EXPECT_THAT(run("logs web").text, HasSubstr("got HUP"));
}

TEST_F(Compose, StopStartAndRestartWorkOnAllOrSome) {
  must("stop -t 1 web");
  EXPECT_THAT(states(), HasSubstr("web=stopped"));
  EXPECT_THAT(must("ps"), Not(HasSubstr("web")));
  EXPECT_THAT(must("ps -a"), HasSubstr("web"));
  EXPECT_EQ(must("ps --status stopped --services"), "web\n");
  must("start web");
  ASSERT_TRUE(eventually([&] { return states().find("web=running") != std::string::npos; }));
  const auto id = must("ps -q db");
  must("restart -t 1");
  ASSERT_TRUE(eventually([&] { return states().find("web=running") != std::string::npos; }));
  EXPECT_EQ(must("ps -q db"), id);
  must("stop -t 1");
  EXPECT_THAT(states(), HasSubstr("db=stopped"));
}

TEST_F(Compose, TopImagesPortAndPsTellAboutContainers) {
  EXPECT_THAT(must("top db tool"), HasSubstr("sleep 1000"));
  EXPECT_THAT(must("top"), HasSubstr("trap"));
  EXPECT_THAT(must("images"), HasSubstr("devstack-e2e/plain"));
  EXPECT_EQ(must("images -q db").size(), 13U);
  EXPECT_EQ("0.0.0.0:" + ok("docker port e2ecompose-web-1 8080 | head -1 | sed 's/.*://'"),
            must("port web 8080").substr(0, must("port web 8080").find('\n')));
  EXPECT_EQ(run("port --protocol udp web 8080").code, 1);
  EXPECT_EQ(parse_json(must("ps --format json db")).at("services").as_array().size(), 1U);
  EXPECT_EQ(run("ps nosuch").code, 1);
}

TEST_F(Compose, WaitReturnsTheCodeOfTheFirstThatEnds) {
  const auto waiting = ok("(" + appliance_.command_line("wait web") + " > " + appliance_.dir().file("waited") +
                          "; echo code $? >> " + appliance_.dir().file("waited") + ") >/dev/null 2>&1 & echo $!");
  must("stop web");
  EXPECT_TRUE(eventually([&] { return sh("grep -q 'code 0' " + appliance_.dir().file("waited")).code == 0; }));
  EXPECT_THAT(ok("cat " + appliance_.dir().file("waited")), HasSubstr("web exited with code 0"));
}

TEST_F(Compose, UpOfServicesStartsOnlyThoseAndWhatTheyNeed) {
  must("down");
  must("up web");
  EXPECT_EQ(must("ps --services"), "db\nweb\n");
  must("stop db");
  must("up --no-deps web");
  EXPECT_THAT(states(), HasSubstr("db=stopped"));
  must("up");
  EXPECT_EQ(states(), "db=running tool=running web=running ");
  const auto before = must("ps -q db");
  must("up --force-recreate --no-deps db");
  EXPECT_NE(must("ps -q db"), before);
  EXPECT_EQ(run("up nosuch").code, 1);
  EXPECT_EQ(run("up --force-recreate --no-recreate").code, 2);
}

}  // namespace
}  // namespace devstack::e2e

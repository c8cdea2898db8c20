// What no unit knows and is in the way, or is not: containers of other programs, of `run`, of a crash.
#include "tests/integration/supervisor/compose_fixture.h"

namespace devstack::supervisor {
namespace {

class RemovalTest : public ComposeTest {};

TEST_F(RemovalTest, ContainersOfOtherProgramsStayUnlessOrphansGo) {
  Stack stack(dir.path());
  const auto labels = " --label com.docker.compose.project=" + project + " --label com.docker.compose.oneoff=False ";
  shell("docker run -d --name " + project + "-foreign" + labels + "--label com.docker.compose.service=foreign " +
        std::string(image) + " sleep 1000");
  shell("docker run -d --name " + name_of("box") + labels + "--label com.docker.compose.service=box " +
        std::string(image) + " sleep 1000");
  stack.supervisor->apply(plan({container("box", "exec sleep 1000")}));
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(containers("{{.Names}}"), name_of("box")) << "it took the place of the other one";
  EXPECT_EQ(inspect(project + "-foreign", "{{.State.Running}}"), "true");
  ApplyOptions how;
  how.remove_orphans = true;
  stack.supervisor->apply(plan({container("box", "exec sleep 1000")}), how);
  EXPECT_TRUE(
      stack.eventually([&] { return inspect(project + "-foreign", "{{.Id}}").find("No such") != std::string::npos; }));
  stack.down();
}

TEST_F(RemovalTest, ContainersOfRunStayUnlessOrphansGo) {
  const auto make = [&](const std::string& name, const std::string& flags, const std::string& command) {
    shell("docker run " + flags + " --name " + project + "-" + name + " --label com.docker.compose.oneoff=True" +
          " --label com.docker.compose.project=" + project + " --label io.devstack.project=" + project +
          " --stop-timeout 0 " + std::string(image) + " " + command);
  };
  make("runs", "-d", "sleep 1000");
  make("ended", "", "sh -c :");
  make("step", "-d --label io.devstack.hook=pre_start", "sleep 1000");
  const auto sorted = [&] {
    return shell("docker ps -a --filter label=io.devstack.project=" + project + " --format '{{.Names}}' | sort");
  };
  auto box = container("box", "exec sleep 1000");
  box.spec.networks.emplace_back().network = "back";
  auto wanted = plan({box});
  wanted.networks = {network("back")};
  {
    Stack stack(dir.path());
    stack.supervisor->apply(wanted);
    ASSERT_TRUE(stack.up());
    EXPECT_EQ(sorted(), name_of("box") + "\n" + project + "-ended\n" + project + "-runs") << "only the step is none's";
    ApplyOptions how;
    how.remove_orphans = true;
    stack.supervisor->apply(wanted, how);
    EXPECT_TRUE(stack.eventually([&] { return sorted() == name_of("box") + "\n" + project + "-runs"; })) << sorted();
    ASSERT_TRUE(stack.up());
    shell("docker network connect " + project + "_back " + project + "-runs");
    stack.down();
    EXPECT_EQ(sorted(), project + "-runs");
    EXPECT_EQ(networks(), project + "_back") << "it is in use, which is no failure";
  }
  Stack stack(dir.path());
  stack.supervisor->apply(plan({}));
  ASSERT_TRUE(stack.up());
  DownOptions options;
  options.orphans = true;
  down(stack, options);
}

TEST_F(RemovalTest, AStrayHasTheGraceItWasMadeWith) {
  const auto stray = [&](const std::string& name, int seconds) {
    shell("docker run -d --name " + project + "-" + name + " --stop-timeout " + std::to_string(seconds) +
          " --label com.docker.compose.oneoff=False --label com.docker.compose.project=" + project +
          " --label io.devstack.project=" + project + " --label io.devstack.unit=" + name + " -v " + dir.path() +
          ":/out " + std::string(image) + " sh -c 'trap \"sleep 1; touch /out/" + name + "; exit\" TERM; touch /out/" +
          name + "-runs; while :; do sleep 0.1; done'");
  };
  const auto there = [&](const std::string& name) { return ::access(dir.file(name).c_str(), F_OK) == 0; };
  stray("hasty", 0);
  stray("patient", 10);
  Stack stack(dir.path());
  ASSERT_TRUE(stack.eventually([&] { return there("hasty-runs") && there("patient-runs"); }));
  stack.supervisor->apply(plan({container("box", "exec sleep 1000")}));
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(containers("{{.Names}}"), name_of("box"));
  EXPECT_TRUE(there("patient"));
  EXPECT_FALSE(there("hasty")) << "it was given longer than it asked for";

  stray("asked", 10);
  ASSERT_TRUE(stack.eventually([&] { return there("asked-runs"); }));
  stack.down(0s);
  EXPECT_FALSE(there("asked")) << "the grace of down is for it, too";
}

}  // namespace
}  // namespace devstack::supervisor

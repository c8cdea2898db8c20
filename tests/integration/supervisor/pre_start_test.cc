// Steps before the start of a container, on the real engine.
#include "tests/integration/supervisor/compose_fixture.h"

namespace devstack::supervisor {
namespace {

class PreStartTest : public ComposeTest {};

stack::Hook step(const std::string& script) {
  stack::Hook made;
  made.command = {"/bin/sh", "-c", script};
  return made;
}

TEST_F(PreStartTest, StepsRunInOrderBeforeTheFirstStartOnly) {
  Stack stack(dir.path());
  auto box = container("box", "cat /data/log > /out/seen; exec sleep 1000");
  mount(box, stack::MountKind::volume, "data", "/data");
  mount(box, stack::MountKind::bind, dir.file("out"), "/out");
  box.spec.pre_start = {step("echo $WORD >> /data/log"), step("test -s /data/log && echo two >> /data/log")};
  box.spec.pre_start[0].environment["WORD"] = "one";
  auto wanted = plan({box});
  wanted.volumes = {volume("data")};
  stack.supervisor->apply(wanted);
  ASSERT_TRUE(stack.up());
  const auto seen = [&] { return test::read_file(dir.file("out/seen")); };
  ASSERT_TRUE(stack.eventually([&] { return seen() == "one\ntwo\n"; })) << seen();
  EXPECT_EQ(containers("{{.Names}}"), name_of("box")) << "no step is left";

  const auto restarted = test::run(stack.io, stack.supervisor->restart_unit("box"), 60s);
  ASSERT_TRUE(restarted) << restarted.error().message;
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(shell("docker exec " + name_of("box") + " cat /data/log"), "one\ntwo") << "run again";

  wanted.units[0].config_hash += "x";
  stack.supervisor->apply(wanted);
  EXPECT_TRUE(stack.eventually([&] { return seen() == "one\ntwo\none\ntwo\n"; })) << seen();
  ASSERT_TRUE(stack.up());
  down(stack, with_volumes());
}

TEST_F(PreStartTest, AFailingStepKeepsTheServiceFromStartingUntilItSucceeds) {
  Stack stack(dir.path());
  auto box = container("box", "exec sleep 1000");
  mount(box, stack::MountKind::bind, dir.file("out"), "/out");
  box.spec.pre_start = {step("echo first >> /out/log"), step("echo looked; test -e /out/there || exit 9"),
                        step("echo third >> /out/log")};
  auto user = container("user", "exec sleep 1000");
  depend(user, "box", stack::DependencyCondition::started);
  stack.supervisor->apply(plan({box, user}));
  stack.reaches("box", State::failed);
  EXPECT_EQ(stack.unit("box").detail, "pre_start step 2 of 3, \"/bin/sh\" exited with code 9: looked");
  EXPECT_EQ(test::read_file(dir.file("out/log")), "first\n");
  EXPECT_EQ(inspect(name_of("box"), "{{.State.Status}}"), "created");
  EXPECT_EQ(containers("{{.Names}}"), name_of("box")) << "no step is left";

  shell("touch " + dir.file("out/there"));
  stack.supervisor->apply(plan({box, user}));
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(test::read_file(dir.file("out/log")), "first\nfirst\nthird\n");
  stack.down();
}

TEST_F(PreStartTest, AStopEndsTheStepThatRuns) {
  Stack stack(dir.path());
  auto box = container("box", "exec sleep 1000");
  box.spec.pre_start = {step("exec sleep 1000"), step("true")};
  stack.supervisor->apply(plan({box}));
  const auto running = [&] {
    return shell("docker ps -q --filter name=" + name_of("box") +
                 "-pre_start-1 --filter label=io.devstack.project=" + project);
  };
  ASSERT_TRUE(stack.eventually([&] { return !running().empty(); }));
  EXPECT_THAT(stack.unit("box").detail, HasSubstr("pre_start step 1 of 2"));
  const auto stopped = test::run(stack.io, stack.supervisor->stop_unit("box"), 60s);
  EXPECT_TRUE(stopped) << stopped.error().message;
  EXPECT_EQ(stack.unit("box").state, State::stopped);
  EXPECT_EQ(containers("{{.Names}} {{.State}}"), name_of("box") + " created") << "the step is gone";
  stack.down();
}

TEST_F(PreStartTest, StepsRunOnceForAServiceOrForEachInstance) {
  Stack stack(dir.path());
  auto box = container("box", "exec sleep 1000");
  mount(box, stack::MountKind::bind, dir.file("out"), "/out");
  box.spec.pre_start = {step("echo all >> /out/log"), step("echo each >> /out/log")};
  box.spec.pre_start[1].per_replica = true;
  const auto scaled = [&](int most) {
    box.spec.scale = most;
    std::vector<stack::PlannedUnit> units;
    for (int number = 1; number <= most; ++number) units.push_back(instance(box, number));
    return plan(std::move(units));
  };
  const auto log = [&] { return test::read_file(dir.file("out/log")); };
  stack.supervisor->apply(scaled(2));
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(log(), "all\neach\neach\n");
  stack.supervisor->apply(scaled(3));
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(log(), "all\neach\neach\neach\n") << "an instance more is prepared by what ran";
  ApplyOptions anew;
  anew.force_recreate = true;
  stack.supervisor->apply(scaled(3), anew);
  EXPECT_TRUE(stack.eventually([&] { return log() == "all\neach\neach\neach\nall\neach\neach\neach\n"; })) << log();
  ASSERT_TRUE(stack.up());
  stack.down();
}

}  // namespace
}  // namespace devstack::supervisor

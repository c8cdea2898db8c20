#include "core/process/marked.h"
#include "tests/integration/supervisor/stack_fixture.h"

namespace devstack::supervisor {
namespace {

/// Host processes alone; no engine is asked.
class ProcessesTest : public SupervisorTest {
 protected:
  Stack make_stack() const { return Stack(dir.path(), "unix://" + dir.file("no.sock")); }
  static std::string status_of(const Stack& stack, const std::string& service) {
    const auto found = stack.registry->snapshot()->instances(service);
    return found.empty() ? "none" : std::string(found[0].aggregated_status());
  }
  std::string runs() const { return test::read_file(dir.file("runs")); }
  bool log_has(Stack& stack, const std::string& name, const std::string& text) const {
    return stack.eventually(
        [&] { return test::read_file(stack.supervisor->log_file(name)).find(text) != std::string::npos; });
  }
  /// Appends to `runs` at each start and then is what `script` says.
  stack::PlannedUnit counted(const std::string& name, const std::string& script) const {
    return process(name, "echo x >> " + dir.file("runs") + "; " + script);
  }
};

TEST_F(ProcessesTest, IsReadyAndRegisteredOnceItsLogSaysSo) {
  auto worker = process("worker", "echo booting; while ! test -e " + dir.file("go") +
                                      "; do sleep 0.02; done; echo now serving on 80; exec sleep 1000");
  worker.spec.process->ready_log_line = "serving on [0-9]+";
  auto dependent = process("dependent", "exec sleep 1000");
  depend(dependent, "worker", stack::DependencyCondition::healthy);
  std::string id;
  {
    auto stack = make_stack();
    stack.supervisor->apply(plan({worker, dependent}));
    ASSERT_TRUE(log_has(stack, "worker", "booting"));
    EXPECT_TRUE(
        stack.eventually([&] { return stack.unit("worker").detail == "waits for a log line with serving on [0-9]+"; }));
    EXPECT_EQ(stack.unit("worker").state, State::starting);
    EXPECT_EQ(stack.unit("dependent").state, State::waiting);
    EXPECT_EQ(status_of(stack, "worker"), "none");
    EXPECT_FALSE(stack.supervisor->status().healthy);
    dir.write("go", "");
    ASSERT_TRUE(stack.up());
    EXPECT_EQ(stack.unit("worker").health, "healthy");
    EXPECT_EQ(status_of(stack, "worker"), "passing");
    id = stack.unit("worker").id;
  }
  // Taken back, it is as ready as it was, whatever became of its log.
  ::unlink((dir.path() + "/state/logs/" + project + "/worker.log").c_str());
  auto stack = make_stack();
  stack.supervisor->apply(plan({worker, dependent}));
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(stack.unit("worker").id, id);
  EXPECT_EQ(status_of(stack, "worker"), "passing");
  stack.down();
}

TEST_F(ProcessesTest, AReadyLineOfAnEarlierRunDoesNotCount) {
  auto stack = make_stack();
  auto worker = counted("worker", "test $(wc -l < " + dir.file("runs") + ") = 1 && echo ready; exec sleep 1000");
  worker.spec.process->ready_log_line = "^ready$";
  stack.supervisor->apply(plan({worker}));
  ASSERT_TRUE(stack.up());
  ASSERT_TRUE(test::run(stack.io, stack.supervisor->restart_unit("worker")));
  ASSERT_TRUE(stack.eventually([&] { return runs() == "x\nx\n"; }));
  EXPECT_EQ(stack.unit("worker").state, State::starting);
  stack.down();
}

TEST_F(ProcessesTest, WhatIsNamedAndRestartsWithAnotherIsRestartedOnce) {
  auto stack = make_stack();
  auto base = process("base", "exec sleep 1000");
  auto top = counted("top", "exec sleep 1000");
  depend(top, "base", stack::DependencyCondition::started);
  top.spec.depends_on.back().restart = true;
  stack.supervisor->apply(plan({base, top}));
  ASSERT_TRUE(stack.up());
  const auto base_was = stack.unit("base").id;
  ASSERT_TRUE(stack.eventually([&] { return runs() == "x\n"; }));
  ASSERT_TRUE(test::run(stack.io, stack.supervisor->restart_unit("top,base"), 60s));
  ASSERT_TRUE(stack.up());
  EXPECT_NE(stack.unit("base").id, base_was);
  ASSERT_TRUE(stack.eventually([&] { return runs() != "x\n"; }));
  EXPECT_EQ(runs(), "x\nx\n");
  EXPECT_EQ(test::run(stack.io, stack.supervisor->restart_unit("top,none")).error().code, Errc::not_found);
  stack.down();
}

TEST_F(ProcessesTest, AnUnusableReadyLineIsRefused) {
  auto stack = make_stack();
  auto worker = process("worker", "exec sleep 1000");
  worker.spec.process->ready_log_line = "(";
  stack.supervisor->apply(plan({worker}));
  stack.reaches("worker", State::failed);
  EXPECT_THAT(stack.unit("worker").detail, HasSubstr("ready_log_line \"(\": missing )"));
  stack.down();
}

TEST_F(ProcessesTest, AFailingHealthCheckTakesItOutOfUseAndLivenessRestartsIt) {
  auto stack = make_stack();
  auto worker = counted("worker", "exec sleep 1000");
  worker.spec.healthcheck = check("test ! -e " + dir.file("sick"));
  worker.spec.process->liveness = check("test ! -e " + dir.file("dead") + " || { echo hangs; exit 1; }");
  worker.spec.process->liveness->interval = 50ms;
  worker.spec.restart.delay = 500ms;
  stack.supervisor->apply(plan({worker}));
  ASSERT_TRUE(stack.up());
  const auto id = stack.unit("worker").id;

  dir.write("sick", "");
  stack.reaches("worker", State::unhealthy);
  EXPECT_TRUE(stack.eventually([&] { return status_of(stack, "worker") == "critical"; }));
  EXPECT_EQ(stack.unit("worker").id, id) << "it runs on";
  ::unlink(dir.file("sick").c_str());
  stack.reaches("worker", State::running);
  EXPECT_EQ(stack.unit("worker").restarts, 0);

  dir.write("dead", "");
  stack.reaches("worker", State::backoff);
  EXPECT_EQ(stack.unit("worker").detail, "liveness check fails: hangs; starting again in 500ms");
  EXPECT_EQ(status_of(stack, "worker"), "none");
  ::unlink(dir.file("dead").c_str());
  stack.reaches("worker", State::running);
  EXPECT_NE(stack.unit("worker").id, id);
  EXPECT_EQ(stack.unit("worker").restarts, 1);
  EXPECT_EQ(runs(), "x\nx\n");
  stack.down();
}

TEST_F(ProcessesTest, StopCommandAsksItToEnd) {
  auto stack = make_stack();
  auto worker = process("worker", "trap 'echo bye; exit 0' USR1; trap '' TERM; echo up; while :; do sleep 0.02; done");
  worker.spec.working_dir = dir.path();
  worker.spec.environment["WHO"] = "me";
  worker.spec.process->stop_command = {"/bin/sh", "-c", "echo $WHO $PID > asked; kill -USR1 $PID"};
  worker.spec.stop_grace_period = 20s;
  stack.supervisor->apply(plan({worker}));
  ASSERT_TRUE(stack.up());
  ASSERT_TRUE(log_has(stack, "worker", "up"));
  const auto id = stack.unit("worker").id;
  stack.down();
  EXPECT_EQ(test::read_file(dir.file("asked")), "me " + id + "\n");
  EXPECT_THAT(test::read_file(dir.path() + "/state/logs/" + project + "/worker.log"), HasSubstr("bye"));
}

TEST_F(ProcessesTest, AStopCommandThatFailsIsFollowedByTheSignal) {
  auto stack = make_stack();
  auto worker = process("worker", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.02; done");
  worker.spec.process->stop_command = {"./none"};
  worker.spec.stop_grace_period = 20s;
  stack.supervisor->apply(plan({worker}));
  ASSERT_TRUE(stack.up());
  ASSERT_TRUE(log_has(stack, "worker", "up"));
  stack.down();
  EXPECT_THAT(test::read_file(dir.path() + "/state/logs/" + project + "/worker.log"), HasSubstr("bye"));
}

TEST_F(ProcessesTest, WhatLeftItsSessionEndsWithIt) {
  auto stack = make_stack();
  auto worker = process("worker", "setsid sh -c \"trap '' TERM; echo \\$\\$ > " + dir.file("daemon") +
                                      "; while :; do sleep 0.02; done\" & exec sleep 1000");
  stack.supervisor->apply(plan({worker}));
  ASSERT_TRUE(stack.up());
  ASSERT_TRUE(stack.eventually([&] { return test::read_file(dir.file("daemon")).find('\n') != std::string::npos; }));
  const auto daemon = process::identify(std::stoi(test::read_file(dir.file("daemon"))));
  ASSERT_TRUE(daemon);
  stack.down(1s);
  EXPECT_FALSE(process::alive(*daemon));
}

TEST_F(ProcessesTest, WhatItStartedEndsAlsoWhenItWasKilledBefore) {
  std::optional<process::Identity> daemon;
  {
    auto stack = make_stack();
    stack.supervisor->apply(plan({process(
        "worker", "setsid sh -c \"echo \\$\\$ > " + dir.file("daemon") + "; exec sleep 1000\" & exec sleep 1000")}));
    ASSERT_TRUE(stack.up());
    ASSERT_TRUE(stack.eventually([&] { return test::read_file(dir.file("daemon")).find('\n') != std::string::npos; }));
    daemon = process::identify(std::stoi(test::read_file(dir.file("daemon"))));
    ::kill(std::stoi(stack.unit("worker").id), SIGKILL);
    stack.reaches("worker", State::failed);
  }
  ASSERT_TRUE(daemon && process::alive(*daemon));
  auto stack = make_stack();
  stack.supervisor->apply(plan({}));
  ASSERT_TRUE(stack.up());
  EXPECT_FALSE(process::alive(*daemon)) << "found by the record that names no process any more";
  stack.down();
}

TEST_F(ProcessesTest, AChangedFileRestartsIt) {
  auto stack = make_stack();
  dir.write("src/lib/a.py", "1");
  dir.write("src/.git/index", "1");
  auto worker = counted("worker", "test $(wc -l < " + dir.file("runs") + ") != 2 || exit 1; exec sleep 1000");
  worker.spec.process->watch = {dir.file("src"), dir.file("conf")};
  stack.supervisor->apply(plan({worker}));
  ASSERT_TRUE(stack.up());
  dir.write("src/.git/index", "2");
  dir.write("src/lib/a.py~", "2");
  dir.write("src/lib/a.py", "2");
  stack.reaches("worker", State::failed);
  EXPECT_EQ(runs(), "x\nx\n");
  dir.write("src/new/deep/b.py", "1");  // what failed is tried again, too
  stack.reaches("worker", State::running);
  EXPECT_EQ(runs(), "x\nx\nx\n");
  dir.write("conf", "");
  ASSERT_TRUE(stack.eventually([&] { return runs() == "x\nx\nx\nx\n"; })) << "a file that was not there";
  stack.reaches("worker", State::running);
  dir.write("src/new/deep/b.py", "2");
  ASSERT_TRUE(stack.eventually([&] { return runs() == "x\nx\nx\nx\nx\n"; })) << "in a folder that was not there";
  stack.reaches("worker", State::running);
  EXPECT_EQ(stack.unit("worker").restarts, 0) << "none of these was a failure";
  ASSERT_TRUE(test::run(stack.io, stack.supervisor->stop_unit("worker")));
  dir.write("src/lib/a.py", "3");
  EXPECT_EQ(stack.unit("worker").state, State::stopped);
  stack.down();
}

TEST_F(ProcessesTest, AScheduleRunsItAgainAndAgain) {
  auto stack = make_stack();
  auto job = counted("job", "true");
  job.spec.process->auto_port = false;
  job.spec.process->every = 300ms;
  auto seldom = process("seldom", "true");
  seldom.spec.process->auto_port = false;
  seldom.spec.process->every = 1h;
  stack.supervisor->apply(plan({job, seldom}));
  ASSERT_TRUE(stack.eventually([&] { return runs().size() >= 6; })) << runs();
  stack.reaches("seldom", State::completed);
  EXPECT_THAT(stack.unit("seldom").detail, testing::ContainsRegex("^next run at [0-9][0-9]:[0-9][0-9]:[0-9][0-9]$"));
  ASSERT_TRUE(stack.up()) << "completed between runs is healthy";
  EXPECT_EQ(stack.unit("job").restarts, 0);
  stack.down();
}

TEST_F(ProcessesTest, WaitsForTheRegistry) {
  auto stack = make_stack();
  auto app = process("app", "exec sleep 1000");
  app.spec.wait_for = {{"db"}, {"app/ready"}};
  stack.supervisor->apply(plan({app}));
  stack.reaches("app", State::waiting);
  ASSERT_TRUE(stack.eventually([&] { return !stack.unit("app").detail.empty(); }));
  EXPECT_EQ(stack.unit("app").detail, "waits for registry service db to appear");
  registry::Service db;
  db.node = "testnode";
  db.id = db.name = "db";
  ASSERT_TRUE(test::run(stack.io, registry::register_service(*stack.registry, db)));
  ASSERT_TRUE(stack.eventually([&] { return stack.unit("app").detail == "waits for registry key app/ready"; }));
  registry::KvSetCommand key;
  key.key = "app/ready";
  ASSERT_TRUE(test::run(stack.io, stack.registry->apply(registry::Command(key))));
  stack.reaches("app", State::running);
  stack.down();
}

TEST_F(ProcessesTest, AStopEndsTheWaitForTheRegistry) {
  auto stack = make_stack();
  auto app = process("app", "exec sleep 1000");
  app.spec.wait_for = {{"never"}, {}};
  stack.supervisor->apply(plan({app}));
  stack.reaches("app", State::waiting);
  ASSERT_TRUE(test::run(stack.io, stack.supervisor->stop_unit("app")));
  EXPECT_EQ(stack.unit("app").state, State::stopped);
  stack.down();
}

TEST_F(ProcessesTest, RunsAsAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may";
  auto stack = make_stack();
  auto worker = process("worker", "echo $(id -un):$(id -Gn):$HOME; exec sleep 1000");
  worker.spec.user = "daemon";
  worker.spec.working_dir = "/";
  stack.supervisor->apply(plan({worker}));
  ASSERT_TRUE(stack.up());
  EXPECT_TRUE(log_has(stack, "worker", "daemon:daemon:/usr/sbin\n"));
  stack.down();
}

}  // namespace
}  // namespace devstack::supervisor

#include "core/base/async/task_group.h"
#include "tests/integration/supervisor/stack_fixture.h"

namespace devstack::supervisor {
namespace {

TEST_F(SupervisorTest, BringsUpInDependencyOrderAndTakesDownWithoutATrace) {
  Stack stack(dir.path());
  auto web = container("web", "sleep 0.4; touch /ready; exec sleep 1000");
  web.spec.healthcheck = check("test -e /ready");
  web.spec.expose = {"8080"};
  auto worker = process("worker", "echo port=$PORT unit=$DEVSTACK_UNIT; exec sleep 1000");
  depend(worker, "web", stack::DependencyCondition::healthy);
  worker.spec.environment["SERVICE_TAGS"] = "a,b";
  stack.supervisor->apply(plan({web, worker}));
  EXPECT_FALSE(stack.supervisor->status().healthy) << "nothing is up yet";

  bool order_kept = true;
  bool waited = false;
  ASSERT_TRUE(stack.eventually([&] {
    const auto worker_state = stack.unit("worker").state;
    waited = waited || (worker_state == State::waiting && stack.unit("worker").detail == "for web to be healthy");
    if (worker_state == State::starting || worker_state == State::running) {
      order_kept = order_kept && stack.unit("web").health == "healthy";
    }
    return stack.supervisor->status().healthy;
  })) << stack.unit("web").detail;
  EXPECT_TRUE(order_kept);
  EXPECT_TRUE(waited);

  const auto web_status = stack.unit("web");
  EXPECT_THAT(web_status.addresses, testing::Contains(testing::EndsWith(":8080/tcp")));
  EXPECT_EQ(web_status.id, containers());
  EXPECT_EQ(containers("{{.Names}}"), project + "-web-1");
  EXPECT_THAT(shell("docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' " + web_status.id),
              testing::AnyOf("", "no"))
      << "restarting is the supervisor's";
  const auto found = stack.registry->snapshot()->instances("worker");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].service->tags, (std::vector<std::string>{"a", "b"}));
  const std::string port = std::to_string(found[0].service->port);
  EXPECT_EQ(found[0].service->id, "testnode:worker:" + port);
  EXPECT_EQ(stack.unit("worker").addresses, std::vector<std::string>{"127.0.0.1:" + port});
  EXPECT_TRUE(stack.eventually([&] { return !test::read_file(stack.supervisor->log_file("worker")).empty(); }));
  EXPECT_EQ(test::read_file(stack.supervisor->log_file("worker")), "port=" + port + " unit=worker\n");

  const auto process = process::identify(std::stoi(stack.unit("worker").id));
  ASSERT_TRUE(process);
  stack.down();
  EXPECT_FALSE(process::alive(*process));
  EXPECT_TRUE(stack.registry->snapshot()->instances("worker").empty());
  EXPECT_EQ(stack.unit("web").state, State::stopped);
  stack.down();
}

TEST_F(SupervisorTest, RestartsWhatCrashesAsItsPolicySays) {
  Stack stack(dir.path());
  const std::string twice = "echo x >> " + dir.file("runs") + "; test $(cat " + dir.file("runs") +
                            " | wc -l) -ge 2 && exec sleep 1000; exit 3";
  auto flaky = process("flaky", twice);
  flaky.spec.restart.kind = stack::RestartPolicy::Kind::on_failure;
  auto box = container("box", "exec sleep 1000");
  box.spec.restart.kind = stack::RestartPolicy::Kind::always;
  auto once = process("once", "exit 0");
  auto bad = process("bad", "exit 7");
  stack.supervisor->apply(plan({flaky, box, once, bad}));
  stack.reaches("flaky", State::backoff);
  EXPECT_EQ(stack.unit("flaky").detail, "exited with code 3; starting again in 100ms");
  stack.reaches("flaky", State::running);
  EXPECT_EQ(stack.unit("flaky").restarts, 1);
  stack.reaches("once", State::completed);
  stack.reaches("bad", State::failed);
  EXPECT_EQ(stack.unit("bad").detail, "exited with code 7");
  EXPECT_FALSE(stack.supervisor->status().healthy);

  stack.reaches("box", State::running);
  const std::string id = stack.unit("box").id;
  shell("docker kill " + id);
  stack.reaches("box", State::backoff);
  stack.reaches("box", State::running);
  EXPECT_EQ(stack.unit("box").id, id) << "the same container is started again";

  shell("docker rm -f " + id);
  ASSERT_TRUE(
      stack.eventually([&] { return stack.unit("box").state == State::running && stack.unit("box").id != id; }));
  stack.down();
}

TEST_F(SupervisorTest, KilledSupervisorsStackIsTakenBackUntouched) {
  auto box = container("box", "exec sleep 1000");
  auto worker = process("worker", "exec sleep 1000");
  const auto gone = process("gone", "exec sleep 1000");
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t first = ::fork();
  if (first == 0) {
    Stack stack(dir.path());
    stack.supervisor->apply(plan({box, worker, gone}));
    const bool up = stack.up();
    const std::string line =
        stack.unit("box").id + " " + stack.unit("worker").id + " " + stack.unit("gone").id + (up ? "\n" : " failed\n");
    [[maybe_unused]] const auto written = ::write(ends[1], line.data(), line.size());
    ::pause();
    ::_exit(0);
  }
  std::array<char, 256> buffer{};
  const auto got = ::read(ends[0], buffer.data(), buffer.size() - 1);
  ASSERT_GT(got, 0);
  ::kill(first, SIGKILL);
  ::waitpid(first, nullptr, 0);
  const std::string before(buffer.data(), static_cast<std::size_t>(got));
  ASSERT_THAT(before, Not(HasSubstr("failed")));
  const auto stray = process::identify(std::stoi(before.substr(before.rfind(' '))));
  ASSERT_TRUE(stray) << "children outlive the supervisor";

  Stack stack(dir.path());
  EXPECT_EQ(stack.registry->snapshot()->instances("gone").size(), 1U);
  stack.supervisor->apply(plan({box, worker}));
  ASSERT_TRUE(stack.up());
  EXPECT_THAT(before, testing::StartsWith(stack.unit("box").id + " " + stack.unit("worker").id + " "));
  EXPECT_EQ(stack.unit("box").restarts, 0);
  EXPECT_EQ(stack.registry->snapshot()->instances("worker").size(), 1U);
  EXPECT_FALSE(process::alive(*stray)) << "no longer wanted";
  EXPECT_TRUE(stack.registry->snapshot()->instances("gone").empty());

  ::kill(std::stoi(stack.unit("worker").id), SIGKILL);
  stack.reaches("worker", State::failed);
  stack.down();
}

TEST_F(SupervisorTest, ConvergesToAChangedPlan) {
  Stack stack(dir.path());
  auto same = container("same", "exec sleep 1000");
  auto changing = process("changing", "exec sleep 1000");
  auto leaving = container("leaving", "exec sleep 1000");
  stack.supervisor->apply(plan({same, changing, leaving}));
  ASSERT_TRUE(stack.up());
  const auto same_id = stack.unit("same").id;
  const auto changing_id = stack.unit("changing").id;
  changing.config_hash = "1:other";
  stack.supervisor->apply(plan({same, changing, process("new", "exec sleep 1000")}));
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(stack.unit("same").id, same_id);
  EXPECT_NE(stack.unit("changing").id, changing_id);
  EXPECT_EQ(stack.unit("leaving").name, "");
  EXPECT_EQ(stack.unit("new").state, State::running);
  EXPECT_EQ(containers("{{.Names}}"), project + "-same-1");
  stack.down();
}

TEST_F(SupervisorTest, DownWorksWhileUnitsStartAndKillsTheStubborn) {
  Stack stack(dir.path());
  auto slow = container("slow", "exec sleep 1000");
  slow.spec.healthcheck = check("exit 1");
  slow.spec.healthcheck->retries = 1000;
  auto never = process("never", "exec sleep 1000");
  depend(never, "slow", stack::DependencyCondition::healthy);
  auto stubborn = process("stubborn", "trap '' TERM; echo ready; while :; do sleep 0.05; done");
  stack.supervisor->apply(plan({slow, never, stubborn}));
  stack.reaches("stubborn", State::running);
  ASSERT_TRUE(stack.eventually([&] { return !test::read_file(stack.supervisor->log_file("stubborn")).empty(); }));
  const auto process = process::identify(std::stoi(stack.unit("stubborn").id));
  ASSERT_TRUE(process);
  stack.down(1s);
  EXPECT_FALSE(process::alive(*process));
}

TEST_F(SupervisorTest, ProcessHealthIsMirroredInTheRegistry) {
  Stack stack(dir.path());
  auto worker = process("worker", "exec sleep 1000");
  worker.spec.healthcheck = check("test -e " + dir.file("well") + " || { echo no file; exit 1; }");
  stack.supervisor->apply(plan({worker}));
  const auto check_status = [&] {
    const auto found = stack.registry->snapshot()->checks_of_service("worker");
    return found.empty() ? std::string("none") : found[0]->status;
  };
  stack.reaches("worker", State::unhealthy);
  EXPECT_EQ(stack.unit("worker").detail, "health check fails: no file");
  EXPECT_EQ(check_status(), "critical");
  dir.write("well", "");
  stack.reaches("worker", State::running);
  EXPECT_EQ(stack.unit("worker").health, "healthy");
  EXPECT_TRUE(stack.eventually([&] { return check_status() == "passing"; }));
  ::unlink(dir.file("well").c_str());
  stack.reaches("worker", State::unhealthy);
  EXPECT_TRUE(stack.eventually([&] { return check_status() == "critical"; }));
  stack.down();
}

TEST_F(SupervisorTest, UnitsAreStoppedStartedAndRestartedByName) {
  Stack stack(dir.path());
  stack.supervisor->apply(plan({process("worker", "exec sleep 1000"), container("box", "exec sleep 1000")}));
  ASSERT_TRUE(stack.up());
  const auto address = stack.unit("worker").addresses;
  ASSERT_TRUE(test::run(stack.io, stack.supervisor->stop_unit("worker")));
  EXPECT_EQ(stack.unit("worker").state, State::stopped);
  EXPECT_TRUE(stack.registry->snapshot()->instances("worker").empty());
  ASSERT_TRUE(test::run(stack.io, stack.supervisor->start_unit("worker")));
  stack.reaches("worker", State::running);
  EXPECT_EQ(stack.unit("worker").addresses, address) << "keeps its port";
  const auto id = stack.unit("worker").id;
  ASSERT_TRUE(test::run(stack.io, stack.supervisor->restart_unit("worker")));
  stack.reaches("worker", State::running);
  EXPECT_NE(stack.unit("worker").id, id);
  const auto unknown = test::run(stack.io, stack.supervisor->stop_unit("nobody"));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "no service \"nobody\" in this stack; there are: worker, box");
  stack.down();
}

TEST_F(SupervisorTest, WhatWaitsForAnUnhealthyServiceFails) {
  Stack stack(dir.path());
  auto db = process("db", "exec sleep 1000");
  db.spec.healthcheck = check("false");
  auto api = process("api", "exec sleep 1000");
  depend(api, "db", stack::DependencyCondition::healthy);
  stack.supervisor->apply(plan({db, api}));
  stack.reaches("api", State::failed);
  EXPECT_EQ(stack.unit("api").detail, "not started: db is unhealthy");
  EXPECT_EQ(stack.unit("db").detail, "health check fails: exit code 1");
  stack.down();
}

TEST_F(SupervisorTest, RestartsThatMeetAndAnApplyAmongThemAllEnd) {
  Stack stack(dir.path());
  stack.supervisor->apply(plan({process("worker", "exec sleep 1000")}));
  ASSERT_TRUE(stack.up());
  int ended = 0;
  TaskGroup both(stack.io.get_executor());
  auto restart = [](Supervisor& supervisor, int& count) -> asio::awaitable<void> {
    const auto done = co_await supervisor.restart_unit("worker");
    EXPECT_TRUE(done);
    ++count;
  };
  both.spawn("first", restart(*stack.supervisor, ended));
  both.spawn("second", restart(*stack.supervisor, ended));
  stack.supervisor->apply(plan({process("worker", "exec sleep 2000")}));
  EXPECT_TRUE(stack.eventually([&] { return ended == 2; }));
  EXPECT_TRUE(stack.up());
  test::run(stack.io, both.stop());
  stack.down();
}

TEST_F(SupervisorTest, SaysWhatCannotBeStarted) {
  Stack stack(dir.path());
  auto absent = process("absent", "");
  absent.spec.process->command = {"./no-such-worker"};
  auto dependent = process("dependent", "exec sleep 1000");
  depend(dependent, "absent", stack::DependencyCondition::started);
  auto unchecked = process("unchecked", "exec sleep 1000");
  auto hopeful = process("hopeful", "exec sleep 1000");
  depend(hopeful, "unchecked", stack::DependencyCondition::healthy);
  stack.supervisor->apply(plan({absent, dependent, unchecked, hopeful}));
  stack.reaches("absent", State::failed);
  EXPECT_EQ(stack.unit("absent").detail, "./no-such-worker: no such file in " + dir.path());
  stack.reaches("dependent", State::failed);
  EXPECT_EQ(stack.unit("dependent").detail, "not started: absent could not be started");
  stack.reaches("hopeful", State::failed);
  EXPECT_THAT(stack.unit("hopeful").detail, HasSubstr("has no health check"));
  stack.down();
}

TEST_F(SupervisorTest, WhatIsStartedAnewFollowsThePlanThatIsNow) {
  Stack stack(dir.path());
  auto broken = process("broken", "exit 1");
  auto worker = process("worker", "exec sleep 1000");
  depend(worker, "broken", stack::DependencyCondition::completed_successfully);
  stack.supervisor->apply(plan({broken, worker}));
  stack.reaches("worker", State::failed);
  worker.spec.depends_on.clear();
  stack.supervisor->apply(plan({broken, worker}));
  stack.reaches("worker", State::running);
  stack.down();
}

TEST_F(SupervisorTest, WithoutEngineContainersWaitAndProcessesRun) {
  Stack stack(dir.path(), "unix://" + dir.file("no.sock"));
  stack.supervisor->apply(plan({container("box", "exec sleep 1000"), process("worker", "exec sleep 1000")}));
  stack.reaches("worker", State::running);
  stack.reaches("box", State::backoff);
  EXPECT_THAT(stack.unit("box").detail, HasSubstr("engine not reachable"));
  EXPECT_EQ(stack.unit("box").restarts, 0);
  stack.down();
}

TEST_F(SupervisorTest, DetachLeavesServicesRunning) {
  std::string id;
  {
    Stack stack(dir.path());
    stack.supervisor->apply(plan({process("worker", "exec sleep 1000")}));
    ASSERT_TRUE(stack.up());
    id = stack.unit("worker").id;
  }
  EXPECT_TRUE(process::identify(std::stoi(id)));
  Stack stack(dir.path());
  stack.supervisor->apply(plan({process("worker", "exec sleep 1000")}));
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(stack.unit("worker").id, id);
  stack.down();
}

}  // namespace
}  // namespace devstack::supervisor

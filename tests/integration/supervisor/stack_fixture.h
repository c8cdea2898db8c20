#pragma once

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "core/process/child.h"
#include "core/supervisor/supervisor.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

/// A supervisor with a registry and the real engine, and plans of small containers and processes for it.
namespace devstack::supervisor {

using namespace std::chrono_literals;
using testing::HasSubstr;
using State = UnitState;

inline constexpr const char* image = "dsitsup/busybox:test";

/// Output of a command of the test's own, for looking at the machine from outside.
inline std::string shell(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) output += buffer.data();
  ::pclose(pipe);
  while (!output.empty() && output.back() == '\n') output.pop_back();
  return output;
}

/// One supervisor with a registry and the real engine.
class Stack {
 public:
  explicit Stack(const std::string& dir, const std::string& engine_socket = {}) {
    registry::RegistryOptions registry_options;
    registry_options.identity.node = "testnode";
    registry_options.identity.address = "127.0.0.1";
    registry_options.data_dir = dir + "/registry";
    auto opened = test::run(io, registry::Registry::open(io.get_executor(), registry_options));
    if (!opened) throw std::runtime_error(opened.error().message);
    registry = std::move(*opened);
    auto client = engine_socket.empty() ? docker::Client::connect_to() : docker::Client::connect_to(engine_socket);
    watcher = std::make_unique<docker::EngineWatcher>(io.get_executor(), std::move(*client));
    watcher->start();
    test::run(io, watcher->wait_probed(5s));
    SupervisorOptions options;
    options.state_dir = dir + "/state";
    options.stack_file = dir + "/stack.yaml";
    options.version = "test";
    options.process_path = "/usr/bin:/bin";
    supervisor = std::make_unique<Supervisor>(io.get_executor(), options, *watcher, *registry, *registry);
  }
  ~Stack() {
    if (supervisor) test::run(io, supervisor->detach(), 60s);
    supervisor.reset();
    test::run(io, watcher->stop());
    test::run(io, registry->close());
  }

  UnitStatus unit(const std::string& name) const {
    for (const auto& unit : supervisor->status().services) {
      if (unit.name == name) return unit;
    }
    return {};
  }
  template <class Condition>
  bool eventually(Condition condition, std::chrono::milliseconds limit = 30s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io.restart();
      io.run_one_for(20ms);
    }
    return true;
  }
  bool reaches(const std::string& name, State state) {
    const bool reached = eventually([&] { return unit(name).state == state; });
    if (!reached) ADD_FAILURE() << name << " is " << to_string(unit(name).state) << ": " << unit(name).detail;
    return reached;
  }
  bool up() {
    const bool healthy = eventually([&] { return supervisor->status().healthy; });
    if (!healthy) {
      for (const auto& unit : supervisor->status().services) {
        ADD_FAILURE() << unit.name << " is " << to_string(unit.state) << ": " << unit.detail;
      }
    }
    return healthy;
  }
  void down(std::optional<std::chrono::seconds> grace = std::nullopt) {
    const auto result = test::run(io, supervisor->down(grace), 60s);
    EXPECT_TRUE(result) << result.error().message;
  }

  asio::io_context io;
  std::unique_ptr<registry::Registry> registry;
  std::unique_ptr<docker::EngineWatcher> watcher;
  std::unique_ptr<Supervisor> supervisor;
};

class SupervisorTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string made = shell(
        "d=$(mktemp -d) && mkdir -p $d/bin && cp /bin/busybox $d/bin/ && for a in sh sleep touch test cat httpd; do ln "
        "-s busybox $d/bin/$a; done && tar -C $d -c . | docker import - " +
        std::string(image) + " 2>&1; rm -rf $d");
    ASSERT_THAT(made, HasSubstr("sha256:"));
  }
  static void TearDownTestSuite() { shell("docker rmi -f " + std::string(image) + " >/dev/null 2>&1"); }

  void SetUp() override { project = "dsitsup" + std::to_string(::getpid()); }
  void TearDown() override {
    EXPECT_EQ(containers(), "") << "left behind";
    EXPECT_EQ(shell("docker network ls -q --filter name=^" + project + "_default$"), "") << "left behind";
    shell("docker ps -aq --filter label=io.devstack.project=" + project + " | xargs -r docker rm -f");
    shell("docker network rm " + project + "_default 2>/dev/null");
  }
  std::string containers(const std::string& format = "{{.ID}}") const {
    return shell("docker ps -a --filter label=io.devstack.project=" + project + " --format '" + format + "'");
  }

  stack::Plan plan(std::vector<stack::PlannedUnit> units) const {
    stack::Plan made;
    made.project = project;
    made.units = std::move(units);
    return made;
  }
  static stack::PlannedUnit container(const std::string& name, const std::string& script) {
    stack::PlannedUnit unit;
    unit.name = unit.service = unit.spec.name = name;
    unit.kind = stack::UnitKind::container;
    unit.spec.image = image;
    unit.spec.command = {"/bin/sh", "-c", script};
    unit.spec.stop_grace_period = 1s;
    unit.config_hash = "1:" + script;
    return unit;
  }
  static stack::PlannedUnit process(const std::string& name, const std::string& script) {
    stack::PlannedUnit unit = container(name, script);
    unit.kind = stack::UnitKind::process;
    unit.spec.image.clear();
    unit.spec.command.clear();
    unit.spec.process = stack::ProcessSettings{};
    unit.spec.process->command = {"/bin/sh", "-c", script};
    unit.spec.process->auto_port = true;
    return unit;
  }
  static void depend(stack::PlannedUnit& unit, const std::string& on, stack::DependencyCondition condition) {
    stack::Dependency dependency;
    dependency.service = on;
    dependency.condition = condition;
    unit.spec.depends_on.push_back(dependency);
  }
  static stack::Healthcheck check(const std::string& script) {
    stack::Healthcheck made;
    made.test = {"CMD-SHELL", script};
    made.interval = 200ms;
    made.timeout = 5s;
    made.retries = 2;
    return made;
  }

  std::string project;
  test::TempDir dir;
};

}  // namespace devstack::supervisor

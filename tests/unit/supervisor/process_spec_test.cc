#include "core/supervisor/process_spec.h"

#include <gmock/gmock.h>

namespace devstack::supervisor {
namespace {

stack::PlannedUnit unit() {
  stack::PlannedUnit planned;
  planned.name = "worker-2";
  planned.service = "worker";
  planned.spec.process = stack::ProcessSettings{};
  planned.spec.process->command = {"./worker", "--port=${PORT}"};
  return planned;
}

ProcessContext context() { return {"demo", "/srv/demo", "/usr/bin:/bin", "10.0.0.1", {{"HOME", "/root"}}}; }

TEST(ProcessSpec, HasPortAndOurNamesInItsEnvironment) {
  auto planned = unit();
  planned.spec.environment = {{"PATH", "/own"}, {"URL", "http://127.0.0.1:${PORT}/"}};
  const auto spec = process_spec(planned, context(), 8081);
  EXPECT_EQ(spec.argv, (std::vector<std::string>{"./worker", "--port=8081"}));
  EXPECT_EQ(spec.env.at("PORT"), "8081");
  EXPECT_EQ(spec.env.at("URL"), "http://127.0.0.1:8081/");
  EXPECT_EQ(spec.env.at("PATH"), "/own") << "the file wins";
  EXPECT_EQ(spec.env.at("HOME"), "/root");
  EXPECT_EQ(spec.env.at("DEVSTACK_UNIT"), "worker-2");
  EXPECT_EQ(spec.env.at("DEVSTACK_SERVICE"), "worker");
  EXPECT_EQ(spec.env.at("DEVSTACK_PROJECT"), "demo");
  EXPECT_EQ(spec.env.at("HOST"), "10.0.0.1");
  EXPECT_EQ(process_spec(planned, context(), 0).env.contains("PORT"), false);
}

TEST(ProcessSpec, WorksInTheProjectsDirectory) {
  auto planned = unit();
  EXPECT_EQ(process_spec(planned, context(), 0).working_dir, "/srv/demo");
  planned.spec.working_dir = "./sub";
  EXPECT_EQ(process_spec(planned, context(), 0).working_dir, "/srv/demo/sub");
  planned.spec.working_dir = "/else";
  EXPECT_EQ(process_spec(planned, context(), 0).working_dir, "/else");
}

TEST(ProcessSpec, LeavesTheHomeOfAnotherUserToTheStart) {
  auto planned = unit();
  planned.spec.user = "nobody";
  EXPECT_FALSE(process_spec(planned, context(), 0).env.contains("HOME"));
  planned.spec.environment = {{"HOME", "/given"}};
  EXPECT_EQ(process_spec(planned, context(), 0).env.at("HOME"), "/given");
}

TEST(StopSpec, KnowsTheProcessItStops) {
  auto planned = unit();
  planned.spec.working_dir = "sub";
  planned.spec.environment = {{"MODE", "test"}};
  planned.spec.process->stop_command = {"./ctl", "--pid=${PID}", "$PID", "--port=${PORT}"};
  const auto spec = stop_spec(planned, context(), 8081, 4711);
  EXPECT_EQ(spec.argv, (std::vector<std::string>{"./ctl", "--pid=4711", "4711", "--port=8081"}));
  EXPECT_EQ(spec.env.at("PID"), "4711");
  EXPECT_EQ(spec.env.at("MODE"), "test");
  EXPECT_EQ(spec.working_dir, "/srv/demo/sub");
}

TEST(ProcessService, IsNamedAndTaggedAsRegistratorWould) {
  registry::Identity identity;
  identity.node = "laptop";
  auto planned = unit();
  auto service = process_service(planned, "demo", identity, 8081);
  ASSERT_TRUE(service);
  EXPECT_EQ(service->id, "laptop:worker-2:8081");
  EXPECT_EQ(service->name, "worker");
  EXPECT_EQ(service->address, "127.0.0.1");
  EXPECT_EQ(service->source, "supervisor/demo");
  identity.address = "172.17.0.1";
  planned.spec.labels = {{"SERVICE_NAME", "from-label"}, {"SERVICE_TAGS", "a,,b"}};
  planned.spec.environment = {{"SERVICE_NAME", "from-env"}};
  service = process_service(planned, "demo", identity, 8081);
  ASSERT_TRUE(service);
  EXPECT_EQ(service->name, "from-env");
  EXPECT_EQ(service->address, "172.17.0.1");
  EXPECT_EQ(service->tags, (std::vector<std::string>{"a", "b"}));
}

TEST(ProcessService, IsNoneWithoutPortOrWhenIgnored) {
  const registry::Identity identity;
  auto planned = unit();
  EXPECT_FALSE(process_service(planned, "demo", identity, 0));
  planned.spec.labels = {{"SERVICE_IGNORE", "true"}};
  EXPECT_FALSE(process_service(planned, "demo", identity, 8081));
}

}  // namespace
}  // namespace devstack::supervisor

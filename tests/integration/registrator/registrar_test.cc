#include "core/registrator/registrar.h"

#include <gtest/gtest.h>

#include "core/registrator/checks.h"
#include "tests/support/run.h"

// The real registry, in memory, and containers as Docker describes them.
namespace devstack::registrator {
namespace {

class RegistrarTest : public testing::Test {
 protected:
  void SetUp() override {
    registry::RegistryOptions options;
    options.identity = {"vm", "3b3f0c8e-0000-4000-8000-000000000001", "dc1", "10.0.0.2"};
    auto opened = test::run(io_, registry::Registry::open(io_.get_executor(), options));
    ASSERT_TRUE(opened) << opened.error().to_string();
    registry_ = std::move(*opened);
    registrar_ = std::make_unique<Registrar>(*registry_, *registry_);
    container_.id = std::string(64, 'a');
    container_.name = "c";
    container_.image = "web";
    container_.exposed_ports = {docker::ContainerPort{80, "tcp"}};
    container_.ports[{80, "tcp"}] = {};
    container_.status = "running";
    container_.networks["bridge"].ip_address = "172.17.0.2";
  }
  void TearDown() override { test::run(io_, registry_->close()); }

  void converge(Registrar::TakeOver take_over = Registrar::TakeOver::no) {
    RegistratorOptions options;
    options.hostname = "vm";
    options.host_address = "10.0.0.2";
    auto wanted = registrations(container_, options);
    const auto done = test::run(io_, registrar_->converge(container_.id, std::move(wanted), take_over));
    ASSERT_TRUE(done) << done.error().message;
  }
  /// As who carries checks out does.
  void report(const std::string& id, std::string_view status) {
    registry::UpdateCheckCommand result;
    result.node = "vm";
    result.check_id = id;
    result.status = status;
    result.output = "seen";
    const auto written = test::run(io_, registry_->apply(registry::Command(std::move(result))));
    ASSERT_TRUE(written) << written.error().message;
  }
  /// As who carries checks out does with a service that was critical for too long.
  void deregister() {
    registry::DeregisterCommand command;
    command.node = "vm";
    command.service_id = "vm:c:80";
    const auto removed = test::run(io_, registry_->apply(registry::Command(std::move(command))));
    ASSERT_TRUE(removed) << removed.error().message;
  }
  bool registered() { return registry_->snapshot()->service("vm", "vm:c:80") != nullptr; }
  registry::CheckPtr check(const std::string& id) { return registry_->snapshot()->check("vm", id); }
  registry::Index index() { return registry_->snapshot()->index(); }

  asio::io_context io_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<Registrar> registrar_;
  docker::Container container_;
};

const std::string own = "service:vm:c:80", dockers = "service:vm:c:80:docker";

TEST_F(RegistrarTest, EveryKindOfCheckIsRegisteredOnceAndItsStatusIsLeftToItsRunner) {
  for (const std::string_view kind :
       {"HTTP=/", "HTTPS=/", "CMD=true", "SCRIPT=true", "TTL=30s", "TCP=true", "GRPC=true"}) {
    container_.env = {fmt::format("SERVICE_CHECK_{}", kind)};
    converge();
    ASSERT_TRUE(check(own)) << kind;
    EXPECT_NE(check(own)->type, "") << kind;
    report(own, "passing");
    const auto before = index();
    converge();
    EXPECT_EQ(index(), before) << kind << ": nothing changed";
    EXPECT_EQ(check(own)->status, "passing") << kind;
  }
}

TEST_F(RegistrarTest, AChangedDefinitionKeepsTheResult) {
  container_.env = {"SERVICE_CHECK_TCP=true"};
  converge();
  report(own, "passing");
  container_.networks["bridge"].ip_address = "172.17.0.9";
  converge();
  EXPECT_EQ(check(own)->definition.tcp, "172.17.0.9:80");
  EXPECT_EQ(check(own)->status, "passing");
  EXPECT_EQ(check(own)->output, "seen");
}

TEST_F(RegistrarTest, AMalformedCheckIsWrittenOnce) {
  container_.env = {"SERVICE_CHECK_TCP=true", "SERVICE_CHECK_INTERVAL=x"};
  converge();
  const auto before = index();
  converge();
  EXPECT_EQ(index(), before);
  EXPECT_EQ(check(own)->status, "critical");
}

TEST_F(RegistrarTest, DockersCheckMovesAsideAndBack) {
  container_.health = {"healthy", 0, {"fine"}};
  converge();
  EXPECT_EQ(check(own)->name, docker_check_name);
  container_.env = {"SERVICE_CHECK_TTL=30s"};
  converge();
  EXPECT_EQ(check(own)->type, "ttl");
  EXPECT_EQ(check(own)->status, "critical") << "Docker's verdict is not the application's";
  EXPECT_EQ(check(dockers)->status, "passing");
  container_.env.clear();
  converge();
  EXPECT_EQ(check(own)->name, docker_check_name);
  EXPECT_EQ(check(own)->status, "passing");
  EXPECT_FALSE(check(dockers));
}

TEST_F(RegistrarTest, ACheckThatIsNotWantedAnyMoreGoes) {
  container_.env = {"SERVICE_CHECK_HTTP=/"};
  container_.status = "paused";
  converge();
  EXPECT_EQ(check(dockers)->status, "critical");
  container_.status = "running";
  converge();
  EXPECT_FALSE(check(dockers));
  EXPECT_TRUE(check(own));
  container_.env.clear();
  converge();
  EXPECT_FALSE(check(own));
}

TEST_F(RegistrarTest, WhatWasCriticalForTooLongStaysOutUntilTheContainerStartsAgain) {
  container_.env = {"SERVICE_CHECK_TCP=true", "SERVICE_CHECK_DEREGISTER_AFTER=1m"};
  converge(Registrar::TakeOver::yes);
  ASSERT_TRUE(registered());
  EXPECT_GT(check(own)->definition.deregister_critical_after.count(), 0);
  converge();
  deregister();
  converge();
  converge();
  EXPECT_FALSE(registered());
  converge(Registrar::TakeOver::yes);
  EXPECT_TRUE(registered());
  EXPECT_TRUE(check(own));
}

TEST_F(RegistrarTest, WhatComesBackAfterAStopIsRegistered) {
  container_.env = {"SERVICE_CHECK_TCP=true", "SERVICE_CHECK_DEREGISTER_AFTER=1m"};
  converge();
  deregister();
  std::vector<Registration> nothing;
  const auto gone = test::run(io_, registrar_->converge(container_.id, std::move(nothing), Registrar::TakeOver::no));
  ASSERT_TRUE(gone) << gone.error().message;
  converge();
  EXPECT_TRUE(registered());
}

TEST_F(RegistrarTest, WhatOthersRemovedWithoutSuchACheckComesBack) {
  container_.env = {"SERVICE_CHECK_TCP=true"};
  converge();
  deregister();
  converge();
  EXPECT_TRUE(registered());
}

TEST_F(RegistrarTest, ChecksThatOthersPutOnTheServiceStay) {
  converge();
  registry::RegisterCommand command;
  command.node.name = "vm";
  command.node.address = "10.0.0.2";
  command.skip_node_update = true;
  for (const auto& id : {own, std::string("mine")}) {
    registry::Check foreign;
    foreign.id = id;
    foreign.name = "by hand";
    foreign.service_id = "vm:c:80";
    command.checks.push_back(foreign);
  }
  ASSERT_TRUE(test::run(io_, registry_->apply(registry::Command(std::move(command)))));
  const auto before = index();
  converge();
  EXPECT_TRUE(check(own));
  EXPECT_TRUE(check("mine"));
  EXPECT_EQ(index(), before);
}

}  // namespace
}  // namespace devstack::registrator

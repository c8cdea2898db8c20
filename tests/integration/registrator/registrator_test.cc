#include "core/registrator/registrator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include "core/base/async/clock.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

// The real Docker engine and the real registry. Containers are named dsit-reg-* and run the machine's static busybox.
namespace devstack::registrator {
namespace {

using namespace std::chrono_literals;

const std::string image = "dsit-reg-web:test";

int shell(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()); }

std::string output_of(const std::string& command) {
  std::string text;
  if (auto* pipe = ::popen(command.c_str(), "r")) {
    char buffer[512];
    while (const auto count = ::fread(buffer, 1, sizeof(buffer), pipe)) text.append(buffer, count);
    ::pclose(pipe);
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

void remove_everything() {
  shell("docker ps -aq --filter name=dsit-reg- | xargs -r docker rm -f");
  shell("docker network ls -q --filter name=dsit-reg- | xargs -r docker network rm");
}

bool make_image() {
  const test::TempDir root;
  const auto command = "mkdir -p " + root.file("bin") + " && cp /bin/busybox " + root.file("bin/busybox") +
                       " && ln -s busybox " + root.file("bin/sh") + " && tar -C " + root.path() +
                       " -c bin | docker import -c 'EXPOSE 80' -c 'CMD [\"/bin/busybox\",\"sleep\",\"1000\"]' - " +
                       image;
  return shell(command) == 0;
}

class RegistratorTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    remove_everything();
    if (shell("docker version") == 0 && ::access("/bin/busybox", X_OK) == 0) ready = make_image();
  }
  static void TearDownTestSuite() {
    remove_everything();
    shell("docker rmi " + image);
  }

  void SetUp() override {
    if (!ready) FAIL() << "needs a Docker engine and busybox-static";
    registry::RegistryOptions options;
    options.identity = {"vm", "3b3f0c8e-0000-4000-8000-000000000001", "dc1", "10.0.0.2"};
    auto opened = test::run(io_, registry::Registry::open(io_.get_executor(), options));
    ASSERT_TRUE(opened) << opened.error().to_string();
    registry_ = std::move(*opened);
    auto client = docker::Client::connect_to();
    ASSERT_TRUE(client);
    watcher_ = std::make_unique<docker::EngineWatcher>(io_.get_executor(), *client);
    watcher_->start();
    ASSERT_TRUE(test::run(io_, watcher_->wait_probed(10s)));
  }
  void TearDown() override {
    if (registrator_) test::run(io_, registrator_->stop());
    if (watcher_) test::run(io_, watcher_->stop());
    registrator_.reset();
    watcher_.reset();
    if (registry_) test::run(io_, registry_->close());
    remove_everything();
  }

  void start_registrator(Mode mode = Mode::internal) {
    RegistratorOptions options;
    options.mode = mode;
    options.hostname = "vm";
    options.host_address = "10.0.0.2";
    registrator_ = std::make_unique<Registrator>(io_.get_executor(), *watcher_, *registry_, *registry_, options);
    const auto started = test::run(io_, registrator_->start());
    ASSERT_TRUE(started) << started.error().to_string();
  }

  registry::ServicePtr service(const std::string& id) { return registry_->snapshot()->service("vm", id); }
  std::string check_status(const std::string& service_id) {
    const auto check = registry_->snapshot()->check("vm", "service:" + service_id);
    return check ? check->status : "none";
  }
  std::size_t ours() {
    std::size_t count = 0;
    for (const auto& found : registry_->snapshot()->services_of("vm")) count += found->source == source_name ? 1 : 0;
    return count;
  }

  /// Runs the loop until `holds`, or the deadline has passed.
  bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds limit = 10s) {
    return test::run(io_, poll(holds, limit), limit + 5s);
  }
  static asio::awaitable<bool> poll(std::function<bool()> holds, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) co_return false;
      co_await steady_clock().sleep_for(2ms);
    }
    co_return true;
  }

  static void docker_run(const std::string& name, const std::string& arguments = {}, const std::string& command = {}) {
    ASSERT_EQ(shell("docker run -d --name dsit-reg-" + name + " " + arguments + " " + image + " " + command), 0)
        << name;
  }

  static bool ready;
  asio::io_context io_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<docker::EngineWatcher> watcher_;
  std::unique_ptr<Registrator> registrator_;
};
bool RegistratorTest::ready = false;

TEST_F(RegistratorTest, RunningContainerIsThereAfterStart) {
  docker_run("a");
  start_registrator();
  const auto found = service("vm:dsit-reg-a:80");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "dsit-reg-web");
  EXPECT_EQ(found->port, 80);
  EXPECT_EQ(found->source, "registrator");
  EXPECT_EQ(found->address, output_of("docker inspect -f '{{.NetworkSettings.IPAddress}}' dsit-reg-a"));
}

TEST_F(RegistratorTest, StartAndStopAreFollowed) {
  start_registrator();
  docker_run("a", "-e SERVICE_NAME=db -e SERVICE_TAGS=x,y");
  ASSERT_TRUE(eventually([&] { return service("vm:dsit-reg-a:80") != nullptr; }));
  EXPECT_EQ(service("vm:dsit-reg-a:80")->name, "db");
  shell("docker stop -t 0 dsit-reg-a");
  EXPECT_TRUE(eventually([&] { return service("vm:dsit-reg-a:80") == nullptr; }));
}

TEST_F(RegistratorTest, WhatAContainerWillBeIsKnownBeforeItRuns) {
  start_registrator();
  shell("docker create --name dsit-reg-a --expose 9000 --expose 53/udp -e SERVICE_9000_NAME=admin " + image);
  using testing::UnorderedElementsAre;
  EXPECT_THAT(test::run(io_, registrator_->foretell("dsit-reg-a")), UnorderedElementsAre("dsit-reg-web-80", "admin"));
  EXPECT_THAT(test::run(io_, registrator_->foretell("dsit-reg-none")), testing::IsEmpty());
  EXPECT_EQ(service("vm:dsit-reg-a:80"), nullptr);
}

TEST_F(RegistratorTest, AOneOffContainerIsRegisteredOnlyUnderANameOfItsOwn) {
  const std::string one_off = "--label com.docker.compose.oneoff=True ";
  docker_run("silent", one_off);
  docker_run("job", one_off + "-e SERVICE_NAME=job");
  start_registrator();
  ASSERT_TRUE(service("vm:dsit-reg-job:80"));
  EXPECT_EQ(service("vm:dsit-reg-job:80")->name, "job");
  EXPECT_EQ(service("vm:dsit-reg-silent:80"), nullptr);
}

TEST_F(RegistratorTest, ToldToStopIsTakenOutWhileItStillRuns) {
  start_registrator();
  // PID 1 without a handler ignores TERM: it runs on for the whole grace period.
  docker_run("a");
  ASSERT_TRUE(eventually([&] { return service("vm:dsit-reg-a:80") != nullptr; }));
  shell("docker kill -s TERM dsit-reg-a");
  EXPECT_TRUE(eventually([&] { return service("vm:dsit-reg-a:80") == nullptr; }));
  EXPECT_EQ(output_of("docker inspect -f '{{.State.Running}}' dsit-reg-a"), "true");
}

TEST_F(RegistratorTest, OtherSignalsChangeNothing) {
  start_registrator();
  docker_run("a");
  ASSERT_TRUE(eventually([&] { return service("vm:dsit-reg-a:80") != nullptr; }));
  const auto before = service("vm:dsit-reg-a:80")->modify_index;
  shell("docker kill -s HUP dsit-reg-a");
  docker_run("marker");
  ASSERT_TRUE(eventually([&] { return service("vm:dsit-reg-marker:80") != nullptr; }));
  ASSERT_TRUE(service("vm:dsit-reg-a:80"));
  EXPECT_EQ(service("vm:dsit-reg-a:80")->modify_index, before);
}

TEST_F(RegistratorTest, OwnStopSignalIsKnown) {
  start_registrator();
  docker_run("a", "--stop-signal USR1");
  ASSERT_TRUE(eventually([&] { return service("vm:dsit-reg-a:80") != nullptr; }));
  shell("docker kill -s USR1 dsit-reg-a");
  EXPECT_TRUE(eventually([&] { return service("vm:dsit-reg-a:80") == nullptr; }));
}

TEST_F(RegistratorTest, PauseIsCriticalAndUnpausePassesAgain) {
  start_registrator();
  docker_run("a");
  ASSERT_TRUE(eventually([&] { return service("vm:dsit-reg-a:80") != nullptr; }));
  shell("docker pause dsit-reg-a");
  EXPECT_TRUE(eventually([&] { return check_status("vm:dsit-reg-a:80") == "critical"; }));
  shell("docker unpause dsit-reg-a");
  EXPECT_TRUE(eventually([&] { return check_status("vm:dsit-reg-a:80") == "none"; }));
}

TEST_F(RegistratorTest, HealthcheckBecomesACheck) {
  start_registrator();
  docker_run("a", "--health-cmd '[ -e /well ]' --health-interval 1s --health-retries 1");
  ASSERT_TRUE(eventually([&] { return service("vm:dsit-reg-a:80") != nullptr; }));
  EXPECT_TRUE(eventually([&] { return check_status("vm:dsit-reg-a:80") == "critical"; }));
  shell("docker exec dsit-reg-a /bin/busybox touch /well");
  EXPECT_TRUE(eventually([&] { return check_status("vm:dsit-reg-a:80") == "passing"; }));
}

TEST_F(RegistratorTest, RenameMovesTheServiceId) {
  start_registrator();
  docker_run("a");
  ASSERT_TRUE(eventually([&] { return service("vm:dsit-reg-a:80") != nullptr; }));
  shell("docker rename dsit-reg-a dsit-reg-b");
  EXPECT_TRUE(
      eventually([&] { return service("vm:dsit-reg-b:80") != nullptr && service("vm:dsit-reg-a:80") == nullptr; }));
}

TEST_F(RegistratorTest, RestartRegistersAgain) {
  start_registrator();
  docker_run("a");
  ASSERT_TRUE(eventually([&] { return service("vm:dsit-reg-a:80") != nullptr; }));
  const auto before = service("vm:dsit-reg-a:80")->create_index;
  shell("docker restart -t 0 dsit-reg-a");
  EXPECT_TRUE(eventually([&] {
    const auto found = service("vm:dsit-reg-a:80");
    return found != nullptr && found->create_index > before;
  }));
}

TEST_F(RegistratorTest, NetworksAreFollowed) {
  ASSERT_EQ(shell("docker network create dsit-reg-net"), 0);
  start_registrator();
  docker_run("a", "--network dsit-reg-net");
  const auto address_on = [&](const std::string& network) {
    return output_of("docker inspect -f '{{(index .NetworkSettings.Networks \"" + network +
                     "\").IPAddress}}' dsit-reg-a");
  };
  ASSERT_TRUE(eventually([&] { return service("vm:dsit-reg-a:80") != nullptr; }));
  EXPECT_EQ(service("vm:dsit-reg-a:80")->address, address_on("dsit-reg-net"));
  shell("docker network connect bridge dsit-reg-a");
  const auto on_bridge = address_on("bridge");
  EXPECT_TRUE(eventually([&] { return service("vm:dsit-reg-a:80")->address == on_bridge; }));
  shell("docker network disconnect bridge dsit-reg-a");
  const auto on_net = address_on("dsit-reg-net");
  EXPECT_TRUE(eventually([&] { return service("vm:dsit-reg-a:80")->address == on_net; }));
}

TEST_F(RegistratorTest, PublishedPortOnAUserNetworkIsReachedThroughTheHost) {
  ASSERT_EQ(shell("docker network create dsit-reg-net"), 0);
  start_registrator(Mode::published);
  docker_run("a", "--network dsit-reg-net -p 80");
  ASSERT_TRUE(eventually([&] { return service("vm:dsit-reg-a:80") != nullptr; }));
  const auto found = service("vm:dsit-reg-a:80");
  EXPECT_EQ(found->address, "10.0.0.2");
  EXPECT_EQ("0.0.0.0:" + std::to_string(found->port), output_of("docker port dsit-reg-a 80 | head -1"));
}

TEST_F(RegistratorTest, SharedNetworkHasTheOwnersAddress) {
  docker_run("a");
  docker_run("b", "--network container:dsit-reg-a");
  start_registrator();
  ASSERT_TRUE(service("vm:dsit-reg-a:80"));
  ASSERT_TRUE(service("vm:dsit-reg-b:80"));
  EXPECT_EQ(service("vm:dsit-reg-b:80")->address, service("vm:dsit-reg-a:80")->address);
}

TEST_F(RegistratorTest, TenContainersRemovedAtOnceLeaveNothing) {
  start_registrator();
  std::string names;
  for (int i = 0; i < 10; ++i) {
    docker_run(std::to_string(i));
    names += " dsit-reg-" + std::to_string(i);
  }
  ASSERT_TRUE(eventually([&] { return ours() == 10; }));
  shell("docker rm -f" + names);
  EXPECT_TRUE(eventually([&] { return ours() == 0; }));
}

TEST_F(RegistratorTest, ContainerThatEndedWhileWeWereAwayIsRemovedAtStart) {
  docker_run("a", "-e SERVICE_ID=custom");
  docker_run("b");
  start_registrator();
  ASSERT_TRUE(service("custom"));
  test::run(io_, registrator_->stop());
  registrator_.reset();
  ASSERT_TRUE(service("custom")) << "registrations stay when the registrator stops";
  shell("docker rm -f dsit-reg-a");
  start_registrator();
  EXPECT_FALSE(service("custom"));
  EXPECT_TRUE(service("vm:dsit-reg-b:80"));
}

TEST_F(RegistratorTest, OthersRegistrationsAreLeftAlone) {
  registry::Service foreign;
  foreign.id = foreign.name = "foreign";
  ASSERT_TRUE(test::run(io_, registry::register_service(*registry_, foreign)));
  start_registrator();
  EXPECT_TRUE(service("foreign"));
}

TEST_F(RegistratorTest, ReconcilingWritesNothingWhenNothingChanged) {
  docker_run("a");
  docker_run("b", "-e SERVICE_CHECK_HTTP=/up -l SERVICE_80_CHECK_INTERVAL=5s");
  start_registrator();
  const auto check = registry_->snapshot()->check("vm", "service:vm:dsit-reg-b:80");
  ASSERT_TRUE(check);
  EXPECT_EQ(check->definition.http, "http://" + service("vm:dsit-reg-b:80")->address + ":80/up");
  EXPECT_EQ(check->definition.interval, 5s);
  const auto index = registry_->snapshot()->index();
  test::run(io_, registrator_->stop());
  const auto restarted = test::run(io_, registrator_->start());
  ASSERT_TRUE(restarted);
  EXPECT_EQ(registry_->snapshot()->index(), index);
}

TEST_F(RegistratorTest, SecondClaimantOfAnIdTakesItBackWhenTheFirstGoes) {
  start_registrator();
  docker_run("a", "-e SERVICE_ID=one -e SERVICE_NAME=first");
  ASSERT_TRUE(eventually([&] { return service("one") && service("one")->name == "first"; }));
  docker_run("b", "-e SERVICE_ID=one -e SERVICE_NAME=second");
  ASSERT_TRUE(eventually([&] { return service("one")->name == "second"; }));
  shell("docker rm -f dsit-reg-b");
  EXPECT_TRUE(eventually([&] { return service("one") && service("one")->name == "first"; }));
}

TEST(RegistratorWithoutAnEngine, SaysSoAndStarts) {
  const test::TempDir dir;
  asio::io_context io;
  registry::RegistryOptions options;
  options.identity = {"vm", "3b3f0c8e-0000-4000-8000-000000000001", "dc1", "10.0.0.2"};
  auto registry = test::run(io, registry::Registry::open(io.get_executor(), options));
  ASSERT_TRUE(registry) << registry.error().to_string();
  auto client = docker::Client::connect_to("unix://" + dir.file("docker.sock"));
  ASSERT_TRUE(client);
  docker::EngineWatcher watcher(io.get_executor(), *client);
  watcher.start();
  EXPECT_FALSE(test::run(io, watcher.wait_probed(5s)));
  Registrator registrator(io.get_executor(), watcher, **registry, **registry, {});
  EXPECT_TRUE(test::run(io, registrator.start()));
  EXPECT_TRUE(registrator.report().degraded);
  EXPECT_EQ(registrator.report().detail.rfind("no Docker engine: ", 0), 0U) << registrator.report().detail;
  test::run(io, registrator.stop());
  test::run(io, watcher.stop());
  test::run(io, (*registry)->close());
}

}  // namespace
}  // namespace devstack::registrator

// The runner over a registry with its database, in real time.
#include <gmock/gmock.h>

#include <filesystem>

#include "core/health/check_runner.h"
#include "core/http/server.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

namespace devstack::health {
namespace {

using namespace std::chrono_literals;

std::size_t entries_of(const char* folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

class RunningChecks : public testing::Test {
 protected:
  RunningChecks()
      : server_(io_.get_executor(), "checked",
                [this](http::Request request) { return answer(this, std::move(request)); }) {
    port_ = server_.listen({asio::ip::address_v4::loopback(), 0})->port();
    open();
  }
  ~RunningChecks() override {
    close();
    test::run(io_, server_.stop(0ms));
  }
  void open() {
    registry::RegistryOptions options;
    options.identity.node = "n1";
    options.identity.address = "127.0.0.1";
    options.data_dir = dir_.file("data");
    auto opened = test::run(io_, registry::Registry::open(io_.get_executor(), std::move(options)));
    if (!opened) throw std::runtime_error(opened.error().message);
    registry_ = std::move(*opened);
    runner_ = std::make_unique<CheckRunner>(io_.get_executor(), *registry_, *registry_);
    runner_->start();
  }
  void close() {
    test::run(io_, runner_->stop());
    test::run(io_, registry_->close());
  }
  static asio::awaitable<http::Response> answer(RunningChecks* test, http::Request) {
    if (test->requests_++ % 50 == 0) {
      test->most_files_ = std::max(test->most_files_, entries_of("/proc/self/fd"));
      test->most_threads_ = std::max(test->most_threads_, entries_of("/proc/self/task"));
    }
    co_return http::text(200, "fine");
  }
  void add_checks(int count, std::chrono::nanoseconds interval) {
    registry::Service service;
    service.id = service.name = "web";
    std::vector<registry::Check> checks;
    for (int i = 0; i < count; ++i) {
      registry::Check check;
      check.id = "c" + std::to_string(i);
      check.definition.kind = registry::CheckDefinition::Kind::http;
      check.definition.http = fmt::format("http://127.0.0.1:{}/{}", port_, i);
      check.definition.interval = interval;
      check.definition.timeout = 60s;
      checks.push_back(std::move(check));
    }
    const auto done = test::run(io_, registry::register_service(*registry_, service, checks));
    ASSERT_TRUE(done) << done.error().message;
  }
  bool eventually(const std::function<bool()>& holds, std::chrono::seconds limit = 90s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io_.restart();
      io_.run_for(20ms);
    }
    return true;
  }
  std::size_t passing() {
    const auto checks = registry_->snapshot()->checks_of_service("web");
    return static_cast<std::size_t>(
        std::count_if(checks.begin(), checks.end(), [](const auto& check) { return check->status == "passing"; }));
  }

  asio::io_context io_;
  test::TempDir dir_;
  http::Server server_;
  unsigned short port_ = 0;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<CheckRunner> runner_;
  std::size_t requests_ = 0, most_files_ = 0, most_threads_ = 0;
};

TEST_F(RunningChecks, TwoThousandNeedNoThreadAndFewDescriptors) {
  const auto files = entries_of("/proc/self/fd");
  const auto threads = entries_of("/proc/self/task");
  add_checks(2000, 300s);
  EXPECT_TRUE(eventually([&] { return passing() >= 2000; })) << passing();
  EXPECT_GE(requests_, 2000U);
  EXPECT_LE(most_threads_, threads + 1);
  EXPECT_LE(most_files_, files + 2 * 256 + 20) << "each probe has two ends here";
  EXPECT_TRUE(eventually([&] { return runner_->stats().running == 0; }));
  EXPECT_EQ(runner_->stats().scheduled, 2000U);
}

TEST_F(RunningChecks, AfterARestartOfTheProgramTheyGoOn) {
  add_checks(3, 1s);
  ASSERT_TRUE(eventually([&] { return passing() >= 3; }));
  close();
  const auto before = requests_;
  open();
  EXPECT_EQ(registry_->snapshot()->check("n1", "c0")->status, "passing") << "the status is kept meanwhile";
  EXPECT_TRUE(eventually([&] { return requests_ >= before + 6; }));
}

}  // namespace
}  // namespace devstack::health

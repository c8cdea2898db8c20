#include "core/supervisor/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/control/client.h"
#include "core/control/server.h"
#include "core/registry/registry.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

namespace devstack::control {
namespace {

using namespace std::chrono_literals;
using supervisor::Status;

class StandIn final : public Component {
 public:
  explicit StandIn(std::string name) : name_(std::move(name)) {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  asio::awaitable<Result<void>> start() override {
    running = true;
    co_return Result<void>();
  }
  asio::awaitable<void> stop() override {
    running = false;
    co_return;
  }
  [[nodiscard]] ComponentReport report() const override {
    ComponentReport out;
    out.detail = detail;
    return out;
  }
  std::string detail = "first";
  bool running = false;

 private:
  std::string name_;
};

TEST(ControlOfSupervisor, ShowsComponentsAndTakesThemDown) {
  asio::io_context io;
  const test::TempDir dir;
  registry::RegistryOptions where;
  where.identity = {.node = "laptop", .node_id = "1f6e4c1a-0000-4000-8000-000000000001", .address = "127.0.0.1"};
  auto reg = test::run(io, registry::Registry::open(io.get_executor(), where));
  ASSERT_TRUE(reg) << reg.error().message;
  docker::EngineWatcher engine(io.get_executor(), docker::Client(http::Target::unix_socket(dir.file("none.sock"))));
  supervisor::SupervisorOptions options;
  options.state_dir = dir.path();
  options.version = "9.9";
  StandIn dns("dns");
  StandIn page("ui");
  supervisor::Supervisor boss(io.get_executor(), options, engine, **reg, **reg);
  boss.add(dns);
  boss.add(page);
  ASSERT_TRUE(test::run(io, boss.start_components()));

  SupervisorControl control(boss);
  ControlOptions hooks;
  hooks.registry = reg->get();
  hooks.down = [&](supervisor::DownOptions wanted, std::string) { return boss.down(wanted); };
  ControlApi api(io.get_executor(), control, hooks);
  ControlServer server(io.get_executor(), api, dir.path());
  api.start();
  ASSERT_TRUE(server.start());
  const ControlClient client(dir.path());

  const auto status = test::run(io, client.status());
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(status->version, "9.9");
  ASSERT_EQ(status->components.size(), 2U);
  EXPECT_EQ(status->components[0].name, "dns");
  EXPECT_EQ(status->components[0].state, supervisor::UnitState::running);

  std::function<bool(const Status&)> until_second = [&](const Status& now) {
    if (now.components.at(0).detail == "second") return false;
    asio::post(io, [&] {
      dns.detail = "second";
      if (dns.on_change) dns.on_change();
    });
    return true;
  };
  const auto watched = test::run(io, client.watch(until_second, steady_clock().now() + 10s));
  EXPECT_TRUE(watched) << watched.error().message;

  const auto unknown = test::run(io, client.unit_action(UnitAction::restart, "ghost"));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::not_found);

  const auto down = test::run(io, client.down({.grace = 1s, .volumes = false, .images = {}, .orphans = false}));
  EXPECT_TRUE(down) << down.error().message;
  EXPECT_FALSE(dns.running);
  EXPECT_FALSE(page.running);
  test::run(io, server.stop());
  test::run(io, api.stop());
  test::run(io, (*reg)->close());
}

}  // namespace
}  // namespace devstack::control

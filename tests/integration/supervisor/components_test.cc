#include "tests/integration/supervisor/stack_fixture.h"

namespace devstack::supervisor {
namespace {

using ComponentsTest = SupervisorTest;

/// A component whose start can be made to fail; writes down what it was asked.
class Recorder final : public Component {
 public:
  Recorder(std::string name, std::vector<std::string> after, std::vector<std::string>& log)
      : name_(std::move(name)), after_(std::move(after)), log_(log) {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::vector<std::string> after() const override { return after_; }
  asio::awaitable<Result<void>> start() override {
    log_.push_back("start " + name_);
    if (broken) co_return fail(Errc::port_taken, "port 53 is taken by dnsmasq");
    co_return Result<void>();
  }
  asio::awaitable<void> stop() override {
    log_.push_back("stop " + name_);
    co_return;
  }
  [[nodiscard]] ComponentReport report() const override {
    ComponentReport report;
    report.detail = "12 services";
    return report;
  }
  bool broken = false;

 private:
  std::string name_;
  std::vector<std::string> after_;
  std::vector<std::string>& log_;
};

TEST_F(ComponentsTest, ComponentsStartInOrderAndStopInReverse) {
  std::vector<std::string> log;
  Recorder dns("dns", {"registry"}, log);
  Recorder registry("registry", {}, log);
  Stack stack(dir.path());
  stack.supervisor->add(dns);
  stack.supervisor->add(registry);
  ASSERT_TRUE(test::run(stack.io, stack.supervisor->start_components()));
  ASSERT_EQ(stack.supervisor->status().components.size(), 2U);
  EXPECT_EQ(stack.supervisor->status().components[1].name, "dns");
  EXPECT_EQ(stack.supervisor->status().components[1].detail, "12 services");
  stack.down();
  EXPECT_EQ(log, (std::vector<std::string>{"start registry", "start dns", "stop dns", "stop registry"}));
}

TEST_F(ComponentsTest, FailingComponentStopsThoseBeforeIt) {
  std::vector<std::string> log;
  Recorder registry("registry", {}, log);
  Recorder dns("dns", {"registry"}, log);
  dns.broken = true;
  Stack stack(dir.path());
  stack.supervisor->add(registry);
  stack.supervisor->add(dns);
  const auto started = test::run(stack.io, stack.supervisor->start_components());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::port_taken);
  EXPECT_EQ(started.error().message, "port 53 is taken by dnsmasq");
  EXPECT_THAT(log, testing::Contains("stop registry"));
  dns.broken = false;
  EXPECT_TRUE(test::run(stack.io, stack.supervisor->start_components())) << "may be tried again";
}

}  // namespace
}  // namespace devstack::supervisor

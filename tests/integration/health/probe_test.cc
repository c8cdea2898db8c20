#include "core/health/probe.h"

#include <gmock/gmock.h>

#include "tests/support/run.h"

namespace devstack::health {
namespace {

using namespace std::chrono_literals;

ProbeResult probe(const std::string& script, std::chrono::milliseconds timeout = 10s) {
  asio::io_context io;
  process::Spec spec;
  spec.argv = command_of({"CMD-SHELL", script});
  return test::run(io, probe_command(spec, timeout));
}

TEST(CommandProbe, PassesOnExitCodeZeroWithItsOutput) {
  const auto result = probe("echo fine");
  EXPECT_EQ(result.outcome, Outcome::passed);
  EXPECT_EQ(result.output, "fine");
}

TEST(CommandProbe, FailsWithAReason) {
  EXPECT_EQ(probe("exit 3").outcome, Outcome::failed);
  EXPECT_EQ(probe("exit 3").output, "exit code 3");
  const auto late = probe("sleep 1000", 100ms);
  EXPECT_EQ(late.outcome, Outcome::failed);
  EXPECT_THAT(late.output, testing::HasSubstr("did not end within 100ms"));
}

}  // namespace
}  // namespace devstack::health

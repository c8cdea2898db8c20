#include "core/health/reaper.h"

#include <gmock/gmock.h>

namespace devstack::health {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const Instant start{1h};

class ReaperTest : public testing::Test {
 protected:
  ReaperTest() {
    check.id = "c";
    check.service_id = "web";
    check.agent_owned = true;
    check.definition.kind = registry::CheckDefinition::Kind::http;
    check.definition.deregister_critical_after = 90s;
  }
  void observe(Instant::duration after) { reaper.observe(check, start + after); }
  registry::Check check;
  Reaper reaper;
};

TEST_F(ReaperTest, AServiceGoesWhenACheckWasCriticalForLongerThanItsTime) {
  observe(0s);
  observe(60s);
  EXPECT_THAT(reaper.due(start + 90s), IsEmpty());
  EXPECT_THAT(reaper.due(start + 91s), ElementsAre("web"));
}

TEST_F(ReaperTest, TimesBelowAMinuteAreAMinute) {
  check.definition.deregister_critical_after = 1s;
  observe(0s);
  EXPECT_THAT(reaper.due(start + 60s), IsEmpty());
  EXPECT_THAT(reaper.due(start + 61s), ElementsAre("web"));
}

TEST_F(ReaperTest, ARecoveryStartsTheTimeAgain) {
  observe(0s);
  check.status = "passing";
  observe(80s);
  check.status = "critical";
  observe(85s);
  EXPECT_THAT(reaper.due(start + 120s), IsEmpty());
  EXPECT_THAT(reaper.due(start + 176s), ElementsAre("web"));
}

TEST_F(ReaperTest, WarningWithoutATimeAndNodeChecksAreLeftAlone) {
  check.status = "warning";
  observe(0s);
  EXPECT_THAT(reaper.due(start + 1h), IsEmpty());
  check.status = "critical";
  check.definition.deregister_critical_after = 0s;
  observe(1s);
  EXPECT_THAT(reaper.due(start + 1h), IsEmpty());
  check.definition.deregister_critical_after = 90s;
  check.service_id = "";
  observe(2s);
  EXPECT_THAT(reaper.due(start + 1h), IsEmpty());
}

TEST_F(ReaperTest, ATtlCheckThatWaitsForItsFirstHeartbeatIsNotFailing) {
  check.definition.kind = registry::CheckDefinition::Kind::ttl;
  observe(0s);
  EXPECT_THAT(reaper.due(start + 1h), IsEmpty());
  check.output = "TTL expired";
  observe(10s);
  EXPECT_THAT(reaper.due(start + 101s), ElementsAre("web"));
}

TEST_F(ReaperTest, ACheckThatIsGoneEndsNothing) {
  observe(0s);
  reaper.forget("c");
  EXPECT_THAT(reaper.due(start + 1h), IsEmpty());
}

TEST_F(ReaperTest, ACheckThatMovedToAnotherServiceFailsThereFromThenOn) {
  observe(0s);
  check.service_id = "db";
  observe(60s);
  EXPECT_THAT(reaper.due(start + 120s), IsEmpty());
  EXPECT_THAT(reaper.due(start + 151s), ElementsAre("db"));
}

TEST_F(ReaperTest, AServiceWithTwoSuchChecksIsNamedOnce) {
  auto other = check;
  other.id = "d";
  reaper.observe(check, start);
  reaper.observe(other, start);
  EXPECT_THAT(reaper.due(start + 2h), ElementsAre("web"));
}

}  // namespace
}  // namespace devstack::health

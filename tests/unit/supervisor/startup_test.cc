#include "core/supervisor/startup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devstack::supervisor {
namespace {

using namespace std::chrono_literals;
using stack::DependencyCondition;
using testing::ElementsAre;

/// "db image 2000", "api dependency (7000)": a step and its milliseconds.
std::vector<std::string> told(const std::vector<CriticalStep>& path) {
  std::vector<std::string> out;
  for (const auto& at : path) {
    const auto took = std::to_string((at.step.ended - at.step.began) / 1ms);
    out.push_back(at.unit + " " + std::string(to_string(at.step.phase)) + " " + (at.waits ? "(" + took + ")" : took));
  }
  return out;
}

/// Events of made-up units at made-up moments.
class Timeline {
 public:
  explicit Timeline(std::string name) : name_(std::move(name)) { recorder_.open(zero_); }
  Timeline& on(std::string service, DependencyCondition condition) {
    needs_.push_back({std::move(service), condition, true, false});
    return *this;
  }
  Timeline& enter(std::chrono::milliseconds at, StartPhase phase, const std::string& detail = {}) {
    recorder_.enter(phase, detail, zero_ + at);
    return *this;
  }
  Timeline& launching(std::chrono::milliseconds at) { return see(at, UnitState::starting, false); }
  Timeline& launched(std::chrono::milliseconds at) { return see(at, UnitState::starting, true); }
  Timeline& running(std::chrono::milliseconds at) { return see(at, UnitState::running, true); }
  Timeline& completed(std::chrono::milliseconds at) { return see(at, UnitState::completed, false); }
  Timeline& see(std::chrono::milliseconds at, UnitState state, bool up, const std::string& detail = {}) {
    recorder_.see(state, up, detail, zero_ + at);
    return *this;
  }
  StartRecorder& recorder() { return recorder_; }
  [[nodiscard]] UnitStart record(std::chrono::milliseconds now = 1h) const {
    auto out = recorder_.record(zero_ + now).value_or(UnitStart());
    out.unit = out.service = name_;
    out.depends_on = needs_;
    return out;
  }

 private:
  Instant zero_{1h};
  std::string name_;
  std::vector<stack::Dependency> needs_;
  StartRecorder recorder_;
};

Timeline database() {
  Timeline db("db");
  db.launching(20ms).enter(20ms, StartPhase::image).enter(2020ms, StartPhase::create).enter(2100ms, StartPhase::start);
  db.launched(2400ms).running(7400ms);
  return db;
}

TEST(CriticalPath, LeadsFromTheUnitThatWasReadyLastBackThroughWhatItWaitedFor) {
  Timeline api("api"), web("web");
  api.on("db", DependencyCondition::healthy).enter(10ms, StartPhase::dependency, "for db to be healthy");
  api.launching(7400ms).enter(7400ms, StartPhase::create).enter(7500ms, StartPhase::start).launched(7600ms);
  api.running(8600ms);
  web.launching(10ms).running(3000ms);
  const auto startup = summarise("demo", {database().record(), api.record(), web.record()});
  EXPECT_EQ(startup.took, 8600ms);
  EXPECT_THAT(told(startup.critical_path),
              ElementsAre("db queued 20", "db image 2000", "db create 80", "db start 300", "db health 5000",
                          "api dependency (7390)", "api create 100", "api start 100", "api health 1000"));
  std::chrono::nanoseconds sum{0};
  for (const auto& at : startup.critical_path) sum += at.waits ? 0ns : at.step.ended - at.step.began;
  EXPECT_EQ(sum, startup.took);
}

TEST(CriticalPath, FollowsTheDependencyThatWasMetLast) {
  Timeline quick("quick"), api("api");
  quick.launching(10ms).running(50ms);
  api.on("quick", DependencyCondition::started).on("db", DependencyCondition::started);
  api.enter(10ms, StartPhase::dependency).launching(2400ms).running(2500ms);
  EXPECT_THAT(told(critical_path({quick.record(), database().record(), api.record()})).back(), "db health 5000");
  // Of the database only what came before it was started counts, were it not for its own health.
  auto db = database().record();
  db.ready = db.launched;
  EXPECT_THAT(told(critical_path({quick.record(), db, api.record()})),
              ElementsAre("db queued 20", "db image 2000", "db create 80", "db start 300", "api dependency (2390)",
                          "api start 100"));
}

TEST(CriticalPath, CountsTheRunOfAJobThatIsWaitedFor) {
  Timeline job("job"), api("api");
  job.launching(10ms).running(100ms).completed(4000ms);
  api.on("job", DependencyCondition::completed_successfully).enter(5ms, StartPhase::dependency);
  api.launching(4000ms).running(4200ms);
  EXPECT_THAT(told(critical_path({job.record(), api.record()})),
              ElementsAre("job queued 10", "job start 90", "job run 3900", "api dependency (3995)", "api start 200"));
}

TEST(CriticalPath, StopsAtADependencyThatWasThereAlready) {
  Timeline api("api");
  api.on("db", DependencyCondition::healthy).enter(10ms, StartPhase::dependency, "for db to be healthy");
  api.launching(500ms).running(700ms);
  EXPECT_THAT(told(critical_path({api.record()})), ElementsAre("api queued 10", "api dependency 490", "api start 200"));
}

TEST(CriticalPath, EndsWhenUnitsWaitForEachOther) {
  Timeline one("one"), other("other");
  one.on("other", DependencyCondition::started).enter(0ms, StartPhase::dependency).launching(20ms).running(30ms);
  other.on("one", DependencyCondition::started).enter(0ms, StartPhase::dependency).launching(30ms).running(40ms);
  EXPECT_LE(critical_path({one.record(), other.record()}).size(), 6U);
}

TEST(CriticalPath, IsEmptyWhereNothingWasStarted) { EXPECT_TRUE(critical_path({}).empty()); }

TEST(StartRecorder, ReplacesTheLaunchByWhatItIsAtAndKeepsTheLastDetail) {
  Timeline web("web");
  web.launching(10ms).enter(10ms, StartPhase::image, "web:1").enter(20ms, StartPhase::image, "pulling web:1");
  web.enter(30ms, StartPhase::create);
  const auto record = web.record(40ms);
  ASSERT_EQ(record.steps.size(), 3U);
  EXPECT_EQ(record.steps[1].phase, StartPhase::image);
  EXPECT_EQ(record.steps[1].detail, "pulling web:1");
  EXPECT_EQ(record.steps[2].ended, 40ms);
  EXPECT_FALSE(record.ready);
}

TEST(StartRecorder, CountsStartsThatFailedUntilItIsReadyAndNoneAfterThat) {
  Timeline web("web");
  web.launching(0ms).see(100ms, UnitState::backoff, false, "exited with code 1").launching(200ms).running(250ms);
  web.see(9000ms, UnitState::backoff, false).launching(9100ms).running(9200ms);
  const auto record = web.record();
  EXPECT_EQ(record.ready, std::optional<StartSpan>(250ms));
  ASSERT_EQ(record.steps.size(), 5U);
  EXPECT_EQ(record.steps[2].phase, StartPhase::backoff);
  EXPECT_EQ(record.steps[2].detail, "exited with code 1");
  EXPECT_EQ(record.steps[4].phase, StartPhase::run);
  EXPECT_EQ(record.steps[4].ended, 9000ms);
}

TEST(StartRecorder, ForgetsWithTheNextConvergenceWhatIsReadyAndGoesOnWithWhatIsNot) {
  const Instant origin{1h};
  Timeline done("done"), waits("waits");
  done.launching(0ms).running(10ms);
  done.recorder().next(origin + 5s);
  EXPECT_FALSE(done.recorder().record(origin + 6s));
  waits.enter(0ms, StartPhase::registry, "waits for registry key a");
  waits.recorder().next(origin + 5s);
  waits.launching(7000ms).running(7100ms);
  const auto record = waits.record();
  ASSERT_GE(record.steps.size(), 2U);
  EXPECT_EQ(record.steps[0].phase, StartPhase::registry);
  EXPECT_EQ(record.steps[0].ended, 2s);
  EXPECT_EQ(record.ready, std::optional<StartSpan>(2100ms));
}

}  // namespace
}  // namespace devstack::supervisor

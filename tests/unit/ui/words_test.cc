#include "core/ui/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devstack::ui {
namespace {

using supervisor::Status;
using supervisor::UnitState;
using supervisor::UnitStatus;
using testing::ElementsAre;

UnitStatus unit(std::string name, UnitState state, std::string health = {}) {
  UnitStatus out;
  out.name = std::move(name);
  out.state = state;
  out.health = std::move(health);
  return out;
}

std::string sentence(std::vector<UnitStatus> services, std::vector<UnitStatus> components = {}) {
  Status status;
  status.services = std::move(services);
  status.components = std::move(components);
  const auto said = verdict(status);
  return std::string(to_string(said.tone)) + ": " + said.sentence;
}

TEST(Verdict, SaysHowThingsAre) {
  using enum UnitState;
  const auto well = unit("a", running, "healthy");
  const auto plain = unit("b", running);
  EXPECT_EQ(sentence({}), "good: devstack is running, without services");
  EXPECT_EQ(sentence({well}), "good: a is healthy");
  EXPECT_EQ(sentence({well, well}), "good: All 2 services are healthy");
  EXPECT_EQ(sentence({well, plain}), "good: All 2 services are running");
  EXPECT_EQ(sentence({well, well, unit("c", completed)}), "good: 2 services healthy, 1 completed");
  EXPECT_EQ(sentence({well, unit("c", stopped)}), "good: 1 service healthy, 1 stopped");
  EXPECT_EQ(sentence({unit("c", stopped), unit("d", stopped)}), "good: All services are stopped");
  EXPECT_EQ(sentence({well, unit("c", waiting)}), "busy: Starting: 1 of 2 services ready");
  EXPECT_EQ(sentence({well}, {unit("dns", starting)}), "busy: Starting");
}

TEST(Verdict, NamesWhatNeedsAttention) {
  using enum UnitState;
  const auto well = unit("a", running, "healthy");
  EXPECT_EQ(sentence({well, unit("b", failed)}), "bad: b needs attention");
  EXPECT_EQ(sentence({unit("b", unhealthy), unit("c", backoff)}), "bad: b and c need attention");
  EXPECT_EQ(sentence({unit("c", backoff), unit("d", starting)}), "warn: c needs attention");
  EXPECT_EQ(sentence({unit("b", failed), unit("c", failed), unit("d", failed)}), "bad: b, c and d need attention");
  EXPECT_EQ(sentence({unit("b", failed), unit("c", failed), unit("d", failed), unit("e", failed), well}),
            "bad: 4 of 5 services need attention");
  EXPECT_EQ(sentence({well}, {unit("dns", failed)}), "bad: dns needs attention");
}

TEST(Verdict, DegradedComponentIsSaidBesides) {
  auto dns = unit("dns", UnitState::running);
  dns.degraded = true;
  EXPECT_EQ(sentence({unit("a", UnitState::running)}, {dns}), "warn: a is running; dns is degraded");
}

TEST(Verdict, StoppingComesFirst) {
  Status status;
  status.stopping = true;
  status.services = {unit("a", UnitState::failed)};
  EXPECT_EQ(verdict(status).sentence, "Stopping");
}

TEST(StateWords, TellExitCodeAndHealth) {
  auto failed = unit("a", UnitState::failed);
  EXPECT_EQ(state_words(failed), "failed");
  failed.exit_code = 137;
  EXPECT_EQ(state_words(failed), "failed, exit code 137");
  EXPECT_EQ(state_words(unit("a", UnitState::running, "starting")), "starting");
  EXPECT_EQ(tone_of(unit("a", UnitState::running, "starting")), Tone::busy);
  EXPECT_EQ(tone_of(unit("a", UnitState::running, "unhealthy")), Tone::bad);
}

TEST(ElapsedWords, UseTwoUnitsAtMost) {
  using namespace std::chrono_literals;
  EXPECT_EQ(elapsed_words(-5s), "0 s");
  EXPECT_EQ(elapsed_words(59s), "59 s");
  EXPECT_EQ(elapsed_words(60s), "1 min");
  EXPECT_EQ(elapsed_words(2h), "2 h");
  EXPECT_EQ(elapsed_words(2h + 5min + 9s), "2 h 5 min");
  EXPECT_EQ(elapsed_words(24h), "1 d");
  EXPECT_EQ(elapsed_words(50h), "2 d 2 h");
}

TEST(CompactAddresses, JoinProtocolsOfOnePlace) {
  EXPECT_THAT(
      compact_addresses({"1.2.3.4:53/udp", "127.0.0.1:53/udp", "1.2.3.4:53/tcp", "1.2.3.4:8500", "/run/x/sock"}),
      ElementsAre("1.2.3.4:53 udp tcp", "127.0.0.1:53 udp", "1.2.3.4:8500", "/run/x/sock"));
}

}  // namespace
}  // namespace devstack::ui

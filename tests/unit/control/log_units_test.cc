#include "core/control/log_units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devstack::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

supervisor::Status running() {
  supervisor::Status status;
  for (const auto* name : {"web", "web-2", "db"}) {
    auto& unit = status.services.emplace_back();
    unit.name = name;
    unit.service = std::string(name).substr(0, std::string(name).find('-'));
  }
  status.components.emplace_back().name = "dns";
  return status;
}

TEST(LogUnits, AllAreTheStacksAndGoneInstancesOfIt) {
  const auto all = log_units(running(), {"db", "old", "web", "web-3"}, {});
  ASSERT_TRUE(all);
  EXPECT_THAT(all->units, ElementsAre("web", "web-2", "db", "web-3"));
  EXPECT_THAT(all->components, IsEmpty());
}

TEST(LogUnits, WithoutAStackAllThatIsKeptCounts) {
  EXPECT_THAT(log_units({}, {"db", "web", "web-3"}, {})->units, ElementsAre("db", "web", "web-3"));
  EXPECT_THAT(log_units({}, {"db", "web", "web-3"}, {"web"})->units, ElementsAre("web", "web-3"));
}

TEST(LogUnits, NamesMeanUnitsServicesComponentsOrDevstack) {
  EXPECT_THAT(log_units(running(), {}, {"web"})->units, ElementsAre("web", "web-2"));
  EXPECT_THAT(log_units(running(), {}, {"web-2"})->units, ElementsAre("web-2"));
  EXPECT_THAT(log_units(running(), {"old"}, {"old"})->units, ElementsAre("old"));
  EXPECT_THAT(log_units(running(), {}, {"dns", "devstack"})->components, ElementsAre("dns", ""));
}

TEST(LogUnits, UnknownNamesAreSaidWithTheNearest) {
  const auto typo = log_units(running(), {}, {"wbe"});
  ASSERT_FALSE(typo);
  EXPECT_EQ(typo.error().code, Errc::not_found);
  EXPECT_THAT(typo.error().message, HasSubstr("did you mean \"web\"?"));
  EXPECT_THAT(log_units(running(), {}, {"completely-else"}).error().message, HasSubstr("there are web, db, dns"));
}

}  // namespace
}  // namespace devstack::control

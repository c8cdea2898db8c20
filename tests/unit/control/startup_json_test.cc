#include "core/control/startup_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devstack::control {
namespace {

using namespace std::chrono_literals;
using supervisor::StartPhase;
using supervisor::Startup;

Startup full() {
  Startup startup;
  startup.project = "demo";
  startup.took = 1500ms;
  supervisor::UnitStart unit;
  unit.unit = "db-1";
  unit.service = "db";
  unit.launched = 1s;
  unit.ready = 1500ms;
  unit.steps = {{StartPhase::image, "pulling db", 0ms, 900ms}, {StartPhase::start, "", 900ms, 1s}};
  startup.units = {unit};
  startup.critical_path = {{"db-1", unit.steps[0], false}, {"api", {StartPhase::dependency, "for db", 0ms, 2ms}, true}};
  return startup;
}

TEST(StartupJson, SaysTimesInMillisecondsAndNullForWhatHasNotHappened) {
  EXPECT_EQ(startup_to_json(full()),
            R"({"project":"demo","took_ms":1.5E3,"critical_path":[)"
            R"({"phase":"image","detail":"pulling db","began_ms":0E0,"took_ms":9E2,"unit":"db-1","waits":false},)"
            R"({"phase":"dependency","detail":"for db","began_ms":0E0,"took_ms":2E0,"unit":"api","waits":true}],)"
            R"("units":[{"unit":"db-1","service":"db","launched_ms":1E3,"ready_ms":1.5E3,"ended_ms":null,"steps":[)"
            R"({"phase":"image","detail":"pulling db","began_ms":0E0,"took_ms":9E2},)"
            R"({"phase":"start","detail":"","began_ms":9E2,"took_ms":1E2}]}]})");
}

TEST(StartupJson, ReadsWhatItWrites) {
  const auto read = startup_from_json(startup_to_json(full()));
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(startup_to_json(*read), startup_to_json(full()));
  EXPECT_FALSE(read->units.at(0).ended);
}

TEST(StartupJson, NamesTheFieldOfTheWrongType) {
  const auto read = startup_from_json(R"({"units":[{"steps":[{"took_ms":"long"}]}]})");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, testing::HasSubstr("units[0].steps[0].took_ms is not a number"));
}

}  // namespace
}  // namespace devstack::control

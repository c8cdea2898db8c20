#include "cmd/devstack/project_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devstack {
namespace {

TEST(ProjectChoice, IsTheNamedOneOrTheOnlyOne) {
  EXPECT_EQ(choose_project({"demo", "shop"}, "shop").value_or(""), "shop");
  EXPECT_EQ(choose_project({"demo"}, "").value_or(""), "demo");
  EXPECT_EQ(choose_project({"demo", "shop"}, "").error().code, Errc::conflict);
  EXPECT_EQ(choose_project({"demo", "shop"}, "").error().message,
            "several projects are up here: demo, shop; say which with -p NAME");
  EXPECT_EQ(choose_project({"demo"}, "shop").error().message, "shop is not up here; up is: demo");
  EXPECT_EQ(choose_project({}, "shop").error().message, "shop is not up here; up is: none");
}

supervisor::Status up(const std::vector<std::string>& projects) {
  supervisor::Status status;
  status.components.resize(1);
  status.components[0].name = "dns";
  for (const auto& project : projects) {
    status.projects.emplace_back().name = project;
    for (const std::string name : {"web", "web-2", project == "demo" ? "db" : "box"}) {
      auto& unit = status.services.emplace_back();
      unit.project = project;
      unit.service = name.substr(0, name.find('-'));
      unit.name = projects.size() > 1 ? project + "/" + name : name;
      unit.id = project + "." + name;
    }
  }
  return status;
}

std::vector<std::string> names(const Result<std::vector<supervisor::UnitStatus>>& units) {
  std::vector<std::string> out;
  if (!units) return {units.error().message};
  for (const auto& unit : *units) out.push_back(unit.name + " is " + unit.id);
  return out;
}

TEST(ProjectChoice, QualifiesAUnitOnlyWhileSeveralAreUp) {
  EXPECT_EQ(unit_in(up({"demo"}), "demo", "web").value_or(""), "web");
  EXPECT_EQ(unit_in(up({"demo"}), "", "demo/web").value_or(""), "web");
  const auto both = up({"demo", "shop"});
  EXPECT_EQ(unit_in(both, "demo", "web").value_or(""), "demo/web");
  EXPECT_EQ(unit_in(both, "demo", "shop/box").value_or(""), "shop/box");
  EXPECT_EQ(unit_in(both, "demo", "box").error().code, Errc::not_found);
}

TEST(ProjectChoice, ASameNamedServiceIsTheProjectsOwn) {
  const auto both = up({"demo", "shop"});
  EXPECT_EQ(chosen_unit(both, "demo", "web")->id, "demo.web");
  EXPECT_EQ(chosen_unit(both, "shop", "web", 2)->id, "shop.web-2");
  EXPECT_EQ(chosen_unit(both, "demo", "shop/web")->id, "shop.web");
  EXPECT_EQ(chosen_unit(both, "", "web").error().code, Errc::conflict);
  EXPECT_EQ(chosen_unit(both, "", "shop/box")->id, "shop.box") << "a project that is named needs no choice";
  EXPECT_EQ(chosen_unit(both, "third", "web").error().message, "third is not up here; up is: demo, shop");
}

TEST(ProjectChoice, WordsMeanUnitsOfTheirProjectsEachOnce) {
  using ::testing::ElementsAre;
  const auto both = up({"demo", "shop"});
  EXPECT_THAT(names(chosen_units(both, "shop", {})),
              ElementsAre("web is shop.web", "web-2 is shop.web-2", "box is shop.box"));
  EXPECT_THAT(names(chosen_units(both, "demo", {"shop/web", "db", "web-2", "shop/web-2"})),
              ElementsAre("web-2 is demo.web-2", "db is demo.db", "shop/web is shop.web", "shop/web-2 is shop.web-2"));
  EXPECT_THAT(names(chosen_units(both, "demo", {"box"})), ElementsAre("no service \"box\": there are db, web"));
}

}  // namespace
}  // namespace devstack

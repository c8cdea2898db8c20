#include "cmd/devstack/project_choice.h"

#include <gtest/gtest.h>

namespace devstack {
namespace {

TEST(ProjectChoice, IsTheNamedOneOrTheOnlyOne) {
  EXPECT_EQ(choose_project({"demo", "shop"}, "shop").value_or(""), "shop");
  EXPECT_EQ(choose_project({"demo"}, "").value_or(""), "demo");
  EXPECT_EQ(choose_project({"demo", "shop"}, "").error().code, Errc::conflict);
  EXPECT_EQ(choose_project({"demo", "shop"}, "").error().message,
            "several projects are up here: demo, shop; say which with -p NAME, or --all");
  EXPECT_EQ(choose_project({"demo"}, "shop").error().message, "shop is not up here; up is: demo");
  EXPECT_EQ(choose_project({}, "shop").error().message, "shop is not up here; up is: none");
}

TEST(ProjectChoice, QualifiesAUnitOnlyWhileSeveralAreUp) {
  supervisor::Status status;
  status.projects.resize(1);
  status.services.resize(1);
  status.services[0].project = "demo";
  status.services[0].service = status.services[0].name = "web";
  EXPECT_EQ(unit_in(status, "demo", "web"), "web");
  status.projects.resize(2);
  status.services[0].name = "demo/web";
  EXPECT_EQ(unit_in(status, "demo", "web"), "demo/web");
  EXPECT_EQ(unit_in(status, "demo", "dns"), "dns") << "a component";
  EXPECT_EQ(unit_in(status, "shop", "web"), "web") << "not its own";
  EXPECT_EQ(unit_in(status, "demo", "shop/web"), "shop/web");
}

}  // namespace
}  // namespace devstack

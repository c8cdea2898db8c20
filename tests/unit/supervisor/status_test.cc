#include "core/supervisor/status.h"

#include <gtest/gtest.h>

namespace devstack::supervisor {
namespace {

UnitStatus unit(const std::string& name, const std::string& project, UnitState state) {
  UnitStatus made;
  made.name = name;
  made.project = project;
  made.state = state;
  return made;
}

Status two_projects() {
  Status status;
  status.project = "demo";
  status.stack_file = "/demo/stack.yaml";
  status.components = {unit("dns", "", UnitState::running)};
  status.services = {unit("demo/web", "demo", UnitState::failed), unit("shop/web", "shop", UnitState::running)};
  status.projects = {{"demo", {"/demo/stack.yaml"}, false, 1}, {"shop", {"/shop/stack.yaml"}, true, 1}};
  return status;
}

TEST(OfProject, KeepsTheComponentsAndItsOwnUnitsByTheirOwnNames) {
  const auto shop = of_project(two_projects(), "shop");
  EXPECT_EQ(shop.project, "shop");
  EXPECT_EQ(shop.stack_file, "/shop/stack.yaml");
  ASSERT_EQ(shop.services.size(), 1U);
  EXPECT_EQ(shop.services[0].name, "web");
  EXPECT_EQ(shop.components.size(), 1U);
  ASSERT_EQ(shop.projects.size(), 1U);
  EXPECT_TRUE(shop.healthy) << "another project's failure is not its own";
  EXPECT_FALSE(of_project(two_projects(), "demo").healthy);
}

TEST(OfProject, IsNotHealthyWithoutTheComponents) {
  auto status = two_projects();
  status.components[0].state = UnitState::starting;
  EXPECT_FALSE(of_project(status, "shop").healthy);
}

TEST(OfProject, HasNothingOfOthersWhenItIsNotUp) {
  const auto other = of_project(two_projects(), "other");
  EXPECT_EQ(other.project, "other");
  EXPECT_TRUE(other.services.empty());
  EXPECT_TRUE(other.projects.empty());
  EXPECT_EQ(other.stack_file, "");
  EXPECT_EQ(other.components.size(), 1U);
  EXPECT_FALSE(other.healthy);
  EXPECT_EQ(of_project(two_projects(), "").services.size(), 2U) << "no project means them all";
}

}  // namespace
}  // namespace devstack::supervisor

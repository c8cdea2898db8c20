#include "core/stack/images.h"

#include <gmock/gmock.h>

namespace devstack::stack {
namespace {

using ::testing::ElementsAre;

TEST(Images, ABuiltImageIsNamedAfterProjectAndService) {
  ServiceSpec service;
  service.name = "web";
  service.build.emplace();
  EXPECT_EQ(image_name(service, "demo"), "demo-web");
  service.image = "mine:1";
  EXPECT_EQ(image_name(service, "demo"), "mine:1");
}

TEST(Images, StepsBringTheirOwnOnceEach) {
  ServiceSpec service;
  service.name = "web";
  service.build.emplace();
  service.pre_start.resize(4);
  service.pre_start[1].image = service.pre_start[2].image = "tools:1";
  service.pre_start[3].image = "tools:2";
  std::vector<std::string> built, fetched;
  for (const auto& one : by_image(service)) (one.build ? built : fetched).push_back(image_name(one, "demo"));
  EXPECT_THAT(built, ElementsAre("demo-web"));
  EXPECT_THAT(fetched, ElementsAre("tools:1", "tools:2"));
  service.image = "tools:2";
  EXPECT_EQ(by_image(service).size(), 2U) << "the service's own is none of the steps' alone";
}

}  // namespace
}  // namespace devstack::stack

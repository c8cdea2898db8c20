#include <gtest/gtest.h>

#include "core/control/log_stream.h"

namespace devstack::control {
namespace {

supervisor::Status two_projects() {
  supervisor::Status status;
  status.project = "demo";
  status.projects = {{"demo", {}, true, 1}, {"shop", {}, true, 1}};
  status.services.resize(2);
  status.services[0].name = "demo/web";
  status.services[0].project = "demo";
  status.services[1].name = "shop/web";
  status.services[1].project = "shop";
  return status;
}

LogPlaces places() { return {"", "/state/logs", ""}; }

TEST(LogProjects, ARequestIsAboutOneProjectInItsOwnNames) {
  auto status = two_projects();
  auto where = places();
  LogRequest request;
  request.project = "shop";
  request.services = {"web", "shop/web"};
  ASSERT_TRUE(narrow(status, where, request));
  EXPECT_EQ(where.kept, "/state/logs/shop");
  EXPECT_EQ(request.services, (std::vector<std::string>{"web", "web"}));
  ASSERT_EQ(status.services.size(), 1U);
  EXPECT_EQ(status.services[0].name, "web");
}

TEST(LogProjects, APrefixNamesTheProjectAndNothingMeansTheFirst) {
  auto status = two_projects();
  auto where = places();
  LogRequest request;
  request.services = {"shop/web"};
  ASSERT_TRUE(narrow(status, where, request));
  EXPECT_EQ(request.project, "shop");
  request = {};
  status = two_projects();
  ASSERT_TRUE(narrow(status, where, request));
  EXPECT_EQ(where.kept, "/state/logs/demo");
}

TEST(LogProjects, NoNameLeadsOutOfTheFolder) {
  for (const char* name : {"..", ".components", "a/../../etc"}) {
    auto status = two_projects();
    auto where = places();
    LogRequest request;
    request.project = name;
    const auto narrowed = narrow(status, where, request);
    ASSERT_FALSE(narrowed) << name;
    EXPECT_EQ(narrowed.error().code, Errc::invalid_argument);
  }
}

}  // namespace
}  // namespace devstack::control

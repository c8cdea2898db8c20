#include "core/control/status_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace devstack::control {
namespace {

using supervisor::Status;
using supervisor::UnitState;
using supervisor::UnitStatus;
using supervisor::UnitType;
using testing::ElementsAre;
using testing::HasSubstr;

Status full() {
  Status status;
  status.version = "0.1.0";
  status.project = "demo";
  status.projects = {{"demo", {"/srv/demo/stack.yaml"}, true, 1}};
  status.stack_file = "/home/a/stack.yaml";
  status.node = "laptop";
  status.pid = 4711;
  status.started_at = 1'700'000'000;
  status.docker = "20.10.24";
  status.docker_detail = "why";
  status.stopping = true;
  status.converging = true;
  status.healthy = true;
  UnitStatus unit;
  unit.name = "hello-2";
  unit.service = "hello";
  unit.type = UnitType::process;
  unit.state = UnitState::backoff;
  unit.health = "unhealthy";
  unit.detail = "said \"no\"\nand ended";
  unit.addresses = {"127.0.0.1:80"};
  unit.links = {"http://hello.localhost/"};
  unit.id = "812";
  unit.restarts = 3;
  unit.started_at = 1'700'000'001;
  unit.exit_code = 137;
  unit.degraded = true;
  status.services = {unit};
  unit.name = "dns";
  unit.type = UnitType::component;
  status.components = {unit};
  supervisor::DiscoveredService found;
  found.name = "web";
  found.instances = 2;
  found.passing = 1;
  found.status = "critical";
  found.tags = {"a", "b"};
  found.addresses = {"172.17.0.9:80", "172.17.0.10:80"};
  found.links = {"http://web.localhost/"};
  status.discovered = {found};
  return status;
}

TEST(StatusJson, ComesBackAsItWas) {
  const auto text = to_json(full());
  const auto back = status_from_json(text);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), text);
  EXPECT_EQ(back->services.at(0).state, UnitState::backoff);
  EXPECT_EQ(back->services.at(0).type, UnitType::process);
  EXPECT_EQ(back->services.at(0).detail, "said \"no\"\nand ended");
  EXPECT_EQ(back->services.at(0).exit_code, 137);
  EXPECT_EQ(back->pid, 4711);
  EXPECT_TRUE(back->stopping);
  EXPECT_TRUE(back->converging);
  EXPECT_THAT(back->discovered.at(0).addresses, ElementsAre("172.17.0.9:80", "172.17.0.10:80"));
  EXPECT_EQ(back->discovered.at(0).passing, 1);
  EXPECT_EQ(back->projects.at(0).name, "demo");
  EXPECT_EQ(back->projects.at(0).files, std::vector<std::string>{"/srv/demo/stack.yaml"});
  EXPECT_TRUE(back->projects.at(0).healthy);
  EXPECT_EQ(back->projects.at(0).services, 1);
}

TEST(StatusJson, HasEveryDocumentedField) {
  const auto document = boost::json::parse(to_json(full())).as_object();
  const auto names = [](const boost::json::object& object) {
    std::vector<std::string> out;
    for (const auto& field : object) out.emplace_back(field.key());
    return out;
  };
  EXPECT_THAT(names(document),
              ElementsAre("version", "project", "stack_file", "node", "pid", "started_at", "docker", "docker_detail",
                          "stopping", "converging", "healthy", "components", "services", "projects", "discovered"));
  EXPECT_THAT(names(document.at("services").as_array().at(0).as_object()),
              ElementsAre("name", "service", "project", "type", "state", "health", "detail", "addresses", "links", "id",
                          "restarts", "started_at", "exit_code", "degraded"));
  EXPECT_THAT(names(document.at("projects").as_array().at(0).as_object()),
              ElementsAre("name", "files", "healthy", "services"));
  EXPECT_THAT(names(document.at("discovered").as_array().at(0).as_object()),
              ElementsAre("name", "instances", "passing", "status", "tags", "addresses", "links"));
}

TEST(StatusJson, EveryStateAndTypeComesBack) {
  for (const auto state :
       {UnitState::pending, UnitState::waiting, UnitState::starting, UnitState::running, UnitState::unhealthy,
        UnitState::backoff, UnitState::completed, UnitState::failed, UnitState::stopping, UnitState::stopped}) {
    for (const auto type : {UnitType::component, UnitType::container, UnitType::process}) {
      Status status;
      status.services.resize(1);
      status.services[0].state = state;
      status.services[0].type = type;
      const auto back = status_from_json(to_json(status));
      ASSERT_TRUE(back);
      EXPECT_EQ(back->services.at(0).state, state);
      EXPECT_EQ(back->services.at(0).type, type);
    }
  }
}

TEST(StatusJson, OtherVersionsFieldsDoNoHarm) {
  const auto status =
      status_from_json(R"({"project":"x","later":{"a":[1]},"services":[{"name":"a","state":"dreaming"}]})");
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(status->project, "x");
  EXPECT_EQ(status->services.at(0).state, UnitState::pending);
}

TEST(StatusJson, NamesTheFieldOfTheWrongType) {
  const auto message = [](std::string_view text) {
    const auto status = status_from_json(text);
    return status ? std::string("accepted") : status.error().message;
  };
  EXPECT_THAT(message(R"({"services":[{},{"restarts":"two"}]})"), HasSubstr("services[1].restarts is not a number"));
  EXPECT_THAT(message(R"({"project":7})"), HasSubstr("project is not a string"));
  EXPECT_THAT(message(R"({"components":[{"links":[1]}]})"),
              HasSubstr("components[0].links is not an array of strings"));
  EXPECT_THAT(message(R"({"services":["x"]})"), HasSubstr("services[0]. is not an object"));
  EXPECT_THAT(message("[]"), HasSubstr("the document is not an object"));
  EXPECT_THAT(message("{"), HasSubstr("not JSON"));
}

}  // namespace
}  // namespace devstack::control

#include "cmd/devstack/changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cmd/devstack/attach.h"
#include "cmd/devstack/copy_paths.h"
#include "cmd/devstack/service_units.h"
#include "cmd/devstack/up_choice.h"

namespace devstack {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

stack::PlannedUnit unit(const std::string& name, const std::string& image, const std::string& hash) {
  stack::PlannedUnit out;
  out.name = out.service = name;
  out.spec.name = name;
  out.spec.image = image;
  out.kind = image.empty() ? stack::UnitKind::process : stack::UnitKind::container;
  out.config_hash = hash;
  return out;
}

stack::Plan plan(std::vector<stack::PlannedUnit> units) {
  stack::Plan out;
  out.project = "demo";
  out.units = std::move(units);
  return out;
}

std::vector<std::string> lines(const std::vector<UnitChange>& changes) {
  std::vector<std::string> out;
  for (const auto& change : changes) out.push_back(fmt::format("{} {}", to_string(change.action), change.unit));
  return out;
}

const stack::Plan kRunning =
    plan({unit("db", "a:1", "1"), unit("web", "b:1", "2"), unit("old", "c", "3"), unit("tool", "", "4")});
const stack::Plan kWanted =
    plan({unit("db", "a:1", "1"), unit("web", "b:2", "9"), unit("tool", "", "4"), unit("new", "d", "5")});

TEST(Changes, NameWhatHappensToEachUnit) {
  EXPECT_THAT(lines(unit_changes(kRunning, kWanted, {}, {})),
              ElementsAre("unchanged db", "recreate web", "unchanged tool", "create new", "remove old"));
  EXPECT_THAT(lines(unit_changes(kRunning, kWanted, {}, {"db"})),
              ElementsAre("start db", "recreate web", "unchanged tool", "create new", "remove old"));
  EXPECT_THAT(lines(unit_changes({}, kWanted, {}, {})),
              ElementsAre("create db", "create web", "create tool", "create new"));
}

TEST(Changes, FollowTheFlags) {
  supervisor::ApplyOptions force;
  force.force_recreate = true;
  EXPECT_THAT(lines(unit_changes(kRunning, kWanted, force, {})),
              ElementsAre("recreate db", "recreate web", "unchanged tool", "create new", "remove old"));
  force.services = {"web"};
  EXPECT_THAT(lines(unit_changes(kRunning, kRunning, force, {})),
              ElementsAre("unchanged db", "recreate web", "unchanged old", "unchanged tool"));
  supervisor::ApplyOptions keep;
  keep.no_recreate = true;
  const auto kept = unit_changes(kRunning, kWanted, keep, {});
  EXPECT_EQ(kept.at(1).action, Action::unchanged);
  EXPECT_THAT(kept.at(1).reason, HasSubstr("--no-recreate"));
}

TEST(Changes, ComeBackFromTheirJsonAndExplainThemselves) {
  const auto changes = unit_changes(kRunning, kWanted, {}, {});
  const auto back = changes_from_json(changes_json("demo", true, changes));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(back->running);
  EXPECT_EQ(lines(back->units), lines(changes));
  EXPECT_EQ(back->units.at(1).changes, changes.at(1).changes);
  const auto text = changes_text(*back, Explained::yes);
  EXPECT_THAT(text, HasSubstr("  recreate   web   container of b:2\n      ~ image: b:1 -> b:2\n"));
  EXPECT_THAT(text, HasSubstr("1 to create, 1 to recreate, 1 to remove, 2 unchanged\n"));
  EXPECT_THAT(changes_text(*back, Explained::no), Not(HasSubstr("b:1")));
  EXPECT_EQ(changes_words(changes), "recreate web\ncreate new\nremove old");
  EXPECT_FALSE(changes_from_json("{}"));
}

TEST(UpChoice, TravelsAsFlagsAndAsJson) {
  UpChoice choice;
  choice.how.force_recreate = true;
  choice.how.pull = "always";
  choice.how.services = {"web", "db"};
  choice.scale = {{"web", 3}};
  choice.watch = true;
  EXPECT_THAT(choice.flags(),
              ElementsAre("--force-recreate", "--watch", "--pull=always", "--scale=web=3", "--", "web", "db"));
  const auto back = parse_up_choice(up_request({}, choice));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->flags(), choice.flags());
  EXPECT_TRUE(parse_up_choice("{}")->flags().empty());
  EXPECT_FALSE(parse_up_choice("[]"));
  EXPECT_FALSE(parse_up_choice(R"({"choice": {"services": 1}})"));
}

TEST(UpChoice, WhatLastsIsWhatIsWantedNotWhatIsDoneOnce) {
  UpChoice all;
  all.how.force_recreate = true;
  all.scale = {{"web", 2}};
  UpChoice part;
  part.how.services = {"db"};
  part.scale = {{"db", 3}};
  EXPECT_THAT(lasting_choice(all, all).flags(), ElementsAre("--scale=web=2"));
  EXPECT_THAT(lasting_choice(all, part).flags(), ElementsAre("--scale=db=3", "--scale=web=2"));
  EXPECT_THAT(lasting_choice(part, {}).flags(), ElementsAre());
  UpChoice other;
  other.how.services = {"web"};
  EXPECT_THAT(lasting_choice(part, other).flags(), ElementsAre("--scale=db=3", "--", "db", "web"));
}

supervisor::Status three() {
  using supervisor::UnitState;
  supervisor::Status status;
  for (const auto& [name, state] : {std::pair("web", UnitState::stopped), std::pair("web-2", UnitState::running),
                                    std::pair("db", UnitState::running)}) {
    auto& one = status.services.emplace_back();
    one.name = name;
    one.service = std::string(name).substr(0, std::string(name).find('-'));
    one.state = state;
    one.type = supervisor::UnitType::container;
    one.id = one.name;
  }
  return status;
}

TEST(ServiceUnits, AreFoundByServiceNumberOrName) {
  EXPECT_EQ(unit_of_service(three(), "web", 0)->name, "web-2");  // the first that is up
  EXPECT_EQ(unit_of_service(three(), "web", 1)->name, "web");
  EXPECT_EQ(unit_of_service(three(), "web", 2)->name, "web-2");
  EXPECT_EQ(unit_of_service(three(), "web-2", 0)->name, "web-2");
  EXPECT_EQ(unit_of_service(three(), "db", 0)->name, "db");
  EXPECT_EQ(unit_of_service(three(), "db", 2).error().code, Errc::not_found);
  EXPECT_THAT(unit_of_service(three(), "bd", 0).error().message, HasSubstr("did you mean \"db\"?"));
  auto status = three();
  status.services[2].type = supervisor::UnitType::process;
  EXPECT_EQ(must_be_container(status.services[2]).error().code, Errc::conflict);
  EXPECT_TRUE(must_be_container(status.services[0]));
}

TEST(Attachment, TheFirstThatEndsGivesTheCode) {
  using supervisor::UnitState;
  auto status = three();
  EXPECT_EQ(ended_unit(status), nullptr);
  status.services[1].state = UnitState::completed;
  ASSERT_NE(ended_unit(status), nullptr);
  EXPECT_EQ(ended_unit(status)->name, "web-2");
  status.services[1].exit_code = 3;
  status.services[2].exit_code = 143;
  Attachment attachment;
  EXPECT_EQ(code_of(status, "web-2", attachment), 3);
  attachment.exit_code_from = "db";
  EXPECT_EQ(code_of(status, "web-2", attachment), 143);
  status.services[2].state = UnitState::failed;
  status.services[2].exit_code = 0;
  EXPECT_EQ(code_of(status, "web-2", attachment), 1);
}

TEST(CopyPaths, FollowDockersRules) {
  EXPECT_EQ(container_path("web:/a/b")->service, "web");
  EXPECT_EQ(container_path("web:/a/b")->path, "/a/b");
  EXPECT_EQ(container_path("shop/web:/a")->service, "shop/web");
  for (const auto* here : {"./web:/a", "/web:a", "-", "./dir/web:x", ":x"}) EXPECT_FALSE(container_path(here)) << here;
  EXPECT_EQ(*unpacked_path("etc/passwd", true), "etc/passwd");
  EXPECT_EQ(*unpacked_path("etc/passwd", false), "passwd");
  EXPECT_EQ(*unpacked_path("etc/", false), "");
  EXPECT_FALSE(unpacked_path("../x", true));
  EXPECT_FALSE(unpacked_path("/x", true));
  EXPECT_EQ(place_in_container("a/file", "/tmp", true).name, "file");
  EXPECT_EQ(place_in_container("a/file", "/tmp/new", false).folder, "/tmp");
  EXPECT_EQ(place_in_container("a/file", "/tmp/new", false).name, "new");
  EXPECT_EQ(place_in_container("a/dir/", "/tmp", true).name, "dir");
  EXPECT_EQ(place_in_container("a/dir/.", "/tmp", true).name, ".");
  EXPECT_EQ(place_in_container("f", "/x", false).folder, "/");
}

}  // namespace
}  // namespace devstack

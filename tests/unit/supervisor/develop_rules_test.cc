#include "core/supervisor/develop_rules.h"

#include <gmock/gmock.h>

namespace devstack::supervisor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

stack::WatchRule trigger(const std::string& action, const std::string& path, const std::string& target = {}) {
  stack::WatchRule out;
  out.action = action;
  out.path = path;
  out.target = target;
  return out;
}

stack::ServiceSpec service(std::vector<stack::WatchRule> watch) {
  stack::ServiceSpec out;
  out.name = "web";
  out.build.emplace().context = "/p";
  out.watch = std::move(watch);
  return out;
}

std::vector<DevelopRule> rules(std::vector<stack::WatchRule> watch, std::string_view dockerignore = {}) {
  return develop_rules(service(std::move(watch)), docker::IgnoreRules(dockerignore)).rules;
}

std::vector<std::string> synced(const DevelopBatch& batch) {
  std::vector<std::string> out;
  for (const auto& [name, paths] : batch.sync) {
    for (const auto& path : paths) out.push_back(path.from + ">" + path.to);
  }
  return out;
}

TEST(DevelopRules, EachActionAsksForItsPart) {
  auto exec = trigger("sync+exec", "/p/conf", "/conf");
  exec.exec.emplace().command = {"reload"};
  const auto all = rules({trigger("sync", "/p/src", "/app"), trigger("rebuild", "/p/package.json"),
                          trigger("restart", "/p/etc"), trigger("sync+restart", "/p/lib", "/lib/"), exec});
  auto batch = develop_batch(all, {"/p/src/a/b.js", "/p/src/c.js"});
  EXPECT_THAT(synced(batch), ElementsAre("/p/src/a/b.js>/app/a/b.js", "/p/src/c.js>/app/c.js"));
  EXPECT_TRUE(batch.rebuild.empty() && batch.restart.empty() && batch.exec.empty());
  batch = develop_batch(all, {"/p/package.json"});
  EXPECT_THAT(batch.rebuild, ElementsAre("web"));
  EXPECT_TRUE(batch.sync.empty());
  batch = develop_batch(all, {"/p/etc/x", "/p/etc/y"});
  EXPECT_THAT(batch.restart, ElementsAre("web"));
  EXPECT_TRUE(batch.sync.empty());
  batch = develop_batch(all, {"/p/lib/x"});
  EXPECT_THAT(batch.restart, ElementsAre("web"));
  EXPECT_THAT(synced(batch), ElementsAre("/p/lib/x>/lib/x"));
  batch = develop_batch(all, {"/p/conf/x", "/p/conf/y"});
  ASSERT_EQ(batch.exec["web"].size(), 1U) << "once for all of its changes";
  EXPECT_THAT(batch.exec["web"].front().command, ElementsAre("reload"));
  EXPECT_EQ(batch.sync["web"].size(), 2U);
  EXPECT_TRUE(develop_batch(all, {"/p/other", "/p/srcs/a", "/q/src/a"}).empty());
}

TEST(DevelopRules, AFileIsSyncedToItsTarget) {
  const auto one = rules({trigger("sync", "/p/app.conf", "/etc/app.conf")});
  EXPECT_THAT(synced(develop_batch(one, {"/p/app.conf", "/p/app.conf.bak"})), ElementsAre("/p/app.conf>/etc/app.conf"));
}

TEST(DevelopRules, TheFolderItselfIsItsTarget) {
  EXPECT_THAT(synced(develop_batch(rules({trigger("sync", "/p/src/", "/app/")}), {"/p/src"})),
              ElementsAre("/p/src>/app"));
  EXPECT_THAT(synced(develop_batch(rules({trigger("sync", "/p/src", "/")}), {"/p/src", "/p/src/a"})),
              ElementsAre("/p/src>/", "/p/src/a>/a"));
}

TEST(DevelopRules, ATargetWithoutASlashIsBelowTheRoot) {
  EXPECT_THAT(synced(develop_batch(rules({trigger("sync", "/p/src", "app/../lib")}), {"/p/src/a"})),
              ElementsAre("/p/src/a>/lib/a"));
}

TEST(DevelopRules, WhatIsIgnoredSetsNothingOff) {
  auto sync = trigger("sync", "/p/src", "/app");
  sync.ignore = {"node_modules/", "**/*.log", "!keep.log"};
  const auto one = rules({sync}, "src/secret\n");
  for (const char* path : {"/p/src/node_modules/a/b", "/p/src/deep/x.log", "/p/src/secret", "/p/src/.git/index",
                           "/p/src/a.js~", "/p/src/.a.js.swp", "/p/src/4913", "/p/src/.idea/x", "/p/src/a/.#b"}) {
    EXPECT_FALSE(one.front().concerns(path)) << path;
  }
  for (const char* path : {"/p/src/a.js", "/p/src/keep.log", "/p/src/node_modules.txt", "/p/src/.env"}) {
    EXPECT_TRUE(one.front().concerns(path)) << path;
  }
}

TEST(DevelopRules, OnlyWhatIsIncludedCounts) {
  auto sync = trigger("sync", "/p/src", "/app");
  sync.include = {"*.js", "**/*.ts"};
  const auto one = rules({sync});
  EXPECT_THAT(synced(develop_batch(one, {"/p/src/a.js", "/p/src/d/a.js", "/p/src/d/a.ts", "/p/src/a.css"})),
              ElementsAre("/p/src/a.js>/app/a.js", "/p/src/d/a.ts>/app/d/a.ts"));
}

TEST(DevelopRules, IgnoredFoldersAreNotLookedIntoUnlessSomethingMayBeTakenOut) {
  auto sync = trigger("sync", "/p/src", "/app");
  sync.include = {"**/*.js"};
  sync.ignore = {"dist"};
  auto one = rules({sync});
  EXPECT_TRUE(one.front().looks_into("/p")) << "on the way";
  EXPECT_TRUE(one.front().looks_into("/p/src/lib")) << "what is included may be below";
  EXPECT_FALSE(one.front().looks_into("/p/src/dist"));
  EXPECT_FALSE(one.front().looks_into("/p/src/lib/.git"));
  EXPECT_FALSE(one.front().looks_into("/p/other"));
  sync.ignore.emplace_back("!dist/keep.js");
  one = rules({sync});
  EXPECT_TRUE(one.front().looks_into("/p/src/dist"));
}

TEST(DevelopRules, WhatIsMountedIsNotSynced) {
  auto mounted = service({trigger("sync", "/p/src/a", "/app"), trigger("restart", "/p/src/a")});
  stack::Mount mount;
  mount.source = "/p/src";
  mount.target = "/app";
  mounted.volumes = {mount};
  const auto found = develop_rules(mounted, {});
  ASSERT_EQ(found.rules.size(), 1U);
  EXPECT_EQ(found.rules.front().trigger.action, "restart");
  EXPECT_THAT(found.warnings, ElementsAre(HasSubstr("/p/src/a is also mounted")));
  mounted.volumes.front().kind = stack::MountKind::volume;
  EXPECT_THAT(develop_rules(mounted, {}).warnings, IsEmpty());
}

TEST(DevelopRules, TwoEntriesForOnePathAreBothMeant) {
  const auto both = rules(
      {trigger("sync", "/p/src", "/app"), trigger("rebuild", "/p/src/main.go"), trigger("sync", "/p/src", "/app")});
  const auto batch = develop_batch(both, {"/p/src/main.go"});
  EXPECT_THAT(batch.rebuild, ElementsAre("web"));
  EXPECT_THAT(synced(batch), ElementsAre("/p/src/main.go>/app/main.go"));
}

}  // namespace
}  // namespace devstack::supervisor

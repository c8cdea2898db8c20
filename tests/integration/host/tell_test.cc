// Real commands in the place of systemctl's.
#include "core/host/tell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

namespace devstack::host {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

bool tell_all(const std::vector<Notify>& programs, const TellOptions& options, std::vector<std::string>& todo) {
  asio::io_context io;
  return test::run(io, tell(programs, options, todo));
}

TEST(HostTell, AProgramThatCannotBeToldIsLeftToDoAndTheOthersAreTold) {
  test::TempDir dir;
  std::vector<std::string> todo;
  EXPECT_FALSE(tell_all({{"dnsmasq", {"/bin/sh", "-c", "echo purged; exit 5"}, false},
                         {"nobody", {"/nonexistent/program"}, false},
                         {"resolved", {"/bin/sh", "-c", "echo >" + dir.file("told")}, false}},
                        {}, todo));
  EXPECT_THAT(todo, ElementsAre("`/bin/sh -c echo purged; exit 5` failed (exit code 5: purged): run it yourself",
                                StartsWith("`/nonexistent/program` failed (")));
  EXPECT_TRUE(fs::exists(dir.file("told")));
}

TEST(HostTell, WhatInterruptsOthersIsRunWhenAskedForOnly) {
  test::TempDir dir;
  const std::vector<Notify> docker{{"Docker", {"/bin/sh", "-c", "echo >" + dir.file("told")}, true}};
  std::vector<std::string> todo;
  TellOptions options;
  EXPECT_TRUE(tell_all(docker, options, todo));
  EXPECT_FALSE(fs::exists(dir.file("told")));
  options.restart_docker = true;
  EXPECT_TRUE(tell_all(docker, options, todo));
  EXPECT_TRUE(fs::exists(dir.file("told")));
  EXPECT_THAT(todo, IsEmpty());
}

TEST(HostTell, WithoutSystemdEverythingIsLeftToDo) {
  std::vector<std::string> todo;
  TellOptions options;
  options.systemd = false;
  EXPECT_TRUE(tell_all({{"dnsmasq", {"/bin/false"}, false}}, options, todo));
  EXPECT_THAT(todo, ElementsAre("restart dnsmasq: systemd does not run here"));
}

}  // namespace
}  // namespace devstack::host

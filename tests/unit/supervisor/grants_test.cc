#include "core/supervisor/grants.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.h"

namespace devstack::supervisor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

stack::FileDef value(std::string content) {
  stack::FileDef def;
  def.content = std::move(content);
  return def;
}

unsigned mode_of(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 07777U : 0;
}

TEST(Grants, ValuesAreWrittenForUsAloneAndFilesMountedAsTheyAre) {
  test::TempDir dir;
  dir.write("settings", "a=1");
  stack::ServiceSpec service;
  service.name = "web";
  service.secrets = {{"token", "/run/secrets/token", "", "", std::nullopt}, {"token", "/other", "", "", 0400}};
  service.configs = {{"settings", "/settings", "", "", std::nullopt}};
  stack::FileDef settings;
  settings.file = dir.file("settings");
  const auto binds = write_grants(service, {{"settings", settings}}, {{"token", value("word")}}, dir.file("files"));
  ASSERT_TRUE(binds) << binds.error().message;
  const auto first = dir.file("files/secret-token-444--"), second = dir.file("files/secret-token-400--");
  EXPECT_THAT(*binds, ElementsAre(dir.file("settings") + ":/settings:ro", first + ":/run/secrets/token:ro",
                                  second + ":/other:ro"));
  EXPECT_EQ(test::read_file(first), "word");
  EXPECT_EQ(mode_of(dir.file("files")), 0700U);
  EXPECT_EQ(mode_of(first), 0444U);
  EXPECT_EQ(mode_of(second), 0400U);
}

TEST(Grants, SayWhatIsExternalOrMissing) {
  stack::ServiceSpec service;
  service.name = "web";
  service.secrets = {{"token", "/run/secrets/token", "", "", std::nullopt}};
  stack::FileDef external;
  external.external = true;
  EXPECT_THAT(write_grants(service, {}, {{"token", external}}, "/nowhere").error().message, HasSubstr("only a swarm"));
  EXPECT_THAT(write_grants(service, {}, {}, "/nowhere").error().message, HasSubstr("not defined"));
  stack::FileDef missing;
  missing.file = "/no/such/file";
  EXPECT_EQ(write_grants(service, {}, {{"token", missing}}, "/nowhere").error().code, Errc::not_found);
}

}  // namespace
}  // namespace devstack::supervisor

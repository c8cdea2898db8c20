// Images from a registry that asks who you are: Debian's docker-registry, with a user and a password.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRegistry = "127.0.0.1:25000";  // the engine wants no TLS of loopback
constexpr const char* kPassword = "secret word";

/// Runs for one test; keeps its images in a folder of its own.
class PrivateRegistry {
 public:
  PrivateRegistry() {
    // bcrypt of kPassword, cost 5.
    dir_.write("users", "me:$2y$05$abcdefghijklmnopqrstuu1C7yeI3ZG3Jm.nHdnKkGJg1xTYKP9Oy\n");
    dir_.write("config.yml", "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: " +
                                 dir_.file("images") + "}}\nhttp: {addr: '" + kRegistry +
                                 "'}\nauth: {htpasswd: {realm: here, path: " + dir_.file("users") + "}}\n");
    dir_.write("nobody/config.json", "{}");
    pid_ = ok("docker-registry serve " + dir_.file("config.yml") + " >" + dir_.file("log") + " 2>&1 & echo $!");
    EXPECT_TRUE(eventually([] { return sh(std::string("curl -s http://") + kRegistry + "/v2/").code == 0; }));
    ok("printf %s '" + std::string(kPassword) + "' | docker --config " + dir_.file("me") +
       " login -u me --password-stdin " + kRegistry);
  }
  ~PrivateRegistry() {
    sh("kill " + pid_);
    sh("docker rmi " + image());
  }
  PrivateRegistry(const PrivateRegistry&) = delete;
  PrivateRegistry& operator=(const PrivateRegistry&) = delete;

  [[nodiscard]] static std::string image() { return "127.0.0.1:25000/team/box:1"; }
  /// Puts an image there that says `word`, and leaves none here. Its id.
  [[nodiscard]] std::string push(const std::string& word) const {
    const auto local = busybox_image("pull", {"CMD [\"sleep\",\"1000\"]"});
    ok("echo 'FROM " + local + "\nENV WORD=" + word + "' | DOCKER_BUILDKIT=0 docker build -q -t " + image() + " -");
    auto id = ok("docker image inspect -f '{{.Id}}' " + image());
    ok("docker --config " + dir_.file("me") + " push -q " + image());
    ok("docker rmi " + image());
    return id;
  }
  [[nodiscard]] std::string as(const std::string& who) const { return "DOCKER_CONFIG=" + dir_.file(who) + " "; }
  [[nodiscard]] const test::TempDir& dir() const { return dir_; }

 private:
  test::TempDir dir_;
  std::string pid_;
};

std::string stack(const std::string& more = "") {
  return "name: e2epull\nservices:\n  box:\n    image: " + PrivateRegistry::image() + "\n    stop_grace_period: 0s\n" +
         more;
}

std::string local_id() { return sh("docker image inspect -f '{{.Id}}' " + PrivateRegistry::image()).text; }

TEST(Pull, TakesTheCredentialsOfDockerLogin) {
  const PrivateRegistry registry;
  const auto id = registry.push("one");
  const Appliance appliance(stack());
  const auto refused = sh(registry.as("nobody") + appliance.command_line("pull"));
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.text, HasSubstr("nobody/config.json has no credentials for it: docker login 127.0.0.1:25000"));
  const auto pulled = ok(registry.as("me") + appliance.command_line("pull"));
  EXPECT_THAT(pulled, HasSubstr("pulled box"));
  EXPECT_THAT(pulled, HasSubstr("1 of 1 layers")) << "progress by layer";
  EXPECT_EQ(local_id(), id + "\n");

  ok("docker rmi " + PrivateRegistry::image());
  ok(registry.as("me") + appliance.command_line("up"), 100);
  EXPECT_EQ(local_id(), id + "\n");
  EXPECT_NE(sh("grep -rE '" + std::string(kPassword) + "|bWU6' " + appliance.state_dir()).code, 0) << "kept or logged";
}

TEST(Pull, TakesTheImagesOfPreStartStepsToo) {
  const PrivateRegistry registry;
  const auto id = registry.push("one");
  const auto box = busybox_image("pull", {"CMD [\"sleep\",\"1000\"]"});
  const Appliance appliance("name: e2epull\nservices:\n  box:\n    build: {context: ., dockerfile_inline: \"FROM " +
                            box + "\"}\n    stop_grace_period: 0s\n    pre_start: [{image: '" +
                            PrivateRegistry::image() + "', command: ['true']}]\n");
  EXPECT_THAT(ok(registry.as("me") + appliance.command_line("pull")),
              HasSubstr("pulled box " + PrivateRegistry::image()));
  EXPECT_EQ(local_id(), id + "\n");
  ok(registry.as("me") + appliance.command_line("up"), 100);
  appliance.must("down --rmi local");
  EXPECT_NE(sh("docker image inspect e2epull-box").code, 0);
  EXPECT_EQ(local_id(), id + "\n") << "it was not built here";
  ok(registry.as("me") + appliance.command_line("up"), 100);
  appliance.must("down --rmi all");
  EXPECT_NE(sh("docker image inspect " + PrivateRegistry::image()).code, 0);
}

TEST(Pull, WrongCredentialsAreOneClearError) {
  const PrivateRegistry registry;
  (void)registry.push("one");
  registry.dir().write("wrong/config.json", R"({"auths": {"127.0.0.1:25000": {"auth": "bWU6d3Jvbmc="}}})");
  const Appliance appliance(stack());
  const auto refused = sh(registry.as("wrong") + appliance.command_line("up"), 100);
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.text, HasSubstr("wrong/config.json are not taken there: docker login 127.0.0.1:25000"));
}

TEST(Pull, AsksTheProgramsThatKeepCredentials) {
  const PrivateRegistry registry;
  const auto id = registry.push("one");
  const auto& dir = registry.dir();
  dir.write("bin/docker-credential-e2e",
            "#!/bin/sh\nread -r server\n[ \"$1 $server\" = 'get 127.0.0.1:25000' ] || exit 1\n"
            "echo noise >&2\necho '{\"Username\": \"me\", \"Secret\": \"secret word\"}'\n");
  ok("chmod +x " + dir.file("bin/docker-credential-e2e"));
  dir.write("helper/config.json", R"({"credHelpers": {"127.0.0.1:25000": "e2e"}})");
  dir.write("store/config.json", R"({"credsStore": "e2e"})");
  dir.write("missing/config.json", R"({"credsStore": "e2enone"})");
  const Appliance appliance(stack());
  const auto path = "PATH=" + dir.file("bin") + ":$PATH ";
  for (const std::string who : {"helper", "store"}) {
    ok(registry.as(who) + path + appliance.command_line("pull"));
    EXPECT_EQ(local_id(), id + "\n") << who;
    ok("docker rmi " + PrivateRegistry::image());
  }
  EXPECT_THAT(sh(registry.as("missing") + appliance.command_line("pull")).text,
              HasSubstr("there is no program docker-credential-e2enone"));
}

TEST(Pull, PoliciesSayWhenTheRegistryIsAsked) {
  const PrivateRegistry registry;
  const auto first = registry.push("one");
  const Appliance appliance(stack("    pull_policy: never\n"));
  const auto up = [&](const std::string& flags) {
    return sh(registry.as("me") + appliance.command_line("up " + flags), 100);
  };
  EXPECT_THAT(up("").text, HasSubstr("is not there, and pull_policy is never"));
  const auto taken = up("--pull missing");
  EXPECT_EQ(taken.code, 0) << taken.text;
  ok("docker tag " + first + " devstack-e2e/kept");
  const auto second = registry.push("two");
  ok("docker tag " + first + " " + PrivateRegistry::image());
  EXPECT_EQ(up("").code, 0);
  EXPECT_EQ(local_id(), first + "\n") << "what is there is enough";
  EXPECT_EQ(up("--pull always").code, 0);
  EXPECT_EQ(local_id(), second + "\n");
  const auto word =
      "docker inspect -f '{{.Config.Env}}' $(docker ps -q --filter label=com.docker.compose.project=e2epull)";
  EXPECT_TRUE(eventually([&] { return sh(word).text.find("WORD=two") != std::string::npos; })) << sh(word).text;
  sh("docker rmi devstack-e2e/kept");
}

TEST(Pull, BuildsUponImagesThatNeedCredentials) {
  const PrivateRegistry registry;
  (void)registry.push("one");
  const Appliance appliance("name: e2epull\nservices:\n  box: {build: {context: ., dockerfile_inline: \"FROM " +
                            PrivateRegistry::image() + "\\nENV MORE=yes\"}}\n");
  EXPECT_NE(sh(registry.as("nobody") + appliance.command_line("build")).code, 0);
  ok(registry.as("me") + appliance.command_line("build --pull"), 100);
  EXPECT_THAT(ok("docker image inspect -f '{{.Config.Env}}' e2epull-box"), HasSubstr("MORE=yes"));
  ok("docker rmi e2epull-box");
}

}  // namespace
}  // namespace devstack::e2e

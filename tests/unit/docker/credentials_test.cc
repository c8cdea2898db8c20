#include "core/docker/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/base64.h"

namespace devstack::docker {
namespace {

TEST(Credentials, AnImageNamesItsRegistry) {
  EXPECT_EQ(registry_of("redis"), "https://index.docker.io/v1/");
  EXPECT_EQ(registry_of("library/redis:7"), "https://index.docker.io/v1/");
  EXPECT_EQ(registry_of("docker.io/library/redis"), "https://index.docker.io/v1/");
  EXPECT_EQ(registry_of("localhost/a"), "localhost");
  EXPECT_EQ(registry_of("127.0.0.1:5000/a/b:1"), "127.0.0.1:5000");
  EXPECT_EQ(registry_of("ghcr.io/a@sha256:00"), "ghcr.io");
}

TEST(Credentials, AreReadFromTheFileAlsoUnderAUrl) {
  const auto config = parse_credential_config(R"({"auths": {
    "https://ghcr.io/v2/": {"auth": "bWU6c2VjcmV0OndvcmQ="},
    "token.io": {"identitytoken": "t"}, "plain.io": {"username": "a", "password": "b"}, "empty.io": {}},
    "HttpHeaders": {"a": "b"}})");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(kept_credentials(*config, "ghcr.io").username, "me");
  EXPECT_EQ(kept_credentials(*config, "ghcr.io").password, "secret:word");
  EXPECT_EQ(kept_credentials(*config, "token.io").identity_token, "t");
  EXPECT_EQ(kept_credentials(*config, "plain.io").password, "b");
  EXPECT_TRUE(kept_credentials(*config, "empty.io").empty());
  EXPECT_TRUE(kept_credentials(*config, "io").empty());
  EXPECT_EQ(parse_credential_config("[]").error().code, Errc::parse);
  EXPECT_EQ(parse_credential_config("{").error().code, Errc::parse);
}

TEST(Credentials, ARegistrysHelperGoesBeforeTheStore) {
  const auto config = parse_credential_config(R"({"credsStore": "pass", "credHelpers": {"ghcr.io": "gh"}})");
  ASSERT_TRUE(config);
  EXPECT_EQ(credential_helper(*config, "ghcr.io"), "gh");
  EXPECT_EQ(credential_helper(*config, "other.io"), "pass");
  EXPECT_EQ(credential_helper({}, "other.io"), "");
}

TEST(Credentials, OfAHelperMayBeAToken) {
  const auto user = parse_helper_credentials(R"({"ServerURL": "x", "Username": "me", "Secret": "s"})", "ghcr.io");
  EXPECT_EQ(user->password, "s");
  const auto token = parse_helper_credentials(R"({"Username": "<token>", "Secret": "s"})", "ghcr.io");
  EXPECT_EQ(token->identity_token, "s");
  EXPECT_EQ(token->username + token->password, "");
  EXPECT_TRUE(parse_helper_credentials("{}", "ghcr.io")->empty());
  EXPECT_EQ(parse_helper_credentials("no", "ghcr.io").error().code, Errc::parse);
  EXPECT_THAT(*parse_helper_list(R"({"a.io": "me", "b.io": "you"})"), ::testing::ElementsAre("a.io", "b.io"));
}

TEST(Credentials, AreHeadersThatTheEngineReads) {
  Credentials one;
  one.registry = "a.io";
  EXPECT_EQ(registry_auth(one), "");
  EXPECT_EQ(registry_config({one}), "");
  one.username = "me";
  one.password = "\xc3\xbf?>";
  EXPECT_EQ(registry_auth(one).find_first_of("+/"), std::string::npos) << "the URL-safe alphabet";
  EXPECT_EQ(decode_base64_prefix(registry_auth(one)),
            "{\"username\":\"me\",\"password\":\"\xc3\xbf?>\",\"serveraddress\":\"a.io\"}");
  EXPECT_EQ(decode_base64_prefix(registry_config({one})).substr(0, 9), "{\"a.io\":{");
}

TEST(DockerConfig, IsWhereDockerLooks) {
  EXPECT_EQ(docker_config_folder({{"HOME", "/home/me"}}), "/home/me/.docker");
  EXPECT_EQ(docker_config_folder({{"HOME", "/home/me"}, {"DOCKER_CONFIG", "/etc/d"}}), "/etc/d");
  EXPECT_EQ(docker_config_folder({}), "");
}

}  // namespace
}  // namespace devstack::docker

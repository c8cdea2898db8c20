#include <gtest/gtest.h>

#include "core/http/client.h"
#include "core/http/message.h"

namespace devstack::http {
namespace {

TEST(HttpQuery, KeepsOrderAndRepeatedNames) {
  const auto query = Query::parse("a=1&b&a=2&c=");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->get("a"), "1");
  EXPECT_EQ(query->all("a"), (std::vector<std::string_view>{"1", "2"}));
  EXPECT_TRUE(query->has("b"));
  EXPECT_EQ(query->get("b"), "");
  EXPECT_EQ(query->get("c"), "");
  EXPECT_FALSE(query->has("d"));
}

TEST(HttpQuery, DecodesEscapesAndPlus) {
  const auto query = Query::parse("na%6De=a+b%2Bc&&x=%3D%26");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->get("name"), "a b+c");
  EXPECT_EQ(query->get("x"), "=&");
}

TEST(HttpQuery, RefusesMalformedEscapes) {
  for (const auto* raw : {"a=%", "a=%2", "a=%zz", "%=1"}) EXPECT_FALSE(Query::parse(raw)) << raw;
}

TEST(PathCodec, DecodesOnceAndKeepsPlus) {
  EXPECT_EQ(decode_path("/a%2Fb+c%2520"), "/a/b+c%20");
  EXPECT_EQ(decode_path("%00"), std::string(1, '\0'));
  EXPECT_FALSE(decode_path("/%g0"));
  EXPECT_FALSE(decode_path("/%"));
}

TEST(PathCodec, EncodingComesBack) {
  std::string every;
  for (int c = 0; c < 256; ++c) every.push_back(static_cast<char>(c));
  EXPECT_EQ(decode_path(encode_path(every, Slash::escape)), every);
  EXPECT_EQ(decode_path(encode_path(every, Slash::keep)), every);
  EXPECT_EQ(encode_path("a/b c~", Slash::keep), "a/b%20c~");
  EXPECT_EQ(encode_path("a/b", Slash::escape), "a%2Fb");
}

TEST(HttpTarget, ReadsEveryScheme) {
  EXPECT_EQ(Target::parse("unix:///var/run/docker.sock")->unix_path, "/var/run/docker.sock");
  const auto http = Target::parse("http://127.0.0.1:8500/");
  ASSERT_TRUE(http);
  EXPECT_EQ(http->host, "127.0.0.1");
  EXPECT_EQ(http->port, "8500");
  EXPECT_EQ(Target::parse("http://example")->port, "80");
  EXPECT_EQ(Target::parse("tcp://host")->port, "2375");
  EXPECT_EQ(Target::parse("localhost:8500")->port, "8500");
  const auto v6 = Target::parse("http://[::1]:8500");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->to_string(), "http://[::1]:8500");
}

TEST(HttpTarget, HttpsMeansTlsThatIsVerified) {
  const auto https = Target::parse("https://example.test");
  ASSERT_TRUE(https);
  EXPECT_TRUE(https->tls);
  EXPECT_TRUE(https->tls_verify);
  EXPECT_EQ(https->tls_server_name, "");
  EXPECT_EQ(https->host, "example.test");
  EXPECT_EQ(https->port, "443");
  EXPECT_EQ(Target::parse("https://[::1]:8501/")->to_string(), "https://[::1]:8501");
  EXPECT_FALSE(Target::parse("http://example.test")->tls);
  EXPECT_FALSE(Target::parse("tcp://example.test")->tls);
}

TEST(HttpTarget, RefusesWhatItCannotReach) {
  for (const auto* uri : {"", "https://", "https://x/path", "ssh://x", "unix://relative", "http://", "http://a:0",
                          "http://a:99999", "http://a:b", "http://a/path", "http://[::1", "http://a b"}) {
    const auto target = Target::parse(uri);
    ASSERT_FALSE(target) << uri;
    EXPECT_EQ(target.error().code, Errc::invalid_argument) << uri;
  }
}

}  // namespace
}  // namespace devstack::http

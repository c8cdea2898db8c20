#include <gmock/gmock.h>

#include "core/health/dial.h"
#include "core/health/output_tail.h"
#include "core/health/redirect.h"
#include "core/health/tls_words.h"

namespace devstack::health {
namespace {

TEST(OutputTail, KeepsTheEnd) {
  OutputTail tail(4);
  tail.append("ab");
  EXPECT_EQ(tail.take(), "ab");
  tail.append("abcdef");
  tail.append("g");
  EXPECT_EQ(tail.take(), "defg");
  for (int i = 0; i < 1000; ++i) tail.append(std::to_string(i));
  EXPECT_EQ(tail.take(), "8999");
}

TEST(OutputTail, SaysHowMuchWasCut) {
  EXPECT_EQ(captured_text("all of it", 9), "all of it");
  EXPECT_EQ(captured_text("end", 4000), "Captured 3 of 4000 bytes\n...\nend");
}

TEST(HostPort, IsSplitAsGoDoes) {
  EXPECT_EQ(split_host_port("web:80")->host, "web");
  EXPECT_EQ(split_host_port("[::1]:80")->host, "::1");
  EXPECT_EQ(split_host_port("[::1]:80")->port, "80");
  EXPECT_EQ(split_host_port("web").error().message, "address web: missing port in address");
  EXPECT_EQ(split_host_port("::1:80").error().message, "address ::1:80: too many colons in address");
  EXPECT_EQ(split_host_port("[::1]").error().message, "address [::1]: missing port in address");
  EXPECT_EQ(join_host_port("::1", "80"), "[::1]:80");
}

TEST(GoWords, BeginInLowerCase) {
  EXPECT_EQ(go_words("Connection refused"), "connection refused");
  EXPECT_EQ(go_words("No route to host"), "no route to host");
}

TEST(TlsWords, AreGosWhereGoHasSome) {
  EXPECT_EQ(tls_words("certificate verify failed: self-signed certificate", "web"),
            "x509: certificate signed by unknown authority");
  EXPECT_EQ(tls_words("hostname mismatch", "web.test"), "x509: certificate is not valid for web.test");
  EXPECT_EQ(tls_words("something new", "web"), "something new");
}

registry::CheckDefinition http_check(std::string url) {
  registry::CheckDefinition definition;
  definition.http = std::move(url);
  return definition;
}

TEST(HttpCheckRequest, IsConsuls) {
  const auto definition = http_check("http://web.test:8080/health?full=1");
  const auto call = call_of(first_step(definition), definition, false);
  ASSERT_TRUE(call);
  EXPECT_EQ(call->target.host, "web.test");
  EXPECT_EQ(call->target.port, "8080");
  EXPECT_EQ(call->request.method, "GET");
  EXPECT_EQ(call->request.target, "/health?full=1");
  EXPECT_EQ(call->request.headers.get("Host"), "web.test:8080");
  EXPECT_EQ(call->request.headers.get("User-Agent"), "Consul Health Check");
  EXPECT_EQ(call->request.headers.get("Accept"), "text/plain, text/*, */*");
}

TEST(HttpCheckRequest, TakesTheDefinitionsWord) {
  auto definition = http_check("https://user:secret@[::1]/a|b");
  definition.method = "POST";
  definition.body = "{}";
  definition.header = {{"host", {"other.test"}}, {"X-Two", {"1", "2"}}, {"user-agent", {"mine"}}};
  definition.tls_server_name = "named.test";
  definition.tls_skip_verify = true;
  const auto call = call_of(first_step(definition), definition, false);
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(call->target.host, "::1");
  EXPECT_EQ(call->target.port, "443");
  EXPECT_TRUE(call->target.tls);
  EXPECT_FALSE(call->target.tls_verify);
  EXPECT_EQ(call->target.tls_server_name, "named.test");
  EXPECT_EQ(call->request.target, "/a%7Cb");
  EXPECT_EQ(call->request.body, "{}");
  EXPECT_EQ(call->request.headers.get("Host"), "other.test");
  EXPECT_EQ(call->request.headers.get("User-Agent"), "mine");
  EXPECT_EQ(call->request.headers.get("Authorization"), "Basic dXNlcjpzZWNyZXQ=");
  int two = 0;
  for (const auto& [name, value] : call->request.headers) two += name == "X-Two" ? 1 : 0;
  EXPECT_EQ(two, 2);
}

TEST(HttpCheckRequest, NamesWhatIsWrongWithAUrl) {
  const auto why = [](const std::string& url) {
    const auto definition = http_check(url);
    const auto call = call_of(first_step(definition), definition, false);
    return call ? std::string() : call.error().message;
  };
  EXPECT_EQ(why("ftp://web/"), "unsupported protocol scheme \"ftp\"");
  EXPECT_EQ(why("web:80/"), "unsupported protocol scheme \"web\"");
  EXPECT_EQ(why("http:///path"), "http: no Host in request URL");
  EXPECT_EQ(why("http://web:x/"), "parse \"http://web:x/\": invalid port \":x\" after host");
  EXPECT_EQ(why("http://[::1/"), "parse \"http://[::1/\": invalid URL");
}

TEST(HttpCheckRedirect, FollowsAsGoDoes) {
  auto definition = http_check("http://web.test/a/b?x=1");
  definition.method = "POST";
  definition.body = "text";
  definition.header = {{"Host", {"virtual.test"}}};
  const auto step = first_step(definition);
  const auto found = next_step(step, 302, "../c");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->url, "http://web.test/c");
  EXPECT_EQ((*found)->method, "GET");
  EXPECT_EQ((*found)->body, "");
  EXPECT_EQ((*found)->host_header, "virtual.test") << "a relative place keeps the Host given";
  const auto repeated = next_step(step, 307, "https://other.test/");
  ASSERT_TRUE(repeated && *repeated);
  EXPECT_EQ((*repeated)->method, "POST");
  EXPECT_EQ((*repeated)->body, "text");
  EXPECT_EQ((*repeated)->host_header, "");
  EXPECT_EQ((*next_step(step, 302, "/c//d:e"))->url, "http://web.test/c//d:e");
  EXPECT_FALSE(next_step(step, 200, "/c")->has_value());
  EXPECT_FALSE(next_step(step, 302, "")->has_value());
  EXPECT_FALSE(next_step(step, 304, "/c")->has_value());
}

TEST(HttpCheckRedirect, TellsOtherHostsNoSecrets) {
  auto definition = http_check("http://web.test/");
  definition.header = {{"authorization", {"secret"}}, {"X-Kept", {"yes"}}};
  const auto call = call_of(first_step(definition), definition, true);
  ASSERT_TRUE(call);
  EXPECT_FALSE(call->request.headers.get("Authorization"));
  EXPECT_EQ(call->request.headers.get("X-Kept"), "yes");
}

TEST(HttpCheckError, IsGosAndHidesThePassword) {
  EXPECT_EQ(url_error("GET", "http://web/", "EOF"), "Get \"http://web/\": EOF");
  EXPECT_EQ(url_error("post", "http://u:secret@web/", "EOF"), "Post \"http://u:***@web/\": EOF");
}

}  // namespace
}  // namespace devstack::health

#include "core/health/grpc_health.h"

#include <gtest/gtest.h>

namespace devstack::health {
namespace {

using namespace std::string_literals;

H2Response answer(std::string body) {
  H2Response response;
  response.fields = {{":status", "200"}, {"grpc-status", "0"}};
  response.body = std::move(body);
  return response;
}
std::string text(const H2Response& response) { return health_result("h:1/s", response).output; }

TEST(GrpcHealth, TargetHoldsTheServiceAfterASlash) {
  EXPECT_EQ(grpc_target("h:1").address, "h:1");
  EXPECT_EQ(grpc_target("h:1").service, "");
  EXPECT_EQ(grpc_target("h:1/a/b").service, "a/b");
}

TEST(GrpcHealth, RequestIsAFramedMessage) {
  EXPECT_EQ(health_request(""), "\0\0\0\0\0"s);
  EXPECT_EQ(health_request("my.Svc"), "\0\0\0\0\x08\x0a\x06my.Svc"s);
  const auto large = health_request(std::string(300, 'a'));
  EXPECT_EQ(large.substr(0, 8), "\0\0\0\x01\x2f\x0a\xac\x02"s);
}

TEST(GrpcHealth, ServingPasses) {
  const auto result = health_result("h:1/s", answer("\0\0\0\0\x02\x08\x01"s));
  EXPECT_EQ(result.status, "passing");
  EXPECT_EQ(result.output, "gRPC check h:1/s: success");
}

TEST(GrpcHealth, AnythingElseIsCriticalWithItsName) {
  EXPECT_EQ(text(answer("\0\0\0\0\x02\x08\x02"s)), "gRPC h:1/s serving status: NOT_SERVING");
  EXPECT_EQ(text(answer("\0\0\0\0\0"s)), "gRPC h:1/s serving status: UNKNOWN") << "proto3 leaves zero out";
  EXPECT_EQ(text(answer("\0\0\0\0\x02\x08\x63"s)), "gRPC h:1/s serving status: 99");
  EXPECT_EQ(health_result("h:1", answer("\0\0\0\0\x02\x08\x02"s)).status, "critical");
}

TEST(GrpcHealth, FieldsOfOthersArePassedOver) {
  EXPECT_EQ(health_result("h", answer("\0\0\0\0\x06\x12\x02hi\x08\x01"s)).status, "passing");
}

TEST(GrpcHealth, BrokenMessagesAreCritical) {
  for (const auto& body : {""s, "\0\0\0"s, "\0\0\0\0\x09\x08\x01"s, "\x01\0\0\0\x02\x08\x01"s, "\0\0\0\0\x01\x08"s,
                           "\0\0\0\0\x02\x0a\x7f"s, "\0\0\0\0\x02\x0f\x01"s}) {
    EXPECT_EQ(health_result("h", answer(body)).status, "critical");
  }
}

TEST(GrpcHealth, ErrorsAreGrpcGosWords) {
  H2Response unknown;
  unknown.fields = {{":status", "200"}, {"grpc-status", "5"}, {"grpc-message", "unknown%20service"}};
  EXPECT_EQ(text(unknown), "rpc error: code = NotFound desc = unknown service");
  H2Response web;
  web.fields = {{":status", "404"}};
  EXPECT_EQ(text(web), "rpc error: code = Unimplemented desc = unexpected HTTP status code received from server: 404");
  H2Response odd;
  odd.fields = {{":status", "200"}, {"grpc-status", "77"}};
  EXPECT_EQ(text(odd), "rpc error: code = Code(77) desc = ");
  H2Response cut;
  cut.fields = {{":status", "200"}};
  cut.reset = 2;
  EXPECT_EQ(text(cut), "rpc error: code = Internal desc = stream terminated by RST_STREAM with error code: 2");
}

}  // namespace
}  // namespace devstack::health

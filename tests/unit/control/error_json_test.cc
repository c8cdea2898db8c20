#include "core/control/error_json.h"

#include <gtest/gtest.h>

namespace devstack::control {
namespace {

TEST(ErrorJson, EveryKindCrossesTheSocket) {
  for (int i = 0; i <= static_cast<int>(Errc::cancelled); ++i) {
    const auto code = static_cast<Errc>(i);
    const auto response = error_response(Error{code, "what \"happened\""});
    EXPECT_GE(response.status, 400);
    const auto back = error_from_response(response);
    EXPECT_EQ(back.code, code) << code_name(code);
    EXPECT_EQ(back.message, "what \"happened\"");
  }
}

TEST(ErrorJson, StatusFitsTheKind) {
  EXPECT_EQ(http_status(Errc::not_found), 404);
  EXPECT_EQ(http_status(Errc::invalid_argument), 400);
  EXPECT_EQ(http_status(Errc::conflict), 409);
  EXPECT_EQ(http_status(Errc::unavailable), 503);
  EXPECT_EQ(http_status(Errc::stack_file), 422);
  EXPECT_EQ(http_status(Errc::failed), 500);
}

TEST(ErrorJson, HasTheDocumentedForm) {
  EXPECT_EQ(error_response(Error{Errc::not_found, "no x"}).body,
            "{\"error\":{\"code\":\"not_found\",\"message\":\"no x\"}}\n");
}

TEST(ErrorJson, PositionIsPartOfTheMessage) {
  const auto response = error_response(Error{Errc::stack_file, "unknown key", SourcePos{"stack.yaml", 3, 5}});
  EXPECT_EQ(error_from_response(response).message, "stack.yaml:3:5: unknown key");
}

TEST(ErrorJson, AnotherShapeIsShownAsItIs) {
  for (const char* body : {"Bad gateway", "{}", "[]", R"({"error":"x"})", R"({"error":{"code":1,"message":2}})"}) {
    const auto error = error_from_response(http::text(502, body));
    EXPECT_EQ(error.code, Errc::failed);
    EXPECT_EQ(error.message, std::string("devstack answered 502: ") + body);
  }
}

}  // namespace
}  // namespace devstack::control

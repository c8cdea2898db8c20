#include "core/api/json_syntax.h"

#include <gtest/gtest.h>

namespace devstack::api {
namespace {

TEST(JsonSyntax, AcceptsOneValueAndWhateverFollows) {
  for (const auto* text :
       {"{}", " [1, -2.5e+3, \"a\\u00e9\\n\", true, null] junk", "\"x\"", "0", "{\"a\":{\"b\":[]}}"}) {
    EXPECT_EQ(json_syntax_error(text), "") << text;
  }
}

TEST(JsonSyntax, SaysWhatGoSays) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "EOF"},
      {"  ", "EOF"},
      {"{", "unexpected EOF"},
      {"{\"a\":1", "unexpected EOF"},
      {"\"abc", "unexpected EOF"},
      {"junk", "invalid character 'j' looking for beginning of value"},
      {"nope", "invalid character 'o' in literal null (expecting 'u')"},
      {"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"},
      {"{'a':1}", "invalid character '\\'' looking for beginning of object key string"},
      {"{\"a\" 1}", "invalid character '1' after object key"},
      {"{\"a\":1 \"b\":2}", "invalid character '\"' after object key:value pair"},
      {"[1 2]", "invalid character '2' after array element"},
      {"\"a\nb\"", "invalid character '\\n' in string literal"},
      {"\"\\x\"", "invalid character 'x' in string escape code"},
      {"\"\\u00zz\"", "invalid character 'z' in \\u hexadecimal character escape"},
      {"-x", "invalid character 'x' in numeric literal"},
      {"1.x", "invalid character 'x' after decimal point in numeric literal"},
      {"1ex", "invalid character 'x' in exponent of numeric literal"},
  };
  for (const auto& [text, error] : cases) EXPECT_EQ(json_syntax_error(text), error) << text;
}

}  // namespace
}  // namespace devstack::api

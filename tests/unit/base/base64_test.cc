#include "core/base/base64.h"

#include <gtest/gtest.h>

namespace devstack {
namespace {

std::string decoded(std::string_view text, Base64 alphabet = Base64::standard) {
  const auto bytes = decode_base64(text, alphabet);
  return bytes ? *bytes : bytes.error().message;
}

TEST(Base64, IsRfc4648s) {
  EXPECT_EQ(encode_base64(""), "");
  EXPECT_EQ(encode_base64("f"), "Zg==");
  EXPECT_EQ(encode_base64("fo"), "Zm8=");
  EXPECT_EQ(encode_base64("foo"), "Zm9v");
  EXPECT_EQ(encode_base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(encode_base64(std::string("\0\xFF\xFE", 3)), "AP/+");
  EXPECT_EQ(encode_base64("\xfb\xff", Base64::url_safe), "-_8=");
  std::string out = "\"";
  append_base64(out, "fo");
  EXPECT_EQ(out, "\"Zm8=");
}

TEST(Base64, IsReadBackPaddedAndOverLineEnds) {
  EXPECT_EQ(decoded(""), "");
  EXPECT_EQ(decoded("aGVsbG8="), "hello");
  EXPECT_EQ(decoded("aGVs\r\nbG8=\n"), "hello");
  EXPECT_EQ(decoded("Zg=\n="), "f");
  EXPECT_EQ(decoded("AP/+"), std::string("\0\xFF\xFE", 3));
  EXPECT_EQ(decoded("-_8=", Base64::url_safe), "\xfb\xff");
  for (int length = 0; length < 20; ++length) {
    std::string bytes;
    for (int i = 0; i < length; ++i) bytes.push_back(static_cast<char>(37 * (i + length)));
    EXPECT_EQ(decoded(encode_base64(bytes)), bytes);
    EXPECT_EQ(decoded(encode_base64(bytes, Base64::url_safe), Base64::url_safe), bytes);
  }
}

// The offsets are those of Go's encoding/base64, by its decodeQuantum().
TEST(Base64, SaysWhereItIsNoneAsGoDoes) {
  const std::string at = "illegal base64 data at input byte ";
  EXPECT_EQ(decoded("@@@"), at + "0");
  EXPECT_EQ(decoded("a*=="), at + "1");
  EXPECT_EQ(decoded("aGVsbG8"), at + "4") << "the padding is missing";
  EXPECT_EQ(decoded("a"), at + "0");
  EXPECT_EQ(decoded("aG="), at + "3");
  EXPECT_EQ(decoded("aG=s"), at + "2");
  EXPECT_EQ(decoded("a==="), at + "1");
  EXPECT_EQ(decoded("===="), at + "0");
  EXPECT_EQ(decoded("Zg==Zg=="), at + "4") << "nothing follows it";
  EXPECT_EQ(decoded("Zm8=\nZ"), at + "5");
  EXPECT_EQ(decoded("-_8="), at + "0") << "the other alphabet";
}

TEST(Base64, OfAHeaderEndsWhereItEnds) {
  EXPECT_EQ(decode_base64_prefix("-_8="), "\xfb\xff");
  EXPECT_EQ(decode_base64_prefix("+/8"), "\xfb\xff");
}

}  // namespace
}  // namespace devstack

#include "cmd/devstack/kv_entries.h"

#include <gtest/gtest.h>

namespace devstack {
namespace {

KvEntry entry(std::string key, std::string value, std::uint64_t flags = 0) {
  KvEntry out;
  out.key = std::move(key);
  out.value = std::move(value);
  out.flags = flags;
  return out;
}

TEST(KvEntries, ConsulsAnswerIsReadWithEveryField) {
  const auto entries = parse_kv_entries(
      R"([{"LockIndex":2,"Key":"a/b","Flags":18446744073709551615,"Value":"AP8=","Session":"s","CreateIndex":7,)"
      R"("ModifyIndex":9},{"LockIndex":0,"Key":"c","Flags":0,"Value":null,"CreateIndex":8,"ModifyIndex":8}])");
  ASSERT_TRUE(entries) << entries.error().message;
  ASSERT_EQ(entries->size(), 2U);
  const auto& first = entries->front();
  EXPECT_EQ(first.key, "a/b");
  EXPECT_EQ(first.value, std::string("\0\xFF", 2));
  EXPECT_EQ(first.flags, 18446744073709551615U);
  EXPECT_EQ(first.lock_index, 2U);
  EXPECT_EQ(first.session, "s");
  EXPECT_EQ(first.create_index, 7U);
  EXPECT_EQ(first.modify_index, 9U);
  EXPECT_EQ(entries->back().value, "");
}

TEST(KvEntries, WhatIsNotConsulsAnswerIsAnError) {
  for (const auto* body : {"<html>", "{}", "[1]", R"([{"Key":"a","Value":"%"}])"}) {
    EXPECT_FALSE(parse_kv_entries(body)) << body;
  }
}

TEST(KvEntries, DetailsAreConsulsLines) {
  auto one = entry("a", "v", 3);
  one.create_index = 10;
  one.modify_index = 12;
  EXPECT_EQ(detailed_text(one, ValueForm::bytes),
            "CreateIndex      10\n"
            "Flags            3\n"
            "Key              a\n"
            "LockIndex        0\n"
            "ModifyIndex      12\n"
            "Session          -\n"
            "Value            v\n");
  one.session = "adf4238a";
  EXPECT_NE(detailed_text(one, ValueForm::base64).find("Session          adf4238a\nValue            dg==\n"),
            std::string::npos);
}

// Taken from `consul kv export` of Consul's documentation, whose JSON is indented with tabs.
TEST(KvEntries, ExportIsConsulsByteForByte) {
  EXPECT_EQ(export_text({}), "[]\n");
  EXPECT_EQ(export_text({entry("a", "hello"), entry("b<\"", "", 42)}),
            "[\n\t{\n\t\t\"key\": \"a\",\n\t\t\"flags\": 0,\n\t\t\"value\": \"aGVsbG8=\"\n\t},\n"
            "\t{\n\t\t\"key\": \"b\\u003c\\\"\",\n\t\t\"flags\": 42,\n\t\t\"value\": \"\"\n\t}\n]\n");
}

TEST(KvEntries, TextIsUtf8WithoutNul) {
  EXPECT_TRUE(is_text(""));
  EXPECT_TRUE(is_text("line\n\ttab \x1b[0m"));
  EXPECT_TRUE(is_text("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"));
  EXPECT_FALSE(is_text(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_text("\xFF"));
  EXPECT_FALSE(is_text("\xC3"));
  EXPECT_FALSE(is_text("\xC0\x80"));
  EXPECT_FALSE(is_text("\xED\xA0\x80"));
  EXPECT_FALSE(is_text("\xF4\x90\x80\x80"));
  EXPECT_FALSE(is_text("\xE2\x82"));
}

std::string told(KvDifference& difference, std::vector<KvEntry> now) {
  std::string out;
  for (const auto& change : difference.update(std::move(now))) {
    out += (change.deleted ? "-" : "+") + change.entry.key + "=" + change.entry.value + " ";
  }
  return out;
}

TEST(KvDifference, TellsWhatCameChangedAndWentOnce) {
  KvDifference difference;
  EXPECT_EQ(told(difference, {entry("b", "1"), entry("a", "1")}), "+a=1 +b=1 ");
  EXPECT_EQ(told(difference, {entry("a", "1"), entry("b", "1")}), "");
  EXPECT_EQ(told(difference, {entry("a", "2"), entry("c", "1")}), "+a=2 -b=1 +c=1 ");
  EXPECT_EQ(told(difference, {}), "-a=2 -c=1 ");
  EXPECT_EQ(told(difference, {}), "");
  EXPECT_EQ(told(difference, {entry("a", "2")}), "+a=2 ");
}

TEST(KvDifference, FlagsAndLocksAreChangesButIndexesAreNot) {
  KvDifference difference;
  told(difference, {entry("a", "1")});
  EXPECT_EQ(told(difference, {entry("a", "1", 5)}), "+a=1 ");
  auto locked = entry("a", "1", 5);
  locked.session = "s";
  EXPECT_EQ(told(difference, {locked}), "+a=1 ");
  locked.modify_index = 99;
  EXPECT_EQ(told(difference, {locked}), "");
}

}  // namespace
}  // namespace devstack

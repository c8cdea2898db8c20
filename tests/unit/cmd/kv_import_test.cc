#include "cmd/devstack/kv_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace devstack {
namespace {

using ::testing::HasSubstr;

std::string problem(std::string_view text) {
  const auto entries = parse_import(text, "");
  return entries ? "no error" : entries.error().message;
}

std::vector<KvEntry> entries_of(std::size_t count, std::size_t value_bytes) {
  std::vector<KvEntry> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    out[i].key = "key" + std::to_string(i);
    out[i].value.assign(value_bytes, 'x');
  }
  return out;
}

std::vector<std::size_t> sizes(const std::vector<ImportBatch>& batches) {
  std::vector<std::size_t> out;
  std::size_t next = 0;
  for (const auto& batch : batches) {
    EXPECT_EQ(batch.first, next);
    next += batch.count;
    out.push_back(batch.count);
  }
  return out;
}

TEST(KvImport, ReadsWhatExportWrites) {
  KvEntry odd;
  odd.key = "a/\"<\xC3\xA9";
  odd.value = std::string("\0\xFF\n", 3);
  odd.flags = 18446744073709551615U;
  KvEntry empty;
  empty.key = "folder/";
  const auto entries = parse_import(export_text({odd, empty}), "");
  ASSERT_TRUE(entries) << entries.error().message;
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ(entries->front().key, odd.key);
  EXPECT_EQ(entries->front().value, odd.value);
  EXPECT_EQ(entries->front().flags, odd.flags);
  EXPECT_EQ(entries->back().key, "folder/");
  EXPECT_EQ(entries->back().value, "");
}

TEST(KvImport, ReadsTheApisOwnAnswerAsGoDoes) {
  const auto entries = parse_import(
      R"([{"LockIndex":0,"Key":"a","Flags":4,"Value":"dg==","ModifyIndex":3},{"Key":"b","Value":null}])", "");
  ASSERT_TRUE(entries) << entries.error().message;
  EXPECT_EQ(entries->at(0).value, "v");
  EXPECT_EQ(entries->at(0).flags, 4U);
  EXPECT_EQ(entries->at(1).value, "");
  EXPECT_EQ(parse_import("null", "")->size(), 0U);
  EXPECT_EQ(parse_import(" [ ]\n", "")->size(), 0U);
}

TEST(KvImport, PrefixGoesBeforeEveryKeyWithOneSlash) {
  const auto* text = R"([{"key":"a","value":""},{"key":"b/","value":""}])";
  EXPECT_EQ(parse_import(text, "to")->at(0).key, "to/a");
  EXPECT_EQ(parse_import(text, "/to/")->at(1).key, "to/b/");
}

TEST(KvImport, BrokenJsonIsNamedByItsLine) {
  EXPECT_THAT(problem("[\n  {\"key\": \"a\",\n   \"value\": oops}\n]"), HasSubstr("line 3, column 13"));
  EXPECT_THAT(problem("[{\"key\":\"a\"}"), HasSubstr("line 1, column 13"));
  EXPECT_THAT(problem("[]\n[]"), HasSubstr("line 2, column 1"));
  EXPECT_THAT(problem(""), HasSubstr("line 1, column 1"));
  EXPECT_THAT(problem("{}"), HasSubstr("not a list"));
}

TEST(KvImport, BadEntriesAreNamedByNumberAndKey) {
  EXPECT_EQ(problem(R"([{"key":"a","value":""},{"key":"b","value":"%"}])"), "entry 2: key \"b\": value is not base64");
  EXPECT_EQ(problem(R"([{"value":""}])"), "entry 1: it has no key");
  EXPECT_EQ(problem(R"([7])"), "entry 1: not an object with key, flags and value");
  EXPECT_EQ(problem(R"([{"key":"/a","value":""}])"), "entry 1: key \"/a\" begins with '/'");
  EXPECT_EQ(problem(R"([{"key":3,"value":""}])"), "entry 1: key is not a string");
  for (const auto* flags : {"-1", "1.5", "18446744073709551616", "\"1\""}) {
    EXPECT_THAT(problem(std::string(R"([{"key":"a","value":"","flags":)") + flags + "}]"),
                HasSubstr("entry 1: key \"a\": flags is not a number"))
        << flags;
  }
}

TEST(KvImport, SixtyFourEntriesGoTogether) {
  EXPECT_EQ(sizes(import_batches({})), (std::vector<std::size_t>{}));
  EXPECT_EQ(sizes(import_batches(entries_of(64, 10))), (std::vector<std::size_t>{64}));
  EXPECT_EQ(sizes(import_batches(entries_of(130, 10))), (std::vector<std::size_t>{64, 64, 2}));
}

TEST(KvImport, NoTransactionIsLargerThanConsulTakes) {
  const auto entries = entries_of(10, 150'000);
  std::size_t seen = 0;
  for (const auto& batch : import_batches(entries)) {
    const auto request = import_request(std::span(entries).subspan(batch.first, batch.count));
    EXPECT_LE(request.body.size(), 512U << 10U);
    EXPECT_GT(batch.count, 1U);
    seen += batch.count;
  }
  EXPECT_EQ(seen, 10U);
}

TEST(KvImport, AnEntryTooLargeForATransactionIsPutByItself) {
  auto entries = entries_of(3, 10);
  entries[1].value.assign(500'000, 'x');
  entries[1].flags = 7;
  EXPECT_EQ(sizes(import_batches(entries)), (std::vector<std::size_t>{1, 1, 1}));
  const auto request = import_request(std::span(entries).subspan(1, 1));
  EXPECT_EQ(request.target, "/v1/kv/key1?flags=7");
  EXPECT_EQ(request.body.size(), 500'000U);
}

TEST(KvImport, ABatchIsOneTransaction) {
  auto entries = entries_of(2, 1);
  entries[0].flags = 9;
  const auto request = import_request(entries);
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.target, "/v1/txn");
  EXPECT_EQ(boost::json::parse(request.body),
            boost::json::parse(R"([{"KV":{"Verb":"set","Key":"key0","Flags":9,"Value":"eA=="}},
                                   {"KV":{"Verb":"set","Key":"key1","Flags":0,"Value":"eA=="}}])"));
}

TEST(KvImport, AFailedTransactionNamesTheEntry) {
  const auto entries = entries_of(70, 1);
  EXPECT_EQ(import_failure(R"({"Results":null,"Errors":[{"OpIndex":3,"What":"locked"}]})", entries, 64),
            "entry 68 (key \"key67\"): locked");
  EXPECT_EQ(import_failure("nonsense", entries, 0), "nonsense");
}

}  // namespace
}  // namespace devstack

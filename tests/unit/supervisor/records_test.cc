#include "core/supervisor/records.h"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace devstack::supervisor {
namespace {

ProcessRecord sample() {
  ProcessRecord record;
  record.identity = {4711, 123456789012ULL, "boot"};
  record.port = 8081;
  record.config_hash = "1:abc";
  record.marker = "DEVSTACK_RUN=1";
  record.ready = true;
  record.log_offset = 4096;
  return record;
}

TEST(Records, AreThereAfterReopening) {
  test::TempDir dir;
  const std::string file = dir.file("state/processes.json");
  {
    Records records(file);
    ASSERT_TRUE(records.put("worker", sample()));
    ASSERT_TRUE(records.put("other", sample()));
    ASSERT_TRUE(records.erase("other"));
  }
  const Records records(file);
  EXPECT_EQ(records.find("worker"), sample());
  EXPECT_EQ(records.all().size(), 1U);
}

TEST(Records, OfOlderVersionsAreUnderstood) {
  test::TempDir dir;
  const Records records(
      dir.write("processes.json",
                R"({"worker": {"pid": 7, "start_time": 8, "boot_id": "b", "port": 81, "config_hash": "1:abc"}})"));
  const auto record = records.find("worker");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->identity.pid, 7);
  EXPECT_FALSE(record->ready);
  EXPECT_EQ(record->marker, "");
}

TEST(Records, DamagedFileCountsAsEmpty) {
  test::TempDir dir;
  for (const char* text : {"", "{", "[]", R"({"a": 1})", R"({"a": {"pid": "x"}})"}) {
    Records records(dir.write("processes.json", text));
    EXPECT_TRUE(records.all().empty()) << text;
    EXPECT_TRUE(records.put("worker", sample()));
  }
}

TEST(Records, SayWhenTheyCannotBeWritten) {
  Records records("/proc/none/processes.json");
  const auto put = records.put("worker", sample());
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Errc::io);
}

}  // namespace
}  // namespace devstack::supervisor

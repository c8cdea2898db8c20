#include "core/registry/store_records.h"

#include <gmock/gmock.h>

namespace devstack::registry {
namespace {

Row kv_row(std::string key, std::string value, Row::Kind kind = Row::Kind::put) {
  KvEntry entry;
  entry.key = std::move(key);
  entry.value = std::move(value);
  entry.session = "s1";
  entry.flags = ~0ULL;
  entry.lock_index = 2;
  entry.create_index = 3;
  entry.modify_index = 4;
  return Row{std::make_shared<const KvEntry>(std::move(entry)), kind};
}

std::string bytes_of(const std::vector<Row>& rows) {
  std::string bytes;
  for (const auto& row : rows) append_record(bytes, row);
  return bytes;
}

TEST(StoreRecords, AKeyComesBackByteForByte) {
  const auto bytes = bytes_of({kv_row(std::string("k\0\xff", 3), std::string("\0v", 2))});
  const auto records = read_records(bytes);
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 1U);
  EXPECT_EQ(records->at(0).table, StoredTable::kv);
  EXPECT_FALSE(records->at(0).removed);
  EXPECT_EQ(records->at(0).key, std::string("k\0\xff", 3));
  const auto entry = kv_of_body(records->at(0).body);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->value, std::string("\0v", 2));
  EXPECT_EQ(entry->session, "s1");
  EXPECT_EQ(entry->flags, -1);
  EXPECT_EQ(entry->lock_index, 2);
  EXPECT_EQ(entry->create_index, 3);
  EXPECT_EQ(entry->modify_index, 4);
}

TEST(StoreRecords, ACompoundKeyComesApartAgain) {
  Service service;
  service.node = "Laptop";
  service.id = "Web-1";
  const auto bytes = bytes_of({Row{std::make_shared<const Service>(service), Row::Kind::removed}});
  const auto records = read_records(bytes);
  ASSERT_TRUE(records);
  EXPECT_TRUE(records->at(0).removed);
  EXPECT_EQ(records->at(0).body, "");
  EXPECT_EQ(parts_of_key(records->at(0).key), std::pair(std::string_view("laptop"), std::string_view("web-1")));
}

TEST(StoreRecords, TheLastOfEachRowStaysInTheOrderOfTheTables) {
  const auto bytes =
      bytes_of({kv_row("b", "1"), Row{TombstoneRow{"a", 9}, Row::Kind::put}, kv_row("a", "1"),
                kv_row("b", "2", Row::Kind::removed), Row{IndexRow{"kv", 7}, Row::Kind::put}, kv_row("a", "2")});
  auto records = read_records(bytes);
  ASSERT_TRUE(records);
  const auto last = last_of_each_row(std::move(*records));
  ASSERT_EQ(last.size(), 4U);
  EXPECT_EQ(last[0].key, "a");
  EXPECT_EQ(kv_of_body(last[0].body)->value, "2");
  EXPECT_EQ(last[1].key, "b");
  EXPECT_TRUE(last[1].removed);
  EXPECT_EQ(last[2].table, StoredTable::tombstones);
  EXPECT_EQ(number_of_body(last[2].body), 9);
  EXPECT_EQ(last[3].table, StoredTable::indexes);
  EXPECT_EQ(number_of_body(last[3].body), 7);
}

TEST(StoreRecords, BytesThatAreNoWholeRecordsAreAnError) {
  const auto bytes = bytes_of({kv_row("key", "value")});
  EXPECT_TRUE(read_records("")->empty());
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    const auto cut = read_records(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(cut) << size;
    EXPECT_EQ(cut.error().code, Errc::io);
  }
  auto other = bytes;
  other[0] = 0x40;
  EXPECT_FALSE(read_records(other));
  other = bytes;
  other[4] = '\xff';  // a key of four thousand million bytes
  EXPECT_FALSE(read_records(other));
}

TEST(StoreRecords, ABodyThatIsCutShortIsAnError) {
  const auto bytes = bytes_of({kv_row("key", "")});
  const auto body = read_records(bytes)->at(0).body;
  EXPECT_TRUE(kv_of_body(body));
  for (std::size_t size = 0; size < body.size(); ++size) EXPECT_FALSE(kv_of_body(body.substr(0, size))) << size;
  EXPECT_FALSE(number_of_body("1234567"));
  EXPECT_FALSE(number_of_body("123456789"));
}

}  // namespace
}  // namespace devstack::registry

#include "core/registry/sqlite_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>

#include "core/registry/store_records.h"
#include "tests/support/temp_dir.h"

/// The store on a real file: whatever is in its journal, what was committed is what it reads.
namespace devstack::registry {
namespace {

namespace fs = std::filesystem;

Row key(int number, const std::string& value, Row::Kind kind = Row::Kind::put) {
  KvEntry entry;
  entry.key = "key-" + std::to_string(number);
  entry.value = value;
  return Row{std::make_shared<const KvEntry>(std::move(entry)), kind};
}
Row check(int number, const std::string& output, Row::Kind kind = Row::Kind::put) {
  Check value;
  value.node = "laptop";
  value.id = "check-" + std::to_string(number);
  value.output = output;
  return Row{std::make_shared<const Check>(std::move(value)), kind};
}
Row index_row(int number, Index index) {
  return Row{IndexRow{"service:" + std::to_string(number), index}, index == 0 ? Row::Kind::removed : Row::Kind::put};
}

/// Rows as a map, by table and key.
using Content = std::map<std::pair<StoredTable, std::string>, std::string>;

void add(Content& content, const Row& row) {
  std::string bytes;
  append_record(bytes, row);
  const auto records = read_records(bytes);
  for (const auto& record : *records) {
    const std::pair place(record.table, std::string(record.key));
    if (record.removed) {
      content.erase(place);
    } else {
      content[place] = record.body;
    }
  }
}

Content content_of(const std::vector<Row>& rows) {
  Content content;
  for (const auto& row : rows) add(content, row);
  return content;
}

std::unique_ptr<SqliteStore> opened(const std::string& directory, const Content& expected) {
  auto opening = SqliteStore::open(directory, 1000);
  if (!opening) throw std::runtime_error(opening.error().message);
  EXPECT_EQ(opening->notice, "");
  EXPECT_EQ(content_of(opening->rows), expected);
  return std::move(opening->store);
}

/// What a power cut now would leave.
void expect_after_a_cut(const std::string& directory, const Content& expected) {
  const test::TempDir copy;
  for (const auto* file : {"registry.db", "registry.db-wal"})
    fs::copy_file(fs::path(directory) / file, copy.file(file));
  opened(copy.path(), expected);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(SqliteStore, WhatWasCommittedIsReadWhereverTheJournalIsCut) {
  const test::TempDir dir;
  std::mt19937 random(7);
  const auto below = [&](int end) { return static_cast<int>(random() % static_cast<unsigned>(end)); };
  Content expected;
  auto store = opened(dir.path(), expected);
  for (int commit = 0; commit < 600; ++commit) {
    std::vector<Row> rows;
    for (int left = 1 + below(5); left > 0; --left) {
      const auto kind = below(4) == 0 ? Row::Kind::removed : Row::Kind::put;
      const std::string text(static_cast<std::size_t>(below(200)), static_cast<char>('a' + below(26)));
      switch (below(3)) {
        case 0:
          rows.push_back(key(below(300), text, kind));
          break;
        case 1:
          rows.push_back(check(below(50), text, kind));
          break;
        default:
          rows.push_back(index_row(below(50), static_cast<Index>(below(9))));
          break;
      }
    }
    if (below(200) == 0) {
      rows.insert(rows.begin(), Row{ClearRow{}, Row::Kind::put});
      expected.clear();
    }
    ASSERT_TRUE(store->commit(rows));
    for (const auto& row : rows) add(expected, row);
    if (below(20) == 0) expect_after_a_cut(dir.path(), expected);
    if (below(150) == 0) {
      store.reset();
      store = opened(dir.path(), expected);
    }
  }
}

TEST(SqliteStore, TheJournalDoesNotGrowForEver) {
  const test::TempDir dir;
  auto store = opened(dir.path(), {});
  // The same forty rows again and again: 700 KB of journal, were it never brought to its table.
  for (int commit = 0; commit < 700; ++commit) {
    ASSERT_TRUE(store->commit({key(commit % 40, std::string(1000, static_cast<char>('a' + commit % 26)))}));
  }
  store.reset();
  EXPECT_LT(fs::file_size(dir.file("registry.db")), 400U << 10U);
}

TEST(SqliteStore, AFileFromBeforeTheJournalIsTakenOver) {
  const test::TempDir dir;
  opened(dir.path(), {});
  {
    SQLite::Database db(dir.file("registry.db"), SQLite::OPEN_READWRITE);
    db.exec("DROP TABLE journal; PRAGMA user_version = 1");
    db.exec("INSERT INTO indexes VALUES('service:7', 5)");
  }
  opened(dir.path(), content_of({index_row(7, 5)}));
}

TEST(SqliteStore, AJournalThatIsNotOursIsDamage) {
  const test::TempDir dir;
  opened(dir.path(), {});
  {
    SQLite::Database db(dir.file("registry.db"), SQLite::OPEN_READWRITE);
    db.exec("INSERT INTO journal VALUES(1, x'0102')");
  }
  const auto opening = SqliteStore::open(dir.path());
  ASSERT_TRUE(opening);
  EXPECT_THAT(opening->notice, testing::HasSubstr("registry.db.damaged-1"));
}

TEST(SqliteStore, ADamagedFileIsSetAsideAsItIsWhereverTheDamageIs) {
  for (const std::string table :
       {"nodes", "services", "checks", "kv", "tombstones", "sessions", "queries", "indexes", "meta", "journal"}) {
    const test::TempDir dir;
    auto store = opened(dir.path(), {});
    ASSERT_TRUE(store->set_node_id("11111111-2222-3333-4444-555555555555"));
    ASSERT_TRUE(store->commit({key(1, "in the journal")}));
    store.reset();
    {
      SQLite::Database db(dir.file("registry.db"), SQLite::OPEN_READONLY);
      const int page = db.execAndGet("SELECT rootpage FROM sqlite_master WHERE name = '" + table + "'").getInt();
      std::fstream file(dir.file("registry.db"), std::ios::binary | std::ios::in | std::ios::out);
      file.seekp((page - 1) * db.execAndGet("PRAGMA page_size").getInt());
      file << std::string(8, '\x90');
    }
    const auto before = read_file(dir.file("registry.db"));
    const auto opening = SqliteStore::open(dir.path());
    ASSERT_TRUE(opening) << table;
    EXPECT_THAT(opening->notice, testing::HasSubstr("registry.db.damaged-1")) << table;
    EXPECT_EQ(read_file(dir.file("registry.db.damaged-1")), before) << table;
  }
}

}  // namespace
}  // namespace devstack::registry

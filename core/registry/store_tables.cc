#include "core/registry/store_tables.h"

#include <utility>

#include "core/registry/row_json.h"

namespace devstack::registry {

using SQLite::Statement;

std::string blob_of(const SQLite::Column& column) {
  const auto size = static_cast<std::size_t>(column.getBytes());
  return size == 0 ? std::string() : std::string(static_cast<const char*>(column.getBlob()), size);
}

void bind_blob(Statement& statement, int at, std::string_view value) {
  statement.bind(at, static_cast<const void*>(value.data()), static_cast<int>(value.size()));
}

namespace {

/// What brings a record to its table: the statement for one that is put, the statement for one that is removed.
struct TableStatements {
  const char* put;
  const char* remove;
};
constexpr TableStatements statements_of[] = {
    {"INSERT OR REPLACE INTO nodes VALUES(?, ?)", "DELETE FROM nodes WHERE name = ?"},
    {"INSERT OR REPLACE INTO services VALUES(?, ?, ?)", "DELETE FROM services WHERE node = ? AND id = ?"},
    {"INSERT OR REPLACE INTO checks VALUES(?, ?, ?)", "DELETE FROM checks WHERE node = ? AND id = ?"},
    // Not REPLACE, which gives the row a new place and so writes its index again: twice the pages for each change.
    {"INSERT INTO kv VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value,"
     "flags = excluded.flags, lock_index = excluded.lock_index, session = excluded.session,"
     "create_index = excluded.create_index, modify_index = excluded.modify_index",
     "DELETE FROM kv WHERE key = ?"},
    {"INSERT OR REPLACE INTO sessions VALUES(?, ?)", "DELETE FROM sessions WHERE id = ?"},
    {"INSERT OR REPLACE INTO queries VALUES(?, ?)", "DELETE FROM queries WHERE id = ?"},
    {"INSERT OR REPLACE INTO tombstones VALUES(?, ?)", "DELETE FROM tombstones WHERE key = ?"},
    {"INSERT OR REPLACE INTO indexes VALUES(?, ?)", "DELETE FROM indexes WHERE name = ?"},
};

Index loaded(const SQLite::Column& column) { return static_cast<Index>(column.getInt64()); }
void bind_text(Statement& statement, int at, std::string_view value) { statement.bind(at, std::string(value)); }

/// Returns the place after the key.
int bind_key(Statement& statement, const Record& record) {
  switch (record.table) {
    case StoredTable::services:
    case StoredTable::checks: {
      const auto [node, id] = parts_of_key(record.key);
      bind_text(statement, 1, node);
      bind_text(statement, 2, id);
      return 3;
    }
    case StoredTable::kv:
    case StoredTable::tombstones:
      bind_blob(statement, 1, record.key);
      return 2;
    default:
      bind_text(statement, 1, record.key);
      return 2;
  }
}

Result<void> bind_body(Statement& statement, int at, const Record& record) {
  switch (record.table) {
    case StoredTable::kv: {
      TRY(const auto entry, kv_of_body(record.body));
      bind_blob(statement, at, entry.value);
      statement.bind(at + 1, entry.flags);
      statement.bind(at + 2, entry.lock_index);
      bind_text(statement, at + 3, entry.session);
      statement.bind(at + 4, entry.create_index);
      statement.bind(at + 5, entry.modify_index);
      return {};
    }
    case StoredTable::tombstones:
    case StoredTable::indexes: {
      TRY(const auto number, number_of_body(record.body));
      statement.bind(at, number);
      return {};
    }
    default:
      bind_text(statement, at, record.body);
      return {};
  }
}

}  // namespace

Statement& StoreTables::statement(const char* sql) {
  auto& slot = statements_[sql];
  if (!slot) slot = std::make_unique<Statement>(db_, sql);
  slot->tryReset();  // reset() would throw the error of the last, failed use again
  slot->clearBindings();
  return *slot;
}

Result<void> StoreTables::bring(const Record& record) {
  const auto& both = statements_of[static_cast<std::size_t>(record.table)];
  auto& s = statement(record.removed ? both.remove : both.put);
  const int after_key = bind_key(s, record);
  if (!record.removed) CHECK(bind_body(s, after_key, record));
  s.exec();
  return {};
}

Result<void> StoreTables::bring(const Record* from, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) CHECK(bring(from[i]));
  return {};
}

void StoreTables::clear() {
  for (const auto* table : {"nodes", "services", "checks", "kv", "tombstones", "sessions", "queries", "indexes"}) {
    db_.exec(fmt::format("DELETE FROM {}", table));
  }
}

template <class T>
Result<void> StoreTables::read_bodies(const char* sql, std::vector<Row>& rows) {
  Statement s(db_, sql);
  while (s.executeStep()) {
    TRY(auto value, from_body<T>(blob_of(s.getColumn(0))));
    rows.push_back(Row{std::make_shared<const T>(std::move(value)), Row::Kind::put});
  }
  return {};
}

void StoreTables::read_kv(std::vector<Row>& rows) {
  Statement s(db_, "SELECT key, value, flags, lock_index, session, create_index, modify_index FROM kv");
  while (s.executeStep()) {
    auto entry = std::make_shared<KvEntry>();
    entry->key = blob_of(s.getColumn(0));
    entry->value = blob_of(s.getColumn(1));
    entry->flags = loaded(s.getColumn(2));
    entry->lock_index = loaded(s.getColumn(3));
    entry->session = blob_of(s.getColumn(4));
    entry->create_index = loaded(s.getColumn(5));
    entry->modify_index = loaded(s.getColumn(6));
    rows.push_back(Row{KvPtr(std::move(entry)), Row::Kind::put});
  }
}

Result<std::vector<Row>> StoreTables::read() {
  std::vector<Row> rows;
  CHECK(read_bodies<Node>("SELECT body FROM nodes", rows));
  CHECK(read_bodies<Service>("SELECT body FROM services", rows));
  CHECK(read_bodies<Check>("SELECT body FROM checks", rows));
  CHECK(read_bodies<Session>("SELECT body FROM sessions", rows));
  CHECK(read_bodies<PreparedQuery>("SELECT body FROM queries", rows));
  read_kv(rows);
  for (Statement s(db_, "SELECT key, modify_index FROM tombstones"); s.executeStep();) {
    rows.push_back(Row{TombstoneRow{blob_of(s.getColumn(0)), loaded(s.getColumn(1))}, Row::Kind::put});
  }
  for (Statement s(db_, "SELECT name, value FROM indexes"); s.executeStep();) {
    rows.push_back(Row{IndexRow{blob_of(s.getColumn(0)), loaded(s.getColumn(1))}, Row::Kind::put});
  }
  return rows;
}

}  // namespace devstack::registry

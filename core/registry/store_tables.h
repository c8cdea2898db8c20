#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/registry/row.h"
#include "core/registry/store_records.h"

/// The tables of registry.db: a row for each node, service, key … Private to the room.
namespace devstack::registry {

class StoreTables {
 public:
  /// The database outlives it.
  explicit StoreTables(SQLite::Database& db) : db_(db) {}

  /// A prepared statement, kept, without bindings. `sql` is a literal: it is known by its address.
  SQLite::Statement& statement(const char* sql);

  // All throw SQLite::Exception, and stand in a transaction of the caller.
  /// Errc::io: a record is not one of ours.
  Result<void> bring(const Record* from, std::size_t count);
  void clear();
  /// Errc::io: a row is not one of ours.
  Result<std::vector<Row>> read();

 private:
  Result<void> bring(const Record& record);
  template <class T>
  Result<void> read_bodies(const char* sql, std::vector<Row>& rows);
  void read_kv(std::vector<Row>& rows);

  SQLite::Database& db_;
  std::map<const char*, std::unique_ptr<SQLite::Statement>> statements_;
};

[[nodiscard]] std::string blob_of(const SQLite::Column& column);
void bind_blob(SQLite::Statement& statement, int at, std::string_view value);

}  // namespace devstack::registry

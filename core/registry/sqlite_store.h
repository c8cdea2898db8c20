#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/registry/row.h"

/// The durable form of the state: one SQLite file, `registry.db`, in WAL mode with synchronous=FULL, held exclusively.
/// Private to the room. Calls block and come from one thread at a time (a BlockingPool). Knows rows, no rules.
///
/// A commit appends its rows to a journal, one table of the file, so that it costs what they are, however large the
/// tables are: a row brought to its own place writes a page of its own. When the journal has grown, later commits bring
/// it to the tables, a slice each, in the order of the tables, so that a page takes many rows at once. Opening brings
/// there what is left of it.
namespace devstack::registry {

class SqliteStore {
 public:
  struct Opened;
  /// Opens or creates `directory`/registry.db and reads everything. A file that is damaged, or that a newer devstack
  /// wrote, is set aside (`registry.db.damaged-1`, `registry.db.newer-1`, with its -wal) and a fresh one begun: then
  /// `notice` says so. Errc::conflict: another process has it open. Errc::io: the system refuses.
  /// `shortest_journal`: at least so many bytes of rows gather in the journal before they begin to go to the tables.
  static Result<Opened> open(const std::string& directory, std::size_t shortest_journal = std::size_t{1} << 20U);
  ~SqliteStore();

  /// One transaction. After an error nothing of it is stored. Errc::io.
  Result<void> commit(const std::vector<Row>& rows);
  /// Errc::io.
  Result<void> set_node_id(const std::string& id);

 private:
  struct Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct SqliteStore::Opened {
  std::unique_ptr<SqliteStore> store;
  std::vector<Row> rows;
  std::string node_id;  ///< "" in a fresh file
  std::string notice;   ///< "" when there is nothing to tell
};

}  // namespace devstack::registry

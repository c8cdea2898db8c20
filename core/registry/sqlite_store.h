#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/registry/row.h"

/// The durable form of the state: one SQLite file, `registry.db`, in WAL mode with synchronous=FULL, held exclusively.
/// Private to the room. Calls block and come from one thread at a time (a BlockingPool). Knows rows, no rules.
namespace devstack::registry {

class SqliteStore {
 public:
  struct Opened;
  /// Opens or creates `directory`/registry.db and reads everything. A file that is damaged, or that a newer devstack
  /// wrote, is set aside (`registry.db.damaged-1`, `registry.db.newer-1`, with its -wal) and a fresh one begun: then
  /// `notice` says so. Errc::conflict: another process has it open. Errc::io: the system refuses.
  static Result<Opened> open(const std::string& directory);
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

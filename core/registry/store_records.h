#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/registry/row.h"

/// What the store's journal holds: rows as bytes, one after the other. Pure; private to the room.
///
/// A record is `tag | key size (4) | body size (4) | key | body`, numbers little-endian. The tag is the table, with its
/// highest bit set for a row that is removed (its body is empty). Both parts of a compound key are joined by NUL, so
/// that records sorted by key stand in the order of the table.
namespace devstack::registry {

enum class StoredTable : std::uint8_t { nodes, services, checks, kv, sessions, queries, tombstones, indexes };

struct Record {
  StoredTable table = StoredTable::nodes;
  bool removed = false;
  std::string_view key, body;  ///< of the bytes it was read from
};

/// The body of a key's record beyond its value.
struct StoredKv {
  std::int64_t flags = 0, lock_index = 0, create_index = 0, modify_index = 0;
  std::string_view session, value;
};

/// Appends the record of a row. A ClearRow has none.
void append_record(std::string& bytes, const Row& row);
/// All records of `bytes`, in their order. Errc::io when it is not whole records.
[[nodiscard]] Result<std::vector<Record>> read_records(std::string_view bytes);
/// Only the last record of each row counts: these, by table and key.
[[nodiscard]] std::vector<Record> last_of_each_row(std::vector<Record> records);

/// The two parts of a compound key.
[[nodiscard]] std::pair<std::string_view, std::string_view> parts_of_key(std::string_view key);
/// The body of a tombstone or of an index. Errc::io.
[[nodiscard]] Result<std::int64_t> number_of_body(std::string_view body);
/// Errc::io.
[[nodiscard]] Result<StoredKv> kv_of_body(std::string_view body);

}  // namespace devstack::registry

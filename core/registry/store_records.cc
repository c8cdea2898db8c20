#include "core/registry/store_records.h"

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <tuple>

#include "core/registry/row_json.h"
#include "core/registry/state_data.h"

namespace devstack::registry {
namespace {

namespace endian = boost::endian;

constexpr std::uint8_t removed_bit = 0x80;
constexpr std::size_t header_size = 9;
constexpr auto last_table = StoredTable::indexes;

void append_size(std::string& out, std::size_t size) {
  unsigned char bytes[4];
  endian::store_little_u32(bytes, static_cast<std::uint32_t>(size));
  out.append(reinterpret_cast<const char*>(bytes), sizeof bytes);
}
void append_number(std::string& out, Index number) {
  unsigned char bytes[8];
  endian::store_little_u64(bytes, number);
  out.append(reinterpret_cast<const char*>(bytes), sizeof bytes);
}
const unsigned char* bytes_at(std::string_view text, std::size_t at) {
  return reinterpret_cast<const unsigned char*>(text.data()) + at;
}
std::uint32_t size_at(std::string_view text, std::size_t at) { return endian::load_little_u32(bytes_at(text, at)); }
std::int64_t number_at(std::string_view text, std::size_t at) { return endian::load_little_s64(bytes_at(text, at)); }

/// Table, key and body of a row; the body is made only for a row that is put.
struct Parts {
  StoredTable table;
  std::string key, body;
};

Parts parts(const NodePtr& node, bool put) {
  return {StoredTable::nodes, folded(node->name), put ? to_body(*node) : ""};
}
Parts parts(const ServicePtr& service, bool put) {
  return {StoredTable::services, join(folded(service->node), folded(service->id)), put ? to_body(*service) : ""};
}
Parts parts(const CheckPtr& check, bool put) {
  return {StoredTable::checks, join(folded(check->node), folded(check->id)), put ? to_body(*check) : ""};
}
Parts parts(const SessionPtr& session, bool put) {
  return {StoredTable::sessions, folded(session->id), put ? to_body(*session) : ""};
}
Parts parts(const QueryPtr& query, bool put) {
  return {StoredTable::queries, folded(query->id), put ? to_body(*query) : ""};
}
Parts parts(const KvPtr& entry, bool put) {
  Parts out{StoredTable::kv, entry->key, ""};
  if (!put) return out;
  for (const auto number : {entry->flags, entry->lock_index, entry->create_index, entry->modify_index}) {
    append_number(out.body, number);
  }
  append_size(out.body, entry->session.size());
  out.body.append(entry->session).append(entry->value);
  return out;
}
Parts numbered(StoredTable table, const std::string& key, Index index, bool put) {
  Parts out{table, key, ""};
  if (put) append_number(out.body, index);
  return out;
}
Parts parts(const TombstoneRow& row, bool put) { return numbered(StoredTable::tombstones, row.key, row.index, put); }
Parts parts(const IndexRow& row, bool put) { return numbered(StoredTable::indexes, row.name, row.index, put); }

auto place(const Record& record) { return std::tie(record.table, record.key); }

}  // namespace

void append_record(std::string& bytes, const Row& row) {
  const auto append = [&](const auto& value) {
    if constexpr (!std::is_same_v<std::decay_t<decltype(value)>, ClearRow>) {
      const bool put = row.kind == Row::Kind::put;
      const auto made = parts(value, put);
      bytes.push_back(static_cast<char>(static_cast<std::uint8_t>(made.table) | (put ? 0 : removed_bit)));
      append_size(bytes, made.key.size());
      append_size(bytes, made.body.size());
      bytes.append(made.key).append(made.body);
    }
  };
  std::visit(append, row.value);
}

Result<std::vector<Record>> read_records(std::string_view bytes) {
  std::vector<Record> out;
  while (!bytes.empty()) {
    if (bytes.size() < header_size) return fail(Errc::io, "a record of the journal is cut short");
    const auto tag = static_cast<std::uint8_t>(bytes[0]);
    const std::size_t key_size = size_at(bytes, 1), body_size = size_at(bytes, 5);
    const auto table = static_cast<StoredTable>(tag & ~removed_bit);
    if (table > last_table) return fail(Errc::io, "the journal names a table that there is not");
    bytes.remove_prefix(header_size);
    if (bytes.size() < key_size + body_size) return fail(Errc::io, "a record of the journal is cut short");
    out.push_back({table, (tag & removed_bit) != 0, bytes.substr(0, key_size), bytes.substr(key_size, body_size)});
    bytes.remove_prefix(key_size + body_size);
  }
  return out;
}

std::vector<Record> last_of_each_row(std::vector<Record> records) {
  std::stable_sort(records.begin(), records.end(),
                   [](const Record& a, const Record& b) { return place(a) < place(b); });
  const auto same_row = [](const Record& a, const Record& b) { return place(a) == place(b); };
  // Backwards, the last of each row comes first, which is the one that unique() keeps.
  records.erase(records.begin(), std::unique(records.rbegin(), records.rend(), same_row).base());
  return records;
}

std::pair<std::string_view, std::string_view> parts_of_key(std::string_view key) {
  const auto end = std::min(key.find(key_separator), key.size());
  return {key.substr(0, end), key.substr(std::min(end + 1, key.size()))};
}

Result<std::int64_t> number_of_body(std::string_view body) {
  if (body.size() != 8) return fail(Errc::io, "an index in the journal has {} bytes", body.size());
  return number_at(body, 0);
}

Result<StoredKv> kv_of_body(std::string_view body) {
  constexpr std::size_t fixed = 4 * 8 + 4;
  if (body.size() < fixed || body.size() - fixed < size_at(body, fixed - 4)) {
    return fail(Errc::io, "a key in the journal is cut short");
  }
  const std::size_t session = size_at(body, fixed - 4);
  return StoredKv{number_at(body, 0),  number_at(body, 8),          number_at(body, 16),
                  number_at(body, 24), body.substr(fixed, session), body.substr(fixed + session)};
}

}  // namespace devstack::registry

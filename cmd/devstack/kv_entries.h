#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

/// Entries of the KV store as the command line reads, shows and compares them. Pure.
/// https://developer.hashicorp.com/consul/commands/kv
namespace devstack {

struct KvEntry {
  std::string key;
  std::string value;  ///< bytes
  std::uint64_t flags = 0;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;
  std::uint64_t lock_index = 0;
  std::string session;
};

/// The body of GET /v1/kv/KEY. Errc::parse when it is not Consul's.
Result<std::vector<KvEntry>> parse_kv_entries(std::string_view body);
/// The body of GET /v1/kv/PREFIX?keys.
Result<std::vector<std::string>> parse_kv_keys(std::string_view body);

enum class ValueForm { bytes, base64 };
std::string value_text(const KvEntry& entry, ValueForm form);
/// `consul kv get -detailed`: a line for each field.
std::string detailed_text(const KvEntry& entry, ValueForm form);
/// `consul kv export`: byte for byte what Consul's own prints.
std::string export_text(const std::vector<KvEntry>& entries);
/// Valid UTF-8 without NUL: a newline after it does no harm.
bool is_text(std::string_view bytes);
/// One entry as Consul's API writes it, for --json.
std::string entry_json(const KvEntry& entry);

/// What came, went and changed between two answers of a blocking query.
class KvDifference {
 public:
  struct Change {
    KvEntry entry;
    bool deleted = false;
  };
  /// In the order of keys. An entry that was written again with the same content is no change.
  std::vector<Change> update(std::vector<KvEntry> now);

 private:
  std::map<std::string, KvEntry> seen_;
};

}  // namespace devstack

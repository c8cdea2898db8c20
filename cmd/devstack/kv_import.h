#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/devstack/kv_entries.h"
#include "core/base/result.h"
#include "core/http/message.h"

/// `kv import`: what `consul kv export` wrote becomes as few transactions as Consul's limits allow. Pure.
/// https://developer.hashicorp.com/consul/commands/kv/import · https://developer.hashicorp.com/consul/api-docs/txn
namespace devstack {

/// Reads an export: a list of {"key", "flags", "value" (base64)}; names without case and other names ignored, as Go
/// reads it. `prefix` goes before every key, with a '/' between. Errc::parse names the line of broken JSON, or the
/// entry (counted from 1) and its key. Nothing is imported from a list that has one bad entry.
Result<std::vector<KvEntry>> parse_import(std::string_view text, std::string_view prefix);

/// A run of entries that is written all or not at all.
struct ImportBatch {
  std::size_t first = 0;
  std::size_t count = 0;
};
/// At most 64 entries and 512 KiB of request each, which every Consul takes; an entry too large for a transaction is a
/// batch of its own.
std::vector<ImportBatch> import_batches(const std::vector<KvEntry>& entries);

/// The transaction that writes them, or for a single entry a plain PUT of its key.
http::Request import_request(std::span<const KvEntry> entries);

/// Why a transaction failed, from the body of its 409: `entry 3 (key "a"): reason`. `first` is the batch's.
std::string import_failure(std::string_view body, const std::vector<KvEntry>& entries, std::size_t first);

}  // namespace devstack

#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/registry/types.h"

/// A snapshot archive as Consul's servers write it: a gzipped tar (POSIX ustar) of meta.json, state.bin and SHA256SUMS,
/// so that `consul snapshot save` can verify what it has got. Pure; for large states not the loop's. Private to the
/// room. https://developer.hashicorp.com/consul/api-docs/snapshot
namespace devstack::api {

/// What meta.json says; the names are those of Raft's metadata.
struct SnapshotMeta {
  registry::Index index = 0;
  std::string server_id, server_address;
  std::time_t made = 0;
};

/// Empty when memory does not suffice.
[[nodiscard]] std::string pack_snapshot(const SnapshotMeta& meta, std::string_view state_bin);

/// How large an archive may be on the wire, and what is in it.
struct ArchiveBounds {
  std::size_t packed_bytes, unpacked_bytes;
};
/// The same for a save: Errc::failed when memory does not suffice, or when a restore with these bounds would refuse it.
[[nodiscard]] Result<std::string> pack_snapshot(const SnapshotMeta& meta, std::string_view state_bin,
                                                ArchiveBounds bounds);

/// state.bin, after the sums of both files were compared. Errc::failed with the texts of Consul; nothing is unpacked
/// beyond `most_bytes`, whatever the archive promises.
[[nodiscard]] Result<std::string> unpack_snapshot(std::string_view archive, std::size_t most_bytes);

}  // namespace devstack::api

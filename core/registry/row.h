#pragma once

#include <string>
#include <variant>

#include "core/registry/types.h"

/// What a command changed in the store: the language between State (pure) and the store below Registry. Other rooms
/// have no use for it.
namespace devstack::registry {

/// The counter value of the last change of a table ("nodes", "kv" …), of the last extinction, or of a service name
/// ("service:web"; only where no row of its instances and their checks has it). 0 removes it.
struct IndexRow {
  std::string name;
  Index index = 0;
};
/// A deleted key, remembered so that the index of a prefix that held it does not slide back.
struct TombstoneRow {
  std::string key;
  Index index = 0;
};

/// Everything stored before it goes: a snapshot takes its place.
struct ClearRow {};

struct Row {
  std::variant<NodePtr, ServicePtr, CheckPtr, KvPtr, SessionPtr, QueryPtr, TombstoneRow, IndexRow, ClearRow> value;
  enum class Kind { put, removed } kind = Kind::put;
};

}  // namespace devstack::registry

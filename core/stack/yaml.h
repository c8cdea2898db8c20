#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/stack/diagnostics.h"

/// A YAML document as a plain tree in which every node knows where it stands: the one form in which the room looks at
/// a file. Private to the room; yaml-cpp stays in yaml.cc. https://yaml.org/spec/1.2.2/
namespace devstack::stack {

struct Entry;

struct Node {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  std::string text;            ///< scalar
  bool quoted = false;         ///< scalar: quoted or a block, so never a number or a boolean
  std::vector<Node> items;     ///< list
  std::vector<Entry> entries;  ///< map, in the order of the file; keys are unique
  SourcePos at;
  std::string path;  ///< "services.web.ports[0]"; "" for the root
  /// Compose's `!reset` (what earlier files say is removed) and `!override` (it is replaced, not merged).
  enum class Tag { none, reset, replace };
  Tag tag = Tag::none;
  std::string unfilled;  ///< scalar: as written, where `$PORT` was left for a process to fill in

  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] Node* find(std::string_view key);
  /// Removes the key and returns its value: nothing where it is not there.
  std::optional<Node> take(std::string_view key);
  /// How many nodes it is, itself included.
  [[nodiscard]] std::size_t size() const;
  /// For "found …" in messages: "a list", "a map", "a string", "a number", "a boolean", "nothing".
  [[nodiscard]] std::string_view describe() const;
  /// "services.web: ", or nothing for the root: what stands before a message.
  [[nodiscard]] std::string prefix() const { return path.empty() ? "" : path + ": "; }
};

struct Entry {
  std::string key;
  SourcePos at;
  Node value;
};

/// Reads the documents of a file of at most 1 MiB, 64 documents, 64 levels and 100 000 nodes after aliases. Merge keys
/// (`<<`) are resolved. No document is one that is null. A syntax error is the result's error; duplicate keys go to
/// `report` (the first one counts).
Result<std::vector<Node>> read_documents(std::string_view text, std::string_view file, Diagnostics& report);
/// The same of a file that may have one only.
Result<Node> read_yaml(std::string_view text, std::string_view file, Diagnostics& report);

}  // namespace devstack::stack

#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/stack/interpolate.h"
#include "core/stack/sources.h"
#include "core/stack/yaml.h"

/// From files to one tree without `include` and `extends`, filled in and merged. Private to the room.
namespace devstack::stack {

/// A document of a file as it was written.
struct Document {
  SourceFile file;  ///< without its text
  Node root;
};

/// Reads what is asked for, keeps count, and remembers what was read: shared by a stack and all that it includes.
struct Assembly {
  Assembly(Diagnostics& diagnostics, std::string folder) : report(diagnostics), cwd(std::move(folder)) {}

  Diagnostics& report;
  std::string cwd;
  bool interpolating = true;
  std::string explained;  ///< the variable whose uses are wanted
  std::vector<VariableUse> uses;
  std::set<std::string> told;
  Texts read;  ///< absolute paths

  /// A file that another one names: `at` is where, `prefix` its key path. Nothing after reporting.
  std::optional<SourceFile> open(const std::string& path, const SourcePos& at, const std::string& prefix);
  /// Its documents in their order, a null one for an empty file; they count like files that are merged. Nothing after
  /// reporting a syntax error, no map, or Compose's format 1.
  std::vector<Document> parse(SourceFile file);
  /// False, and reported once, when so many more values are too many.
  bool afford(std::size_t values, const SourcePos& at);
  [[nodiscard]] Interpolation fill(const Environment& environment);

 private:
  bool accept(const Node& root, const SourceFile& file);

  std::size_t files_ = 0, bytes_ = 0, nodes_ = 0;
  bool exhausted_ = false;
};

/// Where files are read for: what relative paths are relative to, and what fills in their variables.
struct Place {
  std::string dir;
  const Environment& environment;
  Texts including = {};  ///< the first files of those that include this one, outermost first
};

/// Merges the documents in their order, with everything they extend and include.
Node assemble(std::vector<Document> documents, const Place& place, Assembly& all);

/// Replaces every service of `root` that has `extends` by what it means. A service that is not in the same file is
/// looked for in `known`: trees without `extends`.
void resolve_extends(Document& document, const std::vector<const Node*>& known, const Place& place, Assembly& all);

/// What the `include` of a file brings: one tree with absolute paths.
Node read_includes(const Node& include, const Place& place, Assembly& all);
/// `below` under `above`; says which definitions of `above` hide a different one.
Node merge_included(Node below, Node above, Diagnostics& report);

/// Makes the relative paths in a file, or in one service of it, absolute, as far as they are the host's.
void make_paths_absolute(Node& root, const std::string& dir);
void make_service_paths_absolute(Node& service, const std::string& dir);

/// Compose's format 1 had the services at the top level.
bool is_version_1(const Node& root);
/// The same stack in today's format.
Node convert_version_1(const Node& root);

}  // namespace devstack::stack

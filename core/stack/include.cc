// https://docs.docker.com/reference/compose-file/include/
#include <algorithm>
#include <filesystem>

#include "core/stack/assemble.h"
#include "core/stack/environment.h"
#include "core/stack/merge.h"

namespace devstack::stack {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxDepth = 16;

/// One entry of `include`.
struct Wanted {
  Texts paths, env_files;
  std::string dir;
  const Node& node;
};

std::string below(const std::string& dir, const std::string& path) {
  return (fs::path(dir) / path).lexically_normal().string();
}

/// A string or a list of strings: false when it is something else.
bool take_texts(Texts& into, const Node& node) {
  if (node.kind == Node::Kind::scalar) {
    into.push_back(node.text);
    return true;
  }
  for (const auto& item : node.items) {
    if (item.kind != Node::Kind::scalar) return false;
    into.push_back(item.text);
  }
  return node.kind == Node::Kind::list;
}

std::optional<Wanted> read_wanted(const Node& node, const Place& place, Diagnostics& report) {
  Wanted wanted{{}, {}, "", node};
  bool good = node.kind == Node::Kind::scalar ? take_texts(wanted.paths, node) : node.kind == Node::Kind::map;
  for (const auto& entry : node.entries) {
    if (entry.key == "path") {
      good = good && take_texts(wanted.paths, entry.value);
    } else if (entry.key == "env_file") {
      good = good && take_texts(wanted.env_files, entry.value);
    } else if (entry.key == "project_directory" && entry.value.kind == Node::Kind::scalar) {
      wanted.dir = below(place.dir, entry.value.text);
    } else if (!entry.key.starts_with("x-")) {
      good = false;
    }
  }
  if (!good || wanted.paths.empty()) {
    report.error(node.at, "{}expected a path, or a map of `path`, `project_directory` and `env_file`", node.prefix());
    return std::nullopt;
  }
  for (auto& path : wanted.paths) path = below(place.dir, path);
  if (wanted.dir.empty()) wanted.dir = fs::path(wanted.paths.front()).parent_path().string();
  return wanted;
}

/// Its own .env, or the files that are named.
Texts env_files_of(const Wanted& wanted, const Place& place) {
  Texts files;
  for (const auto& file : wanted.env_files) {
    if (file != "/dev/null") files.push_back(below(place.dir, file));
  }
  std::error_code ignored;
  const auto own = below(wanted.dir, ".env");
  if (wanted.env_files.empty() && fs::is_regular_file(own, ignored)) files.push_back(own);
  return files;
}

bool is_cycle(const Wanted& wanted, const Place& place, Diagnostics& report) {
  const auto& chain = place.including;
  const bool again = std::find(chain.begin(), chain.end(), wanted.paths.front()) != chain.end();
  if (!again && chain.size() < kMaxDepth) return false;
  report.error(wanted.node.at, "{}{}: {} -> {}", wanted.node.prefix(),
               again ? "files include each other" : fmt::format("files include each other {} deep", kMaxDepth),
               fmt::join(chain, " -> "), wanted.paths.front());
  return true;
}

/// A name without a value takes it from the variables of the file that it stands in.
void fill_bare_names(Node& pairs, const Environment& environment) {
  for (auto& item : pairs.items) {
    if (item.kind != Node::Kind::scalar || item.text.find('=') != std::string::npos) continue;
    if (const auto value = environment.find(item.text); value != environment.end()) item.text += "=" + value->second;
  }
  for (auto& entry : pairs.entries) {
    const auto value = environment.find(entry.key);
    if (entry.value.kind != Node::Kind::null || value == environment.end()) continue;
    entry.value.kind = Node::Kind::scalar;
    entry.value.text = value->second;
    entry.value.quoted = true;
  }
}

/// What a service took from where its file stood, written into it.
void settle(Node& service, const Place& place, bool interpolating) {
  Node* build = service.find("build");
  Node* args = build == nullptr ? nullptr : build->find("args");
  Node* variables = service.find("environment");
  if (interpolating && variables != nullptr) fill_bare_names(*variables, place.environment);
  if (interpolating && args != nullptr) fill_bare_names(*args, place.environment);
  const bool process = service.kind == Node::Kind::map && service.find("image") == nullptr && build == nullptr;
  if (!process || service.find("working_dir") != nullptr) return;
  Node dir;
  dir.kind = Node::Kind::scalar;
  dir.text = place.dir;
  dir.quoted = true;
  dir.at = service.at;
  dir.path = service.path + ".working_dir";
  service.entries.push_back({"working_dir", service.at, std::move(dir)});
}

Node empty_map(const Node& like) {
  Node map;
  map.kind = Node::Kind::map;
  map.at = like.at;
  return map;
}

Node read_include(const Node& node, const Place& place, Assembly& all) {
  Node nothing = empty_map(node);
  const auto wanted = read_wanted(node, place, all.report);
  if (!wanted || is_cycle(*wanted, place, all.report)) return nothing;
  const auto filling = included_environment(place.environment, env_files_of(*wanted, place), all.cwd);
  if (!filling) {
    all.report.add(filling.error());
    return nothing;
  }
  std::vector<Document> documents;
  for (const auto& path : wanted->paths) {
    auto file = all.open(path, node.at, node.prefix());
    if (!file) continue;
    for (auto& document : all.parse(std::move(*file))) documents.push_back(std::move(document));
  }
  Place inner{wanted->dir, filling->values, place.including};
  inner.including.push_back(wanted->paths.front());
  Node tree = assemble(std::move(documents), inner, all);
  for (const auto* key : {"name", "version"}) tree.take(key);
  if (Node* services = tree.find("services")) {
    for (auto& service : services->entries) settle(service.value, inner, all.interpolating);
  }
  make_paths_absolute(tree, wanted->dir);
  return tree;
}

}  // namespace

Node read_includes(const Node& include, const Place& place, Assembly& all) {
  if (include.kind != Node::Kind::list) {
    return include.kind == Node::Kind::null ? empty_map(include) : read_include(include, place, all);
  }
  Node together = empty_map(include);
  for (const auto& item : include.items) {
    together = merge_included(read_include(item, place, all), std::move(together), all.report);
  }
  return together;
}

}  // namespace devstack::stack

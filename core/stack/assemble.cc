#include "core/stack/assemble.h"

#include <algorithm>
#include <filesystem>

#include "core/stack/find.h"
#include "core/stack/merge.h"
#include "core/stack/print_tree.h"
#include "core/stack/read.h"

namespace devstack::stack {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 500;
constexpr std::size_t kMaxBytes = 8U << 20U;
constexpr std::size_t kMaxNodes = 500'000;
constexpr std::size_t kPreviewLines = 12;

/// The first lines of a text.
std::string preview(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t line = 0; line < kPreviewLines && end < text.size(); ++line) {
    end = std::min(text.find('\n', end), text.size() - 1) + 1;
  }
  return std::string(text.substr(0, end)) + (end < text.size() ? "  ..." : "");
}

/// Our keys may stand at the top level or under x-devstack: the same key of two files goes where the first one has it.
void align_own_keys(Node& base, Node& over) {
  const auto align = [](Node& from, const Node& to) {
    Node* own = from.find("x-devstack");
    if (own == nullptr) return;
    for (const auto key : component_keys()) {
      if (to.find(key) == nullptr || from.find(key) != nullptr || own->find(key) == nullptr) continue;
      const SourcePos at = own->find(key)->at;
      from.entries.push_back({std::string(key), at, std::move(*own->take(key))});
      own = from.find("x-devstack");
    }
  };
  align(over, base);
  align(base, over);
}

Node empty_map(SourcePos at) {
  Node map;
  map.kind = Node::Kind::map;
  map.at = std::move(at);
  return map;
}

bool is_container(const Node& service) { return service.find("image") != nullptr || service.find("build") != nullptr; }

void fill_ports_of_containers(Node& root, const Interpolation& with) {
  Node* services = root.find("services");
  if (services == nullptr) return;
  for (auto& service : services->entries) {
    if (is_container(service.value)) fill_port(service.value, with);
  }
}

}  // namespace

std::optional<SourceFile> Assembly::open(const std::string& path, const SourcePos& at, const std::string& prefix) {
  std::error_code problem;
  const bool there = fs::exists(path, problem);
  if (there && !fs::is_regular_file(path, problem) && !fs::is_directory(path, problem)) {
    report.error(at, "{}cannot read {}: it is no file", prefix, path);
    return std::nullopt;
  }
  auto text = read_whole_file(path);
  if (!text) {
    report.error(at, "{}{}", prefix, text.error().message);
    return std::nullopt;
  }
  return SourceFile{path, shown_path(path, cwd), std::move(*text)};
}

std::vector<Document> Assembly::parse(SourceFile file) {
  const SourcePos start{file.shown, 1, 1};
  report.begin_file(file.shown);
  bytes_ += file.text.size();
  ++files_;
  if (std::find(read.begin(), read.end(), file.path) == read.end()) read.push_back(file.path);
  if (exhausted_ || files_ > kMaxFiles || bytes_ > kMaxBytes) {
    if (!std::exchange(exhausted_, true)) {
      report.error(start, "the stack is too large: more than {} files or {} MiB", kMaxFiles, kMaxBytes >> 20U);
    }
    return {};
  }
  auto roots = read_documents(file.text, file.shown, report);
  file.text.clear();
  if (!roots) {
    report.add(std::move(roots.error()));
    return {};
  }
  std::vector<Document> documents;
  for (auto& root : *roots) {
    if (!accept(root, file)) return {};
    documents.push_back({file, std::move(root)});
  }
  return documents;
}

bool Assembly::accept(const Node& root, const SourceFile& file) {
  if (root.kind == Node::Kind::null) return true;
  if (root.kind != Node::Kind::map) {
    report.error(root.at, "expected a map of keys like `services:`, found {}", root.describe());
    return false;
  }
  if (is_version_1(root)) {
    report.error(root.at,
                 "this is Compose's old format 1, without `services:`; `devstack -f {} config --convert` prints it in "
                 "today's form:\n{}",
                 file.shown, preview(print_tree(convert_version_1(root))));
    return false;
  }
  return afford(root.size(), {file.shown, 1, 1});
}

bool Assembly::afford(std::size_t values, const SourcePos& at) {
  nodes_ += values;
  if (nodes_ <= kMaxNodes) return true;
  if (!std::exchange(exhausted_, true)) report.error(at, "the stack has more than {} values", kMaxNodes);
  return false;
}

Interpolation Assembly::fill(const Environment& environment) {
  return {environment, report, told, explained, explained.empty() ? nullptr : &uses};
}

Node assemble(std::vector<Document> documents, const Place& place, Assembly& all) {
  Node root = empty_map(documents.empty() ? SourcePos{} : documents.front().root.at);
  Node included = empty_map(root.at);
  for (auto& document : documents) {
    if (all.interpolating) interpolate_tree(document.root, all.fill(place.environment));
    if (auto include = document.root.take("include"); include && include->tag != Node::Tag::reset) {
      // A path is needed even where values are wanted as they are written.
      if (!all.interpolating) interpolate_tree(*include, all.fill(place.environment));
      included = merge_included(read_includes(*include, place, all), std::move(included), all.report);
    }
    resolve_extends(document, {&root, &included}, place, all);
    align_own_keys(root, document.root);
    root = merge_files(std::move(root), std::move(document.root), all.report);
    apply_tags(root);
  }
  if (all.interpolating) fill_ports_of_containers(root, all.fill(place.environment));
  return merge_included(std::move(included), std::move(root), all.report);
}

Node merge_included(Node below, Node above, Diagnostics& report) {
  for (const auto& section : above.entries) {
    const Node* other = below.find(section.key);
    if (other == nullptr || is_component_key(section.key) || section.key.starts_with("x-")) continue;
    for (const auto& entry : section.value.entries) {
      const Node* hidden = other->find(entry.key);
      if (hidden == nullptr || same_value(*hidden, entry.value)) continue;
      report.warn(entry.at, "{}.{} is also defined in {}, which is included: this definition goes on top of that one",
                  section.key, entry.key, hidden->at.to_string());
    }
  }
  align_own_keys(below, above);
  return merge_files(std::move(below), std::move(above), report);
}

}  // namespace devstack::stack

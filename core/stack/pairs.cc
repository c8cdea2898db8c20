// NAME=value in all its forms: environment, labels, and the files that hold them.
// https://docs.docker.com/reference/compose-file/services/#env_file
#include <algorithm>
#include <filesystem>

#include "core/stack/fields.h"
#include "core/stack/find.h"
#include "core/stack/interpolate.h"
#include "core/stack/schema.h"

namespace devstack::stack {
namespace {

using R = const Reading&;
using V = const Node&;

struct EnvFile {
  std::string path, format;
  bool required = true;
  bool of_labels = false;  ///< label_file, which has no long form
};

constexpr std::array<std::string_view, 1> kFormats{"raw"};
constexpr Field<EnvFile> kEnvFile[] = {
    {"path", Into<&EnvFile::path>::text, "text"},
    {"required", Into<&EnvFile::required>::flag, "switch"},
    {"format", [](EnvFile& f, V v, R in) { f.format = read_choice(v, kFormats, in).value_or(""); }, "raw"},
};

/// K=V lines whose values are taken as they are.
TextMap raw_pairs(std::string_view text) {
  TextMap pairs;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos || equals == 0) continue;
    pairs[std::string(line.substr(0, equals))] = line.substr(equals + 1);
  }
  return pairs;
}

/// Adds what stands in the file to `into`; a later file wins.
void read_pairs_file(TextMap& into, const EnvFile& file, V node, const Environment& outer, R in) {
  const auto path = absolute_path(file.path, in);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    if (file.required) {
      const auto instead = file.of_labels ? "" : fmt::format(", or write {{path: {}, required: false}}", file.path);
      in.report.error(node.at, "{}{} is not there: make it{}", node.prefix(), path, instead);
    }
    return;
  }
  if (!std::filesystem::is_regular_file(path, ignored)) {
    in.report.error(node.at, "{}{} is no file", node.prefix(), path);
    return;
  }
  const auto text = read_whole_file(path);
  if (!text) {
    in.report.error(node.at, "{}{}", node.prefix(), text.error().message);
    return;
  }
  auto pairs = file.format == "raw" ? Result<Environment>(raw_pairs(*text)) : read_dotenv(*text, path, outer);
  if (!pairs) {
    in.report.error(node.at, "{}{}", node.prefix(), pairs.error().to_string());
    return;
  }
  for (auto& [name, value] : *pairs) into[name] = std::move(value);
}

void read_env_file_item(TextMap& into, V node, R in) {
  EnvFile file;
  if (node.kind == Node::Kind::map) {
    read_fields<EnvFile>(node, file, kEnvFile, {}, in);
    if (node.find("path") == nullptr) in.report.error(node.at, "{}`path` is missing", node.prefix());
  } else if (auto path = read_text(node, in)) {
    file.path = std::move(*path);
  }
  if (!file.path.empty()) read_pairs_file(into, file, node, in.environment, in);
}

TextMap read_env_files(V node, R in) {
  TextMap pairs;
  if (node.kind == Node::Kind::scalar) {
    read_env_file_item(pairs, node, in);
  } else {
    for (const auto& item : read_items(node, in)) read_env_file_item(pairs, item, in);
  }
  return pairs;
}

void refuse_reserved_labels(const TextMap& labels, V node, R in) {
  for (const auto& [name, value] : labels) {
    if (!name.starts_with("com.docker.compose")) continue;
    in.report.error(node.at, "{}labels starting with com.docker.compose are reserved, found \"{}\"", node.prefix(),
                    name);
  }
}

}  // namespace

Pairs read_pairs(const Node& node, const Reading& in) {
  Pairs pairs;
  if (node.kind == Node::Kind::list) {
    for (const auto& item : read_texts(node, in)) {
      const auto equals = item.find('=');
      if (equals == std::string::npos) {
        pairs.bare.push_back(item);
      } else {
        pairs.values[item.substr(0, equals)] = item.substr(equals + 1);
      }
    }
    return pairs;
  }
  if (node.kind == Node::Kind::scalar) {
    wrong_type(node, "a map or a list of NAME=value", in);
    return pairs;
  }
  for (const auto& entry : node.entries) {
    if (entry.value.kind == Node::Kind::null) {
      pairs.bare.push_back(entry.key);
    } else if (auto value = read_text(entry.value, in)) {
      pairs.values[entry.key] = std::move(*value);
    }
  }
  return pairs;
}

TextMap read_variables(const Node& node, const Reading& in) {
  auto pairs = read_pairs(node, in);
  for (const auto& name : pairs.bare) {
    const auto outside = in.environment.find(name);
    if (outside != in.environment.end()) pairs.values[name] = outside->second;
  }
  return std::move(pairs.values);
}

TextMap read_labels(const Node& node, const Reading& in) {
  auto pairs = read_pairs(node, in);
  for (const auto& name : pairs.bare) pairs.values[name] = "";
  return std::move(pairs.values);
}

TextMap read_environment(const Node& service, const Reading& in) {
  TextMap all;
  if (const Node* files = service.find("env_file")) all = read_env_files(*files, in);
  const Node* own = service.find("environment");
  if (own == nullptr) return all;
  auto pairs = read_pairs(*own, in);
  if (pairs.values.contains("")) in.report.error(own->at, "{}a value has no name before its `=`", own->prefix());
  for (auto& [name, value] : pairs.values) all[name] = std::move(value);
  for (const auto& name : pairs.bare) {
    const auto outside = in.environment.find(name);
    if (outside != in.environment.end()) {
      all[name] = outside->second;
    } else if (!pairs.values.contains(name)) {
      all.erase(name);  // as Compose does: the bare key stands for "as outside", and there it is not
    }
  }
  return all;
}

TextMap read_service_labels(const Node& service, const Reading& in) {
  TextMap all;
  if (const Node* files = service.find("label_file")) {
    const auto paths = files->kind == Node::Kind::scalar ? std::span<const Node>(files, 1) : read_items(*files, in);
    for (const auto& item : paths) {
      if (auto path = read_text(item, in)) read_pairs_file(all, {*path, "", true, true}, item, {}, in);
    }
    refuse_reserved_labels(all, *files, in);
  }
  if (const Node* own = service.find("labels")) {
    const auto labels = read_labels(*own, in);
    refuse_reserved_labels(labels, *own, in);
    for (const auto& [name, value] : labels) all[name] = value;
  }
  return all;
}

void add_pair_shapes(Shapes& into) { into.map("env_file", kEnvFile); }

}  // namespace devstack::stack

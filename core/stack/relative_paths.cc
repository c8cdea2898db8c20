// Which values of a file are paths of the host: they mean the same wherever the file is merged into.
#include <filesystem>

#include "core/stack/assemble.h"

namespace devstack::stack {
namespace {

namespace fs = std::filesystem;
using Kind = Node::Kind;

std::string joined(const std::string& dir, std::string_view path) {
  auto text = (fs::path(dir) / path).lexically_normal().string();
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

/// `~` is the reader's.
bool is_relative(std::string_view path) { return !path.empty() && path[0] != '/' && path[0] != '~'; }

void path(Node* node, const std::string& dir) {
  if (node != nullptr && node->kind == Kind::scalar && is_relative(node->text)) node->text = joined(dir, node->text);
}

bool is_elsewhere(std::string_view context) {
  for (const std::string_view prefix : {"git@", "github.com/", "service:", "target:"}) {
    if (context.starts_with(prefix)) return true;
  }
  return context.find("://") != std::string_view::npos;
}

void context(Node* node, const std::string& dir) {
  if (node != nullptr && node->kind == Kind::scalar && !is_elsewhere(node->text)) path(node, dir);
}

/// A path, a list of them, or a list of maps with `path`.
void file_list(Node* node, const std::string& dir) {
  if (node == nullptr) return;
  path(node, dir);
  for (auto& item : node->items) path(item.kind == Kind::map ? item.find("path") : &item, dir);
}

void build(Node* node, const std::string& dir) {
  if (node == nullptr) return;
  context(node, dir);
  context(node->find("context"), dir);
  Node* more = node->find("additional_contexts");
  if (more == nullptr) return;
  for (auto& entry : more->entries) context(&entry.value, dir);
  for (auto& item : more->items) {
    const auto equals = item.text.find('=');
    const auto given = item.text.substr(equals == std::string::npos ? item.text.size() : equals + 1);
    if (is_relative(given) && !is_elsewhere(given)) item.text.replace(equals + 1, given.size(), joined(dir, given));
  }
}

void volumes(Node* node, const std::string& dir) {
  if (node == nullptr) return;
  for (auto& item : node->items) {
    if (item.kind == Kind::map) {
      const Node* type = item.find("type");
      if (type != nullptr && type->text == "bind") path(item.find("source"), dir);
    } else if (item.text.starts_with('.')) {
      const auto colon = item.text.find(':');
      if (colon != std::string::npos) item.text.replace(0, colon, joined(dir, item.text.substr(0, colon)));
    }
  }
}

void watch(Node* develop, const std::string& dir) {
  Node* rules = develop == nullptr ? nullptr : develop->find("watch");
  if (rules == nullptr) return;
  for (auto& rule : rules->items) path(rule.find("path"), dir);
}

void each_file(Node* section, const std::string& dir) {
  if (section == nullptr) return;
  for (auto& entry : section->entries) path(entry.value.find("file"), dir);
}

/// A volume of the local driver that binds a folder.
void devices(Node* section, const std::string& dir) {
  if (section == nullptr) return;
  for (auto& entry : section->entries) {
    Node* options = entry.value.find("driver_opts");
    const Node* how = options == nullptr ? nullptr : options->find("o");
    if (how != nullptr && how->text.find("bind") != std::string::npos) path(options->find("device"), dir);
  }
}

void templates(Node* list, const std::string& dir) {
  if (list == nullptr) return;
  for (auto& item : list->items) {
    path(item.find("source"), dir);
    path(item.find("destination"), dir);
  }
}

}  // namespace

void make_service_paths_absolute(Node& service, const std::string& dir) {
  build(service.find("build"), dir);
  file_list(service.find("env_file"), dir);
  file_list(service.find("label_file"), dir);
  volumes(service.find("volumes"), dir);
  watch(service.find("develop"), dir);
  const bool process = service.find("image") == nullptr && service.find("build") == nullptr;
  if (process) path(service.find("working_dir"), dir);
  if (Node* own = service.find("x-process")) file_list(own->find("watch"), dir);
}

void make_paths_absolute(Node& root, const std::string& dir) {
  if (Node* services = root.find("services")) {
    for (auto& service : services->entries) make_service_paths_absolute(service.value, dir);
  }
  each_file(root.find("configs"), dir);
  each_file(root.find("secrets"), dir);
  devices(root.find("volumes"), dir);
  templates(root.find("templates"), dir);
  if (Node* own = root.find("x-devstack")) templates(own->find("templates"), dir);
}

}  // namespace devstack::stack

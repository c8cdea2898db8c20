// Which items of a list are the same thing.
#include "core/stack/merge.h"
#include "core/stack/read.h"

namespace devstack::stack {
namespace {

std::string field(const Node& item, std::string_view key, std::string_view otherwise = "") {
  const Node* value = item.find(key);
  return value == nullptr || value->kind != Node::Kind::scalar ? std::string(otherwise) : value->text;
}

std::string granted_path(const Node& item, std::string_view folder) {
  std::string target = item.kind == Node::Kind::scalar ? item.text : field(item, "target", field(item, "source"));
  return target.empty() || target.starts_with('/') ? target : std::string(folder) + target;
}

std::string port_text(std::string_view ip, std::string_view published, std::string_view target,
                      std::string_view protocol) {
  return fmt::format("{}|{}|{}|{}", ip == "0.0.0.0" ? "" : ip, published, target, protocol);
}

}  // namespace

std::string text_key(const Node& item) { return item.kind == Node::Kind::scalar ? item.text : ""; }

std::string mount_key(const Node& item) {
  if (item.kind != Node::Kind::scalar) return field(item, "target");
  const auto first = item.text.find(':');
  if (first == std::string::npos) return item.text;
  return item.text.substr(first + 1, item.text.find(':', first + 1) - first - 1);
}

std::string port_key(const Node& item) {
  if (item.kind == Node::Kind::map) {
    return port_text(field(item, "host_ip"), field(item, "published"), field(item, "target"),
                     field(item, "protocol", "tcp"));
  }
  const auto ports = parse_port(item.text);
  if (!ports || ports->size() != 1 || ports->front().published_last != 0) return text_key(item);
  const auto& port = ports->front();
  return port_text(port.host_ip, port.published == 0 ? "" : std::to_string(port.published), std::to_string(port.target),
                   port.protocol);
}

std::string secret_key(const Node& item) { return granted_path(item, "/run/secrets/"); }
std::string config_key(const Node& item) { return granted_path(item, "/"); }

std::string env_file_key(const Node& item) { return item.kind == Node::Kind::scalar ? item.text : field(item, "path"); }

std::string subnet_key(const Node& item) { return field(item, "subnet"); }
std::string template_key(const Node& item) { return field(item, "destination"); }

}  // namespace devstack::stack

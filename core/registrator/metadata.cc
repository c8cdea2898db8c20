#include "core/registrator/metadata.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "core/base/ascii.h"

namespace devstack::registrator {
namespace {

constexpr std::string_view prefix = "SERVICE_";
constexpr std::size_t max_meta_pairs = 64, max_meta_key = 128, max_meta_value = 512;

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Entry {
  std::string key;  ///< lower case, without "SERVICE_" and without a port
  std::string value;
  std::optional<int> port;
};

std::optional<Entry> entry_of(std::string_view name, std::string_view value) {
  if (!name.starts_with(prefix)) return std::nullopt;
  Entry entry{to_lower(name.substr(prefix.size())), std::string(value), std::nullopt};
  if (const auto underscore = entry.key.find('_'); underscore != std::string::npos) {
    entry.port = whole_number(std::string_view(entry.key).substr(0, underscore));
    if (entry.port) entry.key.erase(0, underscore + 1);
  }
  return entry;
}

/// Environment first, then labels: later ones win.
std::vector<Entry> entries_of(const docker::Container& container) {
  std::vector<Entry> entries;
  for (const auto& variable : container.env) {
    const auto equals = variable.find('=');
    if (equals == std::string::npos) continue;
    const std::string_view text = variable;
    if (auto entry = entry_of(text.substr(0, equals), text.substr(equals + 1))) entries.push_back(std::move(*entry));
  }
  for (const auto& [name, value] : container.labels) {
    if (auto entry = entry_of(name, value)) entries.push_back(std::move(*entry));
  }
  return entries;
}

bool is_meta_key(std::string_view key) {
  return !key.empty() && key.size() <= max_meta_key && !key.starts_with("consul-") &&
         std::all_of(key.begin(), key.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

bool is_port(int number) { return number > 0 && number <= 65535; }

}  // namespace

std::string Metadata::get(std::string_view key) const {
  const auto found = values.find(std::string(key));
  return found == values.end() ? std::string() : found->second;
}

Metadata metadata_of(const docker::Container& container, std::uint16_t port) {
  Metadata metadata;
  for (auto& entry : entries_of(container)) {
    if (entry.port) {
      if (*entry.port != port) continue;
      metadata.for_this_port.insert(entry.key);
    } else if (metadata.for_this_port.contains(entry.key)) {
      continue;
    }
    metadata.values[entry.key] = std::move(entry.value);
  }
  return metadata;
}

std::vector<docker::ContainerPort> declared_ports(const docker::Container& container) {
  std::set<docker::ContainerPort> ports(container.exposed_ports.begin(), container.exposed_ports.end());
  std::string list;
  for (const auto& entry : entries_of(container)) {
    if (!entry.port && entry.key == "port") list = entry.value;
    if (!entry.port || !is_port(*entry.port)) continue;
    const auto number = static_cast<std::uint16_t>(*entry.port);
    const bool known = std::any_of(ports.begin(), ports.end(), [&](const auto& port) { return port.port == number; });
    if (!known) ports.insert(docker::ContainerPort{number, "tcp"});
  }
  std::set<docker::ContainerPort> given;
  for (std::size_t begin = 0; begin < list.size();) {
    const auto end = std::min(list.find(',', begin), list.size());
    const std::string_view item = std::string_view(list).substr(begin, end - begin);
    const auto slash = item.find('/');
    const auto number = whole_number(item.substr(0, slash));
    if (number && is_port(*number)) {
      const bool udp = slash != std::string_view::npos && item.substr(slash) == "/udp";
      given.insert(docker::ContainerPort{static_cast<std::uint16_t>(*number), udp ? "udp" : "tcp"});
    }
    begin = end + 1;
  }
  const auto& chosen = given.empty() ? ports : given;
  return {chosen.begin(), chosen.end()};
}

std::map<std::string, std::string> valid_meta(const std::map<std::string, std::string>& values) {
  std::map<std::string, std::string> meta;
  for (const auto& [key, value] : values) {
    if (meta.size() == max_meta_pairs) break;
    if (is_meta_key(key) && value.size() <= max_meta_value) meta.emplace(key, value);
  }
  return meta;
}

}  // namespace devstack::registrator

#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/stack/diagnostics.h"
#include "core/stack/stack_file.h"
#include "core/stack/yaml.h"

/// From tree to typed values: small readers that report a wrong value with its key path and position, and go on, so
/// that one pass finds every error. Private to the room.
namespace devstack::stack {

struct Reading {
  Diagnostics& report;
  const Environment& environment;  ///< for bare keys of `environment` and for `~`
  std::string project_dir;
};

/// One key of a map and who reads it.
template <class T>
struct Field {
  std::string_view name;
  void (*read)(T& into, const Node& value, const Reading& in);
};

/// A key that Compose has and this program refuses for now; `instead` says what to do about it.
struct Unsupported {
  std::string_view name;
  std::string_view instead = "remove it";
};

/// Reports what is wrong with the keys of a map: not supported, or unknown with the nearest known one. `x-…` passes.
void report_key(const Entry& entry, const Node& map, std::span<const std::string_view> known,
                std::span<const Unsupported> unsupported, const Reading& in);
/// False (and reported) when `node` is not a map; null counts as an empty one.
bool expect_map(const Node& node, const Reading& in);

/// Reads every key of `map` by the table.
template <class T>
void read_fields(const Node& map, T& into, std::span<const Field<T>> fields, std::span<const Unsupported> unsupported,
                 const Reading& in) {
  if (!expect_map(map, in)) return;
  std::vector<std::string_view> known;
  for (const auto& field : fields) known.push_back(field.name);
  for (const auto& entry : map.entries) {
    const Field<T>* found = nullptr;
    for (const auto& field : fields) {
      if (field.name == entry.key) found = &field;
    }
    if (found != nullptr) {
      found->read(into, entry.value, in);
    } else {
      report_key(entry, map, known, unsupported, in);
    }
  }
}

/// Each returns nothing after reporting: "services.web.ports: expected a list, found a string".
std::optional<std::string> read_text(const Node& node, const Reading& in);
std::optional<long> read_number(const Node& node, long least, long most, const Reading& in);
std::optional<bool> read_switch(const Node& node, const Reading& in);
std::optional<std::chrono::nanoseconds> read_duration(const Node& node, const Reading& in);
std::optional<std::string> read_choice(const Node& node, std::span<const std::string_view> choices, const Reading& in);
/// A list of scalars.
std::vector<std::string> read_texts(const Node& node, const Reading& in);
/// A list of scalars, or one scalar.
std::vector<std::string> read_text_or_texts(const Node& node, const Reading& in);
/// A map of scalars; null is "".
std::map<std::string, std::string> read_text_map(const Node& node, const Reading& in);
void wrong_type(const Node& node, std::string_view expected, const Reading& in);

bool is_ip_address(std::string_view text);
/// Absolute, without `.` and `..`; `~` is $HOME; a relative path is below the project's folder.
std::string absolute_path(const std::string& path, const Reading& in);

// --- services.cc and its parts ---
ServiceSpec read_service(const Entry& entry, const Reading& in);
void read_healthcheck(std::optional<Healthcheck>& into, const Node& node, const Reading& in);
std::vector<PortMapping> read_ports(const Node& node, const Reading& in);
std::vector<Mount> read_volumes(const Node& node, const Reading& in);
std::vector<Dependency> read_depends_on(const Node& node, const Reading& in);
/// `command: text` of a container is split into words, of a process it is given to /bin/sh.
std::vector<std::string> read_container_command(const Node& node, const Reading& in);
std::vector<std::string> read_process_command(const Node& node, const Reading& in);
/// One Compose port in its short form; the error has no position.
Result<std::vector<PortMapping>> parse_port(std::string_view text);

// --- components.cc ---
/// Whether the key is one of ours (bridge, registry, dns, …).
bool is_component_key(std::string_view key);
std::span<const std::string_view> component_keys();
void read_component(const Entry& entry, StackFile& into, const Reading& in);

// --- validate.cc ---
/// Rules that look at more than one value. `root` says where things stand.
void validate(StackFile& file, const Node& root, const Reading& in);

/// Service names, dependencies first, by name where the order is free; Errc::stack_file names a cycle `a -> b -> a`.
Result<std::vector<std::string>> start_order(const std::map<std::string, ServiceSpec>& services);

}  // namespace devstack::stack

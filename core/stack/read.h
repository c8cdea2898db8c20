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

/// One key of a map, who reads it, and the name of what its value looks like in the JSON Schema.
template <class T>
struct Field {
  std::string_view name;
  void (*read)(T& into, const Node& value, const Reading& in);
  std::string_view shape = "any";
};

/// A key that Compose has and this program refuses; `instead` says what to do about it.
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
/// What YAML and Compose take for a switch: true, yes, on, 1 and their contraries.
std::optional<bool> as_switch(std::string_view text);
std::optional<bool> read_switch(const Node& node, const Reading& in);
std::optional<std::chrono::nanoseconds> read_duration(const Node& node, const Reading& in);
std::optional<std::string> read_choice(const Node& node, std::span<const std::string_view> choices, const Reading& in);
/// A list of scalars.
Texts read_texts(const Node& node, const Reading& in);
/// A list of scalars, or one scalar.
Texts read_text_or_texts(const Node& node, const Reading& in);
/// A map of scalars; null is "".
TextMap read_text_map(const Node& node, const Reading& in);
void wrong_type(const Node& node, std::string_view expected, const Reading& in);
/// Nothing for null, the items of a list; anything else is reported and counts as nothing.
std::span<const Node> read_items(const Node& node, const Reading& in);

bool is_ip_address(std::string_view text);
/// Absolute, without `.` and `..`; `~` is $HOME; a relative path is below the project's folder.
std::string absolute_path(const std::string& path, const Reading& in);
/// "; did you mean \"…\"?" or nothing.
std::string hint(std::string_view word, std::span<const std::string_view> candidates);

// --- quantities.cc ---
/// Bytes: 1073741824, "512m", "1.5g", "64kb".
std::optional<std::int64_t> read_size(const Node& node, const Reading& in);
/// The same, or -1 for no limit.
std::optional<std::int64_t> read_size_or_unlimited(const Node& node, const Reading& in);
/// Cores, exactly: 2, 0.5, "1.25".
std::optional<std::int64_t> read_nano_cpus(const Node& node, const Reading& in);
/// CPU time in microseconds: 50000, or a span like "50ms".
std::optional<std::int64_t> read_microseconds(const Node& node, const Reading& in);
/// Permission bits in octal: 0440, "0440", "440", 0o440. A plain 440 could be meant as decimal and is refused.
std::optional<std::uint32_t> read_mode(const Node& node, const Reading& in);
void read_ulimits(std::map<std::string, Ulimit>& into, const Node& node, const Reading& in);

// --- pairs.cc ---
/// A map, or a list of K=V, with keys without a value apart.
struct Pairs {
  TextMap values;
  Texts bare;
};
Pairs read_pairs(const Node& node, const Reading& in);
/// The same where a bare key has the value that the variable has outside; one that has none is left out.
TextMap read_variables(const Node& node, const Reading& in);
/// The same where a bare key has the value "".
TextMap read_labels(const Node& node, const Reading& in);
/// `environment` over `env_file`, `labels` over `label_file`.
TextMap read_environment(const Node& service, const Reading& in);
TextMap read_service_labels(const Node& service, const Reading& in);

// --- service.cc and its parts ---
ServiceSpec read_service(const Entry& entry, const Reading& in);
/// The keys that a service may have.
std::span<const std::string_view> service_keys();
/// What only a host process has, and what it cannot have; called once all keys are read.
void read_process(ServiceSpec& service, const Node& node, const Reading& in);
void read_process_keys(ServiceSpec& service, const Node& node, const Reading& in);
void read_healthcheck(std::optional<Healthcheck>& into, const Node& node, const Reading& in);
void read_restart(ServiceSpec& service, const Node& node, const Reading& in);
std::vector<PortMapping> read_ports(const Node& node, const Reading& in);
std::vector<Mount> read_volumes(const Node& node, const Reading& in);
Texts read_volumes_from(const Node& node, const Reading& in);
std::vector<Dependency> read_depends_on(const Node& node, const Reading& in);
/// What links, volumes_from and namespaces of other services make it depend on, unless it says so itself.
void add_implied_dependencies(ServiceSpec& service);
/// `command: text` of a container is split into words, of a process it is given to /bin/sh.
Texts read_container_command(const Node& node, const Reading& in);
Texts read_process_command(const Node& node, const Reading& in);
/// One Compose port in its short form; the error has no position.
Result<std::vector<PortMapping>> parse_port(std::string_view text);
std::vector<NetworkAttachment> read_attachments(const Node& node, const Reading& in);
void read_network_mode(ServiceSpec& service, const Node& node, const Reading& in);
Texts read_extra_hosts(const Node& node, const Reading& in);
Texts read_dns_servers(const Node& node, const Reading& in);
/// "name[:alias]"
Texts read_links(const Node& node, const Reading& in);
std::vector<Device> read_devices(const Node& node, const Reading& in);
/// pid, ipc, uts, cgroup: one of `words`, or service:NAME and container:NAME where `joins`.
std::string read_namespace(const Node& node, std::span<const std::string_view> words, bool joins, const Reading& in);
void read_deploy(ServiceSpec& service, const Node& node, const Reading& in);
void read_build(std::optional<BuildSettings>& into, const Node& node, const Reading& in);
std::vector<WatchRule> read_develop(const Node& node, const Reading& in);
std::vector<Hook> read_hooks(const Node& node, const Reading& in);
std::vector<Hook> read_steps(const Node& node, const Reading& in);
/// `configs` or `secrets` of a service; a target that is not absolute is below `folder`.
std::vector<FileGrant> read_grants(const Node& node, std::string_view folder, const Reading& in);

// --- definitions.cc ---
/// Top-level networks, volumes, configs and secrets; other keys are none of its business (false).
bool read_definitions(const Entry& entry, StackFile& into, const Reading& in);
/// Names in the engine, and the network "default" where a service is on it: once the project's name and the services
/// are known.
void complete_definitions(StackFile& file);
std::span<const std::string_view> definition_keys();

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

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/stack/service_spec.h"

/// stack.yaml as typed values: the Compose specification's services plus our component keys (top level, or under
/// `x-devstack:`). Every value remembers nothing of YAML; positions are used while reading, for errors.
/// https://docs.docker.com/reference/compose-file/ Values; any thread.
namespace devstack::stack {

struct RegistrySettings {
  std::string engine = "embedded";  ///< embedded | consul | container | external
  std::string node;                 ///< "" = hostname
  std::string datacenter = "dc1";
  std::uint16_t http = 8500;
  std::vector<std::string> bind{"bridge", "loopback"};  ///< bridge | loopback | an IP address
  std::string advertise = "auto";                       ///< auto | an IP address
  std::string address;                                  ///< engine external: where it is
  bool ephemeral = false;
  bool enable_script_checks = false;      ///< script and Docker checks may run commands, whoever registered them
  std::map<std::string, std::string> kv;  ///< seeded once, never overwriting
};

struct DnsSettings {
  bool enabled = true;
  std::uint16_t port = 53;
  bool port_given = false;  ///< an explicit port never falls back
  std::vector<std::string> bind{"bridge", "loopback"};
  std::vector<std::string> recursors{"auto"};               ///< auto | none | ip[:port]
  std::map<std::string, std::vector<std::string>> servers;  ///< domain to ip[:port], before the recursors; none: nobody
  bool random_case = false;
  std::chrono::nanoseconds node_ttl{0};
  std::map<std::string, std::chrono::nanoseconds> service_ttl;  ///< by name, "prefix*" or "*"
  bool only_passing = false;                                    ///< leave out instances with a warning, too
  std::uint16_t udp_answer_limit = 3;                           ///< over UDP without EDNS
  std::uint16_t a_record_limit = 0;                             ///< 0: no limit
  int workers = 0;  ///< threads that answer; 0 (auto): by the machine's cores
  std::vector<std::string> domains{"consul"};
  std::map<std::string, std::string> records;
};

struct RegistratorSettings {
  bool enabled = true;
  std::string mode = "internal";   ///< internal | published
  std::string ip;                  ///< forces the address in published mode
  std::string compat = "current";  ///< current | 2015: no service address where it is the node's, as old Registrator
};

struct ProxySettings {
  std::string engine = "haproxy";  ///< haproxy | nginx | none
  std::uint16_t http = 80;
  bool http_given = false;
  std::vector<std::string> bind{"bridge", "loopback"};
  std::string domain = "localhost";
};

struct UiSettings {
  bool enabled = true;
  std::uint16_t port = 7500;
  std::vector<std::string> bind{"loopback"};
};

struct TemplateEntry {
  std::string source;       ///< absolute after reading; "" when `contents` is given
  std::string contents;     ///< the template itself, written in the stack file; never interpolated
  std::string destination;  ///< absolute after reading
  std::string command;
  std::string check;  ///< run on the new file before the swap; non-zero keeps the old one
  std::string perms;
};

struct StackFile {
  std::string path;                ///< absolute; of the first, where there are several
  Texts files;                     ///< all that were read: -f, the override, extends, include
  Texts config_files;              ///< -f, or what was found with the override: absolute, or "-"
  Texts env_files;                 ///< absolute: what fills in ${NAME} beside the environment
  std::string project;             ///< [a-z0-9][a-z0-9_-]*
  std::string project_dir;         ///< absolute; relative paths of the file are relative to it
  std::string bridge = "docker0";  ///< interface name or address
  RegistrySettings registry;
  DnsSettings dns;
  RegistratorSettings registrator;
  ProxySettings proxy;
  UiSettings ui;
  std::vector<TemplateEntry> templates;
  std::map<std::string, ServiceSpec> services;  ///< those whose profiles are active
  std::map<std::string, ServiceSpec> inactive;  ///< the others, checked too
  std::map<std::string, NetworkDef> networks;   ///< by key; "default" where a service is on it
  std::map<std::string, VolumeDef> volumes;
  std::map<std::string, FileDef> configs, secrets;
  std::vector<std::string> warnings;  ///< "stack.yaml:1:1: …"
};

/// Values for ${NAME}: the process environment first, then env files.
using Environment = std::map<std::string, std::string>;

struct LoadOptions {
  /// -f; "-" is standard input; empty: search stack.yaml, then Compose's names, walking up from `cwd`, and take the
  /// override file beside it. Several are merged, a later one wins.
  std::vector<std::string> files;
  std::string stdin_text;  ///< what `-f -` stands for: read by the caller
  std::string cwd;
  std::string project;            ///< -p; "" = COMPOSE_PROJECT_NAME, the file's name:, else the directory's name
  std::string project_directory;  ///< "" = the first file's folder
  Texts profiles;                 ///< --profile, besides COMPOSE_PROFILES; "*" = all
  Texts env_files;                ///< --env-file, instead of .env; a later one wins
  Texts targets;                  ///< services that were named: their profiles count as active
  Environment environment;
};

/// Finds, reads, interpolates, merges, normalises and validates. All errors of all files in one Error, a line each,
/// each with its own `file:line:column: ` (the Error's own position is the first's). Errc::stack_file; Errc::not_found
/// when a target is no service.
Result<StackFile> load(const LoadOptions& options);
/// The same from text, for tests; `name` stands for the file in errors.
Result<StackFile> parse(std::string_view text, std::string_view name, const LoadOptions& options);
/// The same from several texts, merged like several files.
struct NamedText {
  std::string name, text;
};
Result<StackFile> parse(const std::vector<NamedText>& texts, const LoadOptions& options);

/// The resolved file as `devstack config` prints it.
std::string to_yaml(const StackFile& file);
std::string to_json(const StackFile& file);

}  // namespace devstack::stack

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/source_pos.h"

/// A service of the stack file as typed values: Compose's keys, and ours for host processes. Sizes are bytes, spans
/// nanoseconds, paths absolute; what was not given has the value that it has here and is told to no engine.
/// https://docs.docker.com/reference/compose-file/services/ Values; any thread.
namespace devstack::stack {

using Texts = std::vector<std::string>;
using TextMap = std::map<std::string, std::string>;

struct PortMapping {
  std::string host_ip;          ///< "" = every interface
  std::uint16_t published = 0;  ///< 0 = the engine chooses
  std::uint16_t target = 0;
  std::string protocol = "tcp";
  std::uint16_t published_last = 0;  ///< not 0: the engine takes a free one of published..published_last
  std::string name{}, app_protocol{};
  friend bool operator==(const PortMapping&, const PortMapping&) = default;
};

enum class MountKind { bind, volume, tmpfs, image };
struct Mount {
  MountKind kind = MountKind::bind;
  std::string source;  ///< bind: a path; volume: a key of `volumes`, "" for an anonymous one; image: its name
  std::string target;  ///< absolute, in the container
  bool read_only = false;
  bool create_host_path = true;  ///< bind: a missing source becomes a folder
  std::string propagation;       ///< bind: rprivate, private, rshared, shared, rslave, slave
  std::string selinux;           ///< bind: "z" or "Z"
  bool nocopy = false;           ///< volume: do not fill it with what the image has there
  std::string subpath;           ///< volume, image
  std::int64_t tmpfs_size = 0;
  std::uint32_t tmpfs_mode = 0;  ///< 0: the engine's (1777)
  friend bool operator==(const Mount&, const Mount&) = default;
};

/// A service on one network.
struct NetworkAttachment {
  std::string network;  ///< a key of `networks`, or "default"
  Texts aliases;        ///< beside the service's and the container's name
  std::string ipv4_address, ipv6_address, mac_address, interface_name;
  Texts link_local_ips;
  TextMap driver_opts;
  int priority = 0;     ///< the highest one is connected first
  int gw_priority = 0;  ///< the highest one is the default route
  friend bool operator==(const NetworkAttachment&, const NetworkAttachment&) = default;
};

/// A config or secret in a container.
struct FileGrant {
  std::string source;  ///< a key of `configs` or `secrets`
  std::string target;  ///< absolute
  std::string uid, gid;
  std::optional<std::uint32_t> mode;
  friend bool operator==(const FileGrant&, const FileGrant&) = default;
};

struct Ulimit {
  std::int64_t soft = 0, hard = 0;  ///< -1: unlimited
  friend bool operator==(const Ulimit&, const Ulimit&) = default;
};

struct Device {
  std::string source, target, permissions = "rwm";
  friend bool operator==(const Device&, const Device&) = default;
};

struct Logging {
  std::string driver;
  TextMap options;
  friend bool operator==(const Logging&, const Logging&) = default;
};

/// post_start and pre_stop: a command in the running container. pre_start: a step, a command in a container of its own
/// that ends before the service's container starts. https://docs.docker.com/reference/compose-file/services/#pre_start
struct Hook {
  Texts command;
  std::string user, working_dir;  ///< "": the service's
  bool privileged = false;
  TextMap environment;       ///< beside the service's
  std::string image;         ///< of a step; "": the service's
  bool per_replica = false;  ///< a step: before each instance starts, not once for the service
  friend bool operator==(const Hook&, const Hook&) = default;
};

struct BuildSettings {
  std::string context;            ///< a folder, or a URL that the engine fetches
  std::string dockerfile;         ///< "" = Dockerfile; relative to the context, or absolute
  std::string dockerfile_inline;  ///< instead of a file
  TextMap args, labels, additional_contexts;
  Texts cache_from, cache_to, extra_hosts, platforms, tags, secrets, ssh;
  std::string target, network;
  bool no_cache = false, pull = false, privileged = false;
  std::int64_t shm_size = 0;
  std::map<std::string, Ulimit> ulimits;
  friend bool operator==(const BuildSettings&, const BuildSettings&) = default;
};

/// develop.watch
struct WatchRule {
  std::string action;  ///< rebuild, restart, sync, sync+restart, sync+exec
  std::string path, target;
  Texts ignore, include;
  std::optional<Hook> exec;
  bool initial_sync = false;  ///< sync everything once at the start
  friend bool operator==(const WatchRule&, const WatchRule&) = default;
};

/// What a container may use. 0: as much as there is.
struct Resources {
  std::int64_t nano_cpus = 0;
  std::int64_t cpu_shares = 0, cpu_period = 0, cpu_quota = 0;
  std::string cpuset;
  std::int64_t memory = 0, memory_reservation = 0;
  std::int64_t memory_and_swap = 0;  ///< -1: no limit of swap
  std::optional<int> swappiness;
  std::int64_t pids = 0;  ///< -1: no limit
  int oom_score_adj = 0;
  bool oom_kill_disable = false;
  friend bool operator==(const Resources&, const Resources&) = default;
};

/// Linux namespaces, rights and other settings of a container that pass through to the engine as they are.
struct Isolation {
  Texts cap_add, cap_drop, security_opt, group_add, device_cgroup_rules;
  bool privileged = false, read_only = false, init = false, tty = false, stdin_open = false;
  std::vector<Device> devices;
  std::string pid, ipc, uts, cgroup, cgroup_parent;  ///< "", host, private, shareable, service:NAME, container:NAME
  std::string runtime;
  std::int64_t shm_size = 0;
  std::map<std::string, Ulimit> ulimits;
  TextMap sysctls, annotations;
  friend bool operator==(const Isolation&, const Isolation&) = default;
};

struct Healthcheck {
  Texts test;  ///< {"CMD", …} | {"CMD-SHELL", "…"} | {"NONE"}; empty: the image's own
  std::chrono::nanoseconds interval{std::chrono::seconds(30)};
  std::chrono::nanoseconds timeout{std::chrono::seconds(30)};
  std::chrono::nanoseconds start_period{0};
  int retries = 3;
  std::chrono::nanoseconds start_interval{0};  ///< between probes during start_period; 0: the engine's
  friend bool operator==(const Healthcheck&, const Healthcheck&) = default;
};

enum class DependencyCondition { started, healthy, completed_successfully };
struct Dependency {
  std::string service;
  DependencyCondition condition = DependencyCondition::started;
  bool required = true;
  bool restart = false;  ///< restarted and replaced together with `service` when a user asks for that
  friend bool operator==(const Dependency&, const Dependency&) = default;
};

/// x-devstack.wait_for: what must be true in the registry before the service starts.
struct WaitFor {
  Texts services;  ///< names with at least one passing instance
  Texts keys;      ///< keys of the KV store that are there
  friend bool operator==(const WaitFor&, const WaitFor&) = default;
};

struct RestartPolicy {
  enum class Kind { no, always, on_failure, unless_stopped };
  Kind kind = Kind::no;
  int max_retries = 0;                    ///< on-failure:N; 0 = without limit
  std::chrono::nanoseconds delay{0};      ///< before the first restart, doubled each time; 0: 100 ms
  std::chrono::nanoseconds max_delay{0};  ///< 0: a minute
  friend bool operator==(const RestartPolicy&, const RestartPolicy&) = default;
};

/// The process side of a service: of one without `image`, or what stands in for the image where no engine is.
struct ProcessSettings {
  Texts command;           ///< argv; a string in the file becomes {"/bin/sh", "-c", text}
  bool auto_port = false;  ///< x-process.port: auto
  std::uint16_t port = 0;  ///< given to it as $PORT and registered; 0 and !auto_port: none
  /// x-process.healthcheck: of the stand-in for an image, whose own check is about the inside of its container.
  std::optional<Healthcheck> healthcheck;
  std::optional<Healthcheck> liveness;  ///< failing restarts it; a failing `healthcheck` only takes it out of use
  std::string ready_log_line;           ///< an RE2 expression: ready once a line of its output matches
  Texts stop_command;                   ///< run instead of sending stop_signal; $PID is the process
  Texts watch;                          ///< paths whose change restarts it
  std::chrono::nanoseconds every{0};    ///< run once each such span, instead of all the time; 0: no schedule
  friend bool operator==(const ProcessSettings&, const ProcessSettings&) = default;
};

struct ServiceSpec {
  std::string name;
  std::string image;  ///< "" and no build = a host process
  std::optional<BuildSettings> build;
  Texts command;  ///< containers; a string is split into words as a shell would
  Texts entrypoint;
  bool no_entrypoint = false;  ///< `entrypoint: []` or "": not even the image's
  bool no_command = false;     ///< `command: []` or "": not even the image's
  std::optional<ProcessSettings> process;
  std::vector<PortMapping> ports;
  Texts expose;
  bool publish_all = false;            ///< x-devstack.publish_all
  TextMap environment;                 ///< env_file's below environment's
  TextMap labels;                      ///< label_file's below labels'
  std::vector<Dependency> depends_on;  ///< also what links, volumes_from and service:NAME make it depend on
  WaitFor wait_for;
  std::optional<Healthcheck> healthcheck;
  RestartPolicy restart;
  std::vector<Mount> volumes;
  Texts volumes_from;                       ///< "service[:ro]" or "container:name[:ro]"
  Texts tmpfs;                              ///< "path[:options]"
  std::vector<NetworkAttachment> networks;  ///< empty: "default", unless network_mode is given
  std::string network_mode;                 ///< "", bridge, host, none, service:NAME, container:NAME
  Texts links, external_links;              ///< "service[:alias]"
  std::vector<FileGrant> configs, secrets;
  Texts dns, dns_search, dns_opt, extra_hosts;
  std::string container_name, hostname, domainname, user, working_dir, mac_address, platform;
  std::string pull_policy;  ///< "", always, never, missing, build, daily, weekly, every_<span>
  std::string stop_signal;  ///< "" = the image's, or SIGTERM
  std::chrono::nanoseconds stop_grace_period{std::chrono::seconds(10)};
  Resources resources;
  Isolation isolation;
  std::optional<Logging> logging;
  std::vector<Hook> pre_start, post_start, pre_stop;
  std::vector<WatchRule> watch;  ///< develop.watch
  Texts profiles;
  bool attach = true;  ///< its output is shown by `up --foreground`
  int scale = 1;       ///< scale, or deploy.replicas
  SourcePos at;

  /// A container where there is an engine.
  [[nodiscard]] bool containerised() const { return !image.empty() || build.has_value(); }
  friend bool operator==(const ServiceSpec&, const ServiceSpec&) = default;
};

/// Top level `networks`.
struct NetworkDef {
  std::string key;
  std::string name;  ///< in the engine: "<project>_<key>", or as given
  bool external = false;
  std::string driver;
  TextMap driver_opts, labels;
  bool attachable = false, internal = false;
  std::optional<bool> enable_ipv4, enable_ipv6;
  struct Pool {
    std::string subnet, ip_range, gateway;
    TextMap aux_addresses;
    friend bool operator==(const Pool&, const Pool&) = default;
  };
  std::string ipam_driver;
  TextMap ipam_options;
  std::vector<Pool> pools;
  friend bool operator==(const NetworkDef&, const NetworkDef&) = default;
};

/// Top level `volumes`.
struct VolumeDef {
  std::string key;
  std::string name;  ///< in the engine: "<project>_<key>", or as given
  bool external = false;
  std::string driver;
  TextMap driver_opts, labels;
  friend bool operator==(const VolumeDef&, const VolumeDef&) = default;
};

/// Top level `configs` and `secrets`: exactly one of file, environment, content and external.
struct FileDef {
  std::string key;
  std::string name;
  bool external = false;
  std::string file;         ///< absolute
  std::string environment;  ///< a variable whose value it is
  std::string content;      ///< the value: given so, or the variable's
  friend bool operator==(const FileDef&, const FileDef&) = default;
};

}  // namespace devstack::stack

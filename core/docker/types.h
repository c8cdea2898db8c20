#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

/// The parts of the Docker Engine API's objects that we use, typed (https://docs.docker.com/engine/api/v1.41/ and up).
/// Read from `Networks[*]` and `Type`/`Action`/`Actor`: engine 29 dropped the older fields. Values; any thread.
namespace devstack::docker {

using StringMap = std::map<std::string, std::string>;
/// "" where there is no such label.
std::string find_label(const StringMap& labels, const std::string& name);

struct PortBinding {
  std::string host_ip;          ///< "" or "0.0.0.0": every interface
  std::uint16_t host_port = 0;  ///< 0: the engine chooses
  std::uint16_t last_port = 0;  ///< not 0: one of host_port..last_port
  friend bool operator==(const PortBinding&, const PortBinding&) = default;
};

struct ContainerPort {
  std::uint16_t port = 0;
  std::string protocol = "tcp";  ///< tcp | udp | sctp
  friend auto operator<=>(const ContainerPort&, const ContainerPort&) = default;
};
Result<ContainerPort> parse_container_port(std::string_view text);  ///< "80/tcp", "80"
std::string to_string(const ContainerPort& port);                   ///< "80/tcp"

struct EndpointSettings {
  std::string network_id;
  std::string ip_address;
  std::string ipv6_address;
  std::string gateway;
  std::vector<std::string> aliases;
};

/// A mount of a container that is there.
struct MountPoint {
  std::string type;    ///< bind, volume, tmpfs
  std::string name;    ///< of a volume
  std::string source;  ///< a path of the host
  std::string target;
  bool read_only = false;
};

struct HealthReport {
  std::string status;  ///< "" (none), starting, healthy, unhealthy
  int failing_streak = 0;
  std::vector<std::string> outputs;  ///< of the last probes, oldest first
};

/// GET /containers/{id}/json
struct Container {
  std::string id;
  std::string name;   ///< without the leading '/'
  std::string image;  ///< as given: "redis:7"
  std::string image_id;
  std::string hostname;
  bool tty = false;              ///< its log stream is raw, not framed
  std::vector<std::string> env;  ///< image's merged in
  StringMap labels;
  std::vector<ContainerPort> exposed_ports;
  std::map<ContainerPort, std::vector<PortBinding>> ports;  ///< an exposed, unpublished port has no bindings
  std::string network_mode, pid_mode, ipc_mode;
  std::vector<MountPoint> mounts;
  std::vector<std::string> dns;  ///< servers of its own; empty: the engine's
  std::map<std::string, EndpointSettings> networks;
  std::string status;  ///< created running paused restarting removing exited dead
  bool running = false;
  int exit_code = 0;
  std::int64_t pid = 0;
  std::string error;
  std::string started_at, finished_at;
  HealthReport health;
  std::string restart_policy;
  std::string stop_signal;                           ///< "" = SIGTERM
  std::optional<std::chrono::seconds> stop_timeout;  ///< nothing: the engine's default; negative: it is never killed
};

/// One row of GET /containers/json
struct ContainerSummary {
  std::string id;
  std::vector<std::string> names;  ///< without '/'
  std::string image;
  std::string state;
  std::string status;
  StringMap labels;
};

/// One message of GET /events
struct Event {
  std::string type;    ///< container network image …
  std::string action;  ///< start die kill health_status: healthy …
  std::string actor_id;
  StringMap attributes;
  std::int64_t time_nano = 0;
};

struct HealthcheckConfig {
  std::vector<std::string> test;  ///< {"CMD", …}, {"CMD-SHELL", …}, {"NONE"}
  std::chrono::nanoseconds interval{0}, timeout{0}, start_period{0};
  std::chrono::nanoseconds start_interval{0};  ///< told to engines of API 1.44 and newer
  int retries = 0;
};

/// A mount that a bind's short form cannot say.
struct MountSpec {
  std::string type;  ///< bind, volume, tmpfs, image
  std::string source, target;
  bool read_only = false;
  std::string propagation;
  bool nocopy = false;
  std::string subpath;  ///< volume, image; engines of API 1.45 and newer
  std::int64_t tmpfs_size = 0;
  std::uint32_t tmpfs_mode = 0;
};

/// A container on one user-defined network.
struct EndpointSpec {
  std::string network;
  std::vector<std::string> aliases, links, link_local_ips;
  std::string ipv4_address, ipv6_address, mac_address;
  StringMap driver_opts;
  int gw_priority = 0;  ///< told to engines of API 1.48 and newer
};

struct UlimitSpec {
  std::string name;
  std::int64_t soft = 0, hard = 0;
};

struct DeviceSpec {
  std::string source, target, permissions;
};

/// Limits of a container; 0: none is told to the engine.
struct ResourceSpec {
  std::int64_t nano_cpus = 0, cpu_shares = 0, cpu_period = 0, cpu_quota = 0;
  std::string cpuset;
  std::int64_t memory = 0, memory_reservation = 0, memory_and_swap = 0;
  std::optional<int> swappiness;
  std::int64_t pids = 0;
  int oom_score_adj = 0;
  bool oom_kill_disable = false;
};

/// What POST /containers/create needs.
struct ContainerSpec {
  std::string name;
  std::string image;
  std::string platform;                          ///< "linux/arm64"; "": the engine's
  std::vector<std::string> command, entrypoint;  ///< empty: the image's
  bool no_entrypoint = false;                    ///< not even the image's
  bool no_command = false;
  std::vector<std::string> env;
  StringMap labels;
  std::vector<ContainerPort> exposed_ports;
  std::map<ContainerPort, std::vector<PortBinding>> port_bindings;
  bool publish_all = false;
  std::string network;                  ///< "" = bridge; name of a user-defined one; host, none, container:ID
  std::vector<std::string> aliases;     ///< on `network`, where `endpoints` is empty
  std::vector<EndpointSpec> endpoints;  ///< the first one is `network`'s
  std::vector<std::string> links;       ///< "container:alias", on the engine's own bridge
  std::vector<std::string> dns, dns_search, dns_options;
  std::vector<std::string> binds;  ///< "src:dst[:ro]"
  std::vector<MountSpec> mounts;
  std::vector<std::string> volumes;  ///< paths of anonymous volumes
  std::vector<std::string> volumes_from;
  std::string hostname, domainname, mac_address, user, working_dir, stop_signal;
  std::optional<int> stop_timeout_seconds;
  std::optional<HealthcheckConfig> healthcheck;
  std::string restart_policy;  ///< "", no, always, on-failure[:n], unless-stopped
  bool init = false, tty = false, stdin_open = false, stdin_once = false, read_only = false, privileged = false;
  bool auto_remove = false;
  std::vector<std::string> cap_add, cap_drop, extra_hosts, tmpfs, security_opt, group_add, device_cgroup_rules;
  std::vector<DeviceSpec> devices;
  std::string pid_mode, ipc_mode, uts_mode, cgroupns_mode, cgroup_parent, runtime;
  std::int64_t shm_size = 0;
  std::vector<UlimitSpec> ulimits;
  StringMap sysctls;
  StringMap annotations;  ///< told to engines of API 1.43 and newer
  ResourceSpec resources;
  std::string log_driver;
  StringMap log_options;
};

struct PoolSpec {
  std::string subnet, ip_range, gateway;
  StringMap aux_addresses;
};

/// What POST /networks/create needs.
struct NetworkSpec {
  std::string name, driver;  ///< "": bridge
  StringMap driver_opts, labels;
  bool internal = false, attachable = false;
  std::optional<bool> enable_ipv4, enable_ipv6;
  std::string ipam_driver;
  StringMap ipam_options;
  std::vector<PoolSpec> pools;
};

struct VolumeSpec {
  std::string name, driver;  ///< "": local
  StringMap driver_opts, labels;
};

struct Volume {
  std::string name, driver, mountpoint;
  StringMap labels;
};

struct Network {
  std::string id, name, driver;
  StringMap labels;
  std::vector<std::string> gateways;
  std::vector<std::string> containers;  ///< ids of those on it; only from inspect_network()
};

struct Image {
  std::string id;
  std::vector<std::string> tags, digests;
  StringMap labels;
  std::vector<std::string> entrypoint;  ///< only from inspect_image()
  std::string created;                  ///< RFC 3339
  std::int64_t size = 0;
};

/// A step of a pull or a build.
struct ImageProgress {
  std::string image;                    ///< what is pulled, or the name of what is built
  std::string layer;                    ///< "": of the image as a whole
  std::string status;                   ///< "Downloading", "Pull complete"; a line of a build's output
  std::int64_t current = 0, total = 0;  ///< bytes; total 0: not known
};

/// GET /containers/{id}/top
struct ProcessTable {
  std::vector<std::string> titles;
  std::vector<std::vector<std::string>> rows;
};

struct EngineInfo {
  std::string version;      ///< "20.10.24"
  std::string api_version;  ///< the negotiated one
};

}  // namespace devstack::docker

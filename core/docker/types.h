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

struct PortBinding {
  std::string host_ip;          ///< "" or "0.0.0.0": every interface
  std::uint16_t host_port = 0;  ///< 0: the engine chooses
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
  std::string network_mode;
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
  std::string stop_signal;  ///< "" = SIGTERM
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
  int retries = 0;
};

/// What POST /containers/create needs.
struct ContainerSpec {
  std::string name;
  std::string image;
  std::vector<std::string> command, entrypoint;  ///< empty: the image's
  std::vector<std::string> env;
  StringMap labels;
  std::vector<ContainerPort> exposed_ports;
  std::map<ContainerPort, std::vector<PortBinding>> port_bindings;
  bool publish_all = false;
  std::string network;  ///< "" = bridge; name of a user-defined one
  std::vector<std::string> aliases;
  std::vector<std::string> dns, dns_search;
  std::vector<std::string> binds;  ///< "src:dst[:ro]"
  std::string hostname, user, working_dir, stop_signal;
  std::optional<int> stop_timeout_seconds;
  std::optional<HealthcheckConfig> healthcheck;
  std::string restart_policy;  ///< "", no, always, on-failure[:n], unless-stopped
  bool init = false, tty = false, read_only = false, privileged = false;
  std::vector<std::string> cap_add, cap_drop, extra_hosts, tmpfs;
};

struct Network {
  std::string id, name, driver;
  StringMap labels;
  std::vector<std::string> gateways;
};

struct Image {
  std::string id;
  std::vector<std::string> tags;
  StringMap labels;
};

struct EngineInfo {
  std::string version;      ///< "20.10.24"
  std::string api_version;  ///< the negotiated one
};

}  // namespace devstack::docker

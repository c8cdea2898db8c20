#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/docker/types.h"
#include "core/stack/plan.h"

/// What a planned container becomes in the Engine API: name, labels, networks, mounts, ports. Pure.
namespace devstack::supervisor {

namespace label {
inline constexpr const char* project = "io.devstack.project";
inline constexpr const char* unit = "io.devstack.unit";
inline constexpr const char* service = "io.devstack.service";
inline constexpr const char* config_hash = "io.devstack.config-hash";
inline constexpr const char* compose_project = "com.docker.compose.project";
inline constexpr const char* compose_service = "com.docker.compose.service";
inline constexpr const char* one_off = "com.docker.compose.oneoff";  ///< "True": of `run`, and steps
inline constexpr const char* hook = "io.devstack.hook";              ///< "pre_start": of a step
}  // namespace label

/// What all containers of a project share.
struct ContainerContext {
  std::string project;
  std::string project_dir;
  std::vector<std::string> files;      ///< the stack files
  std::vector<std::string> env_files;  ///< absolute
  std::string version;                 ///< of this program
  std::vector<std::string> dns{};      ///< for containers that name none
  std::map<std::string, stack::NetworkDef> networks{};
  std::map<std::string, stack::VolumeDef> volumes{};
  std::map<std::string, stack::Texts> containers{};  ///< names of each service's, in the order of their numbers

  /// The definition of a key, or what an undefined one means: "<project>_<key>", all as the engine has it.
  [[nodiscard]] stack::NetworkDef network(const std::string& key) const;
  [[nodiscard]] stack::VolumeDef volume(const std::string& key) const;
};

/// What is known of one container only when it is made.
struct ContainerDetails {
  std::string image_id;
  std::vector<std::string> image_entrypoint;
  std::vector<std::string> file_binds;              ///< configs and secrets
  std::map<std::string, std::string> kept_volumes;  ///< path to name: anonymous volumes of the one it replaces
  std::map<std::string, std::string> ids;           ///< of the containers whose namespaces it joins, by service
};

/// `<project>-<service>-<number>`, or the service's container_name.
std::string container_name(const stack::PlannedUnit& unit, const std::string& project);
/// The networks that the unit is on, the first one first; none with a network_mode.
std::vector<stack::NetworkAttachment> attachments(const stack::ServiceSpec& service);
/// Services whose namespaces (network, pid, ipc) the service joins.
stack::Texts namespace_parents(const stack::ServiceSpec& service);

/// Without an engine restart policy: the supervisor restarts, so that `down` and its own death mean what they say.
/// Compose's labels are set too, so that `docker compose ps` and `logs` see the container.
docker::ContainerSpec container_spec(const stack::PlannedUnit& unit, const ContainerContext& context,
                                     const ContainerDetails& details = {});

/// With labels, ours and Compose's; one of them tells a definition from a changed one.
docker::NetworkSpec network_spec(const stack::NetworkDef& network, const ContainerContext& context);
docker::VolumeSpec volume_spec(const stack::VolumeDef& volume, const ContainerContext& context);

/// "172.18.0.2:80/tcp" for each exposed port on the container's address, and "127.0.0.1:8080" for each published one.
std::vector<std::string> container_addresses(const docker::Container& container);
/// RFC 3339 as the engine writes it -> Unix seconds; 0 when it cannot be read or is the zero time.
std::int64_t unix_time(const std::string& rfc3339);
/// 16 hex digits that tell texts apart; no seal.
std::string digest(std::string_view text);

}  // namespace devstack::supervisor

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/docker/types.h"
#include "core/registry/types.h"

/// What a container wants to be in the registry: Registrator's dialect of SERVICE_* environment variables and labels
/// (https://gliderlabs.github.io/registrator/latest/user/services/), read from `docker inspect`. Pure; any thread.
///
/// The results are Registrator's, but for these: a container on a user-defined network that publishes a port is
/// registered with the host's address (not with an unreachable pair of container address and host port), the network is
/// chosen by a fixed rule, a container on the host's network may say SERVICE_PORT, Docker's HEALTHCHECK is a check
/// beside the one that SERVICE_CHECK_* defines (checks.h), and a one-off container of Compose's or our `run` is
/// registered only where a SERVICE_NAME says so.
namespace devstack::registrator {

/// Which address and port stand for a container: its own, or the host's where ports are published.
enum class Mode { internal, published };
/// Where a service's name comes from when no SERVICE_NAME says it. `service` is the Compose service's name. A container
/// of a devstack stack (label io.devstack.service) has its service's name with `image` too.
enum class NameFrom { image, service, container };
/// Whether a container that ended by itself with an error stays registered.
enum class DeregisterWhen { always, on_success };

struct RegistratorOptions {
  Mode mode = Mode::internal;
  std::string hostname;  ///< first part of a ServiceID: the node's name
  /// The node's: what a published port is reached at when it is bound to every interface, and where checks of a
  /// service without an address of its own go.
  std::string host_address;
  std::string ip;               ///< -ip: beats host_address and the binding's own address; published mode only
  std::string ip_label;         ///< -useIpFromLabel: the label whose value (a "/mask" is cut) beats all of these
  bool explicit_names = false;  ///< -explicit: only ports with a SERVICE_NAME or SERVICE_x_NAME
  NameFrom name_from = NameFrom::image;
  /// As Registrator in 2015: where a service's address is the node's it is left out, so that SRV records name the node.
  bool omit_host_address = false;
  /// -tags: comma-separated tags for every service of this container; the caller expands its template.
  std::function<std::string(const docker::Container&)> tags;
  DeregisterWhen deregister = DeregisterWhen::always;
  /// For engines that forget Service::source: a service of our node that nobody else owns and whose id looks like
  /// `<hostname>:<container>:<port>` is taken for one of ours, as Registrator's -cleanup does.
  bool adopt_by_id = false;
};

struct Registration {
  registry::Service service;  ///< `node` is the caller's to fill
  std::vector<registry::Check> checks;
};

/// In the order of the container's ports; no two with one service id (the highest port wins, as with Registrator).
/// `network_owner` is the container whose network this one uses (NetworkMode "container:…"), if any.
std::vector<Registration> registrations(const docker::Container& container, const RegistratorOptions& options,
                                        const docker::Container* network_owner = nullptr);

/// The network to be reached on: `preferred` if the container is on it, else its project's own ("<project>_default",
/// then the first "<project>_…"), else "bridge", else the first by name. Networks without an address do not count;
/// nullptr when none is left.
const docker::EndpointSettings* choose_network(const docker::Container& container, const std::string& preferred = {});

/// `a,b\,c` -> {"b,c", "a"}: split at commas, empty ones dropped, nothing trimmed, and reversed, as Registrator does.
std::vector<std::string> split_tags(std::string_view text);

/// Whether `id` has the form that Registrator gives: `<hostname>:<container>:<port>[:udp]`.
bool is_registrator_id(std::string_view id, std::string_view hostname);

/// Service::source of everything registered here.
inline constexpr std::string_view source_name = "registrator";

}  // namespace devstack::registrator

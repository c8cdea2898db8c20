#include "core/registrator/registrations.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "core/registrator/checks.h"
#include "core/registrator/metadata.h"

namespace devstack::registrator {
namespace {

using docker::find_label;

/// One port of a container that can be registered, before metadata has had its say.
struct Candidate {
  docker::ContainerPort port;
  std::string host_ip;
  std::uint16_t host_port = 0;  ///< 0: not published
};

bool shares_network(const docker::Container& container) { return container.network_mode.starts_with("container:"); }

std::vector<Candidate> candidates(const docker::Container& container) {
  // Docker's own port table is empty on the host's network, on another container's and on "none": there EXPOSE is all
  // that is known, and the port is taken to be the same outside.
  const bool host_network = container.network_mode == "host";
  const bool reachable_as_is = host_network || shares_network(container);
  std::map<docker::ContainerPort, Candidate> found;
  for (const auto& port : host_network ? declared_ports(container) : container.exposed_ports) {
    found[port] = Candidate{port, {}, reachable_as_is ? port.port : std::uint16_t{0}};
  }
  for (const auto& [port, bindings] : container.ports) {
    Candidate candidate{port, {}, 0};
    if (!bindings.empty()) {
      candidate.host_ip = bindings.front().host_ip;
      candidate.host_port = bindings.front().host_port;
    }
    found[port] = candidate;
  }
  std::vector<Candidate> out;
  for (auto& [port, candidate] : found) out.push_back(std::move(candidate));
  return out;
}

bool every_interface(std::string_view host_ip) { return host_ip.empty() || host_ip == "0.0.0.0" || host_ip == "::"; }

std::string first_label(const docker::Container& container, std::initializer_list<const char*> names) {
  for (const auto* name : names) {
    if (auto value = find_label(container.labels, name); !value.empty()) return value;
  }
  return {};
}

/// Made by `run`, beside the instances of its service: who resolves that one's name does not mean this.
bool is_one_off(const docker::Container& container) {
  return find_label(container.labels, "com.docker.compose.oneoff") == "True";
}

/// `reg:5000/team/app:v3` -> `app`.
std::string image_base_name(std::string_view image) {
  image.remove_prefix(image.rfind('/') + 1);  // npos + 1 == 0
  return std::string(image.substr(0, image.find(':')));
}

std::string default_name(const docker::Container& container, NameFrom from) {
  if (from == NameFrom::container) return container.name;
  if (auto name = first_label(container, {"io.devstack.service"}); !name.empty()) return name;
  if (from == NameFrom::service) {
    if (auto name = first_label(container, {"com.docker.compose.service"}); !name.empty()) {
      return name;
    }
  }
  return image_base_name(container.image);
}

struct Place {
  std::string ipv4, ipv6;
};

Place place_on(const docker::Container& container, const std::string& preferred) {
  const auto* network = choose_network(container, preferred);
  return network == nullptr ? Place{} : Place{network->ip_address, network->ipv6_address};
}

Place place_of(const docker::Container& container, const Candidate& candidate, const Metadata& metadata,
               const RegistratorOptions& options, const docker::Container* network_owner) {
  if (shares_network(container)) return network_owner == nullptr ? Place{} : place_on(*network_owner, {});
  if (!options.ip_label.empty()) {
    if (const auto value = find_label(container.labels, options.ip_label); !value.empty()) {
      return Place{value.substr(0, value.rfind('/')), {}};
    }
  }
  if (options.mode == Mode::internal) return place_on(container, metadata.get("network"));
  if (!options.ip.empty()) return Place{options.ip, {}};
  return Place{every_interface(candidate.host_ip) ? options.host_address : candidate.host_ip, {}};
}

std::vector<std::string> tags_of(const docker::Container& container, const Candidate& candidate,
                                 const Metadata& metadata, const RegistratorOptions& options) {
  auto tags = split_tags(metadata.get("tags"));
  if (options.tags) {
    for (auto& tag : split_tags(options.tags(container))) tags.push_back(std::move(tag));
  }
  if (candidate.port.protocol == "udp") tags.emplace_back("udp");
  return tags;
}

std::string service_id(const docker::Container& container, const Candidate& candidate, const Metadata& metadata,
                       const RegistratorOptions& options) {
  if (auto id = metadata.get("id"); !id.empty()) return id;
  auto id = options.hostname + ":" + container.name + ":" + std::to_string(candidate.port.port);
  if (candidate.port.protocol == "udp") id += ":udp";
  return id;
}

std::optional<Registration> registration(const docker::Container& container, const Candidate& candidate, bool group,
                                         const RegistratorOptions& options, const docker::Container* network_owner) {
  auto metadata = metadata_of(container, candidate.port.port);
  if (!metadata.get("ignore").empty()) return std::nullopt;
  auto name = metadata.get("name");
  if (name.empty()) {
    if (options.explicit_names || is_one_off(container)) return std::nullopt;
    name = default_name(container, options.name_from);
    if (name.empty()) name = container.name;
    if (name.empty()) return std::nullopt;
  }
  if (group && !metadata.for_this_port.contains("name")) name += "-" + std::to_string(candidate.port.port);

  Registration out;
  auto& service = out.service;
  service.id = service_id(container, candidate, metadata, options);
  service.name = std::move(name);
  service.tags = tags_of(container, candidate, metadata, options);
  service.port = options.mode == Mode::internal ? candidate.port.port : candidate.host_port;
  const auto place = place_of(container, candidate, metadata, options, network_owner);
  service.address = place.ipv4.empty() ? place.ipv6 : place.ipv4;
  if (options.omit_host_address && service.address == options.host_address) service.address.clear();
  if (!place.ipv4.empty() && !place.ipv6.empty()) {
    service.tagged_addresses["lan_ipv6"] = registry::ServiceAddress{place.ipv6, service.port};
  }
  for (const auto* reserved : {"name", "tags", "id", "ignore"}) metadata.values.erase(reserved);
  service.meta = valid_meta(metadata.values);
  service.agent_owned = true;
  service.source = source_name;
  out.checks = checks_of(container, service, metadata.values, options.host_address);
  return out;
}

bool has_address(const docker::EndpointSettings& network) {
  return !network.ip_address.empty() || !network.ipv6_address.empty();
}

}  // namespace

std::vector<Registration> registrations(const docker::Container& container, const RegistratorOptions& options,
                                        const docker::Container* network_owner) {
  auto ports = candidates(container);
  if (options.mode == Mode::published) {
    std::erase_if(ports, [](const Candidate& candidate) { return candidate.host_port == 0; });
  }
  std::vector<Registration> out;
  for (const auto& port : ports) {
    auto wanted = registration(container, port, ports.size() > 1, options, network_owner);
    if (!wanted) continue;
    std::erase_if(out, [&](const Registration& other) { return other.service.id == wanted->service.id; });
    out.push_back(std::move(*wanted));
  }
  return out;
}

const docker::EndpointSettings* choose_network(const docker::Container& container, const std::string& preferred) {
  const auto usable = [&](const std::string& name) -> const docker::EndpointSettings* {
    const auto found = container.networks.find(name);
    return found != container.networks.end() && has_address(found->second) ? &found->second : nullptr;
  };
  if (const auto* network = usable(preferred)) return network;
  const auto project = first_label(container, {"io.devstack.project", "com.docker.compose.project"});
  if (!project.empty()) {
    if (const auto* network = usable(project + "_default")) return network;
    for (const auto& [name, network] : container.networks) {
      if (name.starts_with(project + "_") && has_address(network)) return &network;
    }
  }
  if (const auto* network = usable("bridge")) return network;
  for (const auto& [name, network] : container.networks) {
    if (has_address(network)) return &network;
  }
  return nullptr;
}

std::vector<std::string> split_tags(std::string_view text) {
  std::vector<std::string> tags;
  std::string tag;
  const auto end_tag = [&] {
    if (!tag.empty()) tags.push_back(std::exchange(tag, {}));
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ',') {
      tag += text[++i];
    } else if (text[i] == ',') {
      end_tag();
    } else {
      tag += text[i];
    }
  }
  end_tag();
  std::reverse(tags.begin(), tags.end());
  return tags;
}

bool is_registrator_id(std::string_view id, std::string_view hostname) {
  if (!id.starts_with(hostname) || id.size() <= hostname.size() || id[hostname.size()] != ':') return false;
  id.remove_prefix(hostname.size() + 1);
  if (id.ends_with(":udp")) id.remove_suffix(4);
  const auto colon = id.rfind(':');
  if (colon == std::string_view::npos || colon < 2) return false;
  const auto digits = id.substr(colon + 1);
  const auto name = id.substr(0, colon);
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  const auto is_name = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-'; };
  return !digits.empty() && std::all_of(digits.begin(), digits.end(), is_digit) &&
         std::isalnum(static_cast<unsigned char>(name.front())) != 0 && std::all_of(name.begin(), name.end(), is_name);
}

}  // namespace devstack::registrator

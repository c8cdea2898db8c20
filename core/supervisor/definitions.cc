// Networks and volumes as the engine makes them.
#include <fmt/format.h>

#include "core/supervisor/container_spec.h"

namespace devstack::supervisor {
namespace {

/// Each part with its length before it: no two definitions give one text.
class Text {
 public:
  void add(std::string_view part) { text_ += fmt::format("{}:{};", part.size(), part); }
  void add(const stack::TextMap& parts) {
    text_ += fmt::format("{}{{", parts.size());
    for (const auto& [name, value] : parts) {
      add(name);
      add(value);
    }
  }
  void add_flag(std::optional<bool> flag) { add(std::string_view(!flag ? "unset" : *flag ? "yes" : "no")); }
  [[nodiscard]] std::string digest() const { return "1:" + supervisor::digest(text_); }

 private:
  std::string text_;
};

std::string digest_of(const stack::NetworkDef& network) {
  Text text;
  text.add(network.driver);
  text.add(network.driver_opts);
  text.add(network.labels);
  text.add_flag(network.internal);
  text.add_flag(network.attachable);
  text.add_flag(network.enable_ipv4);
  text.add_flag(network.enable_ipv6);
  text.add(network.ipam_driver);
  text.add(network.ipam_options);
  for (const auto& pool : network.pools) {
    text.add(pool.subnet);
    text.add(pool.ip_range);
    text.add(pool.gateway);
    text.add(pool.aux_addresses);
  }
  return text.digest();
}

std::string digest_of(const stack::VolumeDef& volume) {
  Text text;
  text.add(volume.driver);
  text.add(volume.driver_opts);
  text.add(volume.labels);
  return text.digest();
}

void add_labels(docker::StringMap& labels, const ContainerContext& context) {
  labels[label::project] = context.project;
  labels[label::compose_project] = context.project;
  if (!context.version.empty()) labels["com.docker.compose.version"] = context.version;
}

}  // namespace

docker::NetworkSpec network_spec(const stack::NetworkDef& network, const ContainerContext& context) {
  docker::NetworkSpec spec;
  spec.name = network.name;
  spec.driver = network.driver;
  spec.driver_opts = network.driver_opts;
  spec.labels = network.labels;
  add_labels(spec.labels, context);
  spec.labels["com.docker.compose.network"] = network.key;
  spec.labels[label::config_hash] = digest_of(network);
  spec.internal = network.internal;
  spec.attachable = network.attachable;
  spec.enable_ipv4 = network.enable_ipv4;
  spec.enable_ipv6 = network.enable_ipv6;
  spec.ipam_driver = network.ipam_driver;
  spec.ipam_options = network.ipam_options;
  for (const auto& pool : network.pools) {
    spec.pools.push_back({pool.subnet, pool.ip_range, pool.gateway, pool.aux_addresses});
  }
  return spec;
}

docker::VolumeSpec volume_spec(const stack::VolumeDef& volume, const ContainerContext& context) {
  docker::VolumeSpec spec;
  spec.name = volume.name;
  spec.driver = volume.driver;
  spec.driver_opts = volume.driver_opts;
  spec.labels = volume.labels;
  add_labels(spec.labels, context);
  spec.labels["com.docker.compose.volume"] = volume.key;
  spec.labels[label::config_hash] = digest_of(volume);
  return spec;
}

std::string digest(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/
  for (const unsigned char byte : text) {
    hash ^= byte;
    hash *= 0x100000001B3ULL;
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace devstack::supervisor

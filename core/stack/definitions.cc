// Top-level networks, volumes, configs and secrets, and what services are granted of the latter two.
// https://docs.docker.com/reference/compose-file/networks/ and its neighbours
#include <algorithm>

#include "core/stack/fields.h"
#include "core/stack/schema.h"

namespace devstack::stack {
namespace {

using R = const Reading&;
using V = const Node&;
using Pool = NetworkDef::Pool;

/// `external: true`, or the old `external: {name: x}`.
template <class T>
void read_external(T& into, V node, R in) {
  if (node.kind != Node::Kind::map) {
    into.external = read_switch(node, in).value_or(false);
    return;
  }
  into.external = true;
  for (const auto& entry : node.entries) {
    if (entry.key == "name") {
      into.name = read_text(entry.value, in).value_or("");
    } else {
      constexpr std::array<std::string_view, 1> known{"name"};
      report_key(entry, node, known, {}, in);
    }
  }
}

constexpr Field<Pool> kPool[] = {
    {"subnet", Into<&Pool::subnet>::text, "text"},
    {"ip_range", Into<&Pool::ip_range>::text, "text"},
    {"gateway", Into<&Pool::gateway>::text, "text"},
    {"aux_addresses", [](Pool& p, V v, R in) { p.aux_addresses = read_text_map(v, in); }, "text_map"},
};

constexpr Field<NetworkDef> kIpam[] = {
    {"driver", Into<&NetworkDef::ipam_driver>::text, "text"},
    {"config",
     [](NetworkDef& n, V v, R in) {
       for (const auto& item : read_items(v, in)) read_fields<Pool>(item, n.pools.emplace_back(), kPool, {}, in);
     },
     "ipam_pools"},
    {"options", [](NetworkDef& n, V v, R in) { n.ipam_options = read_text_map(v, in); }, "text_map"},
};

constexpr Field<NetworkDef> kNetwork[] = {
    {"name", Into<&NetworkDef::name>::text, "text"},
    {"external", read_external<NetworkDef>, "external"},
    {"driver", Into<&NetworkDef::driver>::text, "text"},
    {"driver_opts", [](NetworkDef& n, V v, R in) { n.driver_opts = read_text_map(v, in); }, "text_map"},
    {"labels", Into<&NetworkDef::labels>::pairs, "pairs"},
    {"attachable", Into<&NetworkDef::attachable>::flag, "switch"},
    {"internal", Into<&NetworkDef::internal>::flag, "switch"},
    {"enable_ipv4", [](NetworkDef& n, V v, R in) { n.enable_ipv4 = read_switch(v, in); }, "switch"},
    {"enable_ipv6", [](NetworkDef& n, V v, R in) { n.enable_ipv6 = read_switch(v, in); }, "switch"},
    {"ipam", [](NetworkDef& n, V v, R in) { read_fields<NetworkDef>(v, n, kIpam, {}, in); }, "ipam"},
};

constexpr Field<VolumeDef> kVolume[] = {
    {"name", Into<&VolumeDef::name>::text, "text"},
    {"external", read_external<VolumeDef>, "external"},
    {"driver", Into<&VolumeDef::driver>::text, "text"},
    {"driver_opts", [](VolumeDef& n, V v, R in) { n.driver_opts = read_text_map(v, in); }, "text_map"},
    {"labels", Into<&VolumeDef::labels>::pairs, "pairs"},
};

constexpr Field<FileDef> kFile[] = {
    {"name", Into<&FileDef::name>::text, "text"},       {"external", read_external<FileDef>, "external"},
    {"file", Into<&FileDef::file>::file, "text"},       {"environment", Into<&FileDef::environment>::text, "text"},
    {"content", Into<&FileDef::content>::text, "text"}, {"labels", ignored<FileDef>, "pairs"},
};
constexpr Unsupported kFileNot[] = {
    {"driver", "it is for Swarm; give it `file`, `environment` or `content`"},
    {"driver_opts", "it is for Swarm; give it `file`, `environment` or `content`"},
    {"template_driver", "it is for Swarm; remove it"},
};

/// What is external has nothing but a name.
template <class T>
void check_external(const T& def, V node, R in) {
  if (!def.external) return;
  for (const auto& entry : node.entries) {
    if (entry.key == "name" || entry.key == "external" || entry.key.starts_with("x-")) continue;
    in.report.error(entry.at, "{}it is external: `{}` is not for us to say", node.prefix(), entry.key);
  }
}

template <class T>
void read_all(std::map<std::string, T>& into, V node, std::span<const Field<T>> fields,
              std::span<const Unsupported> unsupported, R in) {
  if (!expect_map(node, in)) return;
  for (const auto& entry : node.entries) {
    if (entry.key.starts_with("x-")) continue;
    T def;
    def.key = entry.key;
    read_fields<T>(entry.value, def, fields, unsupported, in);
    check_external(def, entry.value, in);
    into[entry.key] = std::move(def);
  }
}

void read_files(std::map<std::string, FileDef>& into, V node, R in) {
  read_all<FileDef>(into, node, kFile, kFileNot, in);
  for (auto& [key, def] : into) {
    const Node* own = node.find(key);
    if (own == nullptr || def.external) continue;
    int sources = 0;
    for (const auto* source : {"file", "environment", "content"}) sources += own->find(source) != nullptr ? 1 : 0;
    if (sources != 1) {
      in.report.error(own->at, "{}give it one of `file`, `environment` and `content`", own->prefix());
    }
    // Whether the variable must be there is known once a service asks for it.
    const auto outside = in.environment.find(def.environment);
    if (outside != in.environment.end() && !def.environment.empty()) def.content = outside->second;
  }
}

constexpr Field<FileGrant> kGrant[] = {
    {"source", Into<&FileGrant::source>::text, "text"}, {"target", Into<&FileGrant::target>::text, "text"},
    {"uid", Into<&FileGrant::uid>::text, "text"},       {"gid", Into<&FileGrant::gid>::text, "text"},
    {"mode", Into<&FileGrant::mode>::mode, "mode"},
};

template <class T>
void name_all(std::map<std::string, T>& defs, const std::string& project) {
  for (auto& [key, def] : defs) {
    if (def.name.empty()) def.name = def.external ? key : project + "_" + key;
  }
}

constexpr std::array<std::string_view, 4> kKeys{"networks", "volumes", "configs", "secrets"};

}  // namespace

std::vector<FileGrant> read_grants(const Node& node, std::string_view folder, const Reading& in) {
  std::vector<FileGrant> grants;
  for (const auto& item : read_items(node, in)) {
    FileGrant grant;
    if (item.kind == Node::Kind::map) {
      read_fields<FileGrant>(item, grant, kGrant, {}, in);
      if (grant.source.empty()) in.report.error(item.at, "{}`source` is missing", item.prefix());
    } else {
      grant.source = read_text(item, in).value_or("");
    }
    if (grant.source.empty()) continue;
    if (grant.target.empty()) grant.target = grant.source;
    if (!grant.target.starts_with('/')) grant.target = std::string(folder) + grant.target;
    grants.push_back(std::move(grant));
  }
  return grants;
}

bool read_definitions(const Entry& entry, StackFile& into, const Reading& in) {
  if (entry.key == "networks") {
    read_all<NetworkDef>(into.networks, entry.value, kNetwork, {}, in);
  } else if (entry.key == "volumes") {
    read_all<VolumeDef>(into.volumes, entry.value, kVolume, {}, in);
  } else if (entry.key == "configs") {
    read_files(into.configs, entry.value, in);
  } else if (entry.key == "secrets") {
    read_files(into.secrets, entry.value, in);
  } else {
    return false;
  }
  return true;
}

void complete_definitions(StackFile& file) {
  const bool on_default = std::any_of(file.services.begin(), file.services.end(), [](const auto& named) {
    const auto& service = named.second;
    return service.containerised() && service.network_mode.empty() &&
           (service.networks.empty() || std::any_of(service.networks.begin(), service.networks.end(),
                                                    [](const auto& each) { return each.network == "default"; }));
  });
  if (on_default) file.networks["default"].key = "default";
  name_all(file.networks, file.project);
  name_all(file.volumes, file.project);
  name_all(file.configs, file.project);
  name_all(file.secrets, file.project);
}

std::span<const std::string_view> definition_keys() { return kKeys; }

void add_definition_shapes(Shapes& into) {
  into.map("network", kNetwork);
  into.map("ipam", kIpam);
  into.map("ipam_pool", kPool);
  into.map("volume", kVolume);
  into.map("file", kFile);
  into.map("grant", kGrant);
}

}  // namespace devstack::stack

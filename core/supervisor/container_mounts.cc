#include "core/supervisor/container_mounts.h"

#include <fmt/format.h>

#include <set>

namespace devstack::supervisor {
namespace {

std::string options_of(const stack::Mount& mount) {
  std::string options = mount.read_only ? "ro" : "rw";
  if (mount.nocopy) options += ",nocopy";
  if (!mount.propagation.empty()) options += "," + mount.propagation;
  if (!mount.selinux.empty()) options += "," + mount.selinux;
  return options;
}

docker::MountSpec long_form(const stack::Mount& mount, std::string type, std::string source) {
  docker::MountSpec out;
  out.type = std::move(type);
  out.source = std::move(source);
  out.target = mount.target;
  out.read_only = mount.read_only;
  out.propagation = mount.propagation;
  out.nocopy = mount.nocopy;
  out.subpath = mount.subpath;
  out.tmpfs_size = mount.tmpfs_size;
  out.tmpfs_mode = mount.tmpfs_mode;
  return out;
}

void add_volume(const stack::Mount& mount, const ContainerContext& context, const ContainerDetails& details,
                docker::ContainerSpec& spec) {
  if (!mount.source.empty()) {
    const auto name = context.volume(mount.source).name;
    if (mount.subpath.empty()) {
      spec.binds.push_back(fmt::format("{}:{}:{}", name, mount.target, options_of(mount)));
    } else {
      spec.mounts.push_back(long_form(mount, "volume", name));
    }
    return;
  }
  const auto kept = details.kept_volumes.find(mount.target);
  if (kept != details.kept_volumes.end()) {
    spec.binds.push_back(fmt::format("{}:{}:{}", kept->second, mount.target, options_of(mount)));
  } else if (mount.read_only || mount.nocopy) {
    spec.mounts.push_back(long_form(mount, "volume", {}));
  } else {
    spec.volumes.push_back(mount.target);
  }
}

void add_bind(const stack::Mount& mount, docker::ContainerSpec& spec) {
  // Only the short form makes a missing folder, only the long form insists that it is there.
  if (mount.create_host_path) {
    spec.binds.push_back(fmt::format("{}:{}:{}", mount.source, mount.target, options_of(mount)));
  } else {
    spec.mounts.push_back(long_form(mount, "bind", mount.source));
  }
}

/// "db:ro" as "<container>:ro"; "container:name:ro" as "name:ro".
std::string donor_of(const std::string& text, const ContainerContext& context) {
  constexpr std::string_view by_container = "container:";
  if (text.starts_with(by_container)) return text.substr(by_container.size());
  const auto colon = text.find(':');
  const auto known = context.containers.find(text.substr(0, colon));
  const auto name = known == context.containers.end() || known->second.empty()
                        ? fmt::format("{}-{}-1", context.project, text.substr(0, colon))
                        : known->second.front();
  return colon == std::string::npos ? name : name + text.substr(colon);
}

}  // namespace

void add_mounts(const stack::ServiceSpec& service, const ContainerContext& context, const ContainerDetails& details,
                docker::ContainerSpec& spec) {
  std::set<std::string> targets;
  for (const auto& mount : service.volumes) {
    targets.insert(mount.target);
    switch (mount.kind) {
      case stack::MountKind::bind:
        add_bind(mount, spec);
        break;
      case stack::MountKind::volume:
        add_volume(mount, context, details, spec);
        break;
      case stack::MountKind::tmpfs:
        spec.mounts.push_back(long_form(mount, "tmpfs", {}));
        break;
      case stack::MountKind::image:
        spec.mounts.push_back(long_form(mount, "image", mount.source));
        break;
    }
  }
  // What the image declares as a volume, and the service does not.
  for (const auto& [target, name] : details.kept_volumes) {
    if (!targets.contains(target)) spec.binds.push_back(fmt::format("{}:{}:rw", name, target));
  }
  spec.binds.insert(spec.binds.end(), details.file_binds.begin(), details.file_binds.end());
  spec.tmpfs = service.tmpfs;
  for (const auto& text : service.volumes_from) spec.volumes_from.push_back(donor_of(text, context));
}

}  // namespace devstack::supervisor

// Rules about containers that look at more than one value.
#include <set>

#include "core/base/suggest.h"
#include "core/stack/checking.h"

namespace devstack::stack {
namespace {

template <class T>
std::string not_defined(const std::map<std::string, T>& defined, std::string_view kind, const std::string& name) {
  std::vector<std::string_view> names;
  for (const auto& [key, def] : defined) names.push_back(key);
  const auto meant = nearest(name, names);
  return meant ? fmt::format("no {} \"{}\" is defined; did you mean \"{}\"?", kind, name, *meant)
               : fmt::format("no {} \"{}\" is defined: add it under top-level `{}s`", kind, name, kind);
}

void check_networks(const Checking& in, const ServiceSpec& service) {
  for (std::size_t i = 0; i < service.networks.size(); ++i) {
    const auto& name = service.networks[i].network;
    if (name == "default" || in.file.networks.contains(name)) continue;
    in.report.error(in.where(service, "networks", i, service.networks.size(), name), "services.{}.networks: {}",
                    service.name, not_defined(in.file.networks, "network", name));
  }
}

void check_volumes(const Checking& in, const ServiceSpec& service) {
  for (std::size_t i = 0; i < service.volumes.size(); ++i) {
    const auto& mount = service.volumes[i];
    if (mount.kind != MountKind::volume || mount.source.empty() || in.file.volumes.contains(mount.source)) continue;
    in.report.error(in.where(service, "volumes", i, service.volumes.size(), ""), "services.{}.volumes: {}",
                    service.name, not_defined(in.file.volumes, "volume", mount.source));
  }
}

/// `key` is configs or secrets, `kind` one of them.
void check_grants(const Checking& in, const ServiceSpec& service, const std::vector<FileGrant>& grants,
                  const std::map<std::string, FileDef>& defined, std::string_view key) {
  const auto kind = key.substr(0, key.size() - 1);
  for (std::size_t i = 0; i < grants.size(); ++i) {
    const auto at = in.where(service, key, i, grants.size(), "");
    const auto found = defined.find(grants[i].source);
    if (found == defined.end()) {
      in.report.error(at, "services.{}.{}: {}", service.name, key, not_defined(defined, kind, grants[i].source));
    } else if (found->second.external) {
      in.report.error(at,
                      "services.{}.{}: \"{}\" is external, and only Swarm keeps {}: give it `file`, `environment` or "
                      "`content`",
                      service.name, key, grants[i].source, key);
    } else if (const auto& name = found->second.environment; !name.empty() && !in.in.environment.contains(name)) {
      in.report.error(at, "services.{}.{}: \"{}\" is the value of {}, which is not set", service.name, key,
                      grants[i].source, name);
    } else if (const auto& [source, target, uid, gid, mode] = grants[i];
               !found->second.file.empty() && (mode || !uid.empty() || !gid.empty())) {
      in.report.warn(at, "services.{}.{}: {} is mounted as it is: `uid`, `gid` and `mode` have no effect", service.name,
                     key, found->second.file);
    }
  }
}

/// network_mode, ipc, pid and volumes_from share something of a container, which a host process has not.
void check_sharing(const Checking& in, const ServiceSpec& service) {
  const auto check = [&](std::string_view key, std::string_view name) {
    const auto found = in.file.services.find(std::string(name));
    if (found == in.file.services.end() || found->second.containerised()) return;
    in.report.error(in.where(service, key), "services.{}.{}: \"{}\" is a host process, which has no container to share",
                    service.name, key, name);
  };
  const auto& isolation = service.isolation;
  const std::pair<std::string_view, const std::string&> joined[] = {
      {"network_mode", service.network_mode}, {"ipc", isolation.ipc}, {"pid", isolation.pid}};
  for (const auto& [key, text] : joined) {
    if (text.starts_with("service:")) check(key, std::string_view(text).substr(8));
  }
  for (const std::string_view from : service.volumes_from) {
    if (!from.starts_with("container:")) check("volumes_from", from.substr(0, from.find(':')));
  }
}

}  // namespace

void check_references(const Checking& in) {
  in.each_service([&](const ServiceSpec& service) {
    check_networks(in, service);
    check_volumes(in, service);
    check_grants(in, service, service.configs, in.file.configs, "configs");
    check_grants(in, service, service.secrets, in.file.secrets, "secrets");
    check_sharing(in, service);
    if (!service.build) return;
    for (const auto& secret : service.build->secrets) {
      if (in.file.secrets.contains(secret)) continue;
      in.report.error(in.where(service, "build"), "services.{}.build.secrets: {}", service.name,
                      not_defined(in.file.secrets, "secret", secret));
    }
  });
}

void check_network_use(const Checking& in) {
  in.each_service([&](const ServiceSpec& service) {
    const auto& mode = service.network_mode;
    const auto at = in.where(service, "network_mode");
    if (mode.empty()) return;
    if (!service.networks.empty()) {
      in.report.error(at, "services.{}.network_mode: `networks` is there too: remove one of the two", service.name);
    }
    if (mode == "host" && !service.ports.empty()) {
      in.report.error(at, "services.{}.network_mode: `ports` do nothing in host mode: remove one of the two",
                      service.name);
    }
    if (mode.find(':') != std::string::npos && !service.ports.empty()) {
      in.report.error(at, "services.{}.network_mode: it has no ports of its own: give `ports` to {}", service.name,
                      mode.substr(mode.find(':') + 1));
    }
  });
}

void check_mounts(const Checking& in) {
  in.each_service([&](const ServiceSpec& service) {
    std::map<std::string, std::string_view> taken;
    const auto claim = [&](std::string target, std::string_view key, const SourcePos& at) {
      while (target.size() > 1 && target.back() == '/') target.pop_back();
      const auto [other, fresh] = taken.emplace(target, key);
      if (fresh) return;
      in.report.error(at, "services.{}.{}: {} is mounted twice{}", service.name, key, target,
                      other->second == key ? "" : fmt::format(", by `{}` too", other->second));
    };
    for (std::size_t i = 0; i < service.volumes.size(); ++i) {
      claim(service.volumes[i].target, "volumes", in.where(service, "volumes", i, service.volumes.size(), ""));
    }
    for (const auto& path : service.tmpfs) claim(path.substr(0, path.find(':')), "tmpfs", in.where(service, "tmpfs"));
    for (std::size_t i = 0; i < service.configs.size(); ++i) {
      claim(service.configs[i].target, "configs", in.where(service, "configs", i, service.configs.size(), ""));
    }
    for (std::size_t i = 0; i < service.secrets.size(); ++i) {
      claim(service.secrets[i].target, "secrets", in.where(service, "secrets", i, service.secrets.size(), ""));
    }
  });
}

void check_limits(const Checking& in) {
  in.each_service([&](const ServiceSpec& service) {
    const auto& limits = service.resources;
    const auto say = [&](std::string_view key, std::string_view what) {
      in.report.error(in.where(service, key), "services.{}.{}: {}", service.name, key, what);
    };
    if (limits.memory_and_swap != 0 && limits.memory == 0) say("memswap_limit", "it needs `mem_limit`");
    if (limits.memory_and_swap > 0 && limits.memory_and_swap < limits.memory) {
      say("memswap_limit", "it is memory and swap together: it cannot be less than `mem_limit`");
    }
    if (limits.memory != 0 && limits.memory_reservation > limits.memory) {
      say("mem_reservation", "it cannot be more than `mem_limit`");
    }
    if (limits.nano_cpus != 0 && limits.cpu_quota != 0) say("cpu_quota", "`cpus` is there too: remove one of the two");
    if (service.scale < 2) return;
    for (const auto& network : service.networks) {
      if (network.ipv4_address.empty() && network.ipv6_address.empty()) continue;
      in.report.error(in.where(service, "networks"), "services.{}.networks.{}: {} instances cannot share one address",
                      service.name, network.network, service.scale);
    }
  });
}

void check_build_use(const Checking& in) {
  in.each_service([&](const ServiceSpec& service) {
    if (service.build) return;
    if (service.pull_policy == "build") {
      in.report.error(in.where(service, "pull_policy"), "services.{}.pull_policy: `build` is missing", service.name);
    }
    for (const auto& rule : service.watch) {
      if (rule.action != "rebuild") continue;
      in.report.error(in.where(service, "develop"), "services.{}.develop.watch: to rebuild, `build` is missing",
                      service.name);
    }
  });
}

}  // namespace devstack::stack

// The parts of a service that only a container has.
#include "core/stack/describe.h"
#include "core/stack/put.h"

namespace devstack::stack {
namespace {

json::object describe_ulimits(const std::map<std::string, Ulimit>& limits) {
  json::object out;
  for (const auto& [name, limit] : limits) out[name] = json::object{{"soft", limit.soft}, {"hard", limit.hard}};
  return out;
}

std::string describe_device(const Device& device) {
  return fmt::format("{}:{}:{}", device.source, device.target, device.permissions);
}

/// "0.5", "2": as few digits as say it.
std::string describe_cpus(std::int64_t nano) {
  auto text = fmt::format("{}.{:09}", nano / 1'000'000'000, nano % 1'000'000'000);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

/// The short form, or "" where it cannot say all.
std::string short_mount(const Mount& mount) {
  Mount plain;
  plain.kind = mount.kind;
  plain.source = mount.source;
  plain.target = mount.target;
  plain.read_only = mount.read_only;
  plain.selinux = mount.selinux;
  plain.nocopy = mount.nocopy;
  plain.propagation = mount.propagation;
  const bool colon = (mount.source + mount.target).find(':') != std::string::npos;
  const bool of_kind = mount.kind == MountKind::bind || mount.kind == MountKind::volume;
  if (mount != plain || colon || !of_kind) return "";
  Texts options;
  if (mount.read_only) options.emplace_back("ro");
  if (mount.nocopy) options.emplace_back("nocopy");
  for (const auto* option : {&mount.selinux, &mount.propagation}) {
    if (!option->empty()) options.push_back(*option);
  }
  if (mount.source.empty()) return options.empty() ? mount.target : "";
  return fmt::format("{}:{}{}{}", mount.source, mount.target, options.empty() ? "" : ":", fmt::join(options, ","));
}

}  // namespace

json::value describe_mount(const Mount& mount) {
  if (const auto text = short_mount(mount); !text.empty()) return json::value(text);
  constexpr std::string_view types[] = {"bind", "volume", "tmpfs", "image"};
  json::object out{{"type", types[static_cast<std::size_t>(mount.kind)]}};
  put(out, "source", mount.source);
  put(out, "target", mount.target);
  put(out, "read_only", mount.read_only, false);
  json::object own;
  put(own, "propagation", mount.propagation);
  put(own, "create_host_path", mount.create_host_path, true);
  put(own, "selinux", mount.selinux);
  put(own, "nocopy", mount.nocopy, false);
  put(own, "subpath", mount.subpath);
  if (mount.tmpfs_size != 0) own["size"] = mount.tmpfs_size;
  if (mount.tmpfs_mode != 0) own["mode"] = fmt::format("{:04o}", mount.tmpfs_mode);
  put(out, types[static_cast<std::size_t>(mount.kind)], std::move(own));
  return out;
}

json::object describe_build(const BuildSettings& build) {
  json::object out;
  put(out, "context", build.context);
  put(out, "dockerfile", build.dockerfile);
  put(out, "dockerfile_inline", build.dockerfile_inline);
  put(out, "args", build.args);
  put(out, "labels", build.labels);
  put(out, "additional_contexts", build.additional_contexts);
  put(out, "cache_from", build.cache_from);
  put(out, "cache_to", build.cache_to);
  put(out, "extra_hosts", build.extra_hosts);
  put(out, "platforms", build.platforms);
  put(out, "tags", build.tags);
  put(out, "secrets", build.secrets);
  put(out, "ssh", build.ssh);
  put(out, "target", build.target);
  put(out, "network", build.network);
  put(out, "no_cache", build.no_cache, false);
  put(out, "pull", build.pull, false);
  put(out, "privileged", build.privileged, false);
  put(out, "shm_size", build.shm_size, std::int64_t{0});
  put(out, "ulimits", describe_ulimits(build.ulimits));
  return out;
}

json::object describe_hook(const Hook& hook) {
  json::object out;
  put(out, "command", hook.command);
  put(out, "image", hook.image);
  put(out, "user", hook.user);
  put(out, "working_dir", hook.working_dir);
  put(out, "privileged", hook.privileged, false);
  put(out, "environment", hook.environment);
  put(out, "per_replica", hook.per_replica, false);
  return out;
}

json::object describe_watch_rule(const WatchRule& rule) {
  json::object out;
  put(out, "action", rule.action);
  put(out, "path", rule.path);
  put(out, "target", rule.target);
  put(out, "ignore", rule.ignore);
  put(out, "include", rule.include);
  put(out, "initial_sync", rule.initial_sync, false);
  if (rule.exec) out["exec"] = describe_hook(*rule.exec);
  return out;
}

void put_isolation(json::object& out, const Isolation& s) {
  put(out, "cap_add", s.cap_add);
  put(out, "cap_drop", s.cap_drop);
  put(out, "security_opt", s.security_opt);
  put(out, "group_add", s.group_add);
  put(out, "device_cgroup_rules", s.device_cgroup_rules);
  put(out, "privileged", s.privileged, false);
  put(out, "read_only", s.read_only, false);
  put(out, "init", s.init, false);
  put(out, "tty", s.tty, false);
  put(out, "stdin_open", s.stdin_open, false);
  json::array devices;
  for (const auto& device : s.devices) devices.emplace_back(describe_device(device));
  put(out, "devices", std::move(devices));
  put(out, "pid", s.pid);
  put(out, "ipc", s.ipc);
  put(out, "uts", s.uts);
  put(out, "cgroup", s.cgroup);
  put(out, "cgroup_parent", s.cgroup_parent);
  put(out, "runtime", s.runtime);
  put(out, "shm_size", s.shm_size, std::int64_t{0});
  put(out, "ulimits", describe_ulimits(s.ulimits));
  put(out, "sysctls", s.sysctls);
  put(out, "annotations", s.annotations);
}

void put_resources(json::object& out, const Resources& s) {
  if (s.nano_cpus != 0) out["cpus"] = describe_cpus(s.nano_cpus);
  put(out, "cpu_shares", s.cpu_shares, std::int64_t{0});
  put(out, "cpu_period", s.cpu_period, std::int64_t{0});
  put(out, "cpu_quota", s.cpu_quota, std::int64_t{0});
  put(out, "cpuset", s.cpuset);
  put(out, "mem_limit", s.memory, std::int64_t{0});
  put(out, "mem_reservation", s.memory_reservation, std::int64_t{0});
  put(out, "memswap_limit", s.memory_and_swap, std::int64_t{0});
  if (s.swappiness) out["mem_swappiness"] = *s.swappiness;
  put(out, "pids_limit", s.pids, std::int64_t{0});
  put(out, "oom_score_adj", s.oom_score_adj, 0);
  put(out, "oom_kill_disable", s.oom_kill_disable, false);
}

}  // namespace devstack::stack

// The body of POST /containers/create:
// https://docs.docker.com/engine/api/v1.44/#tag/Container/operation/ContainerCreate
#include "core/docker/json.h"
#include "core/docker/json_write.h"
#include "core/docker/wire.h"

namespace devstack::docker::wire {
namespace {

/// "on-failure:3"
json::object restart_policy_of(const std::string& text) {
  json::object policy;
  const auto colon = text.find(':');
  policy["Name"] = text.substr(0, colon);
  if (colon != std::string::npos) policy["MaximumRetryCount"] = std::strtol(text.c_str() + colon + 1, nullptr, 10);
  return policy;
}

json::object healthcheck_of(const HealthcheckConfig& check, std::string_view api) {
  json::object all;
  put_list(all, "Test", check.test);
  if (check.interval.count() > 0) all["Interval"] = std::int64_t{check.interval.count()};
  if (check.timeout.count() > 0) all["Timeout"] = std::int64_t{check.timeout.count()};
  if (check.start_period.count() > 0) all["StartPeriod"] = std::int64_t{check.start_period.count()};
  const bool takes_start_interval = api_at_least(api, 1, 44);
  if (takes_start_interval && check.start_interval.count() > 0) {
    all["StartInterval"] = std::int64_t{check.start_interval.count()};
  }
  if (check.retries > 0) all["Retries"] = check.retries;
  return all;
}

std::string host_port_of(const PortBinding& binding) {
  if (binding.host_port == 0) return {};
  if (binding.last_port > binding.host_port) return fmt::format("{}-{}", binding.host_port, binding.last_port);
  return std::to_string(binding.host_port);
}

json::object port_bindings_of(const std::map<ContainerPort, std::vector<PortBinding>>& from) {
  json::object all;
  for (const auto& [port, bindings] : from) {
    json::array list;
    for (const auto& binding : bindings) {
      json::object one;
      one["HostIp"] = binding.host_ip;
      one["HostPort"] = host_port_of(binding);
      list.emplace_back(std::move(one));
    }
    all[to_string(port)] = std::move(list);
  }
  return all;
}

/// "/run:size=64m" as {"/run": "size=64m"}.
json::object tmpfs_of(const std::vector<std::string>& from) {
  json::object all;
  for (const auto& text : from) {
    const auto colon = text.find(':');
    all[text.substr(0, colon)] = colon == std::string::npos ? std::string() : text.substr(colon + 1);
  }
  return all;
}

json::object mount_of(const MountSpec& mount) {
  json::object out;
  out["Type"] = mount.type;
  put_text(out, "Source", mount.source);
  out["Target"] = mount.target;
  if (mount.read_only) out["ReadOnly"] = true;
  if (mount.type == "bind" && !mount.propagation.empty()) {
    out["BindOptions"] = json::object{{"Propagation", mount.propagation}};
  }
  if (mount.type == "volume" && (mount.nocopy || !mount.subpath.empty())) {
    json::object options;
    if (mount.nocopy) options["NoCopy"] = true;
    put_text(options, "Subpath", mount.subpath);
    out["VolumeOptions"] = std::move(options);
  }
  if (mount.type == "image" && !mount.subpath.empty()) out["ImageOptions"] = json::object{{"Subpath", mount.subpath}};
  if (mount.type == "tmpfs" && (mount.tmpfs_size > 0 || mount.tmpfs_mode != 0)) {
    json::object options;
    if (mount.tmpfs_size > 0) options["SizeBytes"] = mount.tmpfs_size;
    if (mount.tmpfs_mode != 0) options["Mode"] = mount.tmpfs_mode;
    out["TmpfsOptions"] = std::move(options);
  }
  return out;
}

template <class T, class Write>
void put_objects(json::object& into, json::string_view name, const std::vector<T>& values, Write write) {
  if (values.empty()) return;
  json::array all;
  for (const auto& value : values) all.emplace_back(write(value));
  into[name] = std::move(all);
}

json::object device_of(const DeviceSpec& device) {
  return {{"PathOnHost", device.source},
          {"PathInContainer", device.target},
          {"CgroupPermissions", device.permissions.empty() ? "rwm" : device.permissions}};
}

json::object ulimit_of(const UlimitSpec& limit) {
  return {{"Name", limit.name}, {"Soft", limit.soft}, {"Hard", limit.hard}};
}

void put_resources(json::object& host, const ResourceSpec& limits) {
  put_number(host, "NanoCpus", limits.nano_cpus);
  put_number(host, "CpuShares", limits.cpu_shares);
  put_number(host, "CpuPeriod", limits.cpu_period);
  put_number(host, "CpuQuota", limits.cpu_quota);
  put_text(host, "CpusetCpus", limits.cpuset);
  put_number(host, "Memory", limits.memory);
  put_number(host, "MemoryReservation", limits.memory_reservation);
  put_number(host, "MemorySwap", limits.memory_and_swap);
  if (limits.swappiness) host["MemorySwappiness"] = *limits.swappiness;
  put_number(host, "PidsLimit", limits.pids);
  put_number(host, "OomScoreAdj", limits.oom_score_adj);
  put_flag(host, "OomKillDisable", limits.oom_kill_disable);
}

void put_isolation(json::object& host, const ContainerSpec& spec, std::string_view api) {
  put_list(host, "CapAdd", spec.cap_add);
  put_list(host, "CapDrop", spec.cap_drop);
  put_list(host, "SecurityOpt", spec.security_opt);
  put_list(host, "GroupAdd", spec.group_add);
  put_list(host, "DeviceCgroupRules", spec.device_cgroup_rules);
  put_flag(host, "Init", spec.init);
  put_flag(host, "ReadonlyRootfs", spec.read_only);
  put_flag(host, "Privileged", spec.privileged);
  put_objects(host, "Devices", spec.devices, device_of);
  put_objects(host, "Ulimits", spec.ulimits, ulimit_of);
  put_text(host, "PidMode", spec.pid_mode);
  put_text(host, "IpcMode", spec.ipc_mode);
  put_text(host, "UTSMode", spec.uts_mode);
  put_text(host, "CgroupnsMode", spec.cgroupns_mode);
  put_text(host, "CgroupParent", spec.cgroup_parent);
  put_text(host, "Runtime", spec.runtime);
  put_number(host, "ShmSize", spec.shm_size);
  put_map(host, "Sysctls", spec.sysctls);
  if (api_at_least(api, 1, 43)) put_map(host, "Annotations", spec.annotations);
}

json::object host_config_of(const ContainerSpec& spec, std::string_view api) {
  json::object host;
  put_list(host, "Binds", spec.binds);
  put_objects(host, "Mounts", spec.mounts, mount_of);
  put_list(host, "VolumesFrom", spec.volumes_from);
  put_list(host, "Dns", spec.dns);
  put_list(host, "DnsSearch", spec.dns_search);
  put_list(host, "DnsOptions", spec.dns_options);
  put_list(host, "ExtraHosts", spec.extra_hosts);
  put_list(host, "Links", spec.links);
  if (!spec.tmpfs.empty()) host["Tmpfs"] = tmpfs_of(spec.tmpfs);
  if (!spec.port_bindings.empty()) host["PortBindings"] = port_bindings_of(spec.port_bindings);
  put_flag(host, "PublishAllPorts", spec.publish_all);
  put_flag(host, "AutoRemove", spec.auto_remove);
  if (!spec.restart_policy.empty()) host["RestartPolicy"] = restart_policy_of(spec.restart_policy);
  put_isolation(host, spec, api);
  put_resources(host, spec.resources);
  if (!spec.log_driver.empty() || !spec.log_options.empty()) {
    json::object log;
    put_text(log, "Type", spec.log_driver);
    put_map(log, "Config", spec.log_options);
    host["LogConfig"] = std::move(log);
  }
  host["NetworkMode"] = spec.network.empty() ? "bridge" : spec.network;
  return host;
}

/// Only these have endpoints of their own, with names in the engine's DNS.
bool user_defined(const std::string& network) {
  return !network.empty() && network != "bridge" && network != "default" && network != "host" && network != "none" &&
         !network.starts_with("container:");
}

json::object endpoints_of(const ContainerSpec& spec, std::string_view api) {
  json::object all;
  if (!user_defined(spec.network)) return all;
  if (spec.endpoints.empty()) {
    EndpointSpec only;
    only.aliases = spec.aliases;
    all[spec.network] = endpoint_of(only, api);
    return all;
  }
  const std::size_t most = api_at_least(api, 1, 44) ? spec.endpoints.size() : 1;
  for (std::size_t at = 0; at < most; ++at) all[spec.endpoints[at].network] = endpoint_of(spec.endpoints[at], api);
  return all;
}

}  // namespace

json::object endpoint_of(const EndpointSpec& endpoint, std::string_view api) {
  json::object out;
  put_list(out, "Aliases", endpoint.aliases);
  put_list(out, "Links", endpoint.links);
  put_map(out, "DriverOpts", endpoint.driver_opts);
  put_text(out, "MacAddress", endpoint.mac_address);
  if (api_at_least(api, 1, 48)) put_number(out, "GwPriority", endpoint.gw_priority);
  json::object ipam;
  put_text(ipam, "IPv4Address", endpoint.ipv4_address);
  put_text(ipam, "IPv6Address", endpoint.ipv6_address);
  put_list(ipam, "LinkLocalIPs", endpoint.link_local_ips);
  if (!ipam.empty()) out["IPAMConfig"] = std::move(ipam);
  return out;
}

std::string create_container_body(const ContainerSpec& spec, std::string_view api) {
  json::object root;
  root["Image"] = spec.image;
  put_list(root, "Cmd", spec.command);
  put_list(root, "Entrypoint", spec.entrypoint);
  // An empty list says nothing; one empty word is what the engine takes for "none".
  if (spec.no_entrypoint) root["Entrypoint"] = json::array{""};
  if (spec.no_command) root["Cmd"] = json::array();
  put_list(root, "Env", spec.env);
  put_map(root, "Labels", spec.labels);
  json::object exposed;
  for (const auto& port : spec.exposed_ports) exposed[to_string(port)] = json::object();
  for (const auto& [port, bindings] : spec.port_bindings) exposed[to_string(port)] = json::object();
  if (!exposed.empty()) root["ExposedPorts"] = std::move(exposed);
  json::object volumes;
  for (const auto& path : spec.volumes) volumes[path] = json::object();
  if (!volumes.empty()) root["Volumes"] = std::move(volumes);
  put_text(root, "Hostname", spec.hostname);
  put_text(root, "Domainname", spec.domainname);
  if (!api_at_least(api, 1, 44)) put_text(root, "MacAddress", spec.mac_address);
  put_text(root, "User", spec.user);
  put_text(root, "WorkingDir", spec.working_dir);
  put_text(root, "StopSignal", spec.stop_signal);
  if (spec.stop_timeout_seconds) root["StopTimeout"] = *spec.stop_timeout_seconds;
  if (spec.healthcheck) root["Healthcheck"] = healthcheck_of(*spec.healthcheck, api);
  put_flag(root, "Tty", spec.tty);
  put_flag(root, "OpenStdin", spec.stdin_open);
  put_flag(root, "StdinOnce", spec.stdin_once);
  root["HostConfig"] = host_config_of(spec, api);
  if (auto endpoints = endpoints_of(spec, api); !endpoints.empty()) {
    root["NetworkingConfig"] = json::object{{"EndpointsConfig", std::move(endpoints)}};
  }
  return json::serialize(root);
}

}  // namespace devstack::docker::wire

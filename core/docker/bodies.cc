// What we send: bodies and query parts of the Engine API.
#include "core/docker/json.h"
#include "core/docker/wire.h"

namespace devstack::docker::wire {
namespace {

json::array array_of(const std::vector<std::string>& from) {
  json::array all;
  for (const auto& text : from) all.emplace_back(text);
  return all;
}

json::object object_of(const StringMap& from) {
  json::object all;
  for (const auto& [name, value] : from) all[name] = value;
  return all;
}

void put_list(json::object& into, std::string_view name, const std::vector<std::string>& values) {
  if (!values.empty()) into[{name.data(), name.size()}] = array_of(values);
}

void put_text(json::object& into, std::string_view name, const std::string& value) {
  if (!value.empty()) into[{name.data(), name.size()}] = value;
}

/// "on-failure:3"
json::object restart_policy_of(const std::string& text) {
  json::object policy;
  const auto colon = text.find(':');
  policy["Name"] = text.substr(0, colon);
  if (colon != std::string::npos) policy["MaximumRetryCount"] = std::strtol(text.c_str() + colon + 1, nullptr, 10);
  return policy;
}

json::object healthcheck_of(const HealthcheckConfig& check) {
  json::object all;
  put_list(all, "Test", check.test);
  if (check.interval.count() > 0) all["Interval"] = std::int64_t{check.interval.count()};
  if (check.timeout.count() > 0) all["Timeout"] = std::int64_t{check.timeout.count()};
  if (check.start_period.count() > 0) all["StartPeriod"] = std::int64_t{check.start_period.count()};
  if (check.retries > 0) all["Retries"] = check.retries;
  return all;
}

json::object port_bindings_of(const std::map<ContainerPort, std::vector<PortBinding>>& from) {
  json::object all;
  for (const auto& [port, bindings] : from) {
    json::array list;
    for (const auto& binding : bindings) {
      json::object one;
      one["HostIp"] = binding.host_ip;
      one["HostPort"] = binding.host_port == 0 ? std::string() : std::to_string(binding.host_port);
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

/// Only these have endpoints of their own, with names in the engine's DNS.
bool user_defined(const std::string& network) {
  return !network.empty() && network != "bridge" && network != "default" && network != "host" && network != "none" &&
         !network.starts_with("container:");
}

json::object host_config_of(const ContainerSpec& spec) {
  json::object host;
  put_list(host, "Binds", spec.binds);
  put_list(host, "Dns", spec.dns);
  put_list(host, "DnsSearch", spec.dns_search);
  put_list(host, "CapAdd", spec.cap_add);
  put_list(host, "CapDrop", spec.cap_drop);
  put_list(host, "ExtraHosts", spec.extra_hosts);
  if (!spec.tmpfs.empty()) host["Tmpfs"] = tmpfs_of(spec.tmpfs);
  if (!spec.port_bindings.empty()) host["PortBindings"] = port_bindings_of(spec.port_bindings);
  if (spec.publish_all) host["PublishAllPorts"] = true;
  if (!spec.restart_policy.empty()) host["RestartPolicy"] = restart_policy_of(spec.restart_policy);
  if (spec.init) host["Init"] = true;
  if (spec.read_only) host["ReadonlyRootfs"] = true;
  if (spec.privileged) host["Privileged"] = true;
  host["NetworkMode"] = spec.network.empty() ? "bridge" : spec.network;
  return host;
}

}  // namespace

std::string create_container_body(const ContainerSpec& spec) {
  json::object root;
  root["Image"] = spec.image;
  put_list(root, "Cmd", spec.command);
  put_list(root, "Entrypoint", spec.entrypoint);
  put_list(root, "Env", spec.env);
  if (!spec.labels.empty()) root["Labels"] = object_of(spec.labels);
  json::object exposed;
  for (const auto& port : spec.exposed_ports) exposed[to_string(port)] = json::object();
  for (const auto& [port, bindings] : spec.port_bindings) exposed[to_string(port)] = json::object();
  if (!exposed.empty()) root["ExposedPorts"] = std::move(exposed);
  put_text(root, "Hostname", spec.hostname);
  put_text(root, "User", spec.user);
  put_text(root, "WorkingDir", spec.working_dir);
  put_text(root, "StopSignal", spec.stop_signal);
  if (spec.stop_timeout_seconds) root["StopTimeout"] = *spec.stop_timeout_seconds;
  if (spec.healthcheck) root["Healthcheck"] = healthcheck_of(*spec.healthcheck);
  if (spec.tty) root["Tty"] = true;
  root["HostConfig"] = host_config_of(spec);
  if (user_defined(spec.network)) {
    json::object endpoint;
    put_list(endpoint, "Aliases", spec.aliases);
    json::object all;
    all[spec.network] = std::move(endpoint);
    json::object networking;
    networking["EndpointsConfig"] = std::move(all);
    root["NetworkingConfig"] = std::move(networking);
  }
  return json::serialize(root);
}

std::string create_exec_body(const std::vector<std::string>& argv) {
  json::object root;
  root["AttachStdout"] = true;
  root["AttachStderr"] = true;
  root["Cmd"] = array_of(argv);
  return json::serialize(root);
}

std::string create_network_body(std::string_view name, const StringMap& labels) {
  json::object root;
  root["Name"] = json::string_view(name.data(), name.size());
  root["CheckDuplicate"] = true;  // engines before API 1.44 make a second network of the same name otherwise
  root["Labels"] = object_of(labels);
  return json::serialize(root);
}

std::string label_filter(const std::vector<std::string>& labels) {
  json::object root;
  root["label"] = array_of(labels);
  return json::serialize(root);
}

ImageName split_image_name(std::string_view name) {
  if (name.find('@') != std::string_view::npos) return {std::string(name), {}};
  const auto slash = name.rfind('/');
  const auto colon = name.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon == std::string_view::npos) return {std::string(name), "latest"};
  return {std::string(name.substr(0, colon)), std::string(name.substr(colon + 1))};
}

}  // namespace devstack::docker::wire

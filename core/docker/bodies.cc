// What we send: bodies and query parts of the Engine API.
#include "core/docker/client.h"
#include "core/docker/json.h"
#include "core/docker/json_write.h"
#include "core/docker/wire.h"

namespace devstack::docker::wire {
std::string create_exec_body(const ExecOptions& options) {
  json::object root;
  put_flag(root, "AttachStdin", options.input && !options.detach);
  put_flag(root, "AttachStdout", !options.detach);
  put_flag(root, "AttachStderr", !options.detach);
  put_flag(root, "Tty", options.tty);
  root["Cmd"] = array_of(options.argv);
  if (options.privileged) root["Privileged"] = true;
  put_text(root, "User", options.user);
  put_text(root, "WorkingDir", options.working_dir);
  std::vector<std::string> env;
  for (const auto& [name, value] : options.env) env.push_back(name + "=" + value);
  put_list(root, "Env", env);
  return json::serialize(root);
}

std::string create_network_body(const NetworkSpec& spec, std::string_view api) {
  json::object root;
  root["Name"] = spec.name;
  root["CheckDuplicate"] = true;  // engines before API 1.44 make a second network of the same name otherwise
  put_text(root, "Driver", spec.driver);
  put_map(root, "Options", spec.driver_opts);
  root["Labels"] = object_of(spec.labels);
  put_flag(root, "Internal", spec.internal);
  put_flag(root, "Attachable", spec.attachable);
  if (spec.enable_ipv6) root["EnableIPv6"] = *spec.enable_ipv6;
  if (spec.enable_ipv4 && api_at_least(api, 1, 47)) root["EnableIPv4"] = *spec.enable_ipv4;
  if (!spec.pools.empty() || !spec.ipam_driver.empty() || !spec.ipam_options.empty()) {
    json::object ipam;
    ipam["Driver"] = spec.ipam_driver.empty() ? "default" : spec.ipam_driver;
    put_map(ipam, "Options", spec.ipam_options);
    json::array pools;
    for (const auto& pool : spec.pools) {
      json::object one;
      put_text(one, "Subnet", pool.subnet);
      put_text(one, "IPRange", pool.ip_range);
      put_text(one, "Gateway", pool.gateway);
      put_map(one, "AuxiliaryAddresses", pool.aux_addresses);
      pools.emplace_back(std::move(one));
    }
    if (!pools.empty()) ipam["Config"] = std::move(pools);
    root["IPAM"] = std::move(ipam);
  }
  return json::serialize(root);
}

std::string connect_body(std::string_view container, const EndpointSpec& endpoint) {
  json::object root;
  root["Container"] = json::string_view(container.data(), container.size());
  root["EndpointConfig"] = endpoint_of(endpoint, "1.41");
  return json::serialize(root);
}

std::string disconnect_body(std::string_view container, bool force) {
  json::object root;
  root["Container"] = json::string_view(container.data(), container.size());
  root["Force"] = force;
  return json::serialize(root);
}

std::string build_path(const BuildSpec& spec) {
  std::string path = "/build?rm=1&forcerm=1";
  const auto add = [&path](std::string_view name, std::string_view value) {
    if (!value.empty()) path += fmt::format("&{}={}", name, http::encode_path(value, http::Slash::escape));
  };
  for (const auto& tag : spec.tags) add("t", tag);
  for (const auto& host : spec.extra_hosts) add("extrahosts", host);
  add("dockerfile", spec.dockerfile);
  add("remote", spec.remote);
  add("target", spec.target);
  add("networkmode", spec.network);
  add("platform", spec.platform);
  if (spec.no_cache) add("nocache", "1");
  if (spec.pull) add("pull", "1");
  if (spec.shm_size > 0) add("shmsize", std::to_string(spec.shm_size));
  if (!spec.args.empty()) add("buildargs", json::serialize(object_of(spec.args)));
  if (!spec.labels.empty()) add("labels", json::serialize(object_of(spec.labels)));
  if (!spec.cache_from.empty()) add("cachefrom", json::serialize(array_of(spec.cache_from)));
  json::array ulimits;
  for (const auto& limit : spec.ulimits) {
    ulimits.emplace_back(json::object{{"Name", limit.name}, {"Soft", limit.soft}, {"Hard", limit.hard}});
  }
  if (!ulimits.empty()) add("ulimits", json::serialize(ulimits));
  return path;
}

std::string create_volume_body(const VolumeSpec& spec) {
  json::object root;
  root["Name"] = spec.name;
  put_text(root, "Driver", spec.driver);
  put_map(root, "DriverOpts", spec.driver_opts);
  put_map(root, "Labels", spec.labels);
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

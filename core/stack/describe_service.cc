#include <boost/json/serialize.hpp>

#include "core/stack/describe.h"
#include "core/stack/put.h"

namespace devstack::stack {
namespace {

json::object describe_port(const PortMapping& port) {
  json::object out;
  put(out, "host_ip", port.host_ip);
  if (port.published_last != 0) {
    out["published"] = fmt::format("{}-{}", port.published, port.published_last);
  } else if (port.published != 0) {
    out["published"] = std::to_string(port.published);
  }
  out["target"] = port.target;
  put(out, "protocol", port.protocol, std::string("tcp"));
  put(out, "name", port.name);
  put(out, "app_protocol", port.app_protocol);
  return out;
}

json::object describe_health(const Healthcheck& check) {
  const Healthcheck none;
  json::object out;
  put(out, "test", check.test);
  put_span(out, "interval", check.interval, none.interval);
  put_span(out, "timeout", check.timeout, none.timeout);
  put_span(out, "start_period", check.start_period, none.start_period);
  put(out, "retries", check.retries, none.retries);
  put_span(out, "start_interval", check.start_interval, none.start_interval);
  return out;
}

void put_process_command(json::object& out, std::string_view key, const Texts& command) {
  if (command.size() == 3 && command[0] == "/bin/sh" && command[1] == "-c") {
    out[key] = command[2];
  } else {
    put(out, key, command);
  }
}

json::object describe_process(const ProcessSettings& process, const RestartPolicy& restart) {
  json::object out;
  put_process_command(out, "command", process.command);
  if (process.auto_port) out["port"] = "auto";
  if (process.port != 0) out["port"] = process.port;
  if (process.healthcheck) out["healthcheck"] = describe_health(*process.healthcheck);
  if (process.liveness) out["liveness"] = describe_health(*process.liveness);
  put(out, "ready_log_line", process.ready_log_line);
  put_process_command(out, "stop_command", process.stop_command);
  put(out, "watch", process.watch);
  put_span(out, "every", process.every, {});
  put_span(out, "restart_delay", restart.delay, {});
  put_span(out, "restart_max_delay", restart.max_delay, {});
  return out;
}

json::object describe_dependencies(const std::vector<Dependency>& dependencies) {
  json::object out;
  for (const auto& dependency : dependencies) {
    constexpr std::string_view conditions[] = {"service_started", "service_healthy", "service_completed_successfully"};
    json::object one{{"condition", conditions[static_cast<std::size_t>(dependency.condition)]}};
    put(one, "required", dependency.required, true);
    put(one, "restart", dependency.restart, false);
    out[dependency.service] = std::move(one);
  }
  return out;
}

std::string describe_restart(const RestartPolicy& policy) {
  using Kind = RestartPolicy::Kind;
  switch (policy.kind) {
    case Kind::no:
      return "";
    case Kind::always:
      return "always";
    case Kind::unless_stopped:
      return "unless-stopped";
    case Kind::on_failure:
      break;
  }
  return policy.max_retries == 0 ? "on-failure" : fmt::format("on-failure:{}", policy.max_retries);
}

json::value describe_networks(const std::vector<NetworkAttachment>& networks) {
  json::array names;
  json::object all;
  bool plain = true;
  for (const auto& network : networks) {
    json::object one;
    put(one, "aliases", network.aliases);
    put(one, "ipv4_address", network.ipv4_address);
    put(one, "ipv6_address", network.ipv6_address);
    put(one, "link_local_ips", network.link_local_ips);
    put(one, "mac_address", network.mac_address);
    put(one, "interface_name", network.interface_name);
    put(one, "driver_opts", network.driver_opts);
    put(one, "priority", network.priority, 0);
    put(one, "gw_priority", network.gw_priority, 0);
    plain = plain && one.empty();
    names.emplace_back(network.network);
    all[network.network] = std::move(one);
  }
  return plain ? json::value(std::move(names)) : json::value(std::move(all));
}

json::array describe_grants(const std::vector<FileGrant>& grants) {
  json::array out;
  for (const auto& grant : grants) {
    json::object one;
    put(one, "source", grant.source);
    put(one, "target", grant.target);
    put(one, "uid", grant.uid);
    put(one, "gid", grant.gid);
    if (grant.mode) one["mode"] = fmt::format("{:04o}", *grant.mode);
    out.push_back(std::move(one));
  }
  return out;
}

json::object describe_wait_for(const WaitFor& wait) {
  json::object out;
  put(out, "services", wait.services);
  put(out, "keys", wait.keys);
  return out;
}

json::object describe_own_keys(const ServiceSpec& s) {
  json::object out;
  put(out, "publish_all", s.publish_all, false);
  put(out, "wait_for", describe_wait_for(s.wait_for));
  return out;
}

/// `[]` says more than nothing: not even what the image has.
void put_argv(json::object& out, std::string_view key, const Texts& argv, bool none) {
  if (none) out[key] = json::array();
  put(out, key, argv);
}

template <class T, class Describe>
json::array each(const std::vector<T>& values, Describe describe_one) {
  json::array out;
  for (const auto& value : values) out.push_back(describe_one(value));
  return out;
}

void put_network_side(json::object& out, const ServiceSpec& s) {
  put(out, "dns", s.dns);
  put(out, "dns_search", s.dns_search);
  put(out, "dns_opt", s.dns_opt);
  if (!s.extra_hosts.empty()) put(out, "extra_hosts", s.extra_hosts);
  put(out, "links", s.links);
  put(out, "external_links", s.external_links);
  if (!s.networks.empty()) out["networks"] = describe_networks(s.networks);
}

}  // namespace

json::object describe(const ServiceSpec& s) {
  const ServiceSpec none;
  json::object out;
  put(out, "image", s.image);
  if (s.build) put(out, "build", describe_build(*s.build));
  put_argv(out, "command", s.command, s.no_command);
  put_argv(out, "entrypoint", s.entrypoint, s.no_entrypoint);
  if (s.process) put(out, "x-process", describe_process(*s.process, s.restart));
  put(out, "ports", each(s.ports, describe_port));
  put(out, "expose", s.expose);
  put(out, "x-devstack", describe_own_keys(s));
  put(out, "environment", s.environment);
  put(out, "labels", s.labels);
  put(out, "depends_on", describe_dependencies(s.depends_on));
  if (s.healthcheck) out["healthcheck"] = describe_health(*s.healthcheck);
  put(out, "restart", describe_restart(s.restart));
  put(out, "volumes", each(s.volumes, describe_mount));
  put(out, "volumes_from", s.volumes_from);
  put(out, "tmpfs", s.tmpfs);
  put(out, "configs", describe_grants(s.configs));
  put(out, "secrets", describe_grants(s.secrets));
  put_network_side(out, s);
  put(out, "container_name", s.container_name);
  put(out, "hostname", s.hostname);
  put(out, "domainname", s.domainname);
  put(out, "mac_address", s.mac_address);
  put(out, "user", s.user);
  put(out, "working_dir", s.working_dir);
  put(out, "platform", s.platform);
  put(out, "pull_policy", s.pull_policy);
  put(out, "stop_signal", s.stop_signal == "SIGTERM" ? "" : s.stop_signal);
  put_span(out, "stop_grace_period", s.stop_grace_period, none.stop_grace_period);
  put(out, "network_mode", s.network_mode);
  put_isolation(out, s.isolation);
  put_resources(out, s.resources);
  if (s.logging) {
    json::object logging;
    put(logging, "driver", s.logging->driver);
    put(logging, "options", s.logging->options);
    put(out, "logging", std::move(logging));
  }
  put(out, "pre_start", each(s.pre_start, describe_hook));
  put(out, "post_start", each(s.post_start, describe_hook));
  put(out, "pre_stop", each(s.pre_stop, describe_hook));
  if (!s.watch.empty()) out["develop"] = json::object{{"watch", each(s.watch, describe_watch_rule)}};
  put(out, "profiles", s.profiles);
  put(out, "attach", s.attach, true);
  put(out, "scale", s.scale, none.scale);
  return out;
}

}  // namespace devstack::stack

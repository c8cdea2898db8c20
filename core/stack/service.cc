// One entry of `services:`. https://docs.docker.com/reference/compose-file/services/
#include <algorithm>
#include <utility>

#include "core/stack/read.h"

namespace devstack::stack {
namespace {

using R = const Reading&;
using V = const Node&;

void text(std::string& into, V node, R in) {
  if (auto value = read_text(node, in)) into = std::move(*value);
}

/// `environment` and `labels`: a map, or a list of K=V. A key without a value is handed to `bare`.
template <class Bare>
std::map<std::string, std::string> read_pairs(V node, R in, Bare bare) {
  std::map<std::string, std::string> pairs;
  if (node.kind == Node::Kind::list) {
    for (const auto& item : read_texts(node, in)) {
      const auto equals = item.find('=');
      if (equals == std::string::npos) {
        bare(pairs, item);
      } else {
        pairs[item.substr(0, equals)] = item.substr(equals + 1);
      }
    }
    return pairs;
  }
  if (node.kind == Node::Kind::scalar) {
    wrong_type(node, "a map or a list of NAME=value", in);
    return pairs;
  }
  for (const auto& entry : node.entries) {
    if (entry.value.kind == Node::Kind::null) {
      bare(pairs, entry.key);
    } else if (auto value = read_text(entry.value, in)) {
      pairs[entry.key] = std::move(*value);
    }
  }
  return pairs;
}

void read_environment(ServiceSpec& s, V node, R in) {
  s.environment = read_pairs(node, in, [&](auto& pairs, const std::string& name) {
    const auto at = in.environment.find(name);
    if (at != in.environment.end()) pairs[name] = at->second;
  });
}

void read_labels(ServiceSpec& s, V node, R in) {
  s.labels = read_pairs(node, in, [](auto& pairs, const std::string& name) { pairs[name] = ""; });
  for (const auto& [name, value] : s.labels) {
    if (!name.starts_with("com.docker.compose")) continue;
    in.report.error(node.at, "{}labels starting with com.docker.compose are reserved, found \"{}\"", node.prefix(),
                    name);
  }
}

void read_restart(ServiceSpec& s, V node, R in) {
  const auto given = read_text(node, in);
  if (!given) return;
  using Kind = RestartPolicy::Kind;
  if (*given == "no" || *given == "false") {
    s.restart = {Kind::no, 0};
  } else if (*given == "always") {
    s.restart = {Kind::always, 0};
  } else if (*given == "unless-stopped") {
    s.restart = {Kind::unless_stopped, 0};
  } else if (*given == "on-failure") {
    s.restart = {Kind::on_failure, 0};
  } else if (given->starts_with("on-failure:")) {
    Node count = node;
    count.text = given->substr(11);
    if (const auto retries = read_number(count, 0, 1'000'000, in)) {
      s.restart = {Kind::on_failure, static_cast<int>(*retries)};
    }
  } else {
    in.report.error(node.at, "{}expected no, always, on-failure[:n] or unless-stopped, found \"{}\"", node.prefix(),
                    *given);
  }
}

void read_expose(ServiceSpec& s, V node, R in) {
  s.expose = read_texts(node, in);
  for (const auto& port : s.expose) {
    const auto parsed = port.find(':') == std::string::npos
                            ? parse_port(port)
                            : fail(Errc::parse, "\"{}\" maps a port: use `ports`", port);
    if (!parsed) in.report.error(node.at, "{}{}", node.prefix(), parsed.error().message);
  }
}

void read_extra_hosts(ServiceSpec& s, V node, R in) {
  std::map<std::string, std::string> hosts;
  if (node.kind == Node::Kind::map) {
    hosts = read_text_map(node, in);
  } else {
    for (const auto& item : read_texts(node, in)) {
      const auto cut = item.find_first_of("=:");
      if (cut == std::string::npos) {
        in.report.error(node.at, "{}expected host=address, found \"{}\"", node.prefix(), item);
        continue;
      }
      hosts[item.substr(0, cut)] = item.substr(cut + 1);
    }
  }
  for (const auto& [host, address] : hosts) {
    if (address != "host-gateway" && !is_ip_address(address)) {
      in.report.error(node.at, "{}expected an IP address or host-gateway for {}, found \"{}\"", node.prefix(), host,
                      address);
    }
    s.extra_hosts.push_back(host + ":" + address);
  }
}

void read_dns(ServiceSpec& s, V node, R in) {
  s.dns = read_text_or_texts(node, in);
  for (const auto& server : s.dns) {
    if (is_ip_address(server)) continue;
    in.report.error(node.at, "{}expected an IP address, found \"{}\"", node.prefix(), server);
  }
}

void read_network_mode(ServiceSpec& s, V node, R in) {
  text(s.network_mode, node, in);
  if (s.network_mode == "host" || s.network_mode == "none" || s.network_mode == "bridge") return;
  in.report.error(node.at, "{}expected bridge, host or none, found \"{}\"", node.prefix(), s.network_mode);
}

constexpr Field<ProcessSettings> kProcess[] = {
    {"command", [](ProcessSettings& p, V v, R in) { p.command = read_process_command(v, in); }},
    {"port",
     [](ProcessSettings& p, V v, R in) {
       p.auto_port = v.kind == Node::Kind::scalar && v.text == "auto";
       if (p.auto_port) return;
       if (const auto port = read_number(v, 1, 65535, in)) p.port = static_cast<std::uint16_t>(*port);
     }},
    {"healthcheck", [](ProcessSettings& p, V v, R in) { read_healthcheck(p.healthcheck, v, in); }},
};

struct OwnKeys {
  bool publish_all = false;
};
constexpr Field<OwnKeys> kOwnKeys[] = {
    {"publish_all", [](OwnKeys& o, V v, R in) { o.publish_all = read_switch(v, in).value_or(false); }},
};

/// `command` is read by read_service, which knows whether it is for a container or a process.
constexpr Field<ServiceSpec> kService[] = {
    {"image", [](ServiceSpec& s, V v, R in) { text(s.image, v, in); }},
    {"command", [](ServiceSpec&, V, R) {}},
    {"entrypoint", [](ServiceSpec& s, V v, R in) { s.entrypoint = read_container_command(v, in); }},
    {"ports", [](ServiceSpec& s, V v, R in) { s.ports = read_ports(v, in); }},
    {"environment", read_environment},
    {"labels", read_labels},
    {"depends_on", [](ServiceSpec& s, V v, R in) { s.depends_on = read_depends_on(v, in); }},
    {"healthcheck", [](ServiceSpec& s, V v, R in) { read_healthcheck(s.healthcheck, v, in); }},
    {"restart", read_restart},
    {"expose", read_expose},
    {"volumes", [](ServiceSpec& s, V v, R in) { s.volumes = read_volumes(v, in); }},
    {"container_name", [](ServiceSpec& s, V v, R in) { text(s.container_name, v, in); }},
    {"hostname", [](ServiceSpec& s, V v, R in) { text(s.hostname, v, in); }},
    {"user", [](ServiceSpec& s, V v, R in) { text(s.user, v, in); }},
    {"working_dir", [](ServiceSpec& s, V v, R in) { text(s.working_dir, v, in); }},
    {"stop_signal", [](ServiceSpec& s, V v, R in) { text(s.stop_signal, v, in); }},
    {"stop_grace_period",
     [](ServiceSpec& s, V v, R in) {
       if (const auto span = read_duration(v, in)) s.stop_grace_period = *span;
     }},
    {"extra_hosts", read_extra_hosts},
    {"dns", read_dns},
    {"network_mode", read_network_mode},
    {"profiles", [](ServiceSpec& s, V v, R in) { s.profiles = read_texts(v, in); }},
    {"scale",
     [](ServiceSpec& s, V v, R in) {
       if (const auto count = read_number(v, 0, 1000, in)) s.scale = static_cast<int>(*count);
     }},
    {"x-process",
     [](ServiceSpec& s, V v, R in) { read_fields<ProcessSettings>(v, s.process.emplace(), kProcess, {}, in); }},
    {"x-devstack",
     [](ServiceSpec& s, V v, R in) {
       OwnKeys own;
       read_fields<OwnKeys>(v, own, kOwnKeys, {}, in);
       s.publish_all = own.publish_all;
     }},
};

/// The rest of Compose's keys, and what to do meanwhile.
constexpr Unsupported kServiceLater[] = {
    {"build", "build the image yourself and name it with `image`"},
    {"env_file", "write the variables under `environment`"},
    {"networks", "remove it; all services share the project's network"},
    {"domainname"},
    {"label_file"},
    {"extends"},
    {"secrets"},
    {"configs"},
    {"links", "remove it; services find each other by name"},
    {"external_links"},
    {"dns_search"},
    {"dns_opt"},
    {"cap_add"},
    {"cap_drop"},
    {"privileged"},
    {"security_opt"},
    {"devices"},
    {"tmpfs"},
    {"shm_size"},
    {"ulimits"},
    {"sysctls"},
    {"logging"},
    {"init"},
    {"tty"},
    {"stdin_open"},
    {"read_only"},
    {"pid"},
    {"ipc"},
    {"uts"},
    {"mem_limit"},
    {"mem_reservation"},
    {"mem_swappiness"},
    {"memswap_limit"},
    {"cpus"},
    {"cpu_count"},
    {"cpu_percent"},
    {"cpu_period"},
    {"cpu_quota"},
    {"cpu_shares"},
    {"cpu_rt_period"},
    {"cpu_rt_runtime"},
    {"cpuset"},
    {"pids_limit"},
    {"deploy", "remove it; `scale` sets the number of instances"},
    {"platform"},
    {"pull_policy"},
    {"group_add"},
    {"runtime"},
    {"volumes_from"},
    {"mac_address"},
    {"oom_score_adj"},
    {"oom_kill_disable"},
    {"annotations"},
    {"attach"},
    {"develop"},
    {"post_start"},
    {"pre_stop"},
    {"pre_start"},
    {"isolation"},
    {"credential_spec"},
    {"cgroup"},
    {"cgroup_parent"},
    {"blkio_config"},
    {"storage_opt"},
    {"userns_mode"},
    {"use_api_socket"},
    {"provider"},
    {"models"},
    {"gpus"},
    {"device_cgroup_rules"},
    {"volume_driver"},
    {"net", "write `network_mode`"},
    {"depends", "write `depends_on`"},
};

/// Keys that only a container has.
constexpr std::array<std::string_view, 8> kContainerOnly{"entrypoint",  "volumes", "container_name", "hostname",
                                                         "extra_hosts", "dns",     "network_mode",   "x-devstack"};

/// The port of a host process: `ports: ["8080"]`, or x-process.port.
void read_process_port(ServiceSpec& s, V node, R in) {
  const Node* ports = node.find("ports");
  if (ports == nullptr || s.ports.empty()) return;
  const auto& port = s.ports.front();
  auto& process = *s.process;
  if (s.ports.size() > 1) {
    in.report.error(ports->at, "{}a host process has one port, found {}", ports->prefix(), s.ports.size());
  } else if (!port.host_ip.empty() || port.protocol != "tcp") {
    in.report.error(ports->at, "{}a host process listens where it will ($HOST): write \"{}\"", ports->prefix(),
                    port.target);
  } else if (port.published != 0 && port.published != port.target) {
    in.report.error(ports->at, "{}a host process listens on the host itself: write \"{}\"", ports->prefix(),
                    port.published);
  } else if (process.auto_port || (process.port != 0 && process.port != port.target)) {
    in.report.error(ports->at, "{}x-process.port says otherwise: give the port once", ports->prefix());
  } else {
    process.port = port.target;
  }
}

void read_process(ServiceSpec& s, V node, R in) {
  const Node* command = node.find("command");
  const Node* own = node.find("x-process");
  if (!s.process) s.process.emplace();
  if (command != nullptr && own != nullptr && own->find("command") != nullptr) {
    in.report.error(command->at, "{}x-process.command is there too: give the command once", command->prefix());
  } else if (command != nullptr) {
    s.process->command = read_process_command(*command, in);
  } else if (own == nullptr || own->find("command") == nullptr) {
    in.report.error(s.at, "{}has neither `image` (a container) nor `command` (a host process)", node.prefix());
  }
  for (const auto& entry : node.entries) {
    if (std::find(kContainerOnly.begin(), kContainerOnly.end(), entry.key) == kContainerOnly.end()) continue;
    in.report.error(entry.at, "{}a service without `image` is a host process: `{}` needs an image", node.prefix(),
                    entry.key);
  }
  if (s.process->healthcheck && s.healthcheck) {
    in.report.error(node.find("healthcheck")->at, "{}x-process.healthcheck is there too: give the check once",
                    node.prefix());
  }
  if (s.process->healthcheck && !s.healthcheck) s.healthcheck = std::exchange(s.process->healthcheck, std::nullopt);
  read_process_port(s, node, in);
}

void read_container(ServiceSpec& s, V node, R in) {
  if (const Node* command = node.find("command")) s.command = read_container_command(*command, in);
  const Node& image = *node.find("image");
  const bool absent = image.kind == Node::Kind::scalar && image.text.empty();
  if (absent) in.report.error(image.at, "{}the image has no name", image.prefix());
  if (s.process && s.process->command.empty() && node.find("x-process")->find("command") == nullptr) {
    in.report.error(node.find("x-process")->at, "{}`command` is missing: what runs where there is no Docker",
                    node.find("x-process")->prefix());
  }
}

}  // namespace

ServiceSpec read_service(const Entry& entry, const Reading& in) {
  ServiceSpec service;
  service.name = entry.key;
  service.at = entry.at;
  const Node& node = entry.value;
  read_fields<ServiceSpec>(node, service, kService, kServiceLater, in);
  if (node.kind != Node::Kind::map && node.kind != Node::Kind::null) return service;
  if (node.find("image") != nullptr) {
    read_container(service, node, in);
  } else if (node.find("build") == nullptr) {
    read_process(service, node, in);
  }
  if (!service.working_dir.empty() && node.find("image") == nullptr) {
    service.working_dir = absolute_path(service.working_dir, in);
  }
  return service;
}

}  // namespace devstack::stack

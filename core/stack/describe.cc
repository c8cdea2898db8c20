#include "core/stack/describe.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "core/base/duration.h"

namespace devstack::stack {
namespace {

namespace json = boost::json;

template <class T>
void put(json::object& into, std::string_view key, const T& value, const T& unless) {
  if (value != unless) into[key] = value;
}

void put(json::object& into, std::string_view key, const std::string& value) {
  if (!value.empty()) into[key] = value;
}

void put(json::object& into, std::string_view key, const std::vector<std::string>& values) {
  if (!values.empty()) into[key] = json::array(values.begin(), values.end());
}

void put(json::object& into, std::string_view key, const std::map<std::string, std::string>& values) {
  if (values.empty()) return;
  json::object map;
  for (const auto& [name, value] : values) map[name] = value;
  into[key] = std::move(map);
}

void put(json::object& into, std::string_view key, json::object value) {
  if (!value.empty()) into[key] = std::move(value);
}

void put_span(json::object& into, std::string_view key, std::chrono::nanoseconds value,
              std::chrono::nanoseconds unless) {
  if (value != unless) into[key] = format_duration(value);
}

json::object describe_port(const PortMapping& port) {
  json::object out;
  put(out, "host_ip", port.host_ip);
  if (port.published != 0) out["published"] = std::to_string(port.published);
  out["target"] = port.target;
  put(out, "protocol", port.protocol, std::string("tcp"));
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
  return out;
}

json::object describe_process(const ProcessSettings& process) {
  json::object out;
  const auto& command = process.command;
  if (command.size() == 3 && command[0] == "/bin/sh" && command[1] == "-c") {
    out["command"] = command[2];
  } else {
    put(out, "command", command);
  }
  if (process.auto_port) out["port"] = "auto";
  if (process.port != 0) out["port"] = process.port;
  if (process.healthcheck) out["healthcheck"] = describe_health(*process.healthcheck);
  return out;
}

/// As their short form.
std::vector<std::string> describe_binds(const std::vector<Mount>& mounts) {
  std::vector<std::string> out;
  for (const auto& mount : mounts) {
    const std::string options = mount.read_only ? ":ro" : mount.selinux.empty() ? "" : ":" + mount.selinux;
    out.push_back(fmt::format("{}:{}{}", mount.source, mount.target, options));
  }
  return out;
}

json::object describe_dependencies(const std::vector<Dependency>& dependencies) {
  json::object out;
  for (const auto& dependency : dependencies) {
    constexpr std::string_view conditions[] = {"service_started", "service_healthy", "service_completed_successfully"};
    json::object one{{"condition", conditions[static_cast<std::size_t>(dependency.condition)]}};
    put(one, "required", dependency.required, true);
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

json::object describe(const RegistrySettings& s) {
  const RegistrySettings none;
  json::object out;
  put(out, "engine", s.engine, none.engine);
  put(out, "node", s.node);
  put(out, "datacenter", s.datacenter, none.datacenter);
  put(out, "http", s.http, none.http);
  if (s.bind != none.bind) put(out, "bind", s.bind);
  put(out, "advertise", s.advertise, none.advertise);
  put(out, "address", s.address);
  put(out, "ephemeral", s.ephemeral, false);
  put(out, "enable_script_checks", s.enable_script_checks, false);
  put(out, "kv", s.kv);
  return out;
}

json::object describe(const DnsSettings& s) {
  const DnsSettings none;
  json::object out;
  put(out, "enabled", s.enabled, true);
  if (s.port_given) out["port"] = s.port;
  if (s.bind != none.bind) put(out, "bind", s.bind);
  if (s.recursors != none.recursors) put(out, "recursors", s.recursors);
  if (s.domains != none.domains) put(out, "domains", s.domains);
  if (!s.servers.empty()) {
    json::object servers;
    for (const auto& [domain, addresses] : s.servers) servers[domain] = json::array(addresses.begin(), addresses.end());
    put(out, "servers", std::move(servers));
  }
  put(out, "random_case", s.random_case, false);
  put_span(out, "node_ttl", s.node_ttl, none.node_ttl);
  if (!s.service_ttl.empty()) {
    json::object ttls;
    for (const auto& [name, ttl] : s.service_ttl) ttls[name] = format_duration(ttl);
    put(out, "service_ttl", std::move(ttls));
  }
  put(out, "only_passing", s.only_passing, false);
  put(out, "udp_answer_limit", s.udp_answer_limit, none.udp_answer_limit);
  put(out, "a_record_limit", s.a_record_limit, none.a_record_limit);
  if (s.workers != 0) out["workers"] = s.workers;
  put(out, "records", s.records);
  return out;
}

json::object describe(const RegistratorSettings& s) {
  json::object out;
  put(out, "enabled", s.enabled, true);
  put(out, "mode", s.mode, RegistratorSettings{}.mode);
  put(out, "ip", s.ip);
  put(out, "compat", s.compat, RegistratorSettings{}.compat);
  return out;
}

json::object describe(const ProxySettings& s) {
  const ProxySettings none;
  json::object out;
  put(out, "engine", s.engine, none.engine);
  if (s.http_given) out["http"] = s.http;
  if (s.bind != none.bind) put(out, "bind", s.bind);
  put(out, "domain", s.domain, none.domain);
  return out;
}

json::object describe(const UiSettings& s) {
  json::object out;
  put(out, "enabled", s.enabled, true);
  put(out, "port", s.port, UiSettings{}.port);
  if (s.bind != UiSettings{}.bind) put(out, "bind", s.bind);
  return out;
}

json::object describe(const TemplateEntry& s) {
  json::object out;
  put(out, "source", s.source);
  put(out, "contents", s.contents);
  put(out, "destination", s.destination);
  put(out, "command", s.command);
  put(out, "check", s.check);
  put(out, "perms", s.perms);
  return out;
}

/// FNV-1a with 128 bits: enough to tell configurations apart, not a seal. http://www.isthe.com/chongo/tech/comp/fnv/
std::string fnv1a_128(std::string_view text) {
  __extension__ using Wide = unsigned __int128;
  const Wide prime = (Wide{1} << 88U) + 0x13B;
  Wide hash = (Wide{0x6C62272E07BB0142ULL} << 64U) + 0x62B821756295C58DULL;
  for (const unsigned char byte : text) {
    hash ^= byte;
    hash *= prime;
  }
  return fmt::format("{:016x}{:016x}", static_cast<std::uint64_t>(hash >> 64U), static_cast<std::uint64_t>(hash));
}

}  // namespace

json::object describe(const ServiceSpec& s) {
  const ServiceSpec none;
  json::object out;
  put(out, "image", s.image);
  put(out, "command", s.command);
  put(out, "entrypoint", s.entrypoint);
  if (s.process) put(out, "x-process", describe_process(*s.process));
  if (!s.ports.empty()) {
    json::array ports;
    for (const auto& port : s.ports) ports.push_back(describe_port(port));
    out["ports"] = std::move(ports);
  }
  put(out, "expose", s.expose);
  if (s.publish_all) out["x-devstack"] = json::object{{"publish_all", true}};
  put(out, "environment", s.environment);
  put(out, "labels", s.labels);
  put(out, "depends_on", describe_dependencies(s.depends_on));
  if (s.healthcheck) out["healthcheck"] = describe_health(*s.healthcheck);
  put(out, "restart", describe_restart(s.restart));
  put(out, "volumes", describe_binds(s.volumes));
  put(out, "dns", s.dns);
  if (!s.extra_hosts.empty()) put(out, "extra_hosts", s.extra_hosts);
  put(out, "container_name", s.container_name);
  put(out, "hostname", s.hostname);
  put(out, "user", s.user);
  put(out, "working_dir", s.working_dir);
  put(out, "stop_signal", s.stop_signal == "SIGTERM" ? "" : s.stop_signal);
  put_span(out, "stop_grace_period", s.stop_grace_period, none.stop_grace_period);
  put(out, "network_mode", s.network_mode);
  put(out, "scale", s.scale, none.scale);
  return out;
}

json::object describe(const StackFile& file) {
  json::object out;
  put(out, "name", file.project);
  put(out, "bridge", file.bridge, StackFile{}.bridge);
  put(out, "registry", describe(file.registry));
  put(out, "dns", describe(file.dns));
  put(out, "registrator", describe(file.registrator));
  put(out, "proxy", describe(file.proxy));
  put(out, "ui", describe(file.ui));
  if (!file.templates.empty()) {
    json::array templates;
    for (const auto& entry : file.templates) templates.push_back(describe(entry));
    out["templates"] = std::move(templates);
  }
  json::object services;
  for (const auto& [name, service] : file.services) services[name] = describe(service);
  out["services"] = std::move(services);
  return out;
}

std::string config_hash(const ServiceSpec& service, UnitKind kind) {
  auto content = describe(service);
  content.erase("scale");
  content.erase("depends_on");
  const std::string_view made = kind == UnitKind::container ? "container " : "process ";
  return "1:" + fnv1a_128(std::string(made) + json::serialize(content));
}

}  // namespace devstack::stack

#include "core/stack/describe.h"

#include "core/stack/put.h"

namespace devstack::stack {
namespace {

namespace json = boost::json;

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

/// `name` and `external` of a definition; the name that it has anyway is left out.
template <class T>
void put_name(json::object& out, const T& def, const std::string& project) {
  put(out, "name", def.name == (def.external ? def.key : project + "_" + def.key) ? "" : def.name);
  put(out, "external", def.external, false);
}

json::object describe(const NetworkDef& def, const std::string& project) {
  json::object out;
  put_name(out, def, project);
  put(out, "driver", def.driver);
  put(out, "driver_opts", def.driver_opts);
  put(out, "labels", def.labels);
  put(out, "attachable", def.attachable, false);
  put(out, "internal", def.internal, false);
  if (def.enable_ipv4) out["enable_ipv4"] = *def.enable_ipv4;
  if (def.enable_ipv6) out["enable_ipv6"] = *def.enable_ipv6;
  json::array pools;
  for (const auto& pool : def.pools) {
    json::object one;
    put(one, "subnet", pool.subnet);
    put(one, "ip_range", pool.ip_range);
    put(one, "gateway", pool.gateway);
    put(one, "aux_addresses", pool.aux_addresses);
    pools.push_back(std::move(one));
  }
  json::object ipam;
  put(ipam, "driver", def.ipam_driver);
  put(ipam, "config", std::move(pools));
  put(ipam, "options", def.ipam_options);
  put(out, "ipam", std::move(ipam));
  return out;
}

json::object describe(const VolumeDef& def, const std::string& project) {
  json::object out;
  put_name(out, def, project);
  put(out, "driver", def.driver);
  put(out, "driver_opts", def.driver_opts);
  put(out, "labels", def.labels);
  return out;
}

json::object describe(const FileDef& def, const std::string& project) {
  json::object out;
  put_name(out, def, project);
  put(out, "file", def.file);
  put(out, "environment", def.environment);
  if (!def.external && def.file.empty() && def.environment.empty()) out["content"] = def.content;
  return out;
}

template <class T>
void put_definitions(json::object& into, std::string_view key, const std::map<std::string, T>& defs,
                     const std::string& project) {
  json::object all;
  for (const auto& [name, def] : defs) all[name] = describe(def, project);
  // It is there without being asked for.
  if (key == "networks" && all.contains("default") && all.at("default").as_object().empty()) all.erase("default");
  put(into, key, std::move(all));
}

}  // namespace

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
  put_definitions(out, "networks", file.networks, file.project);
  put_definitions(out, "volumes", file.volumes, file.project);
  put_definitions(out, "configs", file.configs, file.project);
  put_definitions(out, "secrets", file.secrets, file.project);
  return out;
}

}  // namespace devstack::stack

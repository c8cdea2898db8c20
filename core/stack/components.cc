// Our own keys: what each part of the appliance is told.
#include <algorithm>
#include <charconv>

#include "core/stack/read.h"
#include "core/stack/schema.h"

namespace devstack::stack {
namespace {

using Texts = std::vector<std::string>;

void text(std::string& into, const Node& node, const Reading& in) {
  if (auto value = read_text(node, in)) into = std::move(*value);
}

void number(std::uint16_t& into, const Node& node, const Reading& in) {
  if (const auto value = read_number(node, 1, 65535, in)) into = static_cast<std::uint16_t>(*value);
}

void toggle(bool& into, const Node& node, const Reading& in) {
  if (const auto value = read_switch(node, in)) into = *value;
}

/// Where a listener binds: `bridge`, `loopback`, or an address.
void bind(Texts& into, const Node& node, const Reading& in) {
  into = read_text_or_texts(node, in);
  for (const auto& where : into) {
    if (where == "bridge" || where == "loopback" || is_ip_address(where)) continue;
    in.report.error(node.at, "{}expected bridge, loopback or an IP address, found \"{}\"", node.prefix(), where);
  }
}

template <std::size_t N>
void choice(std::string& into, const Node& node, const std::array<std::string_view, N>& choices, const Reading& in) {
  if (auto value = read_choice(node, choices, in)) into = std::move(*value);
}

bool is_address_with_port(std::string_view text) {
  if (is_ip_address(text)) return true;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  int port = 0;
  const auto digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return is_ip_address(host) && error == std::errc() && end == digits.data() + digits.size() && port > 0 &&
         port < 65536;
}

constexpr std::array<std::string_view, 4> kRegistryEngines{"embedded", "consul", "container", "external"};
constexpr std::array<std::string_view, 3> kProxyEngines{"haproxy", "nginx", "none"};
constexpr std::array<std::string_view, 2> kModes{"internal", "published"};
constexpr std::array<std::string_view, 2> kCompat{"current", "2015"};

using R = const Reading&;
using V = const Node&;

/// Of the words that the design has, those that would have no effect yet are refused, not ignored.
void refuse_later(const std::string& value, std::string_view works, V node, R in) {
  if (value == works || value.empty()) return;
  in.report.error(node.at, "{}{} is not supported yet: use {}", node.prefix(), value, works);
}

constexpr Field<RegistrySettings> kRegistry[] = {
    {"engine",
     [](RegistrySettings& s, V v, R in) {
       choice(s.engine, v, kRegistryEngines, in);
       refuse_later(s.engine, "embedded", v, in);
     },
     "text"},
    {"node", [](RegistrySettings& s, V v, R in) { text(s.node, v, in); }, "text"},
    {"datacenter", [](RegistrySettings& s, V v, R in) { text(s.datacenter, v, in); }, "text"},
    {"http", [](RegistrySettings& s, V v, R in) { number(s.http, v, in); }, "integer"},
    {"bind", [](RegistrySettings& s, V v, R in) { bind(s.bind, v, in); }, "text_or_texts"},
    {"advertise",
     [](RegistrySettings& s, V v, R in) {
       text(s.advertise, v, in);
       if (s.advertise == "auto" || is_ip_address(s.advertise)) return;
       in.report.error(v.at, "{}expected auto or an IP address, found \"{}\"", v.prefix(), s.advertise);
     },
     "text"},
    {"ephemeral", [](RegistrySettings& s, V v, R in) { toggle(s.ephemeral, v, in); }, "switch"},
    {"enable_script_checks", [](RegistrySettings& s, V v, R in) { toggle(s.enable_script_checks, v, in); }, "switch"},
    {"kv", [](RegistrySettings& s, V v, R in) { s.kv = read_text_map(v, in); }, "text_map"},
};

/// RFC 1035 §2.3.4; the bytes of a label may be any (RFC 2181 §11), but none of these is meant.
bool is_domain_name(std::string_view text) {
  constexpr std::size_t longest_label = 63, longest_name = 253;
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > longest_name) return false;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('.', at), text.size());
    if (end == at || end - at > longest_label) return false;
    at = end + 1;
  }
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

void expect_domain_name(const std::string& text, V node, R in) {
  if (is_domain_name(text)) return;
  in.report.error(node.at, "{}\"{}\" is no domain name: labels of 1 to 63 bytes with dots between, 253 in all",
                  node.prefix(), text);
}

void read_domains(DnsSettings& dns, V node, R in) {
  dns.domains = read_text_or_texts(node, in);
  for (const auto& one : dns.domains) expect_domain_name(one, node, in);
}

void read_recursors(DnsSettings& dns, V node, R in) {
  dns.recursors = read_text_or_texts(node, in);
  for (const auto& one : dns.recursors) {
    if (one == "auto" || one == "none" || is_address_with_port(one)) continue;
    in.report.error(node.at, "{}expected auto, none or ip[:port], found \"{}\"", node.prefix(), one);
  }
}

void read_servers(DnsSettings& dns, V node, R in) {
  if (!expect_map(node, in)) return;
  for (const auto& entry : node.entries) {
    const Node& value = entry.value;
    if (entry.key != ".") expect_domain_name(entry.key, value, in);
    auto& servers = dns.servers[entry.key];
    if (value.kind != Node::Kind::null) servers = read_text_or_texts(value, in);
    for (const auto& one : servers) {
      if (is_address_with_port(one)) continue;
      in.report.error(value.at, "{}expected ip[:port], found \"{}\"", value.prefix(), one);
    }
  }
}

void ttl(std::chrono::nanoseconds& into, V node, R in) {
  if (const auto value = read_duration(node, in)) into = *value;
}

void read_service_ttl(DnsSettings& dns, V node, R in) {
  if (!expect_map(node, in)) return;
  for (const auto& entry : node.entries) ttl(dns.service_ttl[entry.key], entry.value, in);
}

void limit(std::uint16_t& into, long most, V node, R in) {
  if (const auto value = read_number(node, 0, most, in)) into = static_cast<std::uint16_t>(*value);
}

void read_records(DnsSettings& dns, V node, R in) {
  dns.records = read_text_map(node, in);
  for (const auto& [name, address] : dns.records) {
    const Node* value = node.find(name);
    expect_domain_name(name, *value, in);
    if (is_ip_address(address)) continue;
    in.report.error(value->at, "{}expected an IP address, found \"{}\"", value->prefix(), address);
  }
}

void read_workers(DnsSettings& dns, V node, R in) {
  constexpr int most = 64;
  if (node.kind == Node::Kind::null || node.text == "auto") return;
  if (node.kind != Node::Kind::scalar) return wrong_type(node, "auto or a number from 1 to 64", in);
  int count = 0;
  const char* end = node.text.data() + node.text.size();
  const auto [stopped, error] = std::from_chars(node.text.data(), end, count);
  if (error == std::errc() && stopped == end && count >= 1 && count <= most) {
    dns.workers = count;
  } else {
    in.report.error(node.at, "{}expected auto or a number from 1 to {}, found \"{}\"", node.prefix(), most, node.text);
  }
}

constexpr Field<DnsSettings> kDns[] = {
    {"enabled", [](DnsSettings& s, V v, R in) { toggle(s.enabled, v, in); }, "switch"},
    {"port",
     [](DnsSettings& s, V v, R in) {
       number(s.port, v, in);
       s.port_given = true;
     },
     "integer"},
    {"bind", [](DnsSettings& s, V v, R in) { bind(s.bind, v, in); }, "text_or_texts"},
    {"recursors", read_recursors, "text_or_texts"},
    {"servers", read_servers, "servers"},
    {"random_case", [](DnsSettings& s, V v, R in) { toggle(s.random_case, v, in); }, "switch"},
    {"node_ttl", [](DnsSettings& s, V v, R in) { ttl(s.node_ttl, v, in); }, "duration"},
    {"service_ttl", read_service_ttl, "text_map"},
    {"only_passing", [](DnsSettings& s, V v, R in) { toggle(s.only_passing, v, in); }, "switch"},
    {"udp_answer_limit", [](DnsSettings& s, V v, R in) { limit(s.udp_answer_limit, 8, v, in); }, "integer"},
    {"a_record_limit", [](DnsSettings& s, V v, R in) { limit(s.a_record_limit, 65535, v, in); }, "integer"},
    {"workers", read_workers, "integer"},
    {"domains", read_domains, "text_or_texts"},
    {"records", read_records, "text_map"},
};

constexpr Field<RegistratorSettings> kRegistrator[] = {
    {"enabled", [](RegistratorSettings& s, V v, R in) { toggle(s.enabled, v, in); }, "switch"},
    {"mode", [](RegistratorSettings& s, V v, R in) { choice(s.mode, v, kModes, in); }, "text"},
    {"compat", [](RegistratorSettings& s, V v, R in) { choice(s.compat, v, kCompat, in); }, "text"},
    {"ip",
     [](RegistratorSettings& s, V v, R in) {
       text(s.ip, v, in);
       if (is_ip_address(s.ip)) return;
       in.report.error(v.at, "{}expected an IP address, found \"{}\"", v.prefix(), s.ip);
     },
     "text"},
};

constexpr Field<ProxySettings> kProxy[] = {
    {"engine",
     [](ProxySettings& s, V v, R in) {
       choice(s.engine, v, kProxyEngines, in);
       if (s.engine == "nginx") refuse_later(s.engine, "haproxy", v, in);
     },
     "text"},
    {"http",
     [](ProxySettings& s, V v, R in) {
       number(s.http, v, in);
       s.http_given = true;
     },
     "integer"},
    {"bind", [](ProxySettings& s, V v, R in) { bind(s.bind, v, in); }, "text_or_texts"},
    {"domain", [](ProxySettings& s, V v, R in) { text(s.domain, v, in); }, "text"},
};
constexpr Unsupported kProxyLater[] = {{"https"}};

constexpr Field<UiSettings> kUi[] = {
    {"enabled", [](UiSettings& s, V v, R in) { toggle(s.enabled, v, in); }, "switch"},
    {"port", [](UiSettings& s, V v, R in) { number(s.port, v, in); }, "integer"},
    {"bind", [](UiSettings& s, V v, R in) { bind(s.bind, v, in); }, "text_or_texts"},
};

void read_perms(TemplateEntry& entry, V node, R in) {
  text(entry.perms, node, in);
  const bool octal =
      !entry.perms.empty() && entry.perms.size() <= 4 && entry.perms.find_first_not_of("01234567") == std::string::npos;
  if (!octal)
    in.report.error(node.at, "{}expected a file mode like \"0644\", found \"{}\"", node.prefix(), entry.perms);
}

constexpr Field<TemplateEntry> kTemplate[] = {
    {"source",
     [](TemplateEntry& s, V v, R in) {
       if (const auto path = read_text(v, in)) s.source = absolute_path(*path, in);
     },
     "text"},
    {"contents", [](TemplateEntry& s, V v, R in) { text(s.contents, v, in); }, "text"},
    {"destination",
     [](TemplateEntry& s, V v, R in) {
       if (const auto path = read_text(v, in)) s.destination = absolute_path(*path, in);
     },
     "text"},
    {"command", [](TemplateEntry& s, V v, R in) { text(s.command, v, in); }, "text"},
    {"check", [](TemplateEntry& s, V v, R in) { text(s.check, v, in); }, "text"},
    {"perms", read_perms, "mode"},
};

void read_templates(StackFile& file, V node, R in) {
  if (node.kind == Node::Kind::null) return;
  if (node.kind != Node::Kind::list) return wrong_type(node, "a list", in);
  for (const auto& item : node.items) {
    if (item.kind != Node::Kind::map) {
      wrong_type(item, "a map", in);
      continue;
    }
    TemplateEntry entry;
    read_fields<TemplateEntry>(item, entry, kTemplate, {}, in);
    const bool source = item.find("source") != nullptr;
    if (source == (item.find("contents") != nullptr)) {
      in.report.error(item.at, "{}give either `source` (a file) or `contents` (the template itself)", item.prefix());
    }
    if (item.find("destination") == nullptr) in.report.error(item.at, "{}`destination` is missing", item.prefix());
    file.templates.push_back(std::move(entry));
  }
}

constexpr Field<StackFile> kComponents[] = {
    {"bridge", [](StackFile& s, V v, R in) { text(s.bridge, v, in); }, "text"},
    {"registry", [](StackFile& s, V v, R in) { read_fields<RegistrySettings>(v, s.registry, kRegistry, {}, in); },
     "registry"},
    {"dns", [](StackFile& s, V v, R in) { read_fields<DnsSettings>(v, s.dns, kDns, {}, in); }, "dns"},
    {"registrator",
     [](StackFile& s, V v, R in) { read_fields<RegistratorSettings>(v, s.registrator, kRegistrator, {}, in); },
     "registrator"},
    {"proxy", [](StackFile& s, V v, R in) { read_fields<ProxySettings>(v, s.proxy, kProxy, kProxyLater, in); },
     "proxy"},
    {"ui", [](StackFile& s, V v, R in) { read_fields<UiSettings>(v, s.ui, kUi, {}, in); }, "ui"},
    {"templates", read_templates, "templates"},
};

}  // namespace

std::span<const std::string_view> component_keys() {
  static const auto names = [] {
    std::vector<std::string_view> keys;
    for (const auto& field : kComponents) keys.push_back(field.name);
    return keys;
  }();
  return names;
}

bool is_component_key(std::string_view key) {
  const auto keys = component_keys();
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

void read_component(const Entry& entry, StackFile& into, const Reading& in) {
  for (const auto& field : kComponents) {
    if (field.name == entry.key) field.read(into, entry.value, in);
  }
}

void add_component_shapes(Shapes& into) {
  into.map("components", kComponents);
  into.map("registry", kRegistry);
  into.map("dns", kDns);
  into.map("registrator", kRegistrator);
  into.map("proxy", kProxy);
  into.map("ui", kUi);
  into.map("template", kTemplate);
}

}  // namespace devstack::stack

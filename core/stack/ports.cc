// https://docs.docker.com/reference/compose-file/services/#ports
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "core/base/ascii.h"
#include "core/stack/fields.h"
#include "core/stack/schema.h"

namespace devstack::stack {
namespace {

struct Range {
  int from = 0, to = 0;
  [[nodiscard]] int size() const { return to - from + 1; }
};

std::optional<int> port_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > 65535) return std::nullopt;
  return value;
}

Result<Range> parse_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto from = port_number(text.substr(0, dash));
  const auto to = dash == std::string_view::npos ? from : port_number(text.substr(dash + 1));
  if (!from || !to) return fail(Errc::parse, "\"{}\" is not a port from 1 to 65535", text);
  if (*from > *to) return fail(Errc::parse, "the range \"{}\" runs backwards", text);
  return Range{*from, *to};
}

/// The engine takes a host port that is free: for "0" and for nothing, as `${PORT:-}` leaves it.
bool is_any_port(std::string_view text) { return text.empty() || text == "0"; }

/// "[ip:][host:]container" cut at its colons.
struct Parts {
  std::string_view ip, host, container;
  bool has_host = false;
};

Result<Parts> split(std::string_view text) {
  Parts parts;
  if (text.starts_with('[')) {
    const auto close = text.find("]:");
    if (close == std::string_view::npos) return fail(Errc::parse, "expected `[ip]:host:container`");
    parts.ip = text.substr(1, close - 1);
    text.remove_prefix(close + 2);
    parts.has_host = true;
    if (text.find(':') == std::string_view::npos) {
      return fail(Errc::parse, "an address needs a container port: write [{}]::{}", parts.ip, text);
    }
  }
  const auto last = text.rfind(':');
  if (last == std::string_view::npos) {
    parts.container = text;
    return parts;
  }
  parts.has_host = true;
  parts.container = text.substr(last + 1);
  const auto before = text.substr(0, last);
  const auto colon = before.rfind(':');
  parts.host = colon == std::string_view::npos ? before : before.substr(colon + 1);
  if (colon != std::string_view::npos) parts.ip = before.substr(0, colon);
  return parts;
}

Result<void> check_address(const Parts& parts) {
  if (is_ip_address(parts.host)) {
    return fail(Errc::parse, "an address needs a container port: write {}::{}", parts.host, parts.container);
  }
  if (!parts.ip.empty() && !is_ip_address(parts.ip)) return fail(Errc::parse, "\"{}\" is not an IP address", parts.ip);
  return {};
}

Result<std::string> check_protocol(std::string_view protocol) {
  auto lower = to_lower(protocol);
  if (lower == "tcp" || lower == "udp" || lower == "sctp") return lower;
  return fail(Errc::parse, "expected tcp, udp or sctp, found \"{}\"", protocol);
}

Result<std::vector<PortMapping>> expand(std::string_view ip, std::optional<Range> host, Range container,
                                        const std::string& protocol) {
  if (host && container.size() == 1 && host->size() > 1) {
    return std::vector<PortMapping>{{.host_ip = std::string(ip),
                                     .published = static_cast<std::uint16_t>(host->from),
                                     .target = static_cast<std::uint16_t>(container.from),
                                     .protocol = protocol,
                                     .published_last = static_cast<std::uint16_t>(host->to)}};
  }
  if (host && host->size() != container.size()) {
    return fail(Errc::parse, "the ranges differ in length: {} host ports, {} container ports", host->size(),
                container.size());
  }
  std::vector<PortMapping> mappings;
  for (int i = 0; i < container.size(); ++i) {
    mappings.push_back({.host_ip = std::string(ip),
                        .published = static_cast<std::uint16_t>(host ? host->from + i : 0),
                        .target = static_cast<std::uint16_t>(container.from + i),
                        .protocol = protocol});
  }
  return mappings;
}

struct LongPort {
  std::optional<Range> target, published;
  std::string host_ip, protocol = "tcp", name, app_protocol;
};

constexpr std::array<std::string_view, 2> kModes{"ingress", "host"};

using R = const Reading&;
using V = const Node&;

void read_range(std::optional<Range>& into, V node, R in) {
  const auto text = read_text(node, in);
  if (!text) return;
  if (auto range = parse_range(*text)) {
    into = *range;
  } else {
    in.report.error(node.at, "{}{}", node.prefix(), range.error().message);
  }
}

constexpr Field<LongPort> kLongForm[] = {
    {"target", [](LongPort& p, V v, R in) { read_range(p.target, v, in); }, "port_range"},
    {"published",
     [](LongPort& p, V v, R in) {
       if (v.kind != Node::Kind::scalar || !is_any_port(v.text)) read_range(p.published, v, in);
     },
     "port_range"},
    {"host_ip",
     [](LongPort& p, V v, R in) {
       if (auto ip = read_text(v, in)) p.host_ip = std::move(*ip);
       if (p.host_ip.empty() || is_ip_address(p.host_ip)) return;
       in.report.error(v.at, "{}expected an IP address, found \"{}\"", v.prefix(), p.host_ip);
     },
     "text"},
    {"protocol",
     [](LongPort& p, V v, R in) {
       const auto text = read_text(v, in);
       if (!text) return;
       if (auto protocol = check_protocol(*text)) {
         p.protocol = *protocol;
       } else {
         in.report.error(v.at, "{}{}", v.prefix(), protocol.error().message);
       }
     },
     "protocol"},
    {"name", Into<&LongPort::name>::text, "text"},
    {"app_protocol", Into<&LongPort::app_protocol>::text, "text"},
    // On one machine there is no difference.
    {"mode", [](LongPort&, V v, R in) { (void)read_choice(v, kModes, in); }, "port_mode"},
};

Result<std::vector<PortMapping>> read_long_port(V node, R in) {
  LongPort port;
  read_fields<LongPort>(node, port, kLongForm, {}, in);
  if (node.find("target") == nullptr) return fail(Errc::parse, "`target` (the container's port) is missing");
  if (!port.target) return std::vector<PortMapping>{};
  auto mappings = expand(port.host_ip, port.published, *port.target, port.protocol);
  if (!mappings) return mappings;
  for (auto& mapping : *mappings) {
    mapping.name = port.name;
    mapping.app_protocol = port.app_protocol;
  }
  return mappings;
}

}  // namespace

Result<std::vector<PortMapping>> parse_port(std::string_view text) {
  const auto slash = text.rfind('/');
  std::string protocol = "tcp";
  if (slash != std::string_view::npos) {
    TRY(protocol, check_protocol(text.substr(slash + 1)));
    text = text.substr(0, slash);
  }
  TRY(const Parts parts, split(text));
  CHECK(check_address(parts));
  TRY(const Range container, parse_range(parts.container));
  if (!parts.has_host || is_any_port(parts.host)) return expand(parts.ip, std::nullopt, container, protocol);
  TRY(const Range host, parse_range(parts.host));
  return expand(parts.ip, host, container, protocol);
}

std::vector<PortMapping> read_ports(const Node& node, const Reading& in) {
  std::vector<PortMapping> ports;
  for (const auto& item : read_items(node, in)) {
    if (item.kind != Node::Kind::scalar && item.kind != Node::Kind::map) {
      wrong_type(item, "a port or a map", in);
      continue;
    }
    auto read = item.kind == Node::Kind::map ? read_long_port(item, in) : parse_port(item.text);
    if (!read) {
      in.report.error(item.at, "{}{}", item.prefix(), read.error().message);
      continue;
    }
    ports.insert(ports.end(), read->begin(), read->end());
  }
  return ports;
}

void add_port_shapes(Shapes& into) { into.map("port", kLongForm); }

}  // namespace devstack::stack

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/dns/message.h"

/// What a name inside one of our zones asks for: Consul's grammar of names. Pure; any thread.
namespace devstack::dns {

struct ServiceLookup {
  std::string_view service;
  std::string tag;  ///< "" = any
};
struct NodeLookup {
  std::string node;
  bool known_datacenter = true;  ///< false: no node, whatever its name
};
/// A prepared query, by name or id.
struct PreparedLookup {
  std::string name_or_id;
};
/// Who speaks for a service in the mesh.
struct ConnectLookup {
  std::string_view service;
};
struct AddressLookup {
  std::string_view hex;
};
/// A name that cannot exist: NXDOMAIN. Also the form of ingress gateways, which we have none of.
struct NoLookup {};

using Lookup = std::variant<NoLookup, ServiceLookup, NodeLookup, AddressLookup, PreparedLookup, ConnectLookup>;

/// How names stand in a zone: Consul's forms only, or also NAME.ZONE for NAME.service.ZONE.
enum class ZoneForms { consul, short_names };

/// `labels` are those left of the zone, in small letters; the result's views point into them. A label right of the
/// keyword must be `datacenter`.
Lookup parse_lookup(const Labels& labels, Type type, std::string_view datacenter, ZoneForms forms);

/// The address of an in-addr.arpa or ip6.arpa name in small letters, as bytes (4 or 16); empty for anything else.
std::optional<Data> parse_reverse(const Labels& labels);

/// "10.0.0.1" or "fd00::1" as Ipv4 or Ipv6, an IPv4 address inside an IPv6 one as Ipv4; empty for a host name.
std::optional<Data> parse_address(std::string_view text);

/// The address that "0a000001" or 32 hexadecimal digits stand for.
std::optional<Data> parse_hex_address(std::string_view hex);

}  // namespace devstack::dns

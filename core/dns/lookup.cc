#include "core/dns/lookup.h"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>

namespace devstack::dns {
namespace {

constexpr std::array<std::string_view, 6> keywords{"service", "node", "query", "addr", "connect", "ingress"};

std::string joined(Labels::const_iterator from, Labels::const_iterator to) {
  std::string out;
  for (; from != to; ++from) {
    if (!out.empty()) out += '.';
    out += *from;
  }
  return out;
}

bool starts_with_underscore(std::string_view label) { return label.starts_with('_'); }

/// [tag.]service, or _service._tag (RFC 2782), where _tcp is any tag.
Lookup service_lookup(Labels::const_iterator from, Labels::const_iterator to) {
  if (from == to) return NoLookup{};
  if (to - from == 2 && starts_with_underscore(from[0]) && starts_with_underscore(from[1])) {
    const std::string_view tag = from[1].substr(1);
    return ServiceLookup{from[0].substr(1), tag == "tcp" ? std::string() : std::string(tag)};
  }
  return ServiceLookup{to[-1], joined(from, to - 1)};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

template <class Address>
std::optional<Data> hex_address(std::string_view hex) {
  Address address;
  for (std::size_t i = 0; i < address.bytes.size(); ++i) {
    const int high = hex_digit(hex[2 * i]);
    const int low = hex_digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    address.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return address;
}

std::optional<std::uint8_t> octet(std::string_view label) {
  if (label.empty() || label.size() > 3 || (label.size() > 1 && label.front() == '0')) return std::nullopt;
  int value = 0;
  for (const char c : label) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  if (value > 255) return std::nullopt;
  return static_cast<std::uint8_t>(value);
}

}  // namespace

Lookup parse_lookup(const Labels& labels, Type type, std::string_view datacenter, ZoneForms forms) {
  // The rightmost keyword wins, so that services may be called "node". A SRV question may leave "service" out.
  const auto rend = std::make_reverse_iterator(labels.begin());
  const auto found = std::find_if(std::make_reverse_iterator(labels.end()), rend, [&](std::string_view label) {
    return std::find(keywords.begin(), keywords.end(), label) != keywords.end() ||
           (type == Type::srv && starts_with_underscore(label));
  });
  const bool short_form = found == rend || found.base() - 1 == labels.begin();
  if (short_form && forms == ZoneForms::short_names) return service_lookup(labels.begin(), labels.end());
  if (found == rend) return NoLookup{};

  const auto keyword = found.base() - 1;
  const auto suffix = keyword + 1;
  const auto extra = labels.end() - suffix;
  const bool known_datacenter = extra == 0 || equal_ignoring_case(*suffix, datacenter);
  if (*keyword == "addr") {
    if (keyword - labels.begin() != 1) return NoLookup{};
    return AddressLookup{labels.front()};
  }
  if (extra > 1) return NoLookup{};
  if (starts_with_underscore(*keyword)) {
    return known_datacenter ? service_lookup(labels.begin(), suffix) : NoLookup{};
  }
  if (keyword == labels.begin()) return NoLookup{};
  if (*keyword == "node") return NodeLookup{joined(labels.begin(), keyword), known_datacenter};
  if (!known_datacenter) return NoLookup{};
  if (*keyword == "service") return service_lookup(labels.begin(), keyword);
  if (*keyword == "query") return PreparedLookup{joined(labels.begin(), keyword)};
  if (*keyword == "connect") return ConnectLookup{keyword[-1]};
  return NoLookup{};
}

std::optional<Data> parse_reverse(const Labels& labels) {
  if (labels.size() == 6 && labels[4] == "in-addr" && labels[5] == "arpa") {
    Ipv4 address;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto value = octet(labels[3 - i]);
      if (!value) return std::nullopt;
      address.bytes[i] = *value;
    }
    return address;
  }
  if (labels.size() == 34 && labels[32] == "ip6" && labels[33] == "arpa") {
    std::string hex;
    for (std::size_t i = 32; i-- > 0;) {
      if (labels[i].size() != 1) return std::nullopt;
      hex += labels[i];
    }
    return hex_address<Ipv6>(hex);
  }
  return std::nullopt;
}

std::optional<Data> parse_address(std::string_view text) {
  boost::system::error_code error;
  auto address = boost::asio::ip::make_address(text, error);
  if (error || text.find('%') != std::string_view::npos) return std::nullopt;
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
  }
  if (address.is_v4()) return Ipv4{address.to_v4().to_bytes()};
  return Ipv6{address.to_v6().to_bytes()};
}

std::optional<Data> parse_hex_address(std::string_view hex) {
  if (hex.size() == 8) return hex_address<Ipv4>(hex);
  if (hex.size() == 32) return hex_address<Ipv6>(hex);
  return std::nullopt;
}

}  // namespace devstack::dns

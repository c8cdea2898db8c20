#include "core/dns/client_subnet.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace devstack::dns {
namespace {

constexpr std::uint16_t option_code = 8;
constexpr std::size_t option_header_bytes = 4;
constexpr std::size_t fixed_bytes = 4;  // family, source and scope prefix lengths

std::uint16_t u16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                    static_cast<unsigned char>(bytes[at + 1]));
}

void append_u16(std::string& out, std::size_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value);
}

template <class Address>
std::string padded(std::string_view bytes) {
  typename Address::bytes_type out{};
  for (std::size_t i = 0; i < std::min(out.size(), bytes.size()); ++i) out[i] = static_cast<unsigned char>(bytes[i]);
  return Address(out).to_string();
}

}  // namespace

std::optional<ClientSubnet> ClientSubnet::find(std::string_view options) {
  while (options.size() >= option_header_bytes) {
    const std::size_t size = u16(options, 2);
    if (option_header_bytes + size > options.size()) break;
    if (u16(options, 0) == option_code && size >= fixed_bytes) {
      const auto body = options.substr(option_header_bytes, size);
      return ClientSubnet{u16(body, 0), static_cast<std::uint8_t>(body[2]), std::string(body.substr(fixed_bytes))};
    }
    options.remove_prefix(option_header_bytes + size);
  }
  return std::nullopt;
}

std::string ClientSubnet::option(std::uint8_t scope_bits) const {
  std::string out;
  append_u16(out, option_code);
  append_u16(out, fixed_bytes + bytes.size());
  append_u16(out, family);
  out += static_cast<char>(source_bits);
  out += static_cast<char>(scope_bits);
  return out + bytes;
}

std::string ClientSubnet::address() const {
  if (family == 1) return padded<boost::asio::ip::address_v4>(bytes);
  if (family == 2) return padded<boost::asio::ip::address_v6>(bytes);
  return {};
}

}  // namespace devstack::dns

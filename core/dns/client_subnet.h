#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace devstack::dns {

/// The EDNS client-subnet option (RFC 7871 §6): on whose behalf a resolver asks. Pure; any thread.
struct ClientSubnet {
  std::uint16_t family = 0;  ///< 1 IPv4, 2 IPv6
  std::uint8_t source_bits = 0;
  std::string bytes;  ///< the leading bytes of the address, as they came

  /// The first such option among EDNS options in wire form.
  static std::optional<ClientSubnet> find(std::string_view options);
  /// In wire form, for a reply that holds for `scope_bits` of the address; 0: for everybody (§7.2.1).
  [[nodiscard]] std::string option(std::uint8_t scope_bits) const;
  /// "10.1.2.0"; "" for a family that is none.
  [[nodiscard]] std::string address() const;
};

}  // namespace devstack::dns

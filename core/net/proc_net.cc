#include "core/net/proc_net.h"

#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace devstack::net {
namespace {

std::string_view next_word(std::string_view& line) {
  const auto start = std::min(line.find_first_not_of(" \t"), line.size());
  const auto end = std::min(line.find_first_of(" \t", start), line.size());
  const auto word = line.substr(start, end - start);
  line.remove_prefix(end);
  return word;
}

template <class Number>
std::optional<Number> number(std::string_view text, int base) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "  sl: LOCAL REMOTE st tx:rx tr:when retrnsmt uid timeout inode …"
std::optional<std::uint64_t> inode_of_row(std::string_view line, std::uint16_t port, SocketState wanted) {
  next_word(line);
  const auto local = next_word(line);
  next_word(line);
  const auto state = next_word(line);
  const auto colon = local.rfind(':');
  if (colon == std::string_view::npos || number<std::uint16_t>(local.substr(colon + 1), 16) != port)
    return std::nullopt;
  if (wanted == SocketState::listening && state != "0A") return std::nullopt;
  for (int skipped = 0; skipped < 5; ++skipped) next_word(line);
  const auto inode = number<std::uint64_t>(next_word(line), 10);
  return inode && *inode != 0 ? inode : std::nullopt;
}

/// "0100007F" or 32 digits: 32-bit words, each in the machine's byte order.
std::string address_of_hex(std::string_view hex) {
  std::vector<unsigned char> bytes;
  for (std::size_t word = 0; word + 8 <= hex.size(); word += 8) {
    const auto value = number<std::uint32_t>(hex.substr(word, 8), 16);
    if (!value) return {};
    for (unsigned shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<unsigned char>(*value >> shift));
  }
  namespace ip = boost::asio::ip;
  if (bytes.size() == 4) {
    ip::address_v4::bytes_type raw{};
    std::copy(bytes.begin(), bytes.end(), raw.begin());
    return ip::address_v4(raw).to_string();
  }
  if (bytes.size() != 16) return {};
  ip::address_v6::bytes_type raw{};
  std::copy(bytes.begin(), bytes.end(), raw.begin());
  return ip::address_v6(raw).to_string();
}

}  // namespace

std::vector<std::string> listening_addresses(std::string_view table, std::uint16_t port) {
  std::vector<std::string> out;
  while (!table.empty()) {
    const auto end = std::min(table.find('\n'), table.size());
    auto row = table.substr(0, end);
    if (inode_of_row(row, port, SocketState::listening)) {
      next_word(row);
      const auto local = next_word(row);
      out.push_back(address_of_hex(local.substr(0, local.rfind(':'))));
    }
    table.remove_prefix(std::min(end + 1, table.size()));
  }
  return out;
}

std::vector<std::uint64_t> socket_inodes(std::string_view table, std::uint16_t port, SocketState state) {
  std::vector<std::uint64_t> out;
  while (!table.empty()) {
    const auto end = std::min(table.find('\n'), table.size());
    if (const auto inode = inode_of_row(table.substr(0, end), port, state)) out.push_back(*inode);
    table.remove_prefix(std::min(end + 1, table.size()));
  }
  return out;
}

std::optional<std::uint64_t> socket_inode(std::string_view link) {
  constexpr std::string_view prefix = "socket:[";
  if (!link.starts_with(prefix) || !link.ends_with(']')) return std::nullopt;
  return number<std::uint64_t>(link.substr(prefix.size(), link.size() - prefix.size() - 1), 10);
}

std::string docker_proxy_target(std::string_view cmdline) {
  std::string_view ip;
  std::string_view port;
  std::string_view previous;
  while (!cmdline.empty()) {
    const auto end = std::min(cmdline.find('\0'), cmdline.size());
    const auto argument = cmdline.substr(0, end);
    if (previous == "-container-ip") ip = argument;
    if (previous == "-container-port") port = argument;
    previous = argument;
    cmdline.remove_prefix(std::min(end + 1, cmdline.size()));
  }
  if (ip.empty() || port.empty()) return {};
  return std::string(ip) + ':' + std::string(port);
}

}  // namespace devstack::net

// How a service is reached and whom it reaches. https://docs.docker.com/reference/compose-file/services/#networks
#include <algorithm>

#include "core/stack/fields.h"
#include "core/stack/schema.h"

namespace devstack::stack {
namespace {

using R = const Reading&;
using V = const Node&;
using N = NetworkAttachment;

template <auto member>
void address(N& into, V node, R in) {
  const auto text = read_text(node, in);
  if (!text) return;
  into.*member = *text;
  if (is_ip_address(*text)) return;
  in.report.error(node.at, "{}expected an IP address, found \"{}\"", node.prefix(), *text);
}

constexpr long kPriorities = 1'000'000'000;

constexpr Field<N> kAttachment[] = {
    {"aliases", Into<&N::aliases>::texts, "texts"},
    {"ipv4_address", address<&N::ipv4_address>, "text"},
    {"ipv6_address", address<&N::ipv6_address>, "text"},
    {"link_local_ips", Into<&N::link_local_ips>::texts, "texts"},
    {"mac_address", Into<&N::mac_address>::text, "text"},
    {"interface_name", Into<&N::interface_name>::text, "text"},
    {"driver_opts", [](N& n, V v, R in) { n.driver_opts = read_text_map(v, in); }, "text_map"},
    {"priority", Into<&N::priority>::number<-kPriorities, kPriorities>, "integer"},
    {"gw_priority", Into<&N::gw_priority>::number<-kPriorities, kPriorities>, "integer"},
};

constexpr std::string_view kModes = "bridge, host, none, service:NAME or container:NAME";

/// "service:NAME" or "container:NAME" with a name.
bool joins_another(std::string_view text) {
  for (const std::string_view prefix : {"service:", "container:"}) {
    if (text.starts_with(prefix)) return text.size() > prefix.size();
  }
  return false;
}

}  // namespace

std::vector<NetworkAttachment> read_attachments(const Node& node, const Reading& in) {
  std::vector<N> networks;
  if (node.kind == Node::Kind::list) {
    for (auto& name : read_texts(node, in)) {
      const bool twice = std::any_of(networks.begin(), networks.end(), [&](const N& n) { return n.network == name; });
      if (twice) continue;
      networks.emplace_back();
      networks.back().network = std::move(name);
    }
    return networks;
  }
  if (node.kind == Node::Kind::scalar) {
    wrong_type(node, "a list or a map", in);
    return networks;
  }
  for (const auto& entry : node.entries) {
    N attachment;
    attachment.network = entry.key;
    read_fields<N>(entry.value, attachment, kAttachment, {}, in);
    networks.push_back(std::move(attachment));
  }
  return networks;
}

void read_network_mode(ServiceSpec& service, const Node& node, const Reading& in) {
  service.network_mode = read_text(node, in).value_or("");
  const auto& mode = service.network_mode;
  if (mode.empty() || mode == "host" || mode == "none" || mode == "bridge" || joins_another(mode)) return;
  in.report.error(node.at, "{}expected {}, found \"{}\"", node.prefix(), kModes, mode);
}

std::string read_namespace(const Node& node, std::span<const std::string_view> words, bool joins, const Reading& in) {
  const auto text = read_text(node, in);
  if (!text || text->empty()) return "";
  if (std::find(words.begin(), words.end(), *text) != words.end() || (joins && joins_another(*text))) return *text;
  in.report.error(node.at, "{}expected {}{}, found \"{}\"", node.prefix(), fmt::join(words, ", "),
                  joins ? ", service:NAME or container:NAME" : "", *text);
  return "";
}

Texts read_extra_hosts(const Node& node, const Reading& in) {
  std::vector<std::pair<std::string, std::string>> hosts;
  if (node.kind == Node::Kind::map) {
    for (const auto& entry : node.entries) {
      const auto addresses = read_text_or_texts(entry.value, in);
      for (const auto& each : addresses) hosts.emplace_back(entry.key, each);
    }
  } else {
    for (const auto& item : read_texts(node, in)) {
      const auto cut = item.find_first_of("=:");
      if (cut == std::string::npos) {
        in.report.error(node.at, "{}expected host=address, found \"{}\"", node.prefix(), item);
        continue;
      }
      hosts.emplace_back(item.substr(0, cut), item.substr(cut + 1));
    }
  }
  std::sort(hosts.begin(), hosts.end());
  Texts out;
  for (auto& [host, address] : hosts) {
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    if (address != "host-gateway" && !is_ip_address(address)) {
      in.report.error(node.at, "{}expected an IP address or host-gateway for {}, found \"{}\"", node.prefix(), host,
                      address);
    }
    out.push_back(host + ":" + address);
  }
  return out;
}

Texts read_dns_servers(const Node& node, const Reading& in) {
  if (node.kind == Node::Kind::scalar && node.text.empty()) return {};
  auto servers = read_text_or_texts(node, in);
  for (const auto& server : servers) {
    if (is_ip_address(server)) continue;
    in.report.error(node.at, "{}expected an IP address, found \"{}\"", node.prefix(), server);
  }
  return servers;
}

Texts read_links(const Node& node, const Reading& in) {
  auto links = read_texts(node, in);
  for (const auto& link : links) {
    const auto colon = link.find(':');
    if (colon != 0 && !link.empty() && colon + 1 != link.size()) continue;
    in.report.error(node.at, "{}expected name[:alias], found \"{}\"", node.prefix(), link);
  }
  return links;
}

void add_network_shapes(Shapes& into) { into.map("attachment", kAttachment); }

}  // namespace devstack::stack

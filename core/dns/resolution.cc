#include "core/dns/resolution.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/dns/node_meta.h"

namespace devstack::dns {
namespace {

constexpr std::size_t plain_udp_chased = 5;

bool is_reverse(const Labels& labels) { return !labels.empty() && labels.back() == "arpa"; }

Type address_type(const Data& address) { return std::holds_alternative<Ipv4>(address) ? Type::a : Type::aaaa; }

bool hex_length_is_an_address(std::size_t digits) { return digits / 2 == 4 || digits / 2 == 16; }

}  // namespace

std::uint64_t Random::next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

const Name* find_zone(const Name& name, const std::vector<Name>& domains) {
  const Name* best = nullptr;
  for (const auto& domain : domains) {
    if (name.within(domain) && (best == nullptr || domain.wire().size() > best->wire().size())) best = &domain;
  }
  return best;
}

Resolution::Resolution(const Query& query, const registry::State& state, const AnswerOptions& options)
    : query_(query), state_(state), options_(options), random_(query.seed) {}

const Name* Resolution::zone_of(const Name& name) const { return find_zone(name, options_.domains); }

void Resolution::run(Message& reply) {
  const auto& question = query_.message.questions.front();
  const Step step{question.name, question.type, alias_depth};
  reply.header.authoritative = true;
  if (fixed(step, reply)) return;
  const Name* zone = zone_of(step.name);
  if (zone != nullptr && !(step.type == Type::ds && options_.recursion)) return in_zone(step, *zone, reply);
  const Name lowered = step.name.lowered();
  const Labels labels = lowered.labels();
  if (zone == nullptr && is_reverse(labels)) {
    reverse(step, labels, reply);
    if (!reply.answers.empty()) return;
    // Consul takes arpa for a zone to be forwarded even when there is nobody to forward to.
    reply.header.rcode = Rcode::servfail;
    reply.header.recursion_available = true;
  } else {
    reply.header.rcode = options_.recursion ? Rcode::servfail : Rcode::refused;
    if (!options_.recursion) reply.edns.reset();
  }
  reply.authority.clear();
  reply.header.authoritative = false;
  forward_whole_ = options_.recursion;
}

bool Resolution::fixed(const Step& step, Message& reply) {
  if (options_.records.empty()) return false;
  const Name lowered = step.name.lowered();
  std::string_view wire = lowered.wire();
  auto found = options_.records.find(wire);
  while (found == options_.records.end() && wire.size() > 1) {
    wire.remove_prefix(1U + static_cast<unsigned char>(wire.front()));
    found = options_.records.find(std::string("\1*") + std::string(wire));
  }
  if (found == options_.records.end()) return false;
  for (const auto& data : found->second) {
    if (const auto* target = std::get_if<Target>(&data)) {
      auto records = alias(step, target->name, options_.node_ttl, Chased::of_type);
      std::move(records.begin(), records.end(), std::back_inserter(reply.answers));
      continue;
    }
    const Type type = std::holds_alternative<Ipv4>(data) ? Type::a : Type::aaaa;
    if (step.type != type && step.type != Type::any) continue;
    reply.answers.push_back({step.name, type, class_in, options_.node_ttl, data});
  }
  if (const Name* zone = zone_of(step.name); reply.answers.empty() && zone != nullptr) add_soa(*zone, reply.authority);
  return true;
}

void Resolution::in_zone(const Step& step, const Name& zone, Message& reply) {
  switch (step.type) {
    case Type::soa:
      add_soa(zone, reply.answers);
      return add_name_servers(zone, reply.authority, reply.additional);
    case Type::ns:
      return add_name_servers(zone, reply.answers, reply.additional);
    case Type::axfr:
      reply.header.rcode = Rcode::notimp;
      return;
    default:
      break;
  }
  const Name lowered = step.name.lowered();
  Labels labels = lowered.labels();
  labels.resize(labels.size() - zone.labels().size());
  const auto forms = &zone == &primary() ? ZoneForms::consul : ZoneForms::short_names;
  const Lookup lookup = parse_lookup(labels, step.type, options_.datacenter, forms);
  if (const auto* found = std::get_if<ServiceLookup>(&lookup)) return service(step, *found, zone, reply);
  if (const auto* found = std::get_if<NodeLookup>(&lookup)) return node(step, *found, zone, reply);
  if (const auto* found = std::get_if<PreparedLookup>(&lookup)) return prepared(step, *found, zone, reply);
  if (const auto* found = std::get_if<ConnectLookup>(&lookup)) return connect(step, *found, zone, reply);
  if (const auto* found = std::get_if<AddressLookup>(&lookup)) return address(step, *found, labels, zone, reply);
  no_such_name(zone, reply);
}

void Resolution::reverse(const Step& step, const Labels& labels, Message& reply) {
  const auto wanted = parse_reverse(labels);
  if (!wanted) return;
  const auto add = [&](const std::optional<Name>& target) {
    if (!target) return false;
    reply.answers.push_back({step.name, Type::ptr, class_in, 0, Target{*target}});
    if (step.type == Type::soa) add_soa(primary(), reply.authority);
    return true;
  };
  // An IPv4 address is written in one way only: comparing text spares reading every address of the catalog.
  const auto* v4 = std::get_if<Ipv4>(&*wanted);
  const std::string text = v4 == nullptr ? std::string() : fmt::format("{}", fmt::join(v4->bytes, "."));
  const auto is_wanted = [&](const std::string& address) {
    if (v4 != nullptr) return address == text;
    return address.find(':') != std::string::npos && parse_address(address) == wanted;
  };
  const auto nodes = state_.nodes();
  for (const auto& node : nodes) {
    if (is_wanted(node->address) && add(node_name(*node))) return;
  }
  for (const auto& node : nodes) {
    for (const auto& service : state_.services_of(node->name)) {
      if (!is_wanted(service->address)) continue;
      if (add(Name::join(service->name + ".service." + options_.datacenter, primary()))) return;
    }
  }
}

void Resolution::node(const Step& step, const NodeLookup& lookup, const Name& zone, Message& reply) {
  const bool known_type =
      step.type == Type::any || step.type == Type::a || step.type == Type::aaaa || step.type == Type::txt;
  if (!known_type) return;  // Consul: NOERROR, whether or not there is such a node
  const auto found = lookup.known_datacenter ? state_.node_like(lookup.node) : nullptr;
  if (!found) return no_such_name(zone, reply);
  if (step.type != Type::txt) {
    for (auto& record : node_records(step, *found)) reply.answers.push_back(std::move(record));
  }
  const bool in_answer = step.type == Type::any || step.type == Type::txt;
  if (in_answer || options_.node_meta_txt) {
    add_metadata(*found, step.name, options_.node_ttl, in_answer ? reply.answers : reply.additional);
  }
}

void Resolution::address(const Step& step, const AddressLookup& lookup, const Labels& lowered, const Name& zone,
                         Message& reply) {
  const auto data = parse_hex_address(lookup.hex);
  if (!data) {
    if (hex_length_is_an_address(lookup.hex.size())) no_such_name(zone, reply);
    return;
  }
  // Consul answers in small letters, under its first domain.
  Name owner = step.name.lowered();
  if (&zone != &primary()) {
    std::string prefix;
    for (const auto label : lowered) prefix += (prefix.empty() ? "" : ".") + std::string(label);
    if (const auto joined = Name::join(prefix, primary())) owner = joined->lowered();
  }
  reply.answers.push_back({owner, address_type(*data), class_in, options_.node_ttl, *data});
}

Resolution::Records Resolution::node_records(const Step& step, const registry::Node& node) {
  if (const auto data = parse_address(lan_address(step.type, node))) {
    const Type type = address_type(*data);
    if (step.type != type && step.type != Type::any) return {};
    return {{step.name, type, class_in, options_.node_ttl, *data}};
  }
  const auto target = Name::parse(node.address);
  if (!target) return {};
  if (step.depth == alias_depth) keeps_ttl_ = true;
  Records out{{step.name, Type::cname, class_in, options_.node_ttl, Target{*target}}};
  for (auto& record : inner_answers(*target, step)) out.push_back(std::move(record));
  return out;
}

Resolution::Records Resolution::alias(const Step& step, const Name& target, std::uint32_t ttl, Chased chased) {
  Records out{{step.name, Type::cname, class_in, ttl, Target{target}}};
  for (auto& record : chase(target, step, ttl, chased)) out.push_back(std::move(record));
  return out;
}

Resolution::Records Resolution::inner_answers(const Name& target, const Step& from) {
  if (from.depth < 1) return {};
  const Step step{target, Type::any, from.depth - 1};
  Message inner;
  if (!fixed(step, inner)) {
    const Name* zone = zone_of(target);
    if (zone == nullptr) return {};
    in_zone(step, *zone, inner);
  }
  return std::move(inner.answers);
}

Resolution::Records Resolution::chase(const Name& target, const Step& from, std::uint32_t ttl, Chased chased) {
  const auto wanted = [&](const Record& record) {
    if (record.type == Type::cname) return true;
    if (record.type != Type::a && record.type != Type::aaaa) return false;
    if (from.type == Type::txt) return false;
    return chased == Chased::all || from.type == Type::any || from.type == record.type;
  };
  Records out;
  for (auto& record : inner_answers(target, from)) {
    if (!wanted(record)) continue;
    if (!query_.message.edns && out.size() == plain_udp_chased) break;
    record.ttl = ttl;
    out.push_back(std::move(record));
  }
  return out;
}

void Resolution::add_metadata(const registry::Node& node, const Name& owner, std::uint32_t ttl, Records& to) const {
  for (const auto& [key, value] : node.meta) {
    to.push_back({owner, Type::txt, class_in, ttl, node_meta_txt(key, value)});
  }
}

std::optional<Name> Resolution::node_name(const registry::Node& node) const {
  return Name::join(node.name + ".node." + options_.datacenter, primary());
}

void Resolution::add_soa(const Name& zone, Records& to) const {
  Soa soa;
  soa.primary = Name::join("ns", zone).value_or(zone);
  soa.mailbox = Name::join("hostmaster", zone).value_or(zone);
  soa.serial = static_cast<std::uint32_t>(query_.unix_time);
  soa.refresh = options_.soa_refresh;
  soa.retry = options_.soa_retry;
  soa.expire = options_.soa_expire;
  soa.minimum = options_.soa_minimum;
  to.push_back({zone, Type::soa, class_in, options_.soa_minimum, std::move(soa)});
}

void Resolution::add_name_servers(const Name& zone, Records& to, Records& glue) {
  constexpr std::size_t most = 3;
  auto servers = usable(state_.instance_set("consul"), "");
  random_.shuffle(servers);
  std::size_t count = 0;
  for (const auto* server : servers) {
    if (count == most) break;
    const bool host_name = std::all_of(server->node->name.begin(), server->node->name.end(), [](char c) {
      return (to_lower(c) >= 'a' && to_lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    auto name = node_name(*server->node);
    if (!host_name || !name) continue;
    name = name->lowered();
    ++count;
    to.push_back({zone, Type::ns, class_in, options_.node_ttl, Target{*name}});
    for (auto& record : node_records({*name, Type::any, alias_depth}, *server->node)) glue.push_back(std::move(record));
  }
}

void Resolution::no_such_name(const Name& zone, Message& reply) const {
  reply.header.rcode = Rcode::nxdomain;
  add_soa(zone, reply.authority);
}

}  // namespace devstack::dns

// Services: which instances are usable, and the records made of them.
#include <algorithm>
#include <set>

#include "core/base/duration.h"
#include "core/dns/resolution.h"

namespace devstack::dns {
namespace {

using registry::Instance;

enum class Health { passing, warning, odd, critical };

/// Every check of the instance and of its node counts. A status that Consul does not know is neither.
Health health_of(const Instance& instance) {
  Health worst = Health::passing;
  for (const auto& check : instance.checks) {
    Health health = Health::odd;
    if (check->status == registry::status::passing) health = Health::passing;
    if (check->status == registry::status::warning) health = Health::warning;
    if (check->status == registry::status::critical) return Health::critical;
    worst = std::max(worst, health);
  }
  return worst;
}

std::uint16_t weight_of(const Instance& instance) {
  const auto& weights = instance.service->weights;
  int weight = 1;
  switch (health_of(instance)) {
    case Health::passing:
      weight = weights.passing;
      break;
    case Health::warning:
      weight = weights.warning;
      break;
    default:
      break;
  }
  return static_cast<std::uint16_t>(std::clamp(weight, 0, 65535));
}

bool has_tag(const registry::Service& service, std::string_view tag) {
  return tag.empty() || std::any_of(service.tags.begin(), service.tags.end(),
                                    [&](const auto& own) { return equal_ignoring_case(own, tag); });
}

template <class Tagged>
std::string_view preferred(Type type, std::string_view plain, const Tagged& tagged) {
  const auto get = [&](const char* key) -> std::string_view {
    const auto at = tagged.find(key);
    if (at == tagged.end()) return {};
    if constexpr (requires { at->second.address; }) {
      return at->second.address;
    } else {
      return at->second;
    }
  };
  if (tagged.empty()) return plain;
  if (const auto v6 = get("lan_ipv6"); type != Type::a && !v6.empty()) return v6;
  if (const auto v4 = get("lan_ipv4"); type != Type::aaaa && !v4.empty()) return v4;
  return plain;
}

std::string bytes_of(const Data& address) {
  const auto text = [](const auto& bytes) {
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  if (const auto* v4 = std::get_if<Ipv4>(&address)) return text(v4->bytes);
  if (const auto* v6 = std::get_if<Ipv6>(&address)) return text(v6->bytes);
  return {};
}

std::string hex_of(const Data& address) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes_of(address)) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 0xf];
  }
  return out;
}

}  // namespace

std::string_view lan_address(Type type, const registry::Node& node) {
  return preferred(type, node.address, node.tagged_addresses);
}

std::string_view lan_address(Type type, const registry::Service& service) {
  return preferred(type, service.address, service.tagged_addresses);
}

Resolution::Instances Resolution::usable(InstanceSet set, std::string_view tag) {
  Instances out;
  for (const auto& instance : *set) {
    if (!has_tag(*instance.service, tag)) continue;
    const Health health = health_of(instance);
    if (health == Health::critical || (options_.only_passing && health != Health::passing)) continue;
    out.push_back(&instance);
  }
  sets_.push_back(std::move(set));
  return out;
}

std::uint32_t Resolution::service_ttl(std::string_view lowered_name) const {
  const auto& ttls = options_.service_ttl;
  if (ttls.empty()) return 0;
  if (const auto exact = ttls.find(lowered_name); exact != ttls.end()) return exact->second;
  for (std::size_t size = lowered_name.size() + 1; size-- > 0;) {
    const auto prefix = ttls.find(std::string(lowered_name.substr(0, size)) + '*');
    if (prefix != ttls.end()) return prefix->second;
  }
  return 0;
}

void Resolution::service(const Step& step, const ServiceLookup& lookup, const Name& zone, Message& reply) {
  if (lookup.service.empty()) {  // "_._tcp": Consul asks its catalog for no name, which is an error there
    reply.header.rcode = Rcode::servfail;
    return;
  }
  auto instances = usable(state_.instance_set(lookup.service), lookup.tag);
  random_.shuffle(instances);
  add_instances(step, instances, service_ttl(lookup.service), zone, reply);
}

void Resolution::connect(const Step& step, const ConnectLookup& lookup, const Name& zone, Message& reply) {
  auto found = std::make_shared<const std::vector<Instance>>(registry::connect_instances(state_, lookup.service));
  auto instances = usable(std::move(found), "");
  random_.shuffle(instances);
  add_instances(step, instances, service_ttl(lookup.service), zone, reply);
}

void Resolution::prepared(const Step& step, const PreparedLookup& lookup, const Name& zone, Message& reply) {
  const auto resolved = registry::resolve_query(state_, lookup.name_or_id);
  if (!resolved) {
    if (resolved.error().code == Errc::not_found) return no_such_name(zone, reply);
    reply.header.rcode = Rcode::servfail;
    return;
  }
  const auto& query = resolved->query;
  auto candidates = registry::query_candidates(state_, query);
  Instances instances;
  for (const auto& instance : *candidates) {
    if (registry::query_takes(query, instance)) instances.push_back(&instance);
  }
  sets_.push_back(std::move(candidates));
  random_.shuffle(instances);
  const auto subnet = client_subnet();
  const registry::QuerySource source{options_.node, subnet ? subnet->address() : query_.source.to_string()};
  for_this_asker_ = !query.near.empty();
  const auto near = query.near.empty() ? std::string() : registry::query_near(state_, query, source);
  if (!near.empty()) {
    std::stable_partition(instances.begin(), instances.end(),
                          [&](const Instance* instance) { return equal_ignoring_case(instance->node->name, near); });
  }
  add_instances(step, instances, prepared_ttl(query), zone, reply);
  // What is near depends on who asks: others than this subnet may not be given the answer (RFC 7871 §7.2.1).
  const bool own_question = step.depth == alias_depth;
  if (own_question && subnet && reply.edns && reply.header.rcode == Rcode::noerror) {
    reply.edns->options = subnet->option(subnet->source_bits);
  }
}

std::optional<ClientSubnet> Resolution::client_subnet() const {
  if (!query_.message.edns) return std::nullopt;
  return ClientSubnet::find(query_.message.edns->options);
}

std::uint32_t Resolution::prepared_ttl(const registry::QueryDefinition& query) const {
  if (query.dns_ttl.empty()) return service_ttl(to_lower(query.service));
  const auto ttl = parse_duration(query.dns_ttl);
  if (!ttl) return 0;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*ttl).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, 0x7fffffff));
}

void Resolution::add_instances(const Step& step, const Instances& instances, std::uint32_t ttl, const Name& zone,
                               Message& reply) {
  if (instances.empty()) return no_such_name(zone, reply);
  if (step.type == Type::srv) {
    add_srv(step, instances, ttl, reply);
  } else {
    add_addresses(step, instances, ttl, reply);
  }
  if (reply.answers.empty()) add_soa(zone, reply.authority);
}

void Resolution::add_addresses(const Step& step, const Instances& instances, std::uint32_t ttl, Message& reply) {
  Records first_alias;
  std::set<std::string> seen;
  int count = 0;
  for (const auto* instance : instances) {
    const auto place = place_of(step, *instance);
    if (place.host) {
      if (first_alias.empty()) first_alias = alias(step, *place.host, ttl);
      continue;
    }
    if (!place.address) continue;
    const Type type = std::holds_alternative<Ipv4>(*place.address) ? Type::a : Type::aaaa;
    if (step.type != type && step.type != Type::any) continue;
    if (instances.size() > 1 && !seen.insert(bytes_of(*place.address)).second) continue;
    reply.answers.push_back({step.name, type, class_in, ttl, *place.address});
    if (++count == options_.a_record_limit) break;
  }
  if (reply.answers.empty()) reply.answers = std::move(first_alias);
}

Resolution::Place Resolution::place_of(const Step& step, const Instance& instance) {
  Place place;
  const std::string_view own = lan_address(step.type, *instance.service);
  const std::string_view of_node = lan_address(step.type, *instance.node);
  place.address = parse_address(own.empty() ? of_node : own);
  place.of_node = own.empty() && of_node == instance.node->address;
  if (place.address) return place;
  auto host = Name::parse(own.empty() ? of_node : own);
  if (!host) return place;
  // A service whose address is its own name would be an alias of itself: its node's address is meant. As in Consul, the
  // name counts as its own only in the same letters; else the alias comes first, and leads there.
  if (host->wire() == step.name.wire()) {
    place.address = parse_address(of_node);
    place.of_node = true;
  }
  if (!place.address) place.host = std::move(*host);
  return place;
}

void Resolution::add_srv(const Step& step, const Instances& instances, std::uint32_t ttl, Message& reply) {
  std::set<std::string> seen;
  for (const auto* entry : instances) {
    const auto& instance = *entry;
    const auto& service = *instance.service;
    const auto key = fmt::format("{}\n{}\n{}", instance.node->name, lan_address(Type::srv, service), service.port);
    if (instances.size() > 1 && !seen.insert(key).second) continue;

    const auto node = node_name(*instance.node);
    const auto place = place_of(step, instance);
    std::optional<Name> target = place.host;
    if (place.address) {
      target = place.of_node ? node : Name::join(hex_of(*place.address) + ".addr." + options_.datacenter, primary());
    }
    if (!target) continue;
    const Srv srv{1, weight_of(instance), static_cast<std::uint16_t>(std::clamp(service.port, 0, 65535)), *target};
    reply.answers.push_back({step.name, Type::srv, class_in, ttl, srv});
    if (place.address) {
      const Type type = std::holds_alternative<Ipv4>(*place.address) ? Type::a : Type::aaaa;
      reply.additional.push_back({*target, type, class_in, ttl, *place.address});
    } else {
      for (auto& record : chase(*target, step, ttl, Chased::all)) reply.additional.push_back(std::move(record));
    }
    if (options_.node_meta_txt && node) add_metadata(*instance.node, *node, ttl, reply.additional);
  }
}

}  // namespace devstack::dns

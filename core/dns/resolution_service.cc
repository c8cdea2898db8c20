// Services: which instances are usable, and the records made of them.
#include <algorithm>
#include <set>

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
    if (check->status == registry::status::critical || check->status == registry::status::maintenance) {
      return Health::critical;
    }
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

/// Tagged addresses of the LAN come before the plain one, as far as the type asked for can use them.
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

std::string_view service_address(Type type, const Instance& instance) {
  return preferred(type, instance.service->address, instance.service->tagged_addresses);
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

Resolution::Instances Resolution::usable_instances(const ServiceLookup& lookup) {
  Instances out;
  auto set = state_.instance_set(lookup.service);
  for (const auto& instance : *set) {
    if (!has_tag(*instance.service, lookup.tag)) continue;
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
  auto instances = usable_instances(lookup);
  if (instances.empty()) return no_such_name(zone, reply);
  random_.shuffle(instances);
  const std::uint32_t ttl = service_ttl(lookup.service);
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
    auto records = instance_records(step, *instance, ttl);
    if (records.empty()) continue;
    if (records.front().type == Type::cname) {
      if (first_alias.empty()) first_alias = std::move(records);
      continue;
    }
    if (instances.size() > 1 && !seen.insert(bytes_of(records.front().data)).second) continue;
    reply.answers.push_back(std::move(records.front()));
    if (++count == options_.a_record_limit) break;
  }
  if (reply.answers.empty()) reply.answers = std::move(first_alias);
}

Resolution::Records Resolution::instance_records(const Step& step, const Instance& instance, std::uint32_t ttl) {
  const std::string_view own = service_address(step.type, instance);
  const auto of_node = [&] {
    const auto address = preferred(step.type, instance.node->address, instance.node->tagged_addresses);
    return records_of(step, address, ttl);
  };
  if (own.empty()) return of_node();
  // A service whose address is its own name would be an alias of itself: its node's address is meant.
  if (!parse_address(own)) {
    const auto name = Name::parse(own);
    if (name && *name == step.name) return of_node();
  }
  return records_of(step, own, ttl);
}

void Resolution::add_srv(const Step& step, const Instances& instances, std::uint32_t ttl, Message& reply) {
  std::set<std::string> seen;
  for (const auto* entry : instances) {
    const auto& instance = *entry;
    const auto& service = *instance.service;
    const std::string_view own = service_address(Type::srv, instance);
    const auto key = fmt::format("{}\n{}\n{}", instance.node->name, own, service.port);
    if (instances.size() > 1 && !seen.insert(key).second) continue;

    const std::string_view address =
        own.empty() ? preferred(Type::srv, instance.node->address, instance.node->tagged_addresses) : own;
    const auto node = node_name(*instance.node);
    const Step probe{step.name, Type::any, step.depth};
    Records records = records_of(probe, address, ttl);
    if (records.empty()) continue;
    std::optional<Name> target;
    if (records.front().type == Type::cname) {  // a host name: it is the target itself
      target = std::get<Target>(records.front().data).name;
      records.erase(records.begin());
    } else {
      target =
          own.empty() ? node : Name::join(hex_of(records.front().data) + ".addr." + options_.datacenter, primary());
      if (target) records.front().name = *target;
    }
    if (!target) continue;
    const Srv srv{1, weight_of(instance), static_cast<std::uint16_t>(std::clamp(service.port, 0, 65535)), *target};
    reply.answers.push_back({step.name, Type::srv, class_in, ttl, srv});
    for (auto& record : records) reply.additional.push_back(std::move(record));
    if (options_.node_meta_txt && node) add_metadata(*instance.node, *node, ttl, reply.additional);
    extras_.push_back(reply.additional.size());
  }
}

}  // namespace devstack::dns

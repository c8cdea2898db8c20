#include "core/stack/merge.h"

#include <algorithm>
#include <array>
#include <functional>
#include <unordered_map>
#include <vector>

namespace devstack::stack {
namespace {

using Kind = Node::Kind;
using Tag = Node::Tag;

class Merging;

/// How the values of one place are merged; both are there and neither is tagged.
struct Rule {
  std::string_view path;  ///< "services.*.build.args"
  Node (*merge)(Merging& in, Node base, Node over);
};
const Rule* rule_for(const std::vector<std::string>& path);

class Merging {
 public:
  Merging(Diagnostics& report, std::vector<std::string> path) : report_(report), path_(std::move(path)) {}

  Node both(Node base, Node over) {
    if (over.tag != Tag::none || base.tag == Tag::reset) return over;
    base.tag = Tag::none;
    if (const Rule* rule = rule_for(path_)) return rule->merge(*this, std::move(base), std::move(over));
    return plain(std::move(base), std::move(over));
  }

  /// Maps merge, lists append, anything else is replaced; nothing in the place of a map or list changes nothing.
  Node plain(Node base, Node over) {
    if (base.kind != Kind::map && base.kind != Kind::list) return over;
    if (over.kind == Kind::null) return base;
    if (over.kind != base.kind) {
      report_.error(over.at, "{}expected {} as in {}, found {}", over.prefix(), base.describe(), base.at.to_string(),
                    over.describe());
      return over;
    }
    if (base.kind == Kind::map) return maps(std::move(base), std::move(over));
    std::move(over.items.begin(), over.items.end(), std::back_inserter(base.items));
    return base;
  }

  Node maps(Node base, Node over) {
    std::unordered_map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < base.entries.size(); ++i) places.emplace(base.entries[i].key, i);
    for (auto& entry : over.entries) {
      const auto [place, fresh] = places.emplace(entry.key, base.entries.size());
      if (fresh) {
        base.entries.push_back(std::move(entry));
        continue;
      }
      auto& present = base.entries[place->second];
      path_.push_back(entry.key);
      present.value = both(std::move(present.value), std::move(entry.value));
      path_.pop_back();
      if (present.value.kind != Kind::map) present.at = entry.at;
    }
    return base;
  }

 private:
  Diagnostics& report_;
  std::vector<std::string> path_;
};

Node replaced(Merging&, Node, Node over) { return over; }

// --- key=value ---

bool has_only_texts(const Node& node) {
  return std::all_of(node.items.begin(), node.items.end(), [](const Node& item) { return item.kind == Kind::scalar; });
}

/// A list of "key=value" as the map that it means; a key alone has no value.
Node pairs_of(Node list) {
  if (list.kind != Kind::list) return list;
  Node map;
  map.kind = Kind::map;
  map.at = list.at;
  map.path = list.path;
  for (auto& item : list.items) {
    const auto cut = item.text.find('=');
    std::string key = item.text.substr(0, cut);
    const SourcePos at = item.at;
    if (cut == std::string::npos) {
      item.kind = Kind::null;
      item.text.clear();
    } else {
      item.text.erase(0, cut + 1);
      item.quoted = true;
    }
    if (Node* present = map.find(key)) {
      *present = std::move(item);
    } else {
      map.entries.push_back({std::move(key), at, std::move(item)});
    }
  }
  return map;
}

Node assignments(Merging& in, Node base, Node over) {
  // What is no pair is left for the reader, who says so.
  for (Node* side : {&over, &base}) {
    if (side->kind == Kind::scalar || !has_only_texts(*side)) return std::move(*side);
  }
  return in.plain(pairs_of(std::move(base)), pairs_of(std::move(over)));
}

// --- lists in which a thing stands once ---

Node list_of(Node node) {
  if (node.kind != Kind::scalar) return node;
  Node list;
  list.kind = Kind::list;
  list.at = node.at;
  list.path = node.path;
  list.items.push_back(std::move(node));
  return list;
}

/// The later one of two that are the same thing, in the place of the earlier one.
template <std::string (*key_of)(const Node&)>
Node unique(Merging& in, Node base, Node over) {
  base = list_of(std::move(base));
  over = list_of(std::move(over));
  if (base.kind != Kind::list || over.kind != Kind::list) return in.plain(std::move(base), std::move(over));
  std::unordered_map<std::string, std::size_t> places;
  const auto place_of = [&](const Node& item, std::size_t place) {
    const auto key = key_of(item);
    return key.empty() ? place : places.emplace(key, place).first->second;
  };
  for (std::size_t i = 0; i < base.items.size(); ++i) place_of(base.items[i], i);
  for (auto& item : over.items) {
    const auto place = place_of(item, base.items.size());
    if (place == base.items.size()) {
      base.items.push_back(std::move(item));
    } else {
      base.items[place] = std::move(item);
    }
  }
  return base;
}

/// Hosts with addresses as the list of "host=address" that they mean.
Node host_list(Node node) {
  if (node.kind == Kind::list) {
    for (auto& item : node.items) {
      const auto cut = item.text.find_first_of("=:");
      if (cut != std::string::npos) item.text[cut] = '=';
    }
  }
  // What is no address is left for the reader, who says so.
  const auto no_address = [](const Entry& entry) {
    return (entry.value.kind != Kind::scalar && entry.value.kind != Kind::list) || !has_only_texts(entry.value);
  };
  if (node.kind != Kind::map || std::any_of(node.entries.begin(), node.entries.end(), no_address)) return node;
  Node list;
  list.kind = Kind::list;
  list.at = node.at;
  list.path = node.path;
  for (auto& entry : node.entries) {
    for (auto& address : list_of(std::move(entry.value)).items) {
      address.text = entry.key + "=" + address.text;
      address.quoted = true;
      list.items.push_back(std::move(address));
    }
  }
  return list;
}

/// A host may have several addresses: each that either side gives it, once.
Node host_addresses(Merging& in, Node base, Node over) {
  base = host_list(std::move(base));
  over = host_list(std::move(over));
  for (Node* side : {&over, &base}) {
    if (side->kind == Kind::map) return std::move(*side);
  }
  return unique<text_key>(in, std::move(base), std::move(over));
}

/// An address pool of the same subnet is the same pool, and its keys merge.
Node pools(Merging& in, Node base, Node over) {
  if (base.kind != Kind::list || over.kind != Kind::list) return in.plain(std::move(base), std::move(over));
  for (auto& pool : over.items) {
    const auto key = subnet_key(pool);
    const auto same = std::find_if(base.items.begin(), base.items.end(),
                                   [&](const Node& other) { return !key.empty() && subnet_key(other) == key; });
    if (same == base.items.end()) {
      base.items.push_back(std::move(pool));
    } else {
      *same = in.plain(std::move(*same), std::move(pool));
    }
  }
  return base;
}

// --- short forms ---

Node map_of(SourcePos at, std::string path) {
  Node map;
  map.kind = Kind::map;
  map.at = std::move(at);
  map.path = std::move(path);
  return map;
}

/// A list of names as a map; `value` is what the name alone means.
Node named(Node list, const std::function<Node(const Node& name)>& value) {
  if (list.kind != Kind::list || !has_only_texts(list)) return list;
  Node map = map_of(list.at, list.path);
  for (auto& item : list.items) {
    if (map.find(item.text) == nullptr) map.entries.push_back({item.text, item.at, value(item)});
  }
  return map;
}

Node networks(Merging& in, Node base, Node over) {
  const auto nothing = [](const Node& name) {
    Node none;
    none.at = name.at;
    none.path = name.path;
    return none;
  };
  return in.plain(named(std::move(base), nothing), named(std::move(over), nothing));
}

Node dependencies(Merging& in, Node base, Node over) {
  const auto started = [](const Node& name) {
    Node map = map_of(name.at, name.path);
    Node condition = name;
    condition.text = "service_started";
    map.entries.push_back({"condition", name.at, std::move(condition)});
    return map;
  };
  return in.plain(named(std::move(base), started), named(std::move(over), started));
}

Node build(Merging& in, Node base, Node over) {
  const auto in_full = [](Node node) {
    if (node.kind != Kind::scalar) return node;
    Node map = map_of(node.at, node.path);
    map.entries.push_back({"context", node.at, std::move(node)});
    return map;
  };
  return in.plain(in_full(std::move(base)), in_full(std::move(over)));
}

/// Options belong to a driver.
Node logging(Merging& in, Node base, Node over) {
  const Node* before = base.find("driver");
  const Node* after = over.find("driver");
  const bool same = before == nullptr || after == nullptr || before->text == after->text;
  return same ? in.plain(std::move(base), std::move(over)) : over;
}

Node soft_and_hard(Merging& in, Node base, Node over) {
  return base.kind == over.kind ? in.plain(std::move(base), std::move(over)) : over;
}

constexpr Rule kRules[] = {
    {"services.*.annotations", assignments},
    {"services.*.build", build},
    {"services.*.build.additional_contexts", assignments},
    {"services.*.build.args", assignments},
    {"services.*.build.extra_hosts", host_addresses},
    {"services.*.build.labels", assignments},
    {"services.*.build.platforms", unique<text_key>},
    {"services.*.build.tags", unique<text_key>},
    {"services.*.cap_add", unique<text_key>},
    {"services.*.cap_drop", unique<text_key>},
    {"services.*.command", replaced},
    {"services.*.configs", unique<config_key>},
    {"services.*.depends_on", dependencies},
    {"services.*.deploy.labels", assignments},
    {"services.*.devices", unique<mount_key>},
    {"services.*.dns", unique<text_key>},
    {"services.*.dns_opt", unique<text_key>},
    {"services.*.dns_search", unique<text_key>},
    {"services.*.entrypoint", replaced},
    {"services.*.env_file", unique<env_file_key>},
    {"services.*.environment", assignments},
    {"services.*.expose", unique<text_key>},
    {"services.*.external_links", unique<text_key>},
    {"services.*.extra_hosts", host_addresses},
    {"services.*.group_add", unique<text_key>},
    {"services.*.healthcheck.test", replaced},
    {"services.*.label_file", unique<env_file_key>},
    {"services.*.labels", assignments},
    {"services.*.links", unique<text_key>},
    {"services.*.logging", logging},
    {"services.*.networks", networks},
    {"services.*.networks.*.aliases", unique<text_key>},
    {"services.*.networks.*.link_local_ips", unique<text_key>},
    {"services.*.ports", unique<port_key>},
    {"services.*.profiles", unique<text_key>},
    {"services.*.secrets", unique<secret_key>},
    {"services.*.security_opt", unique<text_key>},
    {"services.*.sysctls", assignments},
    {"services.*.tmpfs", unique<text_key>},
    {"services.*.ulimits.*", soft_and_hard},
    {"services.*.volumes", unique<mount_key>},
    {"services.*.volumes_from", unique<text_key>},
    {"services.*.x-process.command", replaced},
    {"services.*.x-process.healthcheck.test", replaced},
    {"services.*.x-process.liveness.test", replaced},
    {"services.*.x-process.stop_command", replaced},
    {"services.*.x-process.watch", unique<text_key>},
    {"networks.*.external", replaced},
    {"networks.*.ipam.config", pools},
    {"networks.*.labels", assignments},
    {"volumes.*.external", replaced},
    {"volumes.*.labels", assignments},
    {"configs.*.external", replaced},
    {"secrets.*.external", replaced},
    // Ours: an address or a name more is rarely what a second file means.
    {"registry.bind", replaced},
    {"dns.bind", replaced},
    {"dns.domains", replaced},
    {"dns.recursors", replaced},
    {"dns.servers.*", replaced},
    {"proxy.bind", replaced},
    {"ui.bind", replaced},
    {"templates", unique<template_key>},
};

bool matches(std::string_view pattern, const std::string* from, const std::string* end) {
  for (; from != end; ++from) {
    const auto dot = pattern.find('.');
    const auto part = pattern.substr(0, dot);
    if (part.empty() || (part != "*" && part != *from)) return false;
    pattern.remove_prefix(dot == std::string_view::npos ? pattern.size() : dot + 1);
  }
  return pattern.empty();
}

const Rule* rule_for(const std::vector<std::string>& path) {
  const auto* from = path.data();
  const auto* end = path.data() + path.size();
  if (path.size() > 1 && path.front() == "x-devstack") ++from;
  for (const auto& rule : kRules) {
    if (matches(rule.path, from, end)) return &rule;
  }
  return nullptr;
}

}  // namespace

Node merge_files(Node base, Node over, Diagnostics& report) {
  return Merging(report, {}).both(std::move(base), std::move(over));
}

Node merge_services(Node base, Node over, Diagnostics& report) {
  return Merging(report, {"services", "*"}).both(std::move(base), std::move(over));
}

void apply_tags(Node& tree) {
  tree.tag = Tag::none;
  std::erase_if(tree.items, [](const Node& item) { return item.tag == Tag::reset; });
  std::erase_if(tree.entries, [](const Entry& entry) { return entry.value.tag == Tag::reset; });
  for (auto& item : tree.items) apply_tags(item);
  for (auto& entry : tree.entries) apply_tags(entry.value);
}

bool same_value(const Node& a, const Node& b) {
  return a.kind == b.kind && a.text == b.text &&
         std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same_value) &&
         std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                    [](const Entry& x, const Entry& y) { return x.key == y.key && same_value(x.value, y.value); });
}

}  // namespace devstack::stack

#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/dns/answer.h"
#include "core/dns/client_subnet.h"
#include "core/dns/lookup.h"
#include "core/registry/prepared_query.h"

/// One question being answered from one snapshot. Private to core/dns; answer.cc drives it.
namespace devstack::dns {

/// Small, fast and good enough to shuffle with (splitmix64).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// Fisher-Yates.
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[next() % i]);
  }

 private:
  std::uint64_t state_;
};

class Resolution {
 public:
  Resolution(const Query& query, const registry::State& state, const AnswerOptions& options);

  /// Fills the sections and the rcode of `reply`, which has its question.
  void run(Message& reply);
  /// Set by run(): nothing of ours; forward the question.
  [[nodiscard]] bool forward_whole() const { return forward_whole_; }
  /// Set by run(): the answer is a node's alias, of which Consul passes on what it is told.
  [[nodiscard]] bool keeps_ttl() const { return keeps_ttl_; }
  /// Set by run(): it depends on who asks.
  [[nodiscard]] bool for_this_asker() const { return for_this_asker_; }

 private:
  using Records = std::vector<Record>;
  using Instances = std::vector<const registry::Instance*>;
  /// A question inside the answer: what was asked at first, or the target of an alias of ours.
  struct Step {
    Name name;
    Type type;
    int depth;  ///< aliases that may still be followed
  };
  /// Where an instance is: exactly one of the two, or neither when it has no address that can be one.
  struct Place {
    std::optional<Data> address;
    std::optional<Name> host;
    bool of_node = false;  ///< the node's own address, so that SRV names the node
  };
  enum class Chased { all, of_type };

  bool fixed(const Step& step, Message& reply);
  void in_zone(const Step& step, const Name& zone, Message& reply);
  void reverse(const Step& step, const Labels& labels, Message& reply);
  void service(const Step& step, const ServiceLookup& lookup, const Name& zone, Message& reply);
  void node(const Step& step, const NodeLookup& lookup, const Name& zone, Message& reply);
  void connect(const Step& step, const ConnectLookup& lookup, const Name& zone, Message& reply);
  void prepared(const Step& step, const PreparedLookup& lookup, const Name& zone, Message& reply);
  void address(const Step& step, const AddressLookup& lookup, const Labels& lowered, const Name& zone, Message& reply);

  using InstanceSet = std::shared_ptr<const std::vector<registry::Instance>>;
  /// Those that health and tag ("" for any) do not rule out; kept alive by this Resolution.
  Instances usable(InstanceSet set, std::string_view tag);
  /// The instances as records of the type asked for, in this order.
  void add_instances(const Step& step, const Instances& instances, std::uint32_t ttl, const Name& zone, Message& reply);
  void add_addresses(const Step& step, const Instances& instances, std::uint32_t ttl, Message& reply);
  void add_srv(const Step& step, const Instances& instances, std::uint32_t ttl, Message& reply);
  static Place place_of(const Step& step, const registry::Instance& instance);
  /// The node's address, or the alias and what it stands for, as `step` asks.
  Records node_records(const Step& step, const registry::Node& node);
  /// Everything that our own zones say of `target`, the next of the aliases that began with `from`.
  Records inner_answers(const Name& target, const Step& from);
  /// An alias, and the aliases and addresses it stands for with its `ttl`. Consul gives addresses of any type; TXT
  /// never gets one.
  Records alias(const Step& step, const Name& target, std::uint32_t ttl, Chased chased = Chased::all);
  Records chase(const Name& target, const Step& from, std::uint32_t ttl, Chased chased);
  void add_metadata(const registry::Node& node, const Name& owner, std::uint32_t ttl, Records& to) const;
  /// "n1.node.dc1.consul." in the first zone.
  [[nodiscard]] std::optional<Name> node_name(const registry::Node& node) const;

  void add_soa(const Name& zone, Records& to) const;
  void add_name_servers(const Name& zone, Records& to, Records& glue);
  void no_such_name(const Name& zone, Message& reply) const;
  [[nodiscard]] const Name* zone_of(const Name& name) const;
  [[nodiscard]] const Name& primary() const { return options_.domains.front(); }
  [[nodiscard]] std::uint32_t service_ttl(std::string_view lowered_name) const;
  [[nodiscard]] std::uint32_t prepared_ttl(const registry::QueryDefinition& query) const;
  [[nodiscard]] std::optional<ClientSubnet> client_subnet() const;

  const Query& query_;
  const registry::State& state_;
  const AnswerOptions& options_;
  Random random_;
  std::vector<InstanceSet> sets_;
  bool forward_whole_ = false;
  bool keeps_ttl_ = false;
  bool for_this_asker_ = false;
};

/// The address that a node or a service shows to the LAN, for the type asked for: Consul's tagged addresses lan_ipv4
/// and lan_ipv6 come before the plain one.
std::string_view lan_address(Type type, const registry::Node& node);
std::string_view lan_address(Type type, const registry::Service& service);

/// Aliases that are followed inside our zones.
inline constexpr int alias_depth = 3;

/// The zone among `domains` that holds `name`, the longest if several do.
const Name* find_zone(const Name& name, const std::vector<Name>& domains);

}  // namespace devstack::dns

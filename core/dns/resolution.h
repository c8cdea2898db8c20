#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/dns/answer.h"
#include "core/dns/fit.h"
#include "core/dns/lookup.h"
#include "core/registry/types.h"

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
  [[nodiscard]] const ExtrasThrough& extras() const { return extras_; }
  /// Set by run(): nothing of ours; forward the question.
  [[nodiscard]] bool forward_whole() const { return forward_whole_; }

 private:
  using Records = std::vector<Record>;
  using Instances = std::vector<const registry::Instance*>;
  /// A question inside the answer: what was asked at first, or the target of an alias of ours.
  struct Step {
    Name name;
    Type type;
    int depth;  ///< aliases that may still be followed
  };

  bool fixed(const Step& step, Message& reply);
  void in_zone(const Step& step, const Name& zone, Message& reply);
  void reverse(const Step& step, const Labels& labels, Message& reply);
  void service(const Step& step, const ServiceLookup& lookup, const Name& zone, Message& reply);
  void node(const Step& step, const NodeLookup& lookup, const Name& zone, Message& reply);
  void address(const Step& step, const AddressLookup& lookup, const Labels& lowered, const Name& zone, Message& reply);

  /// Kept alive by this Resolution.
  Instances usable_instances(const ServiceLookup& lookup);
  void add_addresses(const Step& step, const Instances& instances, std::uint32_t ttl, Message& reply);
  void add_srv(const Step& step, const Instances& instances, std::uint32_t ttl, Message& reply);
  Records instance_records(const Step& step, const registry::Instance& instance, std::uint32_t ttl);
  /// An address or a host name as the records that `step` gets of it.
  Records records_of(const Step& step, std::string_view address, std::uint32_t ttl);
  Records alias(const Step& step, const Name& target, std::uint32_t ttl);
  /// What our own zones say of `target`, for A (AAAA, or both) with `ttl`.
  Records chase(const Name& target, const Step& from, std::uint32_t ttl);
  void add_metadata(const registry::Node& node, const Name& owner, std::uint32_t ttl, Records& to) const;
  /// "n1.node.dc1.consul." in the first zone.
  [[nodiscard]] std::optional<Name> node_name(const registry::Node& node) const;

  void add_soa(const Name& zone, Records& to) const;
  void add_name_servers(const Name& zone, Records& to, Records& glue);
  void no_such_name(const Name& zone, Message& reply) const;
  [[nodiscard]] const Name* zone_of(const Name& name) const;
  [[nodiscard]] const Name& primary() const { return options_.domains.front(); }
  [[nodiscard]] std::uint32_t service_ttl(std::string_view lowered_name) const;

  const Query& query_;
  const registry::State& state_;
  const AnswerOptions& options_;
  Random random_;
  std::vector<std::shared_ptr<const std::vector<registry::Instance>>> sets_;
  ExtrasThrough extras_;
  bool forward_whole_ = false;
};

/// The zone among `domains` that holds `name`, the longest if several do.
const Name* find_zone(const Name& name, const std::vector<Name>& domains);

}  // namespace devstack::dns

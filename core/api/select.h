#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/bexpr.h"
#include "core/api/call.h"
#include "core/base/ascii.h"
#include "core/registry/types.h"

/// Which rows of a read are wanted: `tag`, `node-meta`, `passing`, `filter`, and in which order: `near`. Private.
namespace devstack::api {

/// Every `tag` parameter is among the service's tags (without case).
bool has_tags(const registry::Service& service, const std::vector<std::string_view>& tags);
/// Every `key:value` of `node-meta` is in the map.
bool has_meta(const registry::StringMap& meta, const std::vector<std::string_view>& wanted);

/// `passing`: bare or true keeps healthy instances only. Errc::parse with the text of the 400.
Result<bool> wants_passing(const http::Query& query);

/// The node to sort by for `near`, "" for none. Distances come from coordinates, and only the registry's own node has
/// one: sorting by another changes nothing.
std::string near_node(const Call& call, std::string_view near);
inline std::string near_node(const Call& call) { return near_node(call, call.param("near")); }

/// As Go's strconv.ParseBool takes it; nothing for other words.
std::optional<bool> parse_bool(std::string_view text);

/// By node, then by the check's own id, whatever it is about: the order of every list of checks alone.
void sort_checks(std::vector<registry::CheckPtr>& checks);

/// Rows of that node first, else as they were.
template <class Row, class NodeOf>
void sort_near(std::vector<Row>& rows, const std::string& node, NodeOf node_of) {
  if (node.empty()) return;
  std::stable_partition(rows.begin(), rows.end(),
                        [&](const Row& row) { return equal_ignoring_case(node_of(row), node); });
}

/// A filter over rows of one schema; one made of an empty `filter` parameter keeps everything.
class RowFilter {
 public:
  /// Errc::failed with Consul's text of the 500.
  static Result<RowFilter> make(const Call& call, const bexpr::Schema& schema);
  [[nodiscard]] bool keeps(const void* row) const { return !expression_ || expression_->matches(row); }
  [[nodiscard]] bool any() const { return expression_.has_value(); }

 private:
  std::optional<bexpr::Expression> expression_;
};

/// Schemas of the rows that `filter` may name; a row is what `RowFilter::keeps` gets a pointer to.
const bexpr::Schema& node_schema();           ///< registry::Node
const bexpr::Schema& node_service_schema();   ///< registry::Service
const bexpr::Schema& agent_service_schema();  ///< registry::Service
const bexpr::Schema& check_schema();          ///< registry::Check
const bexpr::Schema& service_node_schema();   ///< registry::Instance, flat
const bexpr::Schema& instance_schema();       ///< registry::Instance: Node, Service, Checks

}  // namespace devstack::api

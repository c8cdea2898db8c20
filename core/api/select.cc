#include "core/api/select.h"

#include "core/base/ascii.h"

namespace devstack::api {
bool has_tags(const registry::Service& service, const std::vector<std::string_view>& tags) {
  return std::all_of(tags.begin(), tags.end(), [&](std::string_view wanted) {
    return std::any_of(service.tags.begin(), service.tags.end(),
                       [&](const std::string& tag) { return equal_ignoring_case(tag, wanted); });
  });
}

bool has_meta(const registry::StringMap& meta, const std::vector<std::string_view>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](std::string_view pair) {
    const std::size_t colon = pair.find(':');
    const auto found = meta.find(std::string(pair.substr(0, colon)));
    const std::string_view value = colon == std::string_view::npos ? "" : pair.substr(colon + 1);
    return found != meta.end() && found->second == value;
  });
}

void sort_checks(std::vector<registry::CheckPtr>& checks) {
  const auto before = [](const std::string& a, const std::string& b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
      return static_cast<unsigned char>(to_lower(x)) < static_cast<unsigned char>(to_lower(y));
    });
  };
  std::sort(checks.begin(), checks.end(), [&](const auto& a, const auto& b) {
    return equal_ignoring_case(a->node, b->node) ? before(a->id, b->id) : before(a->node, b->node);
  });
}

std::optional<bool> parse_bool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

Result<bool> wants_passing(const http::Query& query) {
  const auto value = query.get("passing");
  if (!value) return false;
  if (value->empty()) return true;
  const auto wanted = parse_bool(*value);
  if (!wanted) return fail(Errc::parse, "Invalid value for ?passing");
  return *wanted;
}

std::string near_node(const Call& call, std::string_view near) {
  auto own = call.backend.writer.identity().node;
  const bool here = near == "_agent" || near == "_ip" || equal_ignoring_case(near, own);
  return here ? std::move(own) : "";
}

Result<RowFilter> RowFilter::make(const Call& call, const bexpr::Schema& schema) {
  RowFilter filter;
  const std::string_view text = call.param("filter");
  if (text.empty()) return filter;
  auto parsed = bexpr::Expression::parse(text, schema);
  if (!parsed) {
    return fail(Errc::failed, "Failed to create boolean expression evaluator: {}", parsed.error().message);
  }
  filter.expression_ = std::move(*parsed);
  return filter;
}

}  // namespace devstack::api

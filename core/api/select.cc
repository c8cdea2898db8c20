#include "core/api/select.h"

namespace devstack::api {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

bool equal_without_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool has_tags(const registry::Service& service, const std::vector<std::string_view>& tags) {
  return std::all_of(tags.begin(), tags.end(), [&](std::string_view wanted) {
    return wanted.empty() || std::any_of(service.tags.begin(), service.tags.end(),
                                         [&](const std::string& tag) { return equal_without_case(tag, wanted); });
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

Result<bool> wants_passing(const http::Query& query) {
  const auto value = query.get("passing");
  if (!value) return false;
  for (const std::string_view yes : {"", "1", "t", "T", "true", "TRUE", "True"}) {
    if (*value == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (*value == no) return false;
  }
  return fail(Errc::parse, "Invalid value for ?passing");
}

std::string near_node(const Call& call) {
  const std::string_view near = call.param("near");
  if (near == "_agent" || near == "_ip") return call.backend.writer.identity().node;
  return std::string(near);
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

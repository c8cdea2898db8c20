#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

/// The grammar of filter expressions; knows no schema. Private to bexpr.cc.
namespace devstack::api::bexpr {

enum class Operator { equal, not_equal, in, not_in, matches, not_matches, empty, not_empty };

/// A parsed expression: a comparison, or `and`, `or`, `not` of others.
struct Syntax {
  enum class Kind { all, any, negation, comparison } kind = Kind::comparison;
  std::vector<Syntax> parts;
  std::vector<std::string> selector;
  Operator op = Operator::equal;
  std::string value;
};

/// Errc::parse with go-bexpr's position, "line:column (offset): no match found, expected: …".
Result<Syntax> parse_syntax(std::string_view text);

}  // namespace devstack::api::bexpr

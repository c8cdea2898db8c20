#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.h"

/// Filter expressions: `Service == "web" and "primary" in Tags` (https://github.com/hashicorp/go-bexpr). Pure. A schema
/// says which selectors a kind of row has; an expression is checked against it once and then matches many rows.
namespace devstack::api::bexpr {

struct Schema;

/// One field of a row. Rows are passed as pointers to what the schema was written for.
struct Field {
  using Text = std::string_view (*)(const void*);
  using Integer = std::int64_t (*)(const void*);
  using Boolean = bool (*)(const void*);
  using List = const std::vector<std::string>& (*)(const void*);
  using Map = const std::map<std::string, std::string>& (*)(const void*);
  /// A row within the row.
  struct Record {
    const Schema& (*schema)();
    const void* (*get)(const void*);
  };
  /// Rows within the row: matches when any of them does.
  struct Records {
    const Schema& (*schema)();
    std::size_t (*size)(const void*);
    const void* (*at)(const void*, std::size_t);
  };
  /// Rows within the row, by name; the pointer is null for an absent one.
  struct RecordMap {
    const Schema& (*schema)();
    std::size_t (*size)(const void*);
    const void* (*find)(const void*, const std::string&);
  };
  using Access = std::variant<Text, Integer, Boolean, List, Map, Record, Records, RecordMap>;

  std::string_view name;
  Access access;
};

struct Schema {
  std::vector<Field> fields;
};

struct Matcher;

class Expression {
 public:
  /// Errors are go-bexpr's: `Selector "Bogus" is not valid`, `1:6 (5): no match found, expected: …`.
  static Result<Expression> parse(std::string_view text, const Schema& schema);
  [[nodiscard]] bool matches(const void* row) const;

 private:
  explicit Expression(std::shared_ptr<const Matcher> root) : root_(std::move(root)) {}
  std::shared_ptr<const Matcher> root_;
};

}  // namespace devstack::api::bexpr

#include "core/api/bexpr.h"

#include <re2/re2.h>

#include <charconv>
#include <functional>

#include "core/api/bexpr_syntax.h"
#include "core/api/go_text.h"

namespace devstack::api::bexpr {

struct Matcher {
  Syntax::Kind kind = Syntax::Kind::comparison;
  std::vector<Matcher> parts;
  /// For a comparison.
  std::function<bool(const void*)> test;

  [[nodiscard]] bool matches(const void* row) const {
    switch (kind) {
      case Syntax::Kind::all:
        for (const auto& part : parts) {
          if (!part.matches(row)) return false;
        }
        return true;
      case Syntax::Kind::any:
        for (const auto& part : parts) {
          if (part.matches(row)) return true;
        }
        return false;
      case Syntax::Kind::negation:
        return !parts.front().matches(row);
      case Syntax::Kind::comparison:
        return test(row);
    }
    return false;
  }
};

namespace {

using Test = std::function<bool(const void*)>;
using Path = std::span<const std::string>;

std::string_view name_of(Operator op) {
  switch (op) {
    case Operator::equal:
      return "Equal";
    case Operator::not_equal:
      return "Not Equal";
    case Operator::in:
      return "In";
    case Operator::not_in:
      return "Not In";
    case Operator::matches:
      return "Matches";
    case Operator::not_matches:
      return "Not Matches";
    case Operator::empty:
      return "Is Empty";
    case Operator::not_empty:
      return "Is Not Empty";
  }
  return "";
}

bool negative(Operator op) {
  return op == Operator::not_equal || op == Operator::not_in || op == Operator::not_matches ||
         op == Operator::not_empty;
}

std::string dotted(const std::vector<std::string>& path) {
  std::string out;
  for (const auto& part : path) out += (out.empty() ? "" : ".") + part;
  return out;
}

/// What binding one comparison needs to know and to say in errors.
struct Comparison {
  const Syntax& syntax;
  [[nodiscard]] tl::unexpected<Error> bad_operator() const {
    return fail(Errc::parse, "Invalid match operator \"{}\" for selector \"{}\"", name_of(syntax.op),
                dotted(syntax.selector));
  }
  /// Names the selector up to the part that is wrong; `rest` begins with it.
  [[nodiscard]] tl::unexpected<Error> bad_selector(std::span<const std::string> rest) const {
    const auto good = static_cast<std::ptrdiff_t>(syntax.selector.size() - rest.size());
    return fail(Errc::parse, "Selector \"{}\" is not valid",
                dotted({syntax.selector.begin(), syntax.selector.begin() + good + 1}));
  }
  [[nodiscard]] tl::unexpected<Error> bad_value(std::string_view parser, std::string_view why) const {
    return fail(Errc::parse, "Failed to coerce value {} for selector \"{}\": strconv.{}: parsing {}: {}",
                go_quote(syntax.value), dotted(syntax.selector), parser, go_quote(syntax.value), why);
  }
  /// Whether the comparison holds for something that a map does not have: go-bexpr lets every operator but these hold.
  [[nodiscard]] bool holds_for_absent() const {
    return syntax.op != Operator::equal && syntax.op != Operator::not_empty && syntax.op != Operator::in;
  }
};

/// A test of one text; `positive` is the operator without its "not".
Result<std::function<bool(std::string_view)>> text_test(const Comparison& comparison) {
  const std::string value = comparison.syntax.value;
  switch (comparison.syntax.op) {
    case Operator::equal:
    case Operator::not_equal:
      return [value](std::string_view text) { return text == value; };
    case Operator::in:
    case Operator::not_in:
      return [value](std::string_view text) { return text.find(value) != std::string_view::npos; };
    case Operator::matches:
    case Operator::not_matches: {
      auto regex = std::make_shared<re2::RE2>(value, re2::RE2::Quiet);
      if (!regex->ok())
        return fail(Errc::parse, "Failed to compile regular expression {}: {}", go_quote(value), regexp_error(*regex));
      return [regex](std::string_view text) {
        return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *regex);
      };
    }
    case Operator::empty:
    case Operator::not_empty:
      return comparison.bad_operator();
  }
  return comparison.bad_operator();
}

Result<Test> bind_path(const Comparison& comparison, const Schema& schema, Path path);

Result<Test> bind_text(const Comparison& comparison, Field::Text get) {
  TRY(auto test, text_test(comparison));
  const bool flip = negative(comparison.syntax.op);
  return [get, test, flip](const void* row) { return test(get(row)) != flip; };
}

Result<Test> bind_integer(const Comparison& comparison, Field::Integer get) {
  const auto& syntax = comparison.syntax;
  if (syntax.op != Operator::equal && syntax.op != Operator::not_equal) return comparison.bad_operator();
  std::int64_t wanted = 0;
  const char* end = syntax.value.data() + syntax.value.size();
  const auto [at, error] = std::from_chars(syntax.value.data(), end, wanted);
  if (error == std::errc::result_out_of_range) return comparison.bad_value("ParseInt", "value out of range");
  if (error != std::errc() || at != end) return comparison.bad_value("ParseInt", "invalid syntax");
  const bool flip = negative(syntax.op);
  return [get, wanted, flip](const void* row) { return (get(row) == wanted) != flip; };
}

Result<Test> bind_boolean(const Comparison& comparison, Field::Boolean get) {
  const auto& syntax = comparison.syntax;
  if (syntax.op != Operator::equal && syntax.op != Operator::not_equal) return comparison.bad_operator();
  const auto& text = syntax.value;
  const bool yes = text == "1" || text == "t" || text == "T" || text == "true" || text == "TRUE" || text == "True";
  const bool no = text == "0" || text == "f" || text == "F" || text == "false" || text == "FALSE" || text == "False";
  if (!yes && !no) return comparison.bad_value("ParseBool", "invalid syntax");
  const bool wanted = yes != negative(syntax.op);
  return [get, wanted](const void* row) { return get(row) == wanted; };
}

Result<Test> bind_list(const Comparison& comparison, Field::List get) {
  const bool flip = negative(comparison.syntax.op);
  switch (comparison.syntax.op) {
    case Operator::in:
    case Operator::not_in:
      return [get, flip, value = comparison.syntax.value](const void* row) {
        const auto& list = get(row);
        return (std::find(list.begin(), list.end(), value) != list.end()) != flip;
      };
    case Operator::empty:
    case Operator::not_empty:
      return [get, flip](const void* row) { return get(row).empty() != flip; };
    default:
      return comparison.bad_operator();
  }
}

Result<Test> bind_map(const Comparison& comparison, Field::Map get, Path path) {
  const bool flip = negative(comparison.syntax.op);
  const auto op = comparison.syntax.op;
  if (path.size() == 1) {
    TRY(auto test, text_test(comparison));
    return [get, flip, test, absent = comparison.holds_for_absent(), key = path.front()](const void* row) {
      const auto& map = get(row);
      const auto found = map.find(key);
      return found == map.end() ? absent : test(found->second) != flip;
    };
  }
  if (path.size() > 1) return comparison.bad_selector(path.subspan(1));
  if (op == Operator::in || op == Operator::not_in) {
    return [get, flip, key = comparison.syntax.value](const void* row) { return get(row).contains(key) != flip; };
  }
  if (op == Operator::empty || op == Operator::not_empty) {
    return [get, flip](const void* row) { return get(row).empty() != flip; };
  }
  return comparison.bad_operator();
}

Result<Test> bind_records(const Comparison& comparison, const Field::Records& field, Path path) {
  const bool flip = negative(comparison.syntax.op);
  const auto op = comparison.syntax.op;
  if (path.empty()) {
    if (op != Operator::empty && op != Operator::not_empty) return comparison.bad_operator();
    return [size = field.size, flip](const void* row) { return (size(row) == 0) != flip; };
  }
  TRY(auto inner, bind_path(comparison, field.schema(), path));
  return [field, inner](const void* row) {
    for (std::size_t i = 0; i < field.size(row); ++i) {
      if (inner(field.at(row, i))) return true;
    }
    return false;
  };
}

Result<Test> bind_record_map(const Comparison& comparison, const Field::RecordMap& field, Path path) {
  const bool flip = negative(comparison.syntax.op);
  const auto op = comparison.syntax.op;
  if (path.empty()) {
    if (op == Operator::in || op == Operator::not_in) {
      return [field, flip, key = comparison.syntax.value](const void* row) {
        return (field.find(row, key) != nullptr) != flip;
      };
    }
    if (op != Operator::empty && op != Operator::not_empty) return comparison.bad_operator();
    return [size = field.size, flip](const void* row) { return (size(row) == 0) != flip; };
  }
  TRY(auto inner, bind_path(comparison, field.schema(), path.subspan(1)));
  return [field, inner, absent = comparison.holds_for_absent(), key = path.front()](const void* row) {
    const void* found = field.find(row, key);
    return found == nullptr ? absent : inner(found);
  };
}

Result<Test> bind_field(const Comparison& comparison, const Field& field, Path rest) {
  if (const auto* map = std::get_if<Field::Map>(&field.access)) return bind_map(comparison, *map, rest);
  if (const auto* records = std::get_if<Field::Records>(&field.access)) return bind_records(comparison, *records, rest);
  if (const auto* map = std::get_if<Field::RecordMap>(&field.access)) return bind_record_map(comparison, *map, rest);
  if (const auto* record = std::get_if<Field::Record>(&field.access)) {
    TRY(auto inner, bind_path(comparison, record->schema(), rest));
    return [get = record->get, inner](const void* row) { return inner(get(row)); };
  }
  if (!rest.empty()) return comparison.bad_selector(rest);
  if (const auto* text = std::get_if<Field::Text>(&field.access)) return bind_text(comparison, *text);
  if (const auto* integer = std::get_if<Field::Integer>(&field.access)) return bind_integer(comparison, *integer);
  if (const auto* boolean = std::get_if<Field::Boolean>(&field.access)) return bind_boolean(comparison, *boolean);
  return bind_list(comparison, std::get<Field::List>(field.access));
}

Result<Test> bind_path(const Comparison& comparison, const Schema& schema, Path path) {
  if (path.empty()) return comparison.bad_operator();
  for (const auto& field : schema.fields) {
    if (field.name == path.front()) return bind_field(comparison, field, path.subspan(1));
  }
  return comparison.bad_selector(path);
}

Result<Matcher> bind_all(const Syntax& syntax, const Schema& schema) {
  Matcher matcher;
  matcher.kind = syntax.kind;
  if (syntax.kind == Syntax::Kind::comparison) {
    TRY(matcher.test, bind_path(Comparison{syntax}, schema, syntax.selector));
    return matcher;
  }
  for (const auto& part : syntax.parts) {
    TRY(auto bound, bind_all(part, schema));
    matcher.parts.push_back(std::move(bound));
  }
  return matcher;
}

}  // namespace

Result<Expression> Expression::parse(std::string_view text, const Schema& schema) {
  TRY(const auto syntax, parse_syntax(text));
  TRY(auto matcher, bind_all(syntax, schema));
  return Expression(std::make_shared<const Matcher>(std::move(matcher)));
}

bool Expression::matches(const void* row) const { return root_->matches(row); }

}  // namespace devstack::api::bexpr

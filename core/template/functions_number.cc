// Numbers: parsing and arithmetic, with consul-template's reversed arguments (`subtract 2 5` is 3).
#include <charconv>

#include "core/template/functions.h"

namespace devstack::templates {
namespace {

using Answer = Result<Value>;

template <class Number>
Answer parse_number(const Value& value, std::string_view what) {
  TRY(const std::string text, text_argument(value));
  if (text.empty()) return Value(Number{});
  Number number{};
  const char* from = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(from, end, number);
  if (error == std::errc::result_out_of_range) {
    return fail(Errc::invalid_argument, "strconv.{}: parsing {}: value out of range", what, quote(text));
  }
  if (error != std::errc() || stopped != end) {
    return fail(Errc::invalid_argument, "strconv.{}: parsing {}: invalid syntax", what, quote(text));
  }
  return Value(number);
}

Answer parse_bool(Rendering&, Arguments args) {
  TRY(const std::string text, text_argument(args[0]));
  for (const auto* yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return Value(true);
  }
  for (const auto* no : {"", "0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return Value(false);
  }
  return fail(Errc::invalid_argument, "strconv.ParseBool: parsing {}: invalid syntax", quote(text));
}

/// int64 arithmetic wraps as Go's does; with a float on either side it is float arithmetic.
template <class Whole, class Real>
Answer arithmetic(Arguments args, std::string_view name, Whole whole, Real real) {
  const auto b = as_number(args[0]);
  const auto a = as_number(args[1]);
  if (!a || !b) {
    return fail(Errc::invalid_argument, "{}: unknown type for '{}' ({})", name, (a ? args[0] : args[1]).print(),
                (a ? args[0] : args[1]).type());
  }
  if (args[0].get<double>() != nullptr || args[1].get<double>() != nullptr) return real(*a, *b);
  TRY(const std::int64_t left, integer_argument(args[1]));
  TRY(const std::int64_t right, integer_argument(args[0]));
  return whole(left, right);
}

std::int64_t wrap(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t bits(std::int64_t value) { return static_cast<std::uint64_t>(value); }

Answer add(Rendering&, Arguments args) {
  return arithmetic(
      args, "add", [](auto a, auto b) -> Answer { return Value(wrap(bits(a) + bits(b))); },
      [](double a, double b) -> Answer { return Value(a + b); });
}
Answer subtract(Rendering&, Arguments args) {
  return arithmetic(
      args, "subtract", [](auto a, auto b) -> Answer { return Value(wrap(bits(a) - bits(b))); },
      [](double a, double b) -> Answer { return Value(a - b); });
}
Answer multiply(Rendering&, Arguments args) {
  return arithmetic(
      args, "multiply", [](auto a, auto b) -> Answer { return Value(wrap(bits(a) * bits(b))); },
      [](double a, double b) -> Answer { return Value(a * b); });
}

Answer divide_whole(std::int64_t a, std::int64_t b) {
  if (b == 0) return fail(Errc::invalid_argument, "runtime error: integer divide by zero");
  return Value(b == -1 ? wrap(0 - bits(a)) : a / b);
}
Answer modulo_whole(std::int64_t a, std::int64_t b) {
  if (b == 0) return fail(Errc::invalid_argument, "runtime error: integer divide by zero");
  return Value(b == -1 ? std::int64_t{0} : a % b);
}

Answer divide(Rendering&, Arguments args) {
  return arithmetic(args, "divide", divide_whole, [](double a, double b) -> Answer { return Value(a / b); });
}
Answer modulo(Rendering&, Arguments args) {
  return arithmetic(args, "modulo", modulo_whole, [](double, double) -> Answer {
    return fail(Errc::invalid_argument, "modulo: floats have no remainder");
  });
}
Answer minimum(Rendering&, Arguments args) {
  return arithmetic(
      args, "minimum", [](auto a, auto b) -> Answer { return Value(a < b ? a : b); },
      [](double a, double b) -> Answer { return Value(a < b ? a : b); });
}
Answer maximum(Rendering&, Arguments args) {
  return arithmetic(
      args, "maximum", [](auto a, auto b) -> Answer { return Value(a > b ? a : b); },
      [](double a, double b) -> Answer { return Value(a > b ? a : b); });
}

Result<std::int64_t> bound(const Value& value) {
  if (value.text() == nullptr) return integer_argument(value);
  TRY(const Value number, parse_number<std::int64_t>(value, "ParseInt"));
  return integer_argument(number);
}

Answer loop(Rendering&, Arguments args) {
  std::int64_t from = 0;
  TRY(std::int64_t to, bound(args[0]));
  if (args.size() > 1) {
    from = to;
    TRY(to, bound(args[1]));
  }
  if (to > from && bits(to) - bits(from) > 1'000'000) return fail(Errc::too_large, "more than 1000000 rounds");
  List list{.items = {}, .element = "int64"};
  for (std::int64_t i = from; i < to; ++i) list.items.emplace_back(i);
  return Value(std::move(list));
}

constexpr Function kFunctions[] = {
    {"parseBool", 1, 1, parse_bool},
    {"parseInt", 1, 1, [](Rendering&, Arguments a) { return parse_number<std::int64_t>(a[0], "ParseInt"); }},
    {"parseUint", 1, 1, [](Rendering&, Arguments a) { return parse_number<std::uint64_t>(a[0], "ParseUint"); }},
    {"parseFloat", 1, 1, [](Rendering&, Arguments a) { return parse_number<double>(a[0], "ParseFloat"); }},
    {"add", 2, 2, add},
    {"subtract", 2, 2, subtract},
    {"multiply", 2, 2, multiply},
    {"divide", 2, 2, divide},
    {"modulo", 2, 2, modulo},
    {"minimum", 2, 2, minimum},
    {"maximum", 2, 2, maximum},
    {"loop", 1, 2, loop},
};

}  // namespace

std::span<const Function> number_functions() { return kFunctions; }

}  // namespace devstack::templates

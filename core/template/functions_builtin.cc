// Go's own functions. https://pkg.go.dev/text/template#hdr-Functions
#include <algorithm>
#include <cmath>

#include "core/base/html.h"
#include "core/template/functions.h"

namespace devstack::templates {
namespace {

enum class Basic { boolean, integer, floating, text, other };

Basic basic_kind(const Value& value) {
  if (value.get<bool>() != nullptr) return Basic::boolean;
  if (value.get<std::int64_t>() != nullptr || value.get<std::uint64_t>() != nullptr) return Basic::integer;
  if (value.get<double>() != nullptr) return Basic::floating;
  return value.text() != nullptr ? Basic::text : Basic::other;
}

/// -1, 0, 1; integers of either sign compare by value.
int compare_integers(const Value& a, const Value& b) {
  const auto* ua = a.get<std::uint64_t>();
  const auto* ub = b.get<std::uint64_t>();
  const auto* sa = a.get<std::int64_t>();
  const auto* sb = b.get<std::int64_t>();
  if (sa != nullptr && sb != nullptr) return *sa < *sb ? -1 : *sa > *sb ? 1 : 0;
  if (ua != nullptr && ub != nullptr) return *ua < *ub ? -1 : *ua > *ub ? 1 : 0;
  if (ua != nullptr) return -compare_integers(b, a);
  if (*sa < 0) return -1;
  const auto left = static_cast<std::uint64_t>(*sa);
  return left < *ub ? -1 : left > *ub ? 1 : 0;
}

using Ordered = Result<Value>;

Ordered compare_all(Arguments args, bool (*holds)(bool less_than, bool equals)) {
  TRY(const bool below, less(args[0], args[1]));
  TRY(const bool same, equal(args[0], args[1]));
  return Value(holds(below, same));
}

Ordered eq(Rendering&, Arguments args) {
  for (const auto& other : args.subspan(1)) {
    TRY(const bool same, equal(args[0], other));
    if (same) return Value(true);
  }
  return Value(false);
}

Ordered ne(Rendering&, Arguments args) {
  TRY(const bool same, equal(args[0], args[1]));
  return Value(!same);
}

Ordered length(Rendering&, Arguments args) {
  const auto& value = args[0];
  if (const auto* text = value.text()) return Value(static_cast<std::int64_t>(text->size()));
  if (const auto* list = value.list()) return Value(static_cast<std::int64_t>(list->items.size()));
  if (const auto* map = value.map()) return Value(static_cast<std::int64_t>(map->entries.size()));
  if (value.is_nil()) return fail(Errc::invalid_argument, "len of nil pointer");
  return fail(Errc::invalid_argument, "len of type {}", value.type());
}

Ordered element(const Value& of, const Value& key) {
  if (of.is_nil()) return fail(Errc::invalid_argument, "index of untyped nil");
  if (const auto* map = of.map()) {
    const auto* number = key.get<std::int64_t>();
    if (number == nullptr && key.text() == nullptr) {
      return fail(Errc::invalid_argument, "value has type {}; should be string", key.type());
    }
    const Key wanted = number != nullptr ? Key(*number) : Key(*key.text());
    const auto at = map->entries.find(wanted);
    return at == map->entries.end() ? map->zero() : at->second;
  }
  const auto* list = of.list();
  const auto* text = of.text();
  if (list == nullptr && text == nullptr) return fail(Errc::invalid_argument, "can't index item of type {}", of.type());
  TRY(const std::int64_t at, integer_argument(key));
  const auto size = static_cast<std::int64_t>(list != nullptr ? list->items.size() : text->size());
  if (at < 0 || at >= size) return fail(Errc::invalid_argument, "index out of range: {}", at);
  if (list != nullptr) return list->items[static_cast<std::size_t>(at)];
  return Value(static_cast<std::int64_t>(static_cast<unsigned char>((*text)[static_cast<std::size_t>(at)])));
}

Ordered index(Rendering&, Arguments args) {
  Value value = args[0];
  for (const auto& key : args.subspan(1)) {
    TRY(value, element(value, key));
  }
  return value;
}

Ordered slice(Rendering&, Arguments args) {
  const auto* list = args[0].list();
  const auto* text = args[0].text();
  if (list == nullptr && text == nullptr) {
    return fail(Errc::invalid_argument, "can't slice item of type {}", args[0].type());
  }
  const auto size = static_cast<std::int64_t>(list != nullptr ? list->items.size() : text->size());
  std::int64_t from = 0;
  std::int64_t to = size;
  if (args.size() > 1) {
    TRY(from, integer_argument(args[1]));
  }
  if (args.size() > 2) {
    TRY(to, integer_argument(args[2]));
  }
  for (const auto bound : {from, to}) {
    if (bound < 0 || bound > size) return fail(Errc::invalid_argument, "index out of range: {}", bound);
  }
  if (from > to) return fail(Errc::invalid_argument, "invalid slice index: {} > {}", from, to);
  if (text != nullptr) return Value(text->substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from)));
  List part{.items = {}, .element = list->element};
  part.items.assign(list->items.begin() + from, list->items.begin() + to);
  return Value(std::move(part));
}

Ordered print_line(Rendering&, Arguments args) {
  std::string out;
  for (const auto& arg : args) out += (out.empty() ? "" : " ") + arg.print();
  return Value(out + "\n");
}

Ordered print_format(Rendering& r, Arguments args) {
  TRY(const std::string layout, text_argument(args[0]));
  TRY(std::string out, format(layout, args.subspan(1), r.inputs.limits.bytes));
  return Value(std::move(out));
}

std::string escape_query(std::string_view text) {
  std::string out;
  for (const unsigned char c : text) {
    if (std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      out += static_cast<char>(c);
    } else {
      out += c == ' ' ? "+" : fmt::format("%{:02X}", c);
    }
  }
  return out;
}

/// Named for the parser; the evaluator does the work, because the arguments are evaluated one by one.
Ordered lazily(Rendering&, Arguments) { return Value(); }

constexpr Function kFunctions[] = {
    {"and", 1, -1, lazily},
    {"or", 1, -1, lazily},
    {"not", 1, 1, [](Rendering&, Arguments a) -> Ordered { return Value(!a[0].truth()); }},
    {"eq", 2, -1, eq},
    {"ne", 2, 2, ne},
    {"lt", 2, 2, [](Rendering&, Arguments a) { return compare_all(a, [](bool l, bool) { return l; }); }},
    {"le", 2, 2, [](Rendering&, Arguments a) { return compare_all(a, [](bool l, bool e) { return l || e; }); }},
    {"gt", 2, 2, [](Rendering&, Arguments a) { return compare_all(a, [](bool l, bool e) { return !l && !e; }); }},
    {"ge", 2, 2, [](Rendering&, Arguments a) { return compare_all(a, [](bool l, bool) { return !l; }); }},
    {"len", 1, 1, length},
    {"index", 1, -1, index},
    {"slice", 1, 3, slice},
    {"print", 0, -1, [](Rendering&, Arguments a) -> Ordered { return Value(print_operands(a)); }},
    {"printf", 1, -1, print_format},
    {"println", 0, -1, print_line},
    {"html", 0, -1, [](Rendering&, Arguments a) -> Ordered { return Value(escape_html(print_operands(a))); }},
    {"urlquery", 0, -1, [](Rendering&, Arguments a) -> Ordered { return Value(escape_query(print_operands(a))); }},
};

}  // namespace

std::span<const Function> builtin_functions() { return kFunctions; }

Result<bool> equal(const Value& a, const Value& b) {
  const auto kind = basic_kind(a);
  if (a.is_nil() || b.is_nil()) return a.is_nil() && b.is_nil();
  if (kind == Basic::other || basic_kind(b) == Basic::other) {
    return fail(Errc::invalid_argument, "incompatible types for comparison");
  }
  if (kind != basic_kind(b)) return fail(Errc::invalid_argument, "incompatible types for comparison");
  switch (kind) {
    case Basic::boolean:
      return *a.get<bool>() == *b.get<bool>();
    case Basic::integer:
      return compare_integers(a, b) == 0;
    case Basic::floating:
      return *a.get<double>() == *b.get<double>();
    default:
      return *a.text() == *b.text();
  }
}

Result<bool> less(const Value& a, const Value& b) {
  const auto kind = basic_kind(a);
  if (kind == Basic::other || kind == Basic::boolean)
    return fail(Errc::invalid_argument, "invalid type for comparison");
  if (kind != basic_kind(b)) return fail(Errc::invalid_argument, "incompatible types for comparison");
  if (kind == Basic::integer) return compare_integers(a, b) < 0;
  if (kind == Basic::floating) return *a.get<double>() < *b.get<double>();
  return *a.text() < *b.text();
}

}  // namespace devstack::templates

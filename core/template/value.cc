#include "core/template/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace devstack::templates {
namespace {

std::string print_key(const Key& key) { return key_value(key).print(); }

struct Printer {
  std::string operator()(std::monostate) const { return "<nil>"; }
  std::string operator()(NilInterface) const { return "<nil>"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(std::uint64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return format_float(value, 6); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const std::shared_ptr<const List>& value) const {
    std::string out = "[";
    for (const auto& item : value->items) out += (out.size() > 1 ? " " : "") + item.print();
    return out + "]";
  }
  std::string operator()(const std::shared_ptr<const Map>& value) const {
    std::string out = "map[";
    for (const auto& [key, item] : value->entries)
      out += (out.size() > 4 ? " " : "") + print_key(key) + ":" + item.print();
    return out + "]";
  }
  std::string operator()(const std::shared_ptr<const Struct>& value) const {
    std::string out = "{";
    std::string_view separator;
    for (const auto& [name, item] : value->fields) {
      out += fmt::format("{}{}", separator, item.print());
      separator = " ";
    }
    return out + "}";
  }
  std::string operator()(const std::shared_ptr<Scratch>&) const { return "<scratch>"; }
};

struct Truth {
  bool operator()(std::monostate) const { return false; }
  bool operator()(NilInterface) const { return false; }
  bool operator()(bool value) const { return value; }
  bool operator()(std::int64_t value) const { return value != 0; }
  bool operator()(std::uint64_t value) const { return value != 0; }
  bool operator()(double value) const { return value != 0; }
  bool operator()(const std::string& value) const { return !value.empty(); }
  bool operator()(const std::shared_ptr<const List>& value) const { return !value->items.empty(); }
  bool operator()(const std::shared_ptr<const Map>& value) const { return !value->entries.empty(); }
  bool operator()(const std::shared_ptr<const Struct>&) const { return true; }
  bool operator()(const std::shared_ptr<Scratch>&) const { return true; }
};

struct TypeName {
  std::string operator()(std::monostate) const { return "<nil>"; }
  std::string operator()(NilInterface) const { return "<nil>"; }
  std::string operator()(bool) const { return "bool"; }
  std::string operator()(std::int64_t) const { return "int"; }
  std::string operator()(std::uint64_t) const { return "uint64"; }
  std::string operator()(double) const { return "float64"; }
  std::string operator()(const std::string&) const { return "string"; }
  std::string operator()(const std::shared_ptr<const List>& value) const { return "[]" + value->element; }
  std::string operator()(const std::shared_ptr<const Map>& value) const {
    const bool by_number = !value->entries.empty() && value->entries.begin()->first.index() == 0;
    return fmt::format("map[{}]{}", by_number ? "int" : "string", value->element);
  }
  std::string operator()(const std::shared_ptr<const Struct>& value) const { return "*dependency." + value->type; }
  std::string operator()(const std::shared_ptr<Scratch>&) const { return "*template.Scratch"; }
};

constexpr std::size_t kExtentMost = std::size_t{1} << 50U;

void include(Extent& whole, std::size_t name, const Value& part) {
  const Extent extent = part.extent();
  whole.bytes = std::min(kExtentMost, whole.bytes + name + extent.bytes);
  whole.depth = std::max(whole.depth, extent.depth + 1);
}

List measured(List list) {
  list.extent = {.bytes = 2, .depth = 1};
  for (const auto& item : list.items) include(list.extent, 0, item);
  return list;
}
Map measured(Map map) {
  map.extent = {.bytes = 2, .depth = 1};
  for (const auto& [key, value] : map.entries) {
    const auto* name = std::get_if<std::string>(&key);
    include(map.extent, name == nullptr ? 8 : name->size(), value);
  }
  return map;
}
Struct measured(Struct structure) {
  structure.extent = {.bytes = 2, .depth = 1};
  for (const auto& [name, value] : structure.fields) include(structure.extent, name.size(), value);
  return structure;
}

}  // namespace

Value::Value(List value) : data_(std::make_shared<const List>(measured(std::move(value)))) {}
Value::Value(Map value) : data_(std::make_shared<const Map>(measured(std::move(value)))) {}
Value::Value(Struct value) : data_(std::make_shared<const Struct>(measured(std::move(value)))) {}

Extent Value::extent() const {
  if (const auto* held = text()) return {.bytes = held->size() + 1, .depth = 0};
  if (const auto* held = list()) return held->extent;
  if (const auto* held = map()) return held->extent;
  if (const auto* held = structure()) return held->extent;
  return {.bytes = 8, .depth = 0};
}

std::shared_ptr<Scratch> Value::scratch() const {
  const auto* held = get<std::shared_ptr<Scratch>>();
  return held == nullptr ? nullptr : *held;
}
bool Value::truth() const { return std::visit(Truth{}, data_); }
std::string Value::print() const { return std::visit(Printer{}, data_); }
std::string Value::type() const { return std::visit(TypeName{}, data_); }

const Value* Map::find(std::string_view key) const {
  const auto at = entries.find(Key(std::string(key)));
  return at == entries.end() ? nullptr : &at->second;
}

Value Map::zero() const { return element == "string" ? Value("") : Value(NilInterface{}); }

const Value* Struct::find(std::string_view name) const {
  for (const auto& [field, value] : fields) {
    if (field == name) return &value;
  }
  return nullptr;
}

Value strings(const std::vector<std::string>& items) {
  List list{.items = {}, .element = "string"};
  for (const auto& item : items) list.items.emplace_back(item);
  return list;
}

Value string_map(const std::map<std::string, std::string>& entries) {
  Map map{.entries = {}, .element = "string"};
  for (const auto& [key, value] : entries) map.entries.emplace(key, value);
  return map;
}

Value key_value(const Key& key) {
  if (const auto* number = std::get_if<std::int64_t>(&key)) return *number;
  return std::get<std::string>(key);
}

std::string format_float(double value, int exponent_from) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char buffer[512];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string scientific(buffer, end);
  const int exponent = std::stoi(scientific.substr(scientific.find('e') + 1));
  if (value != 0 && (exponent < (exponent_from == 21 ? -6 : -4) || exponent >= exponent_from)) return scientific;
  end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr;
  return {buffer, end};
}

std::string_view short_escape(char c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return {};
  }
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (const auto escape = short_escape(c); !escape.empty()) {
      out += escape;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace devstack::templates

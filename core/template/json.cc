// encoding/json of Go. https://pkg.go.dev/encoding/json
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "core/template/functions.h"

namespace devstack::templates {
namespace {

namespace json = boost::json;

Value from(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return NilInterface{};
    case json::kind::bool_:
      return value.get_bool();
    case json::kind::int64:
      return static_cast<double>(value.get_int64());
    case json::kind::uint64:
      return static_cast<double>(value.get_uint64());
    case json::kind::double_:
      return value.get_double();
    case json::kind::string:
      return std::string_view(value.get_string());
    case json::kind::array: {
      List list;
      for (const auto& item : value.get_array()) list.items.push_back(from(item));
      return list;
    }
    case json::kind::object:
      break;
  }
  Map map;
  for (const auto& field : value.get_object())
    map.entries.insert_or_assign(std::string(field.key()), from(field.value()));
  return map;
}

std::string escape(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (const auto known = short_escape(c); !known.empty()) {
      out += known;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == '<' || c == '>' || c == '&') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

class Writer {
 public:
  explicit Writer(std::string_view indent) : indent_(indent) {}

  void write(const Value& value) {
    if (value.is_nil()) {
      out += "null";
    } else if (const auto* text = value.text()) {
      out += escape(*text);
    } else if (const auto* number = value.get<double>()) {
      out += format_float(*number, 21);
    } else if (const auto* list = value.list()) {
      composite('[', ']', list->items, [](Writer& w, const Value& item) { w.write(item); });
    } else if (const auto* map = value.map()) {
      composite('{', '}', map->entries,
                [](Writer& w, const auto& entry) { w.field(key_value(entry.first).print(), entry.second); });
    } else if (const auto* structure = value.structure()) {
      composite('{', '}', structure->fields, [](Writer& w, const auto& entry) { w.field(entry.first, entry.second); });
    } else {
      out += value.print();
    }
  }
  std::string out;

 private:
  void field(const std::string& name, const Value& value) {
    out += escape(name) + (indent_.empty() ? ":" : ": ");
    write(value);
  }
  void line() {
    if (indent_.empty()) return;
    out += '\n';
    for (int i = 0; i < depth_; ++i) out += indent_;
  }
  template <class Items, class Each>
  void composite(char open, char close, const Items& items, Each each) {
    out += open;
    ++depth_;
    bool first = true;
    for (const auto& item : items) {
      if (!first) out += ',';
      first = false;
      line();
      each(*this, item);
    }
    --depth_;
    if (!first) line();
    out += close;
  }

  std::string_view indent_;
  int depth_ = 0;
};

}  // namespace

std::string to_json(const Value& value, std::string_view indent) {
  Writer writer(indent);
  writer.write(value);
  return std::move(writer.out);
}

Result<Value> from_json(const std::string& text) {
  if (text.empty()) return Value(Map{});
  json::error_code error;
  const auto value = json::parse(text, error);
  if (error) return fail(Errc::parse, "parseJSON: {}", error.message());
  return from(value);
}

}  // namespace devstack::templates

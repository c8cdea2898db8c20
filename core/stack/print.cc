#include <yaml-cpp/emitter.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "core/stack/describe.h"
#include "core/stack/json_text.h"

namespace devstack::stack {
namespace {

namespace json = boost::json;

std::string escape_dollars(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '$') out += '$';
  }
  return out;
}

/// `path` is that of the value without list positions; `templates.contents` is what the reader does not interpolate.
void emit(YAML::Emitter& out, const json::value& value, const std::string& path) {
  switch (value.kind()) {
    case json::kind::object:
      out << YAML::BeginMap;
      for (const auto& field : value.get_object()) {
        out << YAML::Key;
        if (field.key() == "<<") out << YAML::DoubleQuoted;  // plain, it would merge
        out << std::string(field.key()) << YAML::Value;
        emit(out, field.value(), path + "." + std::string(field.key()));
      }
      out << YAML::EndMap;
      break;
    case json::kind::array:
      out << YAML::BeginSeq;
      for (const auto& item : value.get_array()) emit(out, item, path);
      out << YAML::EndSeq;
      break;
    case json::kind::string: {
      const std::string_view text = value.get_string();
      out << YAML::DoubleQuoted << (path == ".templates.contents" ? std::string(text) : escape_dollars(text));
      break;
    }
    case json::kind::bool_:
      out << value.get_bool();
      break;
    default:
      out << json::serialize(value);
      break;
  }
}

void append(std::string& out, const json::value& value, const std::string& indent) {
  const std::string deeper = indent + "  ";
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    out += "{";
    std::string_view separator = "\n";
    for (const auto& field : *object) {
      out += fmt::format("{}{}{}: ", separator, deeper, json::serialize(field.key()));
      append(out, field.value(), deeper);
      separator = ",\n";
    }
    out += "\n" + indent + "}";
  } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    out += "[";
    std::string_view separator = "\n";
    for (const auto& item : *array) {
      out += fmt::format("{}{}", separator, deeper);
      append(out, item, deeper);
      separator = ",\n";
    }
    out += "\n" + indent + "]";
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string to_yaml(const StackFile& file) {
  YAML::Emitter out;
  emit(out, describe(file), "");
  return std::string(out.c_str()) + "\n";
}

std::string pretty(const json::value& value) {
  std::string out;
  append(out, value, "");
  return out;
}

std::string to_json(const StackFile& file) { return pretty(describe(file)) + "\n"; }

}  // namespace devstack::stack

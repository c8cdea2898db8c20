#include "core/stack/print_tree.h"

#include <yaml-cpp/emitter.h>

#include <boost/json/parse.hpp>

#include "core/stack/json_text.h"

namespace devstack::stack {
namespace {

void emit(YAML::Emitter& out, const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      out << YAML::Null;
      break;
    case Node::Kind::scalar:
      if (node.quoted) out << YAML::DoubleQuoted;
      out << node.text;
      break;
    case Node::Kind::list:
      if (node.items.empty()) out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const auto& item : node.items) emit(out, item);
      out << YAML::EndSeq;
      break;
    case Node::Kind::map:
      if (node.entries.empty()) out << YAML::Flow;
      out << YAML::BeginMap;
      for (const auto& entry : node.entries) {
        out << YAML::Key;
        if (entry.key == "<<") out << YAML::DoubleQuoted;  // plain, it would merge
        out << entry.key << YAML::Value;
        emit(out, entry.value);
      }
      out << YAML::EndMap;
      break;
  }
}

namespace json = boost::json;

json::value json_scalar(const Node& node) {
  if (!node.quoted && node.describe() == "a boolean") return node.text.front() == 't' || node.text.front() == 'T';
  boost::system::error_code error;
  auto value = node.quoted ? json::value() : json::parse(node.text, error);
  if (!error && value.is_number()) return value;
  return json::string(node.text);
}

json::value to_json(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      break;
    case Node::Kind::scalar:
      return json_scalar(node);
    case Node::Kind::list: {
      json::array list;
      for (const auto& item : node.items) list.push_back(to_json(item));
      return list;
    }
    case Node::Kind::map: {
      json::object map;
      for (const auto& entry : node.entries) map[entry.key] = to_json(entry.value);
      return map;
    }
  }
  return nullptr;
}

}  // namespace

std::string print_tree(const Node& tree) {
  YAML::Emitter out;
  out.SetNullFormat(YAML::LowerNull);
  emit(out, tree);
  return std::string(out.c_str()) + "\n";
}

std::string print_tree_json(const Node& tree) { return pretty(to_json(tree)) + "\n"; }

}  // namespace devstack::stack

// Structured data: JSON, YAML and TOML text, base64, maps of instances and keys.
#include <algorithm>
#include <cctype>

#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "core/template/functions.h"

namespace devstack::templates {
namespace {

using Answer = Result<Value>;

template <Base64 alphabet>
Answer encode(const std::string& text) {
  return Value(encode_base64(text, alphabet));
}

template <Base64 alphabet>
Answer decode(const std::string& text) {
  TRY(auto bytes, decode_base64(text, alphabet));
  return Value(std::move(bytes));
}

template <Answer (*change)(const std::string&)>
Answer of_text(Rendering&, Arguments args) {
  TRY(const std::string text, text_argument(args[0]));
  return change(text);
}

Answer by_tag(Rendering&, Arguments args) {
  const auto* list = args[0].list();
  if (list == nullptr) return fail(Errc::invalid_argument, "wrong argument type {}", args[0].type());
  std::map<std::string, List> groups;
  for (const auto& item : list->items) {
    const auto* structure = item.structure();
    const auto* tags = structure == nullptr ? nullptr : structure->find("Tags");
    if (tags == nullptr || tags->list() == nullptr) continue;
    for (const auto& tag : tags->list()->items) {
      auto& group = groups[tag.print()];
      group.element = "interface {}";
      group.items.push_back(item);
    }
  }
  Map map{.entries = {}, .element = "[]interface {}"};
  for (auto& [tag, group] : groups) map.entries.emplace(tag, std::move(group));
  return Value(std::move(map));
}

struct KeyAndValue {
  std::string key;
  Value pair;
};

Result<std::vector<KeyAndValue>> key_pairs(const Value& value) {
  const auto* list = value.list();
  if (list == nullptr)
    return fail(Errc::invalid_argument, "wrong type for value; expected pairs; got {}", value.type());
  std::vector<KeyAndValue> pairs;
  for (const auto& item : list->items) {
    const auto* key = item.structure() == nullptr ? nullptr : item.structure()->find("Key");
    if (key == nullptr) return fail(Errc::invalid_argument, "wrong type for value; expected pairs");
    pairs.push_back({key->print(), item});
  }
  return pairs;
}

Answer by_key(Rendering&, Arguments args) {
  TRY(const auto pairs, key_pairs(args[0]));
  std::map<std::string, Map> groups;
  for (const auto& [key, pair] : pairs) {
    const auto slash = key.find('/');
    if (slash == std::string::npos) continue;
    groups[key.substr(0, slash)].entries.emplace(key.substr(slash + 1), pair);
  }
  Map map{.entries = {}, .element = "map[string]*dependency.KeyPair"};
  for (auto& [key, group] : groups) map.entries.emplace(key, std::move(group));
  return Value(std::move(map));
}

/// A tree under construction; a leaf has a value and no children.
struct Branch {
  std::map<std::string, Branch> children;
  std::optional<Value> leaf;

  [[nodiscard]] Value value() const {
    if (leaf) return *leaf;
    Map map;
    for (const auto& [name, child] : children) map.entries.emplace(name, child.value());
    return map;
  }
};

Answer explode(Rendering&, Arguments args) {
  TRY(const auto pairs, key_pairs(args[0]));
  Branch root;
  for (const auto& [key, pair] : pairs) {
    Branch* at = &root;
    std::string_view rest = key;
    // Deeper than any value may be; a key of slashes alone would else exhaust the stack.
    if (std::count(key.begin(), key.end(), '/') > 100)
      return fail(Errc::too_large, "{} has too many parts", quote(key));
    while (true) {
      const auto slash = rest.find('/');
      at = &at->children[std::string(rest.substr(0, slash))];
      if (at->leaf)
        return fail(Errc::invalid_argument, "not a map: {}: {} already has a value", quote(key), quote(rest));
      if (slash == std::string_view::npos) break;
      rest.remove_prefix(slash + 1);
    }
    if (!at->children.empty()) return fail(Errc::invalid_argument, "not a leaf: {} has keys below it", quote(key));
    at->leaf = *pair.structure()->find("Value");
  }
  return root.value();
}

// --- YAML and TOML as consul-template's libraries write them (yaml.v2, BurntSushi/toml) ---

bool yaml_needs_quotes(std::string_view text) {
  static const std::set<std::string, std::less<>> words{"",   "~",   "null", "true", "false", "yes", "no",
                                                        "on", "off", "y",    "n",    "<<",    "="};
  const auto lower = to_lower(text);
  if (words.contains(lower)) return true;
  if (std::string_view("!&*-?|>'\"%@`#,[]{}:. ").find(text.front()) != std::string_view::npos && text.front() != '.')
    return true;
  if (text.back() == ' ' || text.back() == ':') return true;
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) return true;
  if (text.find_first_of("\n\t\r\"") != std::string_view::npos) return true;
  return std::isdigit(static_cast<unsigned char>(text.front())) != 0 &&
         text.find_first_not_of("0123456789.eE+-_:xXabcdefABCDEF") == std::string_view::npos;
}

std::string yaml_text(std::string_view text) { return yaml_needs_quotes(text) ? quote(text) : std::string(text); }

std::string yaml_scalar(const Value& value) {
  if (value.is_nil()) return "null";
  if (const auto* text = value.text()) return yaml_text(*text);
  return value.print();
}

using Fields = std::vector<std::pair<std::string, Value>>;

/// The entries of a map or the fields of a struct; nothing for others.
std::optional<Fields> fields_of(const Value& value) {
  if (const auto* structure = value.structure()) return structure->fields;
  const auto* map = value.map();
  if (map == nullptr) return std::nullopt;
  Fields fields;
  for (const auto& [key, item] : map->entries) fields.emplace_back(key_value(key).print(), item);
  return fields;
}

void write_yaml(std::string& out, const Value& value, int indent, bool after_dash) {
  const std::string pad(static_cast<std::size_t>(indent), ' ');
  if (const auto fields = fields_of(value); fields && !fields->empty()) {
    bool first = after_dash;
    for (const auto& [name, item] : *fields) {
      out += (first ? "" : pad) + yaml_text(name) + ":";
      first = false;
      const auto inner = fields_of(item);
      const bool nested = (inner && !inner->empty()) || (item.list() != nullptr && !item.list()->items.empty());
      out += nested ? "\n" : " ";
      write_yaml(out, item, item.list() != nullptr ? indent : indent + 2, false);
    }
  } else if (fields) {
    out += "{}\n";
  } else if (const auto* list = value.list()) {
    if (list->items.empty()) out += "[]\n";
    for (const auto& item : list->items) {
      out += pad + "- ";
      write_yaml(out, item, indent + 2, true);
    }
  } else {
    out += yaml_scalar(value) + "\n";
  }
}

Answer to_yaml(Rendering&, Arguments args) {
  std::string out;
  write_yaml(out, args[0], 0, false);
  while (out.ends_with('\n')) out.pop_back();
  return Value(std::move(out));
}

std::string toml_key(const std::string& key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
  return bare ? key : quote(key);
}

std::string toml_scalar(const Value& value) {
  if (const auto* text = value.text()) return quote(*text);
  if (const auto* number = value.get<double>()) {
    const auto text = format_float(*number, 21);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  }
  if (const auto* list = value.list()) {
    std::string out = "[";
    for (const auto& item : list->items) out += (out.size() > 1 ? ", " : "") + toml_scalar(item);
    return out + "]";
  }
  return value.print();
}

/// Values of a table first, then its tables, each under its full name.
void write_toml(std::string& out, const Fields& fields, const std::string& path, int depth) {
  const std::string pad(static_cast<std::size_t>(depth) * 2, ' ');
  for (const auto& [name, item] : fields) {
    if (!item.is_nil() && !fields_of(item)) out += pad + toml_key(name) + " = " + toml_scalar(item) + "\n";
  }
  for (const auto& [name, item] : fields) {
    const auto inner = fields_of(item);
    if (!inner) continue;
    const auto full = path.empty() ? toml_key(name) : path + "." + toml_key(name);
    if (!out.empty() && depth == 0) out += "\n";
    out += pad + "[" + full + "]\n";
    write_toml(out, *inner, full, depth + 1);
  }
}

Answer to_toml(Rendering&, Arguments args) {
  const auto fields = fields_of(args[0]);
  if (!fields) return fail(Errc::invalid_argument, "toTOML: expected a map, got {}", args[0].type());
  std::string out;
  write_toml(out, *fields, "", 0);
  while (out.ends_with('\n')) out.pop_back();
  return Value(std::move(out));
}

constexpr Function kFunctions[] = {
    {"parseJSON", 1, 1, of_text<from_json>},
    {"toJSON", 1, 1, [](Rendering&, Arguments a) -> Answer { return Value(to_json(a[0], "")); }},
    {"toJSONPretty", 1, 1, [](Rendering&, Arguments a) -> Answer { return Value(to_json(a[0], "  ")); }},
    {"toYAML", 1, 1, to_yaml},
    {"toTOML", 1, 1, to_toml},
    {"byTag", 1, 1, by_tag},
    {"byKey", 1, 1, by_key},
    {"explode", 1, 1, explode},
    {"base64Encode", 1, 1, of_text<encode<Base64::standard>>},
    {"base64Decode", 1, 1, of_text<decode<Base64::standard>>},
    {"base64URLEncode", 1, 1, of_text<encode<Base64::url_safe>>},
    {"base64URLDecode", 1, 1, of_text<decode<Base64::url_safe>>},
};

}  // namespace

std::span<const Function> data_functions() { return kFunctions; }

}  // namespace devstack::templates

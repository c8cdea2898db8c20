#include "core/stack/interpolate.h"

namespace devstack::stack {
namespace {

constexpr int kMaxNesting = 32;

bool starts_name(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool in_name(char c) { return starts_name(c) || (c >= '0' && c <= '9'); }

std::string_view take_name(std::string_view text) {
  if (text.empty() || !starts_name(text[0])) return {};
  std::size_t end = 1;
  while (end < text.size() && in_name(text[end])) ++end;
  return text.substr(0, end);
}

/// The length of "{…}" at the start of `text` with nested braces counted; npos when it never closes.
std::size_t braced_length(std::string_view text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i + 1;
  }
  return std::string_view::npos;
}

class Substitution {
 public:
  explicit Substitution(const Variables& variables) : variables_(variables) {}

  Result<std::string> text(std::string_view in, int depth) {
    if (depth > kMaxNesting) return fail(Errc::parse, "variables are nested too deeply");
    std::string out;
    while (!in.empty()) {
      const auto dollar = in.find('$');
      out += in.substr(0, dollar);
      if (dollar == std::string_view::npos) break;
      in.remove_prefix(dollar + 1);
      TRY(const std::size_t used, reference(in, out, depth));
      in.remove_prefix(used);
    }
    return out;
  }

 private:
  /// What stands after a dollar; returns how much of it belonged to the reference.
  Result<std::size_t> reference(std::string_view in, std::string& out, int depth) {
    if (in.empty() || in[0] == ' ') return fail(Errc::parse, "a lone `$`: write `$$` for a dollar sign");
    if (in[0] == '$') {
      out += '$';
      return 1;
    }
    if (in[0] == '(') {
      out += '$';
      return 0;
    }
    if (in[0] == '{') return braced(in, out, depth);
    const auto name = take_name(in);
    if (name.empty()) return fail(Errc::parse, "`${}` is no variable: write `$${}` for a dollar sign", in[0], in[0]);
    if (name == variables_.keep) {
      out += '$';
      out += name;
    } else {
      out += plain(std::string(name));
    }
    return name.size();
  }

  Result<std::size_t> braced(std::string_view in, std::string& out, int depth) {
    const auto length = braced_length(in);
    if (length == std::string_view::npos) return fail(Errc::parse, "`${}` has no closing brace", in);
    const auto inside = in.substr(1, length - 2);
    const std::string name(take_name(inside));
    const auto rest = inside.substr(name.size());
    if (name.empty()) return fail(Errc::parse, "`${{{}}}` names no variable", inside);
    if (name == variables_.keep) {
      out += '$';
      out += in.substr(0, length);
    } else if (rest.empty()) {
      out += plain(name);
    } else {
      TRY(const std::string value, modified(name, rest, inside, depth));
      out += value;
    }
    return length;
  }

  Result<std::string> modified(const std::string& name, std::string_view rest, std::string_view inside, int depth) {
    const bool colon = rest[0] == ':';
    if (colon) rest.remove_prefix(1);
    const char operation = rest.empty() ? '\0' : rest[0];
    if (operation != '-' && operation != '?' && operation != '+') {
      return fail(Errc::parse,
                  "`${{{}}}` is not supported: use ${{{}}}, ${{{}:-default}}, ${{{}:?error}} or ${{{}:+other}}", inside,
                  name, name, name, name);
    }
    const auto value = variables_.value(name);
    const bool present = value && !(colon && value->empty());
    const auto word = rest.substr(1);
    if (operation == '+') return present ? text(word, depth + 1) : Result<std::string>("");
    if (present) return *value;
    TRY(std::string filled, text(word, depth + 1));
    if (operation == '-') return filled;
    return fail(Errc::parse, "variable {} is {}{}{}", name, colon ? "missing or empty" : "missing",
                filled.empty() ? "" : ": ", filled);
  }

  std::string plain(const std::string& name) {
    auto value = variables_.value(name);
    if (!value) variables_.unset(name);
    return std::move(value).value_or("");
  }

  const Variables& variables_;
};

/// Walks a tree; knows which values have rules of their own.
class TreeWalk {
 public:
  explicit TreeWalk(const Interpolation& with) : with_(with) {}

  void root(Node& node) {
    for (auto& entry : node.entries) {
      if (entry.key == "services" && entry.value.kind == Node::Kind::map) {
        for (auto& service : entry.value.entries) this->service(service.value);
      } else if (entry.key == "x-devstack") {
        root(entry.value);
      } else if (entry.key == "templates") {
        templates(entry.value);
      } else {
        walk(entry.value, "");
      }
    }
    if (node.kind != Node::Kind::map) walk(node, "");
  }

  void service(Node& node) {
    const bool process = node.find("image") == nullptr && node.find("build") == nullptr;
    for (auto& entry : node.entries) {
      if (entry.key == "x-process") {
        for (auto& field : entry.value.entries) {
          walk(field.value, field.key == "command" ? "PORT" : field.key == "stop_command" ? "PID" : "");
        }
        if (entry.value.kind != Node::Kind::map) walk(entry.value, "PORT");
      } else {
        walk(entry.value, process && entry.key == "command" ? "PORT" : "");
      }
    }
    if (node.kind != Node::Kind::map) walk(node, "");
  }

  void fill(Node& node) {
    if (!node.unfilled.empty()) {
      node.text = std::move(node.unfilled);
      node.unfilled.clear();
      scalar(node, "");
    }
    for (auto& item : node.items) fill(item);
  }

 private:
  void templates(Node& list) {
    for (auto& item : list.items) {
      for (auto& entry : item.entries) {
        if (entry.key != "contents") walk(entry.value, "");
      }
    }
  }

  void walk(Node& node, std::string_view keep) {
    if (node.kind == Node::Kind::scalar && node.text.find('$') != std::string::npos) scalar(node, keep);
    for (auto& item : node.items) walk(item, keep);
    for (auto& entry : node.entries) walk(entry.value, keep);
  }

  void scalar(Node& node, std::string_view keep) {
    const Variables variables{.value = [this](const std::string& name) -> std::optional<std::string> {
                                const auto at = with_.environment.find(name);
                                return at == with_.environment.end() ? std::nullopt : std::optional(at->second);
                              },
                              .unset =
                                  [&](const std::string& name) {
                                    if (!with_.told.insert(name).second) return;
                                    with_.report.warn(node.at, "{}variable {} is not set; using an empty string",
                                                      node.prefix(), name);
                                  },
                              .keep = keep};
    auto text = interpolate(node.text, variables);
    if (with_.uses != nullptr && mentions(node.text, with_.explained)) {
      with_.uses->push_back({node.at, node.path, node.text, text ? *text : text.error().message});
    }
    if (!text) {
      with_.report.error(node.at, "{}{}", node.prefix(), text.error().message);
      return;
    }
    if (!keep.empty() && mentions(node.text, keep)) node.unfilled = node.text;
    node.text = std::move(*text);
  }

  const Interpolation& with_;
};

}  // namespace

Result<std::string> interpolate(std::string_view text, const Variables& variables) {
  return Substitution(variables).text(text, 0);
}

void interpolate_tree(Node& root, const Interpolation& with) { TreeWalk(with).root(root); }
void interpolate_service(Node& service, const Interpolation& with) { TreeWalk(with).service(service); }

void fill_port(Node& service, const Interpolation& with) {
  if (Node* command = service.find("command")) TreeWalk(with).fill(*command);
}

bool mentions(std::string_view text, std::string_view name) {
  for (auto at = text.find('$'); at != std::string_view::npos; at = text.find('$', at)) {
    text.remove_prefix(at + 1);
    at = 0;
    if (text.starts_with('$')) {
      at = 1;
      continue;
    }
    if (text.starts_with('{')) text.remove_prefix(1);
    if (take_name(text) == name && !name.empty()) return true;
  }
  return false;
}

}  // namespace devstack::stack

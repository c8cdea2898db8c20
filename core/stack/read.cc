#include "core/stack/read.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <limits>

#include "core/base/duration.h"
#include "core/base/suggest.h"

namespace devstack::stack {

void wrong_type(const Node& node, std::string_view expected, const Reading& in) {
  in.report.error(node.at, "{}expected {}, found {}", node.prefix(), expected, node.describe());
}

void report_key(const Entry& entry, const Node& map, std::span<const std::string_view> known,
                std::span<const Unsupported> unsupported, const Reading& in) {
  if (entry.key.starts_with("x-")) return;
  std::vector<std::string_view> candidates(known.begin(), known.end());
  for (const auto& key : unsupported) {
    if (key.name == entry.key) {
      in.report.error(entry.at, "{}`{}` is not supported: {}", map.prefix(), key.name, key.instead);
      return;
    }
    candidates.push_back(key.name);
  }
  // A supported key first: "prots" is nearer to the user's wish "ports" than to anything that is refused as well.
  auto meant = nearest(entry.key, known);
  if (!meant) meant = nearest(entry.key, candidates);
  in.report.error(entry.at, "{}unknown key \"{}\"{}", map.prefix(), entry.key,
                  meant ? fmt::format("; did you mean \"{}\"?", *meant) : "");
}

bool expect_map(const Node& node, const Reading& in) {
  if (node.kind == Node::Kind::map || node.kind == Node::Kind::null) return true;
  wrong_type(node, "a map", in);
  return false;
}

std::optional<std::string> read_text(const Node& node, const Reading& in) {
  if (node.kind == Node::Kind::scalar) return node.text;
  wrong_type(node, "a string", in);
  return std::nullopt;
}

std::optional<long> read_number(const Node& node, long least, long most, const Reading& in) {
  const std::string expected = most == std::numeric_limits<long>::max()
                                   ? fmt::format("a number from {}", least)
                                   : fmt::format("a number from {} to {}", least, most);
  if (node.kind != Node::Kind::scalar) {
    wrong_type(node, expected, in);
    return std::nullopt;
  }
  long value = 0;
  const char* end = node.text.data() + node.text.size();
  const auto [stopped, error] = std::from_chars(node.text.data(), end, value);
  if (error != std::errc() || stopped != end || value < least || value > most) {
    in.report.error(node.at, "{}expected {}, found \"{}\"", node.prefix(), expected, node.text);
    return std::nullopt;
  }
  return value;
}

std::optional<bool> as_switch(std::string_view text) {
  constexpr std::array<std::string_view, 6> on{"true", "True", "TRUE", "yes", "on", "1"};
  constexpr std::array<std::string_view, 6> off{"false", "False", "FALSE", "no", "off", "0"};
  if (std::find(on.begin(), on.end(), text) != on.end()) return true;
  if (std::find(off.begin(), off.end(), text) != off.end()) return false;
  return std::nullopt;
}

std::optional<bool> read_switch(const Node& node, const Reading& in) {
  if (node.kind != Node::Kind::scalar) {
    wrong_type(node, "true or false", in);
    return std::nullopt;
  }
  if (const auto value = as_switch(node.text)) return value;
  in.report.error(node.at, "{}expected true or false, found \"{}\"", node.prefix(), node.text);
  return std::nullopt;
}

std::optional<std::chrono::nanoseconds> read_duration(const Node& node, const Reading& in) {
  if (node.kind != Node::Kind::scalar) {
    wrong_type(node, "a duration like \"10s\"", in);
    return std::nullopt;
  }
  const auto value = parse_duration(node.text);
  if (value && value->count() >= 0) return *value;
  in.report.error(node.at, "{}expected a duration like \"10s\" or \"1m30s\", found \"{}\"", node.prefix(), node.text);
  return std::nullopt;
}

std::optional<std::string> read_choice(const Node& node, std::span<const std::string_view> choices, const Reading& in) {
  const auto text = read_text(node, in);
  if (!text || std::find(choices.begin(), choices.end(), *text) != choices.end()) return text;
  in.report.error(node.at, "{}expected {}, found \"{}\"", node.prefix(), fmt::join(choices, " | "), *text);
  return std::nullopt;
}

Texts read_texts(const Node& node, const Reading& in) {
  std::vector<std::string> texts;
  if (node.kind == Node::Kind::null) return texts;
  if (node.kind != Node::Kind::list) {
    wrong_type(node, "a list", in);
    return texts;
  }
  for (const auto& item : node.items) {
    if (auto text = read_text(item, in)) texts.push_back(std::move(*text));
  }
  return texts;
}

Texts read_text_or_texts(const Node& node, const Reading& in) {
  if (node.kind == Node::Kind::scalar) return {node.text};
  if (node.kind == Node::Kind::list) return read_texts(node, in);
  wrong_type(node, "a list or a string", in);
  return {};
}

TextMap read_text_map(const Node& node, const Reading& in) {
  std::map<std::string, std::string> texts;
  if (!expect_map(node, in)) return texts;
  for (const auto& entry : node.entries) {
    if (entry.value.kind == Node::Kind::null) {
      texts[entry.key] = "";
    } else if (auto text = read_text(entry.value, in)) {
      texts[entry.key] = std::move(*text);
    }
  }
  return texts;
}

std::span<const Node> read_items(const Node& node, const Reading& in) {
  if (node.kind != Node::Kind::list && node.kind != Node::Kind::null) wrong_type(node, "a list", in);
  return node.kind == Node::Kind::list ? std::span<const Node>(node.items) : std::span<const Node>{};
}

std::string hint(std::string_view word, std::span<const std::string_view> candidates) {
  const auto meant = nearest(word, candidates);
  return meant ? fmt::format("; did you mean \"{}\"?", *meant) : "";
}

bool is_ip_address(std::string_view text) {
  const std::string copy(text);
  in6_addr ignored{};
  return inet_pton(AF_INET, copy.c_str(), &ignored) == 1 || inet_pton(AF_INET6, copy.c_str(), &ignored) == 1;
}

std::string absolute_path(const std::string& path, const Reading& in) {
  std::filesystem::path full = path;
  if (path == "~" || path.starts_with("~/")) {
    const auto home = in.environment.find("HOME");
    if (home != in.environment.end()) full = home->second + path.substr(1);
  }
  if (full.is_relative()) full = std::filesystem::path(in.project_dir) / full;
  auto text = full.lexically_normal().string();
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

}  // namespace devstack::stack

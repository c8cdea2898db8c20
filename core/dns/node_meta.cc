#include "core/dns/node_meta.h"

#include <algorithm>

namespace devstack::dns {
namespace {

std::string quoted_value(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '`') out += '`';
    out += c;
  }
  return out;
}

std::string quoted_key(std::string_view key) {
  const auto first = std::min(key.find_first_not_of(' '), key.size());
  const auto last = key.find_last_not_of(' ');
  std::string out;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const bool outer_space = key[i] == ' ' && (i < first || last == std::string_view::npos || i > last);
    if (key[i] == '`' || key[i] == '=' || outer_space) out += '`';
    out += key[i];
  }
  return out;
}

}  // namespace

Txt node_meta_txt(std::string_view key, std::string_view value) {
  constexpr std::string_view plain = "rfc1035-";
  std::string text(value);
  if (!equal_ignoring_case(key.substr(0, plain.size()), plain)) text = quoted_key(key) + '=' + quoted_value(value);
  Txt txt;
  for (std::size_t at = 0; at < text.size(); at += 255) txt.strings.push_back(text.substr(at, 255));
  if (txt.strings.empty()) txt.strings.emplace_back();
  return txt;
}

}  // namespace devstack::dns

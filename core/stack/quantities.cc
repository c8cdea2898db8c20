// Sizes, cores, modes and limits as Compose writes them.
// https://docs.docker.com/reference/compose-file/extension/#specifying-byte-values
#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/ascii.h"
#include "core/stack/fields.h"
#include "core/stack/schema.h"

namespace devstack::stack {
namespace {

constexpr std::int64_t kNano = 1'000'000'000;

/// The power of 1024 that a unit stands for; nothing for what is no unit.
std::optional<int> unit_power(std::string_view unit) {
  const auto lower = to_lower(unit);
  constexpr std::string_view letters = "bkmgtp";
  if (lower.empty() || lower == "b") return 0;
  const auto power = letters.find(lower[0]);
  if (power == std::string_view::npos || power == 0) return std::nullopt;
  const auto rest = std::string_view(lower).substr(1);
  if (!rest.empty() && rest != "b" && rest != "ib") return std::nullopt;
  return static_cast<int>(power);
}

/// A decimal number exactly, as whole and billionths.
struct Decimal {
  std::int64_t whole = 0, billionths = 0;
};

std::optional<Decimal> parse_decimal(std::string_view text) {
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  const auto fraction = point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
  const auto digits = [](std::string_view part) {
    return std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if ((whole.empty() && fraction.empty()) || !digits(whole) || !digits(fraction) || whole.size() > 16) return {};
  Decimal value;
  std::from_chars(whole.data(), whole.data() + whole.size(), value.whole);
  std::string padded(fraction.substr(0, 9));
  padded.resize(9, '0');
  std::from_chars(padded.data(), padded.data() + padded.size(), value.billionths);
  return value;
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  const auto number = text.substr(0, std::min(text.find_first_not_of("0123456789."), text.size()));
  auto unit = text.substr(number.size());
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  const auto power = unit_power(unit);
  const auto value = parse_decimal(number);
  if (!power || !value) return std::nullopt;
  const auto factor = std::int64_t{1} << (10 * *power);
  if (value->whole > std::numeric_limits<std::int64_t>::max() / factor - 1) return std::nullopt;
  const auto part = static_cast<long double>(value->billionths) / kNano * static_cast<long double>(factor);
  return value->whole * factor + static_cast<std::int64_t>(part);
}

constexpr Field<Ulimit> kUlimit[] = {
    {"soft", Into<&Ulimit::soft>::number<-1, std::numeric_limits<long>::max()>, "limit"},
    {"hard", Into<&Ulimit::hard>::number<-1, std::numeric_limits<long>::max()>, "limit"},
};

}  // namespace

std::optional<std::int64_t> read_size(const Node& node, const Reading& in) {
  if (node.kind != Node::Kind::scalar) {
    wrong_type(node, "a size like \"512m\"", in);
    return std::nullopt;
  }
  const auto size = parse_size(node.text);
  if (!size) {
    in.report.error(node.at, "{}expected a size like \"512m\" or \"1g\", found \"{}\"", node.prefix(), node.text);
  }
  return size;
}

std::optional<std::int64_t> read_size_or_unlimited(const Node& node, const Reading& in) {
  if (node.kind == Node::Kind::scalar && node.text == "-1") return -1;
  return read_size(node, in);
}

std::optional<std::int64_t> read_nano_cpus(const Node& node, const Reading& in) {
  if (node.kind != Node::Kind::scalar) {
    wrong_type(node, "a number of cores like 0.5", in);
    return std::nullopt;
  }
  const auto value = parse_decimal(node.text);
  if (value && value->whole <= 1'000'000) return value->whole * kNano + value->billionths;
  in.report.error(node.at, "{}expected a number of cores like 0.5, found \"{}\"", node.prefix(), node.text);
  return std::nullopt;
}

std::optional<std::int64_t> read_microseconds(const Node& node, const Reading& in) {
  const bool digits = node.kind == Node::Kind::scalar && !node.text.empty() &&
                      std::all_of(node.text.begin(), node.text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits) return read_number(node, 0, 1'000'000'000'000, in);
  const auto span = read_duration(node, in);
  return span ? std::optional<std::int64_t>(span->count() / 1000) : std::nullopt;
}

std::optional<std::uint32_t> read_mode(const Node& node, const Reading& in) {
  if (node.kind != Node::Kind::scalar) {
    wrong_type(node, "a file mode like \"0440\"", in);
    return std::nullopt;
  }
  std::string_view digits = node.text;
  const bool octal = node.quoted || digits.starts_with('0');
  if (digits.starts_with("0o")) digits.remove_prefix(2);
  std::uint32_t mode = 0;
  const char* end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, mode, 8);
  if (error != std::errc() || stopped != end || mode > 07777) {
    in.report.error(node.at, "{}expected a file mode like \"0440\", found \"{}\"", node.prefix(), node.text);
    return std::nullopt;
  }
  if (octal) return mode;
  in.report.error(node.at, "{}a mode is octal: write 0{}", node.prefix(), node.text);
  return std::nullopt;
}

void read_ulimits(std::map<std::string, Ulimit>& into, const Node& node, const Reading& in) {
  if (!expect_map(node, in)) return;
  for (const auto& entry : node.entries) {
    Ulimit limit;
    if (entry.value.kind == Node::Kind::map) {
      read_fields<Ulimit>(entry.value, limit, kUlimit, {}, in);
      if (entry.value.find("soft") == nullptr || entry.value.find("hard") == nullptr) {
        in.report.error(entry.value.at, "{}give both `soft` and `hard`", entry.value.prefix());
      } else if (limit.hard != -1 && (limit.soft == -1 || limit.soft > limit.hard)) {
        in.report.error(entry.value.at, "{}`soft` cannot be more than `hard`", entry.value.prefix());
      }
    } else if (const auto both = read_number(entry.value, -1, std::numeric_limits<long>::max(), in)) {
      limit = {*both, *both};
    }
    into[entry.key] = limit;
  }
}

void add_quantity_shapes(Shapes& into) { into.map("ulimit", kUlimit); }

}  // namespace devstack::stack

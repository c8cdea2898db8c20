#include "core/base/duration.h"

#include <cmath>
#include <limits>

namespace devstack {
namespace {

using std::chrono::nanoseconds;

struct Unit {
  std::string_view name;
  double nanos;
};
constexpr Unit kUnits[] = {{"ns", 1},   {"us", 1e3}, {"µs", 1e3}, {"μs", 1e3},
                           {"ms", 1e6}, {"s", 1e9},  {"m", 60e9}, {"h", 3600e9}};

const Unit* find_unit(std::string_view name) {
  for (const auto& unit : kUnits) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Trailing zeros of a fraction cut: {1, 500000000} of 1e9 -> "1.5".
std::string decimal(std::uint64_t value, std::uint64_t unit) {
  std::string out = std::to_string(value / unit);
  std::uint64_t rest = value % unit;
  if (rest == 0) return out;
  std::string digits;
  for (std::uint64_t place = unit / 10; place > 0 && rest > 0; place /= 10) {
    digits += static_cast<char>('0' + rest / place);
    rest %= place;
  }
  return out + "." + digits;
}

}  // namespace

Result<nanoseconds> parse_duration(std::string_view text) {
  const auto bad = [&] { return fail(Errc::parse, "time: invalid duration \"{}\"", text); };
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") return nanoseconds(0);
  if (rest.empty()) return bad();
  double total = 0;
  while (!rest.empty()) {
    double number = 0;
    double scale = 1;
    bool digits = false;
    while (!rest.empty() && is_digit(rest[0])) {
      number = number * 10 + (rest[0] - '0');
      rest.remove_prefix(1);
      digits = true;
    }
    if (!rest.empty() && rest[0] == '.') {
      rest.remove_prefix(1);
      while (!rest.empty() && is_digit(rest[0])) {
        scale /= 10;
        number += scale * (rest[0] - '0');
        rest.remove_prefix(1);
        digits = true;
      }
    }
    if (!digits) return bad();
    std::size_t end = 0;
    while (end < rest.size() && rest[end] != '.' && !is_digit(rest[end])) ++end;
    if (end == 0) return fail(Errc::parse, "time: missing unit in duration \"{}\"", text);
    const Unit* unit = find_unit(rest.substr(0, end));
    if (unit == nullptr) {
      return fail(Errc::parse, "time: unknown unit \"{}\" in duration \"{}\"", rest.substr(0, end), text);
    }
    total += number * unit->nanos;
    rest.remove_prefix(end);
  }
  // The largest integer becomes the next power of two as a double, which is one too many.
  if (total >= static_cast<double>(std::numeric_limits<std::int64_t>::max())) return bad();
  const auto whole = static_cast<std::int64_t>(std::llround(total));
  return nanoseconds(negative ? -whole : whole);
}

std::string format_duration(nanoseconds value) {
  if (value.count() == 0) return "0s";
  const std::string sign = value.count() < 0 ? "-" : "";
  const auto bits = static_cast<std::uint64_t>(value.count());
  const std::uint64_t count = value.count() < 0 ? 0 - bits : bits;  // the least integer has no positive twin
  constexpr std::uint64_t second = 1'000'000'000;
  if (count < 1000) return sign + std::to_string(count) + "ns";
  if (count < 1'000'000) return sign + decimal(count, 1000) + "µs";
  if (count < second) return sign + decimal(count, 1'000'000) + "ms";
  const std::uint64_t minutes = count / (60 * second);
  std::string out = decimal(count % (60 * second), second) + "s";
  if (minutes > 0) out = std::to_string(minutes % 60) + "m" + out;
  if (minutes >= 60) out = std::to_string(minutes / 60) + "h" + out;
  return sign + out;
}

}  // namespace devstack

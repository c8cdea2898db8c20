// fmt.Sprintf and fmt.Sprint of Go. https://pkg.go.dev/fmt
#include <charconv>
#include <cmath>
#include <cstdio>

#include "core/template/functions.h"

namespace devstack::templates {
namespace {

struct Flags {
  bool minus = false, plus = false, sharp = false, space = false, zero = false;
  int width = -1, precision = -1;
};

std::string pad(std::string text, const Flags& flags, bool number = false) {
  std::size_t runes = 0;
  for (const char c : text) runes += (c & 0xC0) != 0x80 ? 1 : 0;
  if (flags.width < 0 || runes >= static_cast<std::size_t>(flags.width)) return text;
  const std::size_t missing = static_cast<std::size_t>(flags.width) - runes;
  if (flags.minus) return text + std::string(missing, ' ');
  if (!flags.zero) return std::string(missing, ' ') + text;
  const bool sign = number && !text.empty() && (text[0] == '-' || text[0] == '+' || text[0] == ' ');
  return text.substr(0, sign ? 1 : 0) + std::string(missing, '0') + text.substr(sign ? 1 : 0);
}

std::string with_sign(std::string digits, bool negative, const Flags& flags) {
  if (negative) return "-" + digits;
  if (flags.plus) return "+" + digits;
  return (flags.space ? " " : "") + std::move(digits);
}

std::string utf8(std::int64_t code) {
  std::string out;
  const auto c = static_cast<std::uint32_t>(code);
  if (c < 0x80) return std::string(1, static_cast<char>(c));
  if (c < 0x800) {
    out += static_cast<char>(0xC0U | (c >> 6U));
  } else {
    if (c < 0x10000) {
      out += static_cast<char>(0xE0U | (c >> 12U));
    } else {
      out += static_cast<char>(0xF0U | (c >> 18U));
      out += static_cast<char>(0x80U | ((c >> 12U) & 0x3FU));
    }
    out += static_cast<char>(0x80U | ((c >> 6U) & 0x3FU));
  }
  out += static_cast<char>(0x80U | (c & 0x3FU));
  return out;
}

std::optional<std::string> format_integer(bool negative, std::uint64_t magnitude, char verb, const Flags& flags) {
  switch (verb) {
    case 'v':
    case 'd':
      break;
    case 'c':
      return pad(utf8(static_cast<std::int64_t>(magnitude)), flags);
    case 'q':
      return pad("'" + utf8(static_cast<std::int64_t>(magnitude)) + "'", flags);
    case 'U':
      return pad(fmt::format("U+{:04X}", magnitude), flags);
    case 'b':
      return pad(with_sign(fmt::format("{:b}", magnitude), negative, flags), flags, true);
    case 'o':
      return pad(with_sign((flags.sharp ? "0" : "") + fmt::format("{:o}", magnitude), negative, flags), flags, true);
    case 'x':
      return pad(with_sign((flags.sharp ? "0x" : "") + fmt::format("{:x}", magnitude), negative, flags), flags, true);
    case 'X':
      return pad(with_sign((flags.sharp ? "0X" : "") + fmt::format("{:X}", magnitude), negative, flags), flags, true);
    default:
      return std::nullopt;
  }
  std::string digits = std::to_string(magnitude);
  while (flags.precision > static_cast<int>(digits.size()) && flags.precision < 500) digits.insert(0, "0");
  return pad(with_sign(std::move(digits), negative, flags), flags, true);
}

std::optional<std::string> format_double(double value, char verb, const Flags& flags) {
  const bool negative = std::signbit(value);
  const double magnitude = std::fabs(value);
  std::string digits;
  if ((verb == 'v' || verb == 'g') && flags.precision < 0) {
    digits = format_float(magnitude, verb == 'v' || verb == 'g' ? 6 : 21);
  } else if (verb == 'e' || verb == 'E' || verb == 'f' || verb == 'F' || verb == 'g' || verb == 'G' || verb == 'v') {
    char buffer[600];
    const char pattern[] = {'%', '.', '*', verb == 'v' ? 'g' : verb, '\0'};
    const int precision = flags.precision < 0 ? 6 : std::min(flags.precision, 200);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    std::snprintf(buffer, sizeof buffer, pattern, precision, magnitude);
#pragma GCC diagnostic pop
    digits = buffer;
  } else {
    return std::nullopt;
  }
  return pad(with_sign(std::move(digits), negative, flags), flags, true);
}

std::optional<std::string> format_text(std::string text, char verb, const Flags& flags) {
  if (flags.precision >= 0 && static_cast<std::size_t>(flags.precision) < text.size()) {
    text.resize(static_cast<std::size_t>(flags.precision));
  }
  std::string hex;
  switch (verb) {
    case 'v':
      return pad(flags.sharp ? quote(text) : text, flags);
    case 's':
      return pad(std::move(text), flags);
    case 'q':
      return pad(quote(text), flags);
    case 'x':
    case 'X':
      for (const unsigned char c : text) hex += verb == 'x' ? fmt::format("{:02x}", c) : fmt::format("{:02X}", c);
      return pad(std::move(hex), flags);
    default:
      return std::nullopt;
  }
}

std::optional<std::string> format_one(const Value& value, char verb, const Flags& flags);

std::optional<std::string> format_list(const List& list, char verb, const Flags& flags) {
  std::string out = "[";
  for (const auto& item : list.items) {
    const auto shown = format_one(item, verb, flags);
    if (!shown) return std::nullopt;
    out += (out.size() > 1 ? " " : "") + *shown;
  }
  return out + "]";
}

std::optional<std::string> format_one(const Value& value, char verb, const Flags& flags) {
  if (verb == 'T') return pad(value.type(), flags);
  if (value.is_nil()) return verb == 'v' ? std::optional(pad("<nil>", flags)) : std::nullopt;
  if (const auto* truth = value.get<bool>()) {
    return verb == 'v' || verb == 't' ? std::optional(pad(*truth ? "true" : "false", flags)) : std::nullopt;
  }
  if (const auto* number = value.get<std::int64_t>()) {
    const auto magnitude = *number < 0 ? 0 - static_cast<std::uint64_t>(*number) : static_cast<std::uint64_t>(*number);
    return format_integer(*number < 0, magnitude, verb, flags);
  }
  if (const auto* number = value.get<std::uint64_t>()) return format_integer(false, *number, verb, flags);
  if (const auto* number = value.get<double>()) return format_double(*number, verb, flags);
  if (const auto* text = value.text()) return format_text(*text, verb, flags);
  if (const auto* list = value.list(); list != nullptr && verb != 'v') return format_list(*list, verb, flags);
  if (verb == 'v' || verb == 's') return pad(value.print(), flags);
  return std::nullopt;
}

class Formatter {
 public:
  Formatter(std::string_view layout, Arguments args, std::size_t most) : rest_(layout), args_(args), most_(most) {}

  Result<std::string> run() {
    while (!rest_.empty()) {
      const auto percent = rest_.find('%');
      out_ += rest_.substr(0, percent);
      if (percent == std::string_view::npos) break;
      rest_.remove_prefix(percent + 1);
      verb();
      if (out_.size() > most_) return fail(Errc::too_large, "the text is larger than {} bytes", most_);
    }
    if (next_ < args_.size()) surplus();
    return std::move(out_);
  }

 private:
  void verb() {
    Flags flags = read_flags();
    flags.width = read_count();
    if (flags.width < -1) {
      flags.minus = true;
      flags.width = -flags.width;
    }
    if (rest_.starts_with('.')) {
      rest_.remove_prefix(1);
      flags.precision = std::max(read_count(), 0);
    }
    if (flags.minus) flags.zero = false;
    if (rest_.empty()) {
      out_ += "%!(NOVERB)";
      return;
    }
    const char letter = rest_.front();
    rest_.remove_prefix(1);
    if (letter == '%') {
      out_ += '%';
    } else if (next_ >= args_.size()) {
      out_ += fmt::format("%!{}(MISSING)", letter);
    } else {
      const auto& value = args_[next_++];
      const auto shown = format_one(value, letter, flags);
      out_ += shown ? *shown : bad(letter, value);
    }
  }

  static std::string bad(char letter, const Value& value) {
    if (value.is_nil()) return fmt::format("%!{}(<nil>)", letter);
    return fmt::format("%!{}({}={})", letter, value.type(), value.print());
  }

  Flags read_flags() {
    Flags flags;
    for (; !rest_.empty(); rest_.remove_prefix(1)) {
      switch (rest_.front()) {
        case '-':
          flags.minus = true;
          break;
        case '+':
          flags.plus = true;
          break;
        case '#':
          flags.sharp = true;
          break;
        case ' ':
          flags.space = true;
          break;
        case '0':
          flags.zero = true;
          break;
        default:
          return flags;
      }
    }
    return flags;
  }

  /// Digits, or `*` and the next argument; -1 when neither is there. Bounded, so that a width cannot exhaust memory.
  int read_count() {
    constexpr int most = 10'000;
    if (rest_.starts_with('*')) {
      rest_.remove_prefix(1);
      if (next_ >= args_.size()) return -1;
      const auto* number = args_[next_++].get<std::int64_t>();
      return number == nullptr ? -1 : static_cast<int>(std::clamp<std::int64_t>(*number, -most, most));
    }
    int value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || rest_.starts_with('-')) return -1;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return std::min(value, most);
  }

  void surplus() {
    out_ += "%!(EXTRA ";
    for (std::size_t i = next_; i < args_.size(); ++i) {
      if (i > next_) out_ += ", ";
      out_ += args_[i].is_nil() ? "<nil>" : args_[i].type() + "=" + args_[i].print();
    }
    out_ += ")";
  }

  std::string_view rest_;
  Arguments args_;
  std::size_t most_;
  std::size_t next_ = 0;
  std::string out_;
};

}  // namespace

Result<std::string> format(std::string_view layout, Arguments args, std::size_t most) {
  return Formatter(layout, args, most).run();
}

std::string print_operands(Arguments args) {
  std::string out;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (i > 0 && args[i].text() == nullptr && args[i - 1].text() == nullptr) out += ' ';
    out += args[i].print();
  }
  return out;
}

}  // namespace devstack::templates

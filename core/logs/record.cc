#include "core/logs/record.h"

#include <boost/json.hpp>
#include <charconv>
#include <chrono>
#include <ctime>

#include "core/base/duration.h"

namespace devstack::logs {
namespace {

namespace json = boost::json;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr auto kDateTime = std::string_view("0000-00-00T00:00:00").size();

std::string json_text(std::string_view text) { return json::serialize(json::string_view(text.data(), text.size())); }

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "5" as 500'000'000: digits behind the point of a second.
std::optional<std::int64_t> fraction(std::string_view digits) {
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::string nine(digits.substr(0, 9));
  nine.resize(9, '0');
  return number(nine);
}

/// "2026-01-02T03:04:05", or the date alone, as a broken-down time.
std::optional<std::tm> parse_date_time(std::string_view text) {
  std::string whole(text);
  if (whole.size() == 10) whole += "T00:00:00";
  if (whole.size() != kDateTime) return std::nullopt;
  if (whole[10] == ' ') whole[10] = 'T';
  std::tm broken{};
  const char* end = ::strptime(whole.c_str(), "%Y-%m-%dT%H:%M:%S", &broken);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return broken;
}

/// "Z", "+01:00" or "-0130" in seconds.
std::optional<std::int64_t> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() < 5 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto hours = number(text.substr(1, 2));
  const auto minutes = number(text.substr(text[3] == ':' ? 4 : 3));
  if (!hours || !minutes) return std::nullopt;
  return (text[0] == '-' ? -1 : 1) * (*hours * 3600 + *minutes * 60);
}

struct Parts {
  std::string_view date_time, digits, offset;
};
Parts parts_of(std::string_view text) {
  Parts parts;
  const auto end = std::min(text.size(), kDateTime);
  parts.date_time = text.substr(0, end);
  auto rest = text.substr(end);
  if (rest.starts_with('.')) {
    const auto after = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    parts.digits = rest.substr(1, after - 1);
    rest = rest.substr(after);
  }
  parts.offset = rest;
  return parts;
}

std::optional<std::int64_t> parse_local_time(std::string_view text) {
  const auto parts = parts_of(text);
  auto broken = parse_date_time(parts.date_time);
  if (!broken || !parts.offset.empty()) return std::nullopt;
  broken->tm_isdst = -1;
  const auto digits = parts.digits.empty() ? std::optional<std::int64_t>(0) : fraction(parts.digits);
  if (!digits) return std::nullopt;
  return static_cast<std::int64_t>(std::mktime(&*broken)) * kSecond + *digits;
}

std::optional<std::int64_t> parse_unix_time(std::string_view text) {
  const auto point = text.find('.');
  const auto seconds = number(text.substr(0, point));
  if (!seconds || *seconds < 0 || *seconds > 9'000'000'000) return std::nullopt;
  if (point == std::string_view::npos) return *seconds * kSecond;
  const auto digits = fraction(text.substr(point + 1));
  if (!digits) return std::nullopt;
  return *seconds * kSecond + *digits;
}

std::optional<json::object> parse_object(std::string_view line) {
  boost::system::error_code error;
  auto value = json::parse(json::string_view(line.data(), line.size()), error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.as_object());
}

std::optional<std::string_view> text_of(const json::object& fields, std::string_view name) {
  const auto* value = fields.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->as_string().data(), value->as_string().size());
}

/// The length of the UTF-8 sequence that `bytes` begins with; 0 when it begins with none.
std::size_t sequence_length(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    const bool overlong = first == 0xE0 && at(1) < 0xA0;
    const bool surrogate = first == 0xED && at(1) >= 0xA0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first < 0xF5) {
    const bool overlong = first == 0xF0 && at(1) < 0x90;
    const bool beyond = first == 0xF4 && at(1) >= 0x90;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string_view to_string(Stream stream) { return stream == Stream::out ? "stdout" : "stderr"; }

std::string to_json(const Record& record) {
  return fmt::format(R"({{"time":"{}","unit":{},"stream":"{}","text":{}}})", format_time(record.time),
                     json_text(record.unit), to_string(record.stream), json_text(record.text));
}

std::string kept_line(const Record& record, const Origin& origin) {
  return fmt::format(R"({{"time":"{}","stream":"{}","text":{},"from":{},"at":{}}})", format_time(record.time),
                     to_string(record.stream), json_text(record.text), json_text(origin.from), origin.at) +
         "\n";
}

std::string kept_line_start(std::int64_t time) { return fmt::format(R"({{"time":"{}")", format_time(time)); }

std::optional<Record> parse_record(std::string_view line) {
  const auto fields = parse_object(line);
  if (!fields) return std::nullopt;
  const auto time = text_of(*fields, "time");
  const auto stream = text_of(*fields, "stream");
  const auto text = text_of(*fields, "text");
  if (!time || !stream || !text) return std::nullopt;
  const auto parsed = parse_time(*time);
  if (!parsed) return std::nullopt;
  const std::string unit(text_of(*fields, "unit").value_or(""));
  return Record{*parsed, unit, *stream == "stderr" ? Stream::err : Stream::out, std::string(*text)};
}

std::optional<Origin> origin_of(std::string_view line) {
  const auto fields = parse_object(line);
  if (!fields) return std::nullopt;
  const auto from = text_of(*fields, "from");
  const auto* at = fields->if_contains("at");
  if (!from || at == nullptr || !at->is_int64()) return std::nullopt;
  return Origin{std::string(*from), at->as_int64()};
}

std::string format_time(std::int64_t time) {
  const std::int64_t nanos = ((time % kSecond) + kSecond) % kSecond;
  const std::time_t seconds = (time - nanos) / kSecond;
  std::tm broken{};
  ::gmtime_r(&seconds, &broken);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", broken.tm_year + 1900, broken.tm_mon + 1,
                     broken.tm_mday, broken.tm_hour, broken.tm_min, broken.tm_sec, nanos);
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  const auto parts = parts_of(text);
  auto broken = parse_date_time(parts.date_time);
  const auto offset = parse_offset(parts.offset);
  const auto digits = parts.digits.empty() ? std::optional<std::int64_t>(0) : fraction(parts.digits);
  if (!broken || !offset || !digits) return std::nullopt;
  return (static_cast<std::int64_t>(::timegm(&*broken)) - *offset) * kSecond + *digits;
}

Result<std::int64_t> parse_when(std::string_view text, std::int64_t now) {
  if (const auto span = parse_duration(text); span && text != "0") return now - span->count();
  for (const auto& parsed : {parse_time(text), parse_local_time(text), parse_unix_time(text)}) {
    if (parsed) return *parsed;
  }
  return fail(Errc::usage,
              "\"{}\" is no time: write a span (10m, 1h30m), a date and time (2026-01-02T15:04:05) or Unix seconds",
              text);
}

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string valid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const auto length = sequence_length(bytes);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      bytes.remove_prefix(1);
    } else {
      out += bytes.substr(0, length);
      bytes.remove_prefix(length);
    }
  }
  return out;
}

}  // namespace devstack::logs

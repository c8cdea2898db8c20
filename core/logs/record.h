#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

/// A line that a unit printed, with the moment of it, and its two written forms. Times are nanoseconds since 1970, UTC.
/// Values; any thread.
namespace devstack::logs {

enum class Stream { out, err };
std::string_view to_string(Stream stream);  ///< stdout, stderr

struct Record {
  std::int64_t time = 0;
  std::string unit;
  Stream stream = Stream::out;  ///< a host process has one for both
  std::string text;             ///< without its newline; valid UTF-8
  friend bool operator==(const Record&, const Record&) = default;
};

/// Where a kept line was read from, so that the next reader goes on behind it: a container's time of the line, or the
/// place in the file that a process writes to.
struct Origin {
  std::string from;
  std::int64_t at = 0;
  friend bool operator==(const Origin&, const Origin&) = default;
};

/// {"time":"2026-01-02T03:04:05.000000006Z","unit":"web","stream":"stdout","text":"hello"}
std::string to_json(const Record& record);

/// A line of a kept log, newline included. Its time stands first and has a fixed width, so that lines compare by it.
std::string kept_line(const Record& record, const Origin& origin);
/// What a kept line of that time, and no earlier one, compares greater than.
std::string kept_line_start(std::int64_t time);
/// Either form; nothing for what is none. Only to_json() names the unit.
std::optional<Record> parse_record(std::string_view line);
std::optional<Origin> origin_of(std::string_view line);

/// "2026-01-02T03:04:05.000000006Z", always with nine digits.
std::string format_time(std::int64_t time);
/// RFC 3339 as programs write it: any number of digits after the seconds, "Z" or an offset with or without a colon.
std::optional<std::int64_t> parse_time(std::string_view text);
/// What a user means by --since: a span before `now` ("10m"), a time (RFC 3339, also without offset, which is local,
/// and without time of day), or Unix seconds ("1700000000.5"). Errc::usage.
Result<std::int64_t> parse_when(std::string_view text, std::int64_t now);
std::int64_t now();

/// Bytes that are no UTF-8 replaced by U+FFFD.
std::string valid_utf8(std::string_view bytes);

}  // namespace devstack::logs

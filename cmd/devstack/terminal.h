#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/supervisor/status.h"

/// What the commands print, in one style: colour only on a terminal that wants it (NO_COLOR, --no-color), plain lines
/// in pipes and logs. Main thread.
namespace devstack::terminal {

enum class Colour { automatic, never };
void set_colour(Colour colour);
[[nodiscard]] bool is_terminal();
/// Width in columns; 80 when not a terminal.
[[nodiscard]] std::size_t width();

/// Text in a colour of ECMA-48's SGR ("31"), where there are colours.
std::string paint(const char* code, std::string_view text);
std::string bold(std::string_view text);
std::string dim(std::string_view text);
std::string good(std::string_view text);
std::string bad(std::string_view text);
std::string warn(std::string_view text);
/// A unit's state in its colour.
std::string state(supervisor::UnitState state);
/// "✓", "✗", "…", "!" (or ASCII outside UTF-8 locales).
std::string mark(supervisor::UnitState state);
/// "3m", "2h", "5d" since a Unix time; "" for 0.
std::string since(std::int64_t unix_seconds);

/// Bytes to standard output, at once. Where its reader has gone the program ends as `cat` would (SIGPIPE); what cannot
/// be written otherwise (a full disk) is Errc::io.
Result<void> write(std::string_view bytes);
/// One line without control characters or broken UTF-8: what services and events say about themselves must not move a
/// terminal's cursor.
std::string printable(std::string_view text);

/// "devstack: <message>" on standard error.
void complain(std::string_view message);

}  // namespace devstack::terminal

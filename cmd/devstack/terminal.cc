#include "cmd/devstack/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace devstack::terminal {
namespace {

using supervisor::UnitState;

Colour wanted = Colour::automatic;

bool coloured() {
  if (wanted == Colour::never || std::getenv("NO_COLOR") != nullptr) return false;
  const char* term = std::getenv("TERM");
  return is_terminal() && (term == nullptr || std::string_view(term) != "dumb");
}

bool utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') {
      const std::string_view text = value;
      return text.find("UTF-8") != std::string_view::npos || text.find("utf8") != std::string_view::npos;
    }
  }
  return false;
}

}  // namespace

void set_colour(Colour colour) { wanted = colour; }
bool is_terminal() { return isatty(STDOUT_FILENO) == 1; }

std::size_t width() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20) return size.ws_col;
  return 80;
}

std::string paint(const char* code, std::string_view text) {
  return coloured() ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
}

std::string bold(std::string_view text) { return paint("1", text); }
std::string dim(std::string_view text) { return paint("2", text); }
std::string good(std::string_view text) { return paint("32", text); }
std::string bad(std::string_view text) { return paint("31", text); }
std::string warn(std::string_view text) { return paint("33", text); }

std::string state(UnitState value) {
  const auto text = supervisor::to_string(value);
  switch (value) {
    case UnitState::running:
    case UnitState::completed:
      return good(text);
    case UnitState::failed:
    case UnitState::unhealthy:
      return bad(text);
    case UnitState::starting:
    case UnitState::backoff:
    case UnitState::stopping:
      return warn(text);
    case UnitState::pending:
    case UnitState::waiting:
    case UnitState::paused:
    case UnitState::stopped:
      return dim(text);
  }
  return std::string(text);
}

std::string mark(UnitState value) {
  const bool rich = utf8();
  switch (value) {
    case UnitState::running:
    case UnitState::completed:
      return good(rich ? "✓" : "ok");
    case UnitState::failed:
    case UnitState::unhealthy:
      return bad(rich ? "✗" : "!!");
    default:
      return dim(rich ? "…" : "..");
  }
}

std::string since(std::int64_t unix_seconds) {
  if (unix_seconds == 0) return "";
  const std::int64_t span = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::time(nullptr)) - unix_seconds);
  if (span < 60) return fmt::format("{}s", span);
  if (span < 3600) return fmt::format("{}m", span / 60);
  if (span < 86400) return fmt::format("{}h", span / 3600);
  return fmt::format("{}d", span / 86400);
}

Result<void> write(std::string_view bytes) {
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() && std::fflush(stdout) == 0;
  if (written) return {};
  const int error = errno;
  if (error == EPIPE) {
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  return fail(Errc::io, "cannot write to standard output: {}", std::strerror(error));
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

void complain(std::string_view message) {
  std::fflush(stdout);
  fmt::print(stderr, "{}{}\n",
             isatty(STDERR_FILENO) == 1 && coloured() ? "\033[31mdevstack:\033[0m " : "devstack: ", message);
}

}  // namespace devstack::terminal

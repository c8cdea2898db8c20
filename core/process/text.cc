#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "core/process/child.h"

namespace devstack::process {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 28> signals{{
    {"HUP", SIGHUP},   {"INT", SIGINT},       {"QUIT", SIGQUIT}, {"ILL", SIGILL},   {"TRAP", SIGTRAP},
    {"ABRT", SIGABRT}, {"BUS", SIGBUS},       {"FPE", SIGFPE},   {"KILL", SIGKILL}, {"USR1", SIGUSR1},
    {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},     {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM},
    {"CHLD", SIGCHLD}, {"CONT", SIGCONT},     {"STOP", SIGSTOP}, {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN},
    {"TTOU", SIGTTOU}, {"URG", SIGURG},       {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ}, {"WINCH", SIGWINCH},
    {"POLL", SIGPOLL}, {"VTALRM", SIGVTALRM}, {"SYS", SIGSYS},
}};

bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// The rest of a double-quoted part; a backslash keeps its own meaning only before $ ` " \ and newline (POSIX 2.2.3).
Result<std::size_t> double_quoted(std::string_view text, std::size_t at, std::string& word) {
  for (; at < text.size(); ++at) {
    if (text[at] == '"') return at;
    if (text[at] == '\\' && at + 1 < text.size()) {
      const char next = text[at + 1];
      if (std::string_view("$`\"\\\n").find(next) != std::string_view::npos) {
        ++at;
        if (next != '\n') word += next;
        continue;
      }
    }
    word += text[at];
  }
  return fail(Errc::parse, "a double quote is not closed: {}", text);
}

}  // namespace

Result<int> parse_signal(std::string_view text) {
  int number = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!text.empty() && error == std::errc() && at == text.data() + text.size()) {
    if (number >= 1 && number <= SIGRTMAX) return number;
    return fail(Errc::invalid_argument, "no signal {}", text);
  }
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  if (name.starts_with("SIG")) name.erase(0, 3);
  const auto* const found =
      std::find_if(signals.begin(), signals.end(), [&](const auto& s) { return s.first == name; });
  if (found == signals.end()) return fail(Errc::invalid_argument, "no signal \"{}\"", text);
  return found->second;
}

std::optional<std::string> find_program(std::string_view name, std::string_view path) {
  namespace fs = std::filesystem;
  const auto usable = [](const fs::path& file) {
    std::error_code error;
    return fs::is_regular_file(file, error) && ::access(file.c_str(), X_OK) == 0;
  };
  if (name.empty()) return std::nullopt;
  if (name.find('/') != std::string_view::npos) {
    if (usable(fs::path(name))) return std::string(name);
    return std::nullopt;
  }
  while (true) {
    const auto colon = path.find(':');
    const auto folder = path.substr(0, colon);
    const fs::path file = fs::path(folder.empty() ? "." : folder) / name;
    if (usable(file)) return file.string();
    if (colon == std::string_view::npos) return std::nullopt;
    path.remove_prefix(colon + 1);
  }
}

Result<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (blank(c)) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
      continue;
    }
    if (c == '#' && !in_word) {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    if (text.substr(at, 2) == "\\\n") {  // a continued line
      ++at;
      continue;
    }
    in_word = true;
    if (c == '\'') {
      const auto end = text.find('\'', at + 1);
      if (end == std::string_view::npos) return fail(Errc::parse, "a single quote is not closed: {}", text);
      word += text.substr(at + 1, end - at - 1);
      at = end;
    } else if (c == '"') {
      TRY(at, double_quoted(text, at + 1, word));
    } else if (c == '\\') {
      if (at + 1 == text.size()) return fail(Errc::parse, "a backslash ends the command: {}", text);
      word += text[++at];
    } else {
      word += c;
    }
  }
  if (in_word) words.push_back(word);
  return words;
}

}  // namespace devstack::process

// Strings and lists of them.
#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <ctime>

#include "core/template/functions.h"

namespace devstack::templates {
namespace {

using Answer = Result<Value>;

Result<std::vector<std::string>> texts(Arguments args) {
  std::vector<std::string> all;
  for (const auto& arg : args) {
    TRY(std::string text, text_argument(arg));
    all.push_back(std::move(text));
  }
  return all;
}

std::string_view trim(std::string_view text, std::string_view cut) {
  const auto from = text.find_first_not_of(cut);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(cut) - from + 1);
}
constexpr std::string_view kBlank = " \t\r\n\v\f";

tl::unexpected<Error> too_long(const Rendering& r) {
  return fail(Errc::too_large, "the text is larger than {} bytes", r.inputs.limits.bytes);
}

Answer join(Rendering& r, Arguments args) {
  TRY(const std::string separator, text_argument(args[0]));
  const auto* list = args[1].list();
  if (list == nullptr)
    return fail(Errc::invalid_argument, "wrong type for value; expected []string; got {}", args[1].type());
  std::string out;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    out += (i == 0 ? "" : separator) + list->items[i].print();
    if (out.size() > r.inputs.limits.bytes) return too_long(r);
  }
  return Value(std::move(out));
}

Answer split(Rendering&, Arguments args) {
  TRY(const auto t, texts(args));
  std::string_view rest = trim(t[1], kBlank);
  std::vector<std::string> pieces;
  if (rest.empty()) return strings(pieces);
  if (t[0].empty()) {
    for (const char c : rest) pieces.emplace_back(1, c);
    return strings(pieces);
  }
  while (true) {
    const auto at = rest.find(t[0]);
    pieces.emplace_back(rest.substr(0, at));
    if (at == std::string_view::npos) break;
    rest.remove_prefix(at + t[0].size());
  }
  return strings(pieces);
}

Answer replace_all(Rendering& r, Arguments args) {
  TRY(const auto t, texts(args));
  if (t[0].empty()) return Value(t[2]);
  std::string out;
  std::string_view rest = t[2];
  for (auto at = rest.find(t[0]); at != std::string_view::npos; at = rest.find(t[0])) {
    out += rest.substr(0, at);
    out += t[1];
    if (out.size() > r.inputs.limits.bytes) return too_long(r);
    rest.remove_prefix(at + t[0].size());
  }
  return Value(out + std::string(rest));
}

/// Go's `$1` and `${1}` as RE2's `\1`.
std::string rewrite_form(std::string_view text, const RE2& pattern) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      out += "\\\\";
      continue;
    }
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    if (text[i + 1] == '$') {
      out += text[++i];
      continue;
    }
    const bool braced = text[i + 1] == '{';
    std::size_t end = i + (braced ? 2 : 1);
    const std::size_t from = end;
    while (end < text.size() && (text[end] == '_' || std::isalnum(static_cast<unsigned char>(text[end])) != 0)) ++end;
    const std::string name(text.substr(from, end - from));
    const bool number = !name.empty() && name.size() < 3 && name.find_first_not_of("0123456789") == std::string::npos;
    int group = number ? std::stoi(name) : -1;
    if (const auto named = pattern.NamedCapturingGroups().find(name); named != pattern.NamedCapturingGroups().end()) {
      group = named->second;
    }
    // A group that is not there is empty, as in Go; RE2 knows groups up to 9.
    if (group >= 0 && group <= std::min(9, pattern.NumberOfCapturingGroups())) out += "\\" + std::to_string(group);
    i = braced ? end : end - 1;
  }
  return out;
}

Result<std::unique_ptr<RE2>> compile(const std::string& text) {
  RE2::Options options;
  options.set_log_errors(false);
  auto pattern = std::make_unique<RE2>(text, options);
  if (!pattern->ok()) return fail(Errc::invalid_argument, "error parsing regexp: {}", pattern->error());
  return pattern;
}

Answer regex_replace(Rendering& r, Arguments args) {
  TRY(const auto t, texts(args));
  TRY(const auto pattern, compile(t[0]));
  std::string out = t[2];
  const auto rewrite = rewrite_form(t[1], *pattern);
  // At worst every byte of the text becomes the whole replacement. RE2 cannot be stopped on the way.
  if (rewrite.size() > 16 * r.inputs.limits.bytes / (out.size() + 1)) return too_long(r);
  RE2::GlobalReplace(&out, *pattern, rewrite);
  return Value(std::move(out));
}

Answer regex_match(Rendering&, Arguments args) {
  TRY(const auto t, texts(args));
  TRY(const auto pattern, compile(t[0]));
  return Value(RE2::PartialMatch(t[1], *pattern));
}

template <int (*change)(int)>
Answer each_letter(Rendering&, Arguments args) {
  TRY(std::string text, text_argument(args[0]));
  for (char& c : text) c = (c & 0x80) != 0 ? c : static_cast<char>(change(static_cast<unsigned char>(c)));
  return Value(std::move(text));
}

Answer to_title(Rendering&, Arguments args) {
  TRY(std::string text, text_argument(args[0]));
  bool start = true;
  for (char& c : text) {
    if (start && (c & 0x80) == 0) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    start = std::isspace(static_cast<unsigned char>(c)) != 0;
  }
  return Value(std::move(text));
}

/// Whether `needle` is an item of a list, or part of a string.
Answer holds(const Value& hay, const Value& needle) {
  if (hay.is_nil()) return Value(false);
  if (const auto* text = hay.text()) {
    TRY(const std::string part, text_argument(needle));
    return Value(text->find(part) != std::string::npos);
  }
  const auto* list = hay.list();
  if (list == nullptr) return fail(Errc::invalid_argument, "wrong type for value; expected list; got {}", hay.type());
  for (const auto& item : list->items) {
    const auto same = equal(item, needle);
    if (same && *same) return Value(true);
  }
  return Value(false);
}

/// How many of the first list are in the second, and of how many.
Result<std::pair<std::size_t, std::size_t>> count_held(Arguments args) {
  const auto* needles = args[0].list();
  if (needles == nullptr)
    return fail(Errc::invalid_argument, "wrong type for value; expected list; got {}", args[0].type());
  const auto* hay = args[1].list();
  constexpr std::size_t most = 100'000'000;
  if (hay != nullptr && !hay->items.empty() && needles->items.size() > most / hay->items.size()) {
    return fail(Errc::too_large, "the lists are too long to compare");
  }
  std::size_t found = 0;
  for (const auto& needle : needles->items) {
    TRY(const Value one, holds(args[1], needle));
    found += one.truth() ? 1 : 0;
  }
  return std::pair{found, needles->items.size()};
}

template <bool (*test)(std::size_t found, std::size_t all)>
Answer contains_some(Rendering&, Arguments args) {
  TRY(const auto counted, count_held(args));
  return Value(test(counted.first, counted.second));
}

Answer indent(Rendering& r, Arguments args) {
  TRY(const std::int64_t spaces, integer_argument(args[0]));
  TRY(const std::string text, text_argument(args[1]));
  if (spaces < 0 || spaces > 1000)
    return fail(Errc::invalid_argument, "indent value must be between 0 and 1000, got {}", spaces);
  std::string out;
  std::string_view rest = text;
  while (true) {
    const auto line = rest.substr(0, rest.find('\n'));
    if (!line.empty()) out += std::string(static_cast<std::size_t>(spaces), ' ');
    out += line;
    if (out.size() > r.inputs.limits.bytes) return too_long(r);
    if (line.size() == rest.size()) return Value(std::move(out));
    out += '\n';
    rest.remove_prefix(line.size() + 1);
  }
}

Answer environment(Rendering& r, const std::string& name, const std::string& otherwise) {
  const auto at = r.inputs.environment.find(name);
  return Value(at == r.inputs.environment.end() ? otherwise : at->second);
}

Answer env(Rendering& r, Arguments args) {
  TRY(const auto t, texts(args));
  return environment(r, t[0], "");
}

Answer env_or_default(Rendering& r, Arguments args) {
  TRY(const auto t, texts(args));
  return environment(r, t[0], t[1]);
}

Answer must_env(Rendering& r, Arguments args) {
  TRY(const auto t, texts(args));
  TRY(Value value, environment(r, t[0], ""));
  if (!value.truth()) return fail(Errc::invalid_argument, "environment variable {} is not set", t[0]);
  return value;
}

/// Go writes a layout as what the reference time Mon Jan 2 15:04:05 MST 2006 looks like in it.
std::string format_time(std::string_view layout, const std::tm& time) {
  constexpr std::pair<std::string_view, const char*> parts[] = {
      {"January", "%B"}, {"Monday", "%A"},     {"2006", "%Y"},     {"Jan", "%b"}, {"Mon", "%a"}, {"MST", "UTC"},
      {"Z07:00", "Z"},   {"-07:00", "+00:00"}, {"-0700", "+0000"}, {"01", "%m"},  {"02", "%d"},  {"03", "%I"},
      {"04", "%M"},      {"05", "%S"},         {"06", "%y"},       {"15", "%H"},  {"PM", "%p"},  {"_2", "%e"}};
  std::string pattern;
  while (!layout.empty()) {
    const auto* part =
        std::find_if(std::begin(parts), std::end(parts), [&](const auto& p) { return layout.starts_with(p.first); });
    if (part != std::end(parts)) {
      pattern += part->second;
      layout.remove_prefix(part->first.size());
    } else {
      pattern += layout[0] == '%' ? "%%" : std::string(1, layout[0]);
      layout.remove_prefix(1);
    }
  }
  char buffer[1024];
  return {buffer, std::strftime(buffer, sizeof buffer, pattern.c_str(), &time)};
}

Answer timestamp(Rendering& r, Arguments args) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(r.inputs.now);
  std::string layout = "2006-01-02T15:04:05Z07:00";
  if (!args.empty()) {
    TRY(layout, text_argument(args[0]));
  }
  if (layout == "unix") return Value(std::to_string(seconds));
  std::tm time{};
  gmtime_r(&seconds, &time);
  return Value(format_time(layout, time));
}

Answer execute_template(Rendering& r, Arguments args) {
  TRY(const std::string name, text_argument(args[0]));
  TRY(std::string out, r.execute(name, args.size() > 1 ? args[1] : Value()));
  return Value(std::move(out));
}

constexpr Function kFunctions[] = {
    {"join", 2, 2, join},
    {"split", 2, 2, split},
    {"replaceAll", 3, 3, replace_all},
    {"regexReplaceAll", 3, 3, regex_replace},
    {"regexMatch", 2, 2, regex_match},
    {"toLower", 1, 1, each_letter<std::tolower>},
    {"toUpper", 1, 1, each_letter<std::toupper>},
    {"toTitle", 1, 1, to_title},
    {"trimSpace", 1, 1,
     [](Rendering&, Arguments a) -> Answer {
       TRY(const auto t, texts(a));
       return Value(trim(t[0], kBlank));
     }},
    {"trim", 2, 2,
     [](Rendering&, Arguments a) -> Answer {
       TRY(const auto t, texts(a));
       return Value(trim(t[1], t[0]));
     }},
    {"trimPrefix", 2, 2,
     [](Rendering&, Arguments a) -> Answer {
       TRY(const auto t, texts(a));
       return Value(t[1].starts_with(t[0]) ? t[1].substr(t[0].size()) : t[1]);
     }},
    {"trimSuffix", 2, 2,
     [](Rendering&, Arguments a) -> Answer {
       TRY(const auto t, texts(a));
       return Value(t[1].ends_with(t[0]) ? t[1].substr(0, t[1].size() - t[0].size()) : t[1]);
     }},
    {"indent", 2, 2, indent},
    {"contains", 2, 2, [](Rendering&, Arguments a) { return holds(a[1], a[0]); }},
    {"in", 2, 2, [](Rendering&, Arguments a) { return holds(a[0], a[1]); }},
    {"containsAll", 2, 2, contains_some<[](std::size_t n, std::size_t all) { return n == all; }>},
    {"containsAny", 2, 2, contains_some<[](std::size_t n, std::size_t) { return n != 0; }>},
    {"containsNone", 2, 2, contains_some<[](std::size_t n, std::size_t) { return n == 0; }>},
    {"containsNotAll", 2, 2, contains_some<[](std::size_t n, std::size_t all) { return n != all; }>},
    {"env", 1, 1, env},
    {"envOrDefault", 2, 2, env_or_default},
    {"mustEnv", 1, 1, must_env},
    {"timestamp", 0, 1, timestamp},
    {"executeTemplate", 1, 2, execute_template},
    {"scratch", 0, 0, [](Rendering& r, Arguments) -> Answer { return Value(r.scratch); }},
};

}  // namespace

std::span<const Function> text_functions() { return kFunctions; }

}  // namespace devstack::templates

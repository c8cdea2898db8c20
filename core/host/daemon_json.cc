#include "core/host/daemon_json.h"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>

namespace devstack::host {
namespace {

namespace json = boost::json;

constexpr std::string_view kBlank = " \t\r\n";

SourcePos position(std::string_view text, std::string_view name, std::size_t offset) {
  const auto before = text.substr(0, std::min(offset, text.size()));
  const auto line_start = before.rfind('\n');
  const auto column = line_start == std::string_view::npos ? before.size() : before.size() - line_start - 1;
  return {std::string(name), static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(column) + 1};
}

struct Span {
  std::size_t begin = 0, end = 0;
};
struct Member {
  Span key, value;  ///< the key with its quotes
};

/// Walks text that is known to be JSON.
class Walk {
 public:
  explicit Walk(std::string_view text) : text_(text) {}

  /// The members of the object that the text is.
  std::vector<Member> members() {
    std::vector<Member> found;
    next();
    ++at_;  // {
    for (next(); text_[at_] != '}'; next()) {
      Member member;
      member.key = value();
      next();
      ++at_;  // :
      next();
      member.value = value();
      found.push_back(member);
      next();
      if (text_[at_] == ',') ++at_;
    }
    return found;
  }
  /// Where the object's closing brace stands, after members().
  [[nodiscard]] std::size_t end() const { return at_; }

 private:
  void next() { at_ = std::min(text_.find_first_not_of(kBlank, at_), text_.size()); }
  Span value() {
    const auto begin = at_;
    int depth = 0;
    do {
      const char letter = text_[at_];
      if (letter == '"') {
        string();
        continue;
      }
      if (depth == 0 && (letter == ',' || letter == ']' || letter == '}' || kBlank.find(letter) != kBlank.npos)) break;
      if (letter == '{' || letter == '[') ++depth;
      if (letter == '}' || letter == ']') --depth;
      ++at_;
      if (depth == 0 && (letter == '}' || letter == ']')) break;
    } while (at_ < text_.size() && (depth > 0 || text_[begin] != '"'));
    return {begin, at_};
  }
  void string() {
    for (++at_; text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Result<json::value> parse(std::string_view text, std::string_view name) {
  json::stream_parser parser;
  boost::system::error_code error;
  auto used = parser.write_some(text.data(), text.size(), error);
  if (!error) {
    const auto rest = text.find_first_not_of(kBlank, used);
    if (rest != std::string_view::npos) {
      return fail_at(position(text, name, rest), Errc::parse, "text after the end of the JSON");
    }
    parser.finish(error);
    used = text.size();
  }
  if (error) {
    return fail_at(position(text, name, used), Errc::parse, "this is not JSON: {}; mend it first, nothing was changed",
                   error.message());
  }
  return parser.release();
}

std::string json_string(std::string_view text) { return json::serialize(json::string(text)); }

/// As the last member is laid out: what stands between it and what comes before it.
std::string separator(std::string_view text, const std::vector<Member>& members) {
  const auto key = members.back().key.begin;
  const auto before = text.find_last_not_of(kBlank, key - 1);
  return std::string(text.substr(before + 1, key - before - 1));
}

std::string with_member(std::string_view text, const std::vector<Member>& members, std::size_t brace,
                        const std::string& member) {
  std::string out(text);
  if (members.empty()) {
    out.replace(out.find('{'), brace - out.find('{') + 1, "{\n  " + member + "\n}");
  } else {
    out.insert(members.back().value.end, "," + separator(text, members) + member);
  }
  return out;
}

std::string with_first(std::string_view text, const Span& list, const json::array& values, const std::string& value) {
  std::string out(text);
  if (std::find(values.begin(), values.end(), json::value(value)) != values.end() || values.empty()) {
    json::array all{json::value(value)};
    for (const auto& one : values) {
      if (one != json::value(value)) all.push_back(one);
    }
    std::string written = "[";
    for (const auto& one : all) written += (written.size() > 1 ? ", " : "") + json::serialize(one);
    return out.replace(list.begin, list.end - list.begin, written + "]");
  }
  const auto first = text.find_first_not_of(kBlank, list.begin + 1);
  const auto blank = text.substr(list.begin + 1, first - list.begin - 1);
  return out.insert(first, json_string(value) + "," + (blank.empty() ? " " : std::string(blank)));
}

}  // namespace

std::vector<std::string> list_of(std::string_view text, std::string_view key) {
  std::vector<std::string> found;
  const auto document = parse(text, "");
  const auto* list =
      document && document->is_object() ? document->get_object().if_contains({key.data(), key.size()}) : nullptr;
  if (list == nullptr || !list->is_array()) return found;
  for (const auto& one : list->get_array()) {
    if (one.is_string()) found.emplace_back(std::string_view(one.get_string()));
  }
  return found;
}

Result<std::string> put_first(std::string_view text, std::string_view name, std::string_view key,
                              const std::string& value) {
  const auto start = text.find_first_not_of(kBlank);
  const std::string added = fmt::format("{}: [{}]", json_string(key), json_string(value));
  if (start == std::string_view::npos) return "{\n  " + added + "\n}\n";
  TRY(const auto document, parse(text, name));
  if (!document.is_object()) return fail_at(position(text, name, start), Errc::parse, "an object is wanted here");
  Walk walk(text);
  const auto members = walk.members();
  std::optional<Member> found;  // of two with one name the last counts
  for (const auto& member : members) {
    const auto written = text.substr(member.key.begin, member.key.end - member.key.begin);
    if (json::parse({written.data(), written.size()}) == json::value(json::string(key))) found = member;
  }
  if (!found) return with_member(text, members, walk.end(), added);
  const auto list = document.get_object().at({key.data(), key.size()});
  const bool strings = list.is_array() && std::all_of(list.get_array().begin(), list.get_array().end(),
                                                      [](const json::value& one) { return one.is_string(); });
  if (!strings) {
    return fail_at(position(text, name, found->value.begin), Errc::parse, "\"{}\" should be a list of strings", key);
  }
  const auto& values = list.get_array();
  if (!values.empty() && values.front() == json::value(value)) return std::string(text);
  return with_first(text, found->value, values, value);
}

}  // namespace devstack::host

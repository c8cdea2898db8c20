#include "core/api/bexpr_syntax.h"

#include <algorithm>
#include <optional>

namespace devstack::api::bexpr {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Recursive descent with go-bexpr's PEG rules as methods: each either consumes its rule or leaves `at_` alone. The
/// farthest place where something was missing is what the error names.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Syntax> run() {
    skip_space();
    auto expression = any_of();
    if (expression) {
      skip_space();
      if (at_ == text_.size()) return std::move(*expression);
      missing("EOF");
    }
    const std::string_view before = text_.substr(0, farthest_);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    return fail(Errc::parse, "{}:{} ({}): no match found, expected: {}", line, farthest_ - line_start + 1, farthest_,
                expected_);
  }

 private:
  static constexpr int kDeepest = 64;

  std::optional<Syntax> any_of() { return chain("or", Syntax::Kind::any, &Parser::all_of); }
  std::optional<Syntax> all_of() { return chain("and", Syntax::Kind::all, &Parser::negation); }

  std::optional<Syntax> chain(std::string_view word, Syntax::Kind kind, std::optional<Syntax> (Parser::*part)()) {
    auto first = (this->*part)();
    if (!first) return std::nullopt;
    Syntax joined;
    joined.kind = kind;
    joined.parts.push_back(std::move(*first));
    while (true) {
      const std::size_t start = at_;
      if (!word_between_spaces(word)) break;
      auto next = (this->*part)();
      if (!next) {
        at_ = start;
        return std::nullopt;
      }
      joined.parts.push_back(std::move(*next));
    }
    if (joined.parts.size() == 1) return std::move(joined.parts.front());
    return joined;
  }

  std::optional<Syntax> negation() {
    const std::size_t start = at_;
    if (literal("not") && space()) {
      if (++depth_ > kDeepest) return std::nullopt;
      auto inner = negation();
      --depth_;
      if (inner) {
        Syntax whole;
        whole.kind = Syntax::Kind::negation;
        whole.parts.push_back(std::move(*inner));
        return whole;
      }
    }
    at_ = start;
    return group();
  }

  std::optional<Syntax> group() {
    const std::size_t start = at_;
    if (!literal("(")) return comparison();
    if (++depth_ > kDeepest) return std::nullopt;
    skip_space();
    auto inner = any_of();
    --depth_;
    skip_space();
    if (inner && literal(")")) return inner;
    missing("\")\"");
    at_ = start;
    return std::nullopt;
  }

  std::optional<Syntax> comparison() {
    const std::size_t start = at_;
    if (auto found = selector_first()) return found;
    at_ = start;
    if (auto found = value_first()) return found;
    at_ = start;
    missing("selector or value");
    return std::nullopt;
  }

  std::optional<Syntax> selector_first() {
    Syntax out;
    auto path = selector();
    if (!path) return std::nullopt;
    out.selector = std::move(*path);
    const std::size_t after = at_;
    if (symbol("==")) {
      out.op = Operator::equal;
    } else if (symbol("!=")) {
      out.op = Operator::not_equal;
    } else if (words({"is", "not", "empty"})) {
      out.op = Operator::not_empty;
      return out;
    } else if (words({"is", "empty"})) {
      out.op = Operator::empty;
      return out;
    } else if (words({"contains"}) && space()) {
      out.op = Operator::in;
    } else if (at_ = after; words({"not", "contains"}) && space()) {
      out.op = Operator::not_in;
    } else if (at_ = after; words({"matches"}) && space()) {
      out.op = Operator::matches;
    } else if (at_ = after; words({"not", "matches"}) && space()) {
      out.op = Operator::not_matches;
    } else {
      missing("operator");
      return std::nullopt;
    }
    auto text = value();
    if (!text) return std::nullopt;
    out.value = std::move(*text);
    return out;
  }

  std::optional<Syntax> value_first() {
    Syntax out;
    auto text = value();
    if (!text) return std::nullopt;
    out.value = std::move(*text);
    const std::size_t after = at_;
    if (words({"in"}) && space()) {
      out.op = Operator::in;
    } else if (at_ = after; words({"not", "in"}) && space()) {
      out.op = Operator::not_in;
    } else {
      missing("operator");
      return std::nullopt;
    }
    auto path = selector();
    if (!path) return std::nullopt;
    out.selector = std::move(*path);
    return out;
  }

  std::optional<std::vector<std::string>> selector() {
    std::vector<std::string> path;
    auto first = identifier();
    if (!first) return std::nullopt;
    path.push_back(std::move(*first));
    while (at_ < text_.size()) {
      const std::size_t start = at_;
      if (literal(".")) {
        auto next = identifier();
        if (!next) {
          at_ = start;
          break;
        }
        path.push_back(std::move(*next));
      } else if (literal("[")) {
        skip_space();
        auto key = quoted();
        skip_space();
        if (!key || !literal("]")) {
          at_ = start;
          break;
        }
        path.push_back(std::move(*key));
      } else {
        break;
      }
    }
    return path;
  }

  std::optional<std::string> identifier() {
    const std::size_t start = at_;
    if (at_ >= text_.size() || !is_letter(text_[at_])) {
      missing("[a-zA-Z]");
      return std::nullopt;
    }
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '_')) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  /// A bare word is taken as it stands, when it has a selector's shape.
  std::optional<std::string> value() {
    const std::size_t start = at_;
    if (at_ < text_.size() && is_letter(text_[at_])) {
      if (selector()) return std::string(text_.substr(start, at_ - start));
      return std::nullopt;
    }
    if (auto text = quoted()) return text;
    at_ = start;
    return number();
  }

  std::optional<std::string> number() {
    const std::size_t start = at_;
    if (at_ < text_.size() && text_[at_] == '-') ++at_;
    const std::size_t digits = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    if (at_ > digits && at_ + 1 < text_.size() && text_[at_] == '.' && is_digit(text_[at_ + 1])) {
      ++at_;
      while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    }
    const bool ended = at_ == text_.size() || is_space(text_[at_]) || text_[at_] == ')';
    if (at_ > digits && ended) return std::string(text_.substr(start, at_ - start));
    missing("value");
    at_ = start;
    return std::nullopt;
  }

  std::optional<std::string> quoted() {
    const std::size_t start = at_;
    if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '`')) {
      missing("\"\\\"\"");
      return std::nullopt;
    }
    const char quote = text_[at_++];
    std::string out;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote) {
        ++at_;
        return out;
      }
      if (quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size()) {
        out += unescape(text_[++at_]);
      } else {
        out += text_[at_];
      }
    }
    missing("closing quote");
    at_ = start;
    return std::nullopt;
  }

  static std::string unescape(char c) {
    switch (c) {
      case 'n':
        return "\n";
      case 't':
        return "\t";
      case 'r':
        return "\r";
      case '"':
      case '\\':
        return std::string(1, c);
      default:
        return std::string("\\") + c;
    }
  }

  bool symbol(std::string_view sign) {
    const std::size_t start = at_;
    skip_space();
    if (literal(sign)) {
      skip_space();
      return true;
    }
    at_ = start;
    return false;
  }
  /// Each word with white space before it.
  bool words(std::initializer_list<std::string_view> list) {
    const std::size_t start = at_;
    for (const auto word : list) {
      if (space() && literal(word)) continue;
      at_ = start;
      return false;
    }
    return true;
  }
  bool word_between_spaces(std::string_view word) {
    const std::size_t start = at_;
    if (words({word}) && space()) return true;
    at_ = start;
    return false;
  }
  bool space() {
    if (at_ >= text_.size() || !is_space(text_[at_])) {
      missing("[ \\t\\r\\n]");
      return false;
    }
    skip_space();
    return true;
  }
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool literal(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  void missing(std::string_view what) {
    if (at_ < farthest_) return;
    if (at_ > farthest_) expected_.clear();
    farthest_ = at_;
    if (expected_.find(what) != std::string::npos) return;
    if (!expected_.empty()) expected_ += ", ";
    expected_ += what;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t farthest_ = 0;
  std::string expected_;
  int depth_ = 0;
};

}  // namespace

Result<Syntax> parse_syntax(std::string_view text) { return Parser(text).run(); }

}  // namespace devstack::api::bexpr

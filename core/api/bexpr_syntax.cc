#include "core/api/bexpr_syntax.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "core/api/go_text.h"

namespace devstack::api::bexpr {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

/// go-bexpr's grammar rule by rule, as its parser generator carries it out
/// (https://github.com/hashicorp/go-bexpr/blob/v0.1.2/grammar.peg): every terminal that is tried is noted at the
/// farthest place anything was tried, and a few rules know what is wrong. Both are what the errors say. Each rule
/// either consumes its text or leaves `at_` alone; one that was carried out at a place is not carried out there again,
/// which keeps nested parentheses linear.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Syntax> run() {
    auto expression = input();
    if (depth_reached_) return fail(Errc::parse, "the expression is nested too deeply");
    if (!problems_.empty()) return fail(Errc::parse, "{}", problems_.front());
    if (expression) return std::move(*expression);
    return fail(Errc::parse, "{}: no match found, expected: {}", position(farthest_), expected_list());
  }

 private:
  static constexpr int kDeepest = 64;
  enum class Rule { any_of, all_of, group, comparison, selector, value };
  struct Known {
    std::size_t end = 0;
    std::optional<Syntax> found;
  };

  // --- Input, or, and, not, ( ) ---
  std::optional<Syntax> input() {
    if (attempt([&] { return optional_space() && literal("("); })) {
      optional_space();
      auto inner = any_of();
      if (inner && attempt([&] { return optional_space() && literal(")") && optional_space() && end(); })) return inner;
    }
    at_ = 0;
    optional_space();
    auto whole = any_of();
    if (whole && attempt([&] { return optional_space() && end(); })) return whole;
    return std::nullopt;
  }

  std::optional<Syntax> any_of() {
    return once(Rule::any_of, [&] { return chain("or", Syntax::Kind::any, &Parser::all_of); });
  }
  std::optional<Syntax> all_of() {
    return once(Rule::all_of, [&] { return chain("and", Syntax::Kind::all, &Parser::negation); });
  }

  std::optional<Syntax> chain(std::string_view word, Syntax::Kind kind, std::optional<Syntax> (Parser::*part)()) {
    auto first = (this->*part)();
    if (!first) return std::nullopt;
    Syntax joined;
    joined.kind = kind;
    joined.parts.push_back(std::move(*first));
    while (true) {
      const std::size_t start = at_;
      if (!attempt([&] { return space() && literal(word) && space(); })) break;
      auto next = (this->*part)();
      if (!next) {
        at_ = start;
        break;
      }
      joined.parts.push_back(std::move(*next));
    }
    if (joined.parts.size() == 1) return std::move(joined.parts.front());
    return joined;
  }

  std::optional<Syntax> negation() {
    const std::size_t start = at_;
    if (attempt([&] { return literal("not") && space(); })) {
      const Depth depth(*this);
      auto inner = depth.reached() ? std::nullopt : negation();
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
    return once(Rule::group, [&]() -> std::optional<Syntax> {
      const std::size_t start = at_;
      const bool opened = literal("(");
      if (opened) {
        const Depth depth(*this);
        if (depth.reached()) return std::nullopt;
        optional_space();
        auto inner = any_of();
        if (inner) {
          optional_space();
          if (literal(")")) return inner;
        }
        at_ = start;
      }
      if (auto found = comparison()) return found;
      literal("(");
      if (opened) {
        optional_space();
        if (any_of()) {
          optional_space();
          if (absent([&] { return literal(")"); })) problem("grouping", "Unmatched parentheses");
        }
      }
      at_ = start;
      return std::nullopt;
    });
  }

  // --- Comparisons ---
  std::optional<Syntax> comparison() {
    return once(Rule::comparison, [&]() -> std::optional<Syntax> {
      const std::size_t start = at_;
      for (const auto alternative : {&Parser::selector_value, &Parser::selector_alone, &Parser::value_selector}) {
        at_ = start;
        if (auto found = (this->*alternative)()) return found;
      }
      at_ = start;
      return std::nullopt;
    });
  }

  std::optional<Syntax> selector_value() {
    Syntax out;
    if (!selector(out.selector)) return std::nullopt;
    if (sign("==")) {
      out.op = Operator::equal;
    } else if (sign("!=")) {
      out.op = Operator::not_equal;
    } else if (words({"contains"}, true)) {
      out.op = Operator::in;
    } else if (words({"not", "contains"}, true)) {
      out.op = Operator::not_in;
    } else if (words({"matches"}, true)) {
      out.op = Operator::matches;
    } else if (words({"not", "matches"}, true)) {
      out.op = Operator::not_matches;
    } else {
      return std::nullopt;
    }
    if (!value(out.value)) return std::nullopt;
    return out;
  }

  std::optional<Syntax> selector_alone() {
    Syntax out;
    if (!selector(out.selector)) return std::nullopt;
    if (words({"is", "empty"}, false)) {
      out.op = Operator::empty;
    } else if (words({"is", "not", "empty"}, false)) {
      out.op = Operator::not_empty;
    } else {
      return std::nullopt;
    }
    return out;
  }

  std::optional<Syntax> value_selector() {
    const std::size_t start = at_;
    Syntax out;
    if (!value(out.value) || !in_or_not_in(out.op)) return std::nullopt;
    if (selector(out.selector)) return out;
    // The rule's other reading: a selector is missing here.
    at_ = start;
    std::string again;
    std::vector<std::string> none;
    if (value(again) && in_or_not_in(out.op) && absent([&] { return selector(none); })) {
      problem("match", "Invalid selector");
    }
    return std::nullopt;
  }

  bool in_or_not_in(Operator& op) {
    if (words({"in"}, true)) {
      op = Operator::in;
      return true;
    }
    op = Operator::not_in;
    return words({"not", "in"}, true);
  }

  // --- Selectors and values ---
  bool selector(std::vector<std::string>& out) {
    const auto found = once(Rule::selector, [&]() -> std::optional<Syntax> {
      Syntax path;
      std::string name;
      if (!identifier(name)) return std::nullopt;
      path.selector.push_back(std::move(name));
      while (true) {
        const std::size_t start = at_;
        if (literal(".") && identifier(name)) {
          path.selector.push_back(std::move(name));
          continue;
        }
        at_ = start;
        if (!index(name)) return path;
        path.selector.push_back(std::move(name));
      }
    });
    if (found) out = found->selector;
    return found.has_value();
  }

  bool identifier(std::string& out) {
    const std::size_t start = at_;
    if (!one(is_letter, "[a-zA-Z]")) return false;
    while (one(is_word, "[a-zA-Z0-9_]")) {
    }
    out = text_.substr(start, at_ - start);
    return true;
  }

  bool index(std::string& out) {
    const std::size_t start = at_;
    if (literal("[")) {
      optional_space();
      if (text(out)) {
        optional_space();
        if (literal("]")) return true;
      }
    }
    std::string ignored;
    at_ = start;
    if (literal("[")) {
      optional_space();
      if (absent([&] { return text(ignored); })) problem("index", "Invalid index");
    }
    at_ = start;
    if (literal("[")) {
      optional_space();
      if (text(ignored)) {
        optional_space();
        if (absent([&] { return literal("]"); })) problem("index", "Unclosed index expression");
      }
    }
    at_ = start;
    return false;
  }

  bool value(std::string& out) {
    const auto found = once(Rule::value, [&]() -> std::optional<Syntax> {
      Syntax holder;
      std::vector<std::string> path;
      if (selector(path)) {
        for (const auto& part : path) holder.value += (holder.value.empty() ? "" : ".") + part;
        return holder;
      }
      if (number(holder.value) || text(holder.value)) return holder;
      return std::nullopt;
    });
    if (found) out = found->value;
    return found.has_value();
  }

  bool number(std::string& out) {
    const std::size_t start = at_;
    if (bare_number()) {
      out = text_.substr(start, at_ - start);
      if (present([&] { return after_number(); })) return true;
      at_ = start;
      if (bare_number() && absent([&] { return after_number(); })) problem("number", "Invalid number literal");
    }
    at_ = start;
    return false;
  }

  bool bare_number() {
    const std::size_t start = at_;
    literal("-");
    if (!literal("0")) {
      if (!one([](char c) { return c >= '1' && c <= '9'; }, "[1-9]")) {
        at_ = start;
        return false;
      }
      while (one(is_digit, "[0-9]")) {
      }
    }
    attempt([&] {
      if (!literal(".") || !one(is_digit, "[0-9]")) return false;
      while (one(is_digit, "[0-9]")) {
      }
      return true;
    });
    return true;
  }

  bool after_number() { return space() || end() || literal(")"); }

  bool text(std::string& out) {
    const std::size_t start = at_;
    for (const auto quote : {'`', '"'}) {
      if (!opened(quote)) continue;
      if (literal(quote == '`' ? "`" : "\"")) {
        const auto whole = text_.substr(start, at_ - start);
        if (!go_unquote(whole, out)) problem_at(start, "string", "invalid syntax");
        return true;
      }
      at_ = start;
    }
    for (const auto quote : {'`', '"'}) {
      if (!opened(quote)) continue;
      if (end()) problem("string", "Unterminated string literal");
      at_ = start;
    }
    return false;
  }

  /// The quote and everything up to the next one.
  bool opened(char quote) {
    const std::string_view sign = quote == '`' ? "`" : "\"";
    if (!literal(sign)) return false;
    while (absent([&] { return literal(sign); }) && any_character()) {
    }
    return true;
  }

  // --- Terminals ---
  bool sign(std::string_view which) {
    return attempt([&] {
      optional_space();
      if (!literal(which)) return false;
      optional_space();
      return true;
    });
  }
  /// Each word with white space before it, and after the last when `more`.
  bool words(std::initializer_list<std::string_view> list, bool more) {
    return attempt([&] {
      for (const auto word : list) {
        if (!space() || !literal(word)) return false;
      }
      return !more || space();
    });
  }
  bool space() {
    if (!one(is_space, "[ \\t\\r\\n]")) return false;
    while (one(is_space, "[ \\t\\r\\n]")) {
    }
    return true;
  }
  bool optional_space() {
    space();
    return true;
  }
  bool end() {
    return absent([&] { return any_character(); });
  }
  bool any_character() {
    const bool there = at_ < text_.size();
    tried(there, at_, ".");
    at_ += there ? 1 : 0;
    return there;
  }
  bool literal(std::string_view word) {
    const bool there = text_.substr(at_).starts_with(word);
    tried(there, at_, go_quote(word));
    at_ += there ? word.size() : 0;
    return there;
  }
  bool one(bool (*kind)(char), std::string_view name) {
    const bool there = at_ < text_.size() && kind(text_[at_]);
    tried(there, at_, std::string(name));
    at_ += there ? 1 : 0;
    return there;
  }

  // --- Looking ahead, and back ---
  template <class Part>
  bool attempt(Part part) {
    const std::size_t start = at_;
    if (part()) return true;
    at_ = start;
    return false;
  }
  template <class Part>
  bool present(Part part) {
    const std::size_t start = at_;
    const bool there = part();
    at_ = start;
    return there;
  }
  template <class Part>
  bool absent(Part part) {
    inverted_ = !inverted_;
    const bool there = present(part);
    inverted_ = !inverted_;
    return !there;
  }
  template <class Part>
  std::optional<Syntax> once(Rule rule, Part part) {
    const auto key = std::tuple(at_, rule, inverted_);
    if (const auto known = known_.find(key); known != known_.end()) {
      if (known->second.found) at_ = known->second.end;
      return known->second.found;
    }
    const std::size_t start = at_;
    auto found = part();
    if (!found) at_ = start;
    known_[key] = Known{at_, found};
    return found;
  }
  class Depth {
   public:
    explicit Depth(Parser& parser) : parser_(parser) { ++parser_.depth_; }
    ~Depth() { --parser_.depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    [[nodiscard]] bool reached() const {
      if (parser_.depth_ > kDeepest) parser_.depth_reached_ = true;
      return parser_.depth_reached_;
    }

   private:
    Parser& parser_;
  };

  // --- What to say ---
  /// A terminal did or did not match; under "not" it is the match that is in the way.
  void tried(bool matched, std::size_t where, std::string what) {
    if (matched != inverted_ || where < farthest_) return;
    if (where > farthest_) expected_.clear();
    farthest_ = where;
    expected_.insert(inverted_ ? "!" + what : std::move(what));
  }
  void problem(std::string_view rule, std::string_view what) { problem_at(at_, rule, what); }
  void problem_at(std::size_t where, std::string_view rule, std::string_view what) {
    problems_.push_back(fmt::format("{}: rule \"{}\": {}", position(where), rule, what));
  }
  [[nodiscard]] std::string position(std::size_t where) const {
    const bool at_line_end = where < text_.size() && text_[where] == '\n';
    const auto before = text_.substr(0, where + (at_line_end ? 1 : 0));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t last = before.rfind('\n');
    const auto in_line = text_.substr(0, where).substr(last == std::string_view::npos || at_line_end ? 0 : last + 1);
    const auto runes = std::count_if(in_line.begin(), in_line.end(),
                                     [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
    return fmt::format("{}:{} ({})", line, at_line_end ? 0 : runes + 1, where);
  }
  [[nodiscard]] std::string expected_list() const {
    std::vector<std::string> all;
    for (const auto& what : expected_) {
      if (what != "!.") all.push_back(what);
    }
    if (all.size() != expected_.size()) all.emplace_back("EOF");
    std::string out;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i > 0) out += i + 1 == all.size() ? " or " : ", ";
      out += all[i];
    }
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool inverted_ = false;
  std::size_t farthest_ = 0;
  std::set<std::string> expected_;
  std::vector<std::string> problems_;
  std::map<std::tuple<std::size_t, Rule, bool>, Known> known_;
  int depth_ = 0;
  bool depth_reached_ = false;
};

}  // namespace

Result<Syntax> parse_syntax(std::string_view text) { return Parser(text).run(); }

}  // namespace devstack::api::bexpr

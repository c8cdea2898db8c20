#include "core/template/parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/base/suggest.h"
#include "core/template/functions.h"

namespace devstack::templates {
namespace {

using Kind = Token::Kind;

constexpr std::size_t kMaxBytes = 1U << 20U;
constexpr int kMaxDepth = 100;
constexpr std::array<std::string_view, 11> kKeywords{"if",    "else",     "end",   "range",    "with", "define",
                                                     "block", "template", "break", "continue", "nil"};

/// Go's integer and float literals.
std::optional<Value> number(std::string text) {
  const bool exponent = text.find_first_of("xX") == std::string::npos && text.find_first_of("eE") != std::string::npos;
  const bool is_float = text.find('.') != std::string::npos || exponent;
  std::erase(text, '_');
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  const char* end = digits.data() + digits.size();
  if (is_float) {
    double value = 0;
    const auto [stopped, error] = std::from_chars(digits.data(), end, value);
    if (error != std::errc() || stopped != end) return std::nullopt;
    return Value(negative ? -value : value);
  }
  int base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    const char mark = static_cast<char>(digits[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    digits.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  std::int64_t value = 0;
  const auto [stopped, error] = std::from_chars(digits.data(), end, value, base);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return Value(negative ? -value : value);
}

class Parser {
 public:
  Parser(Template& into, std::vector<Token> tokens) : out_(into), tokens_(std::move(tokens)) {}

  Result<void> run() {
    TRY(const Ended ended, block(out_.body));
    if (ended.by != "end of text") return error(ended.at, "unexpected {{{{{}}}}}", ended.by);
    return {};
  }

 private:
  /// What closed a block: "end", "else" or the end of the text; `at` is its token.
  struct Ended {
    std::string by;
    Token at;
  };

  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  Token take() {
    Token token = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  [[nodiscard]] bool is_word(std::string_view word) const {
    return peek().kind == Kind::identifier && peek().value == word;
  }
  template <class... Args>
  [[nodiscard]] tl::unexpected<Error> error(const Token& where, fmt::format_string<Args...> format,
                                            Args&&... args) const {
    return fail_at(locate(out_.text, out_.source, where.offset), Errc::parse, format, std::forward<Args>(args)...);
  }
  [[nodiscard]] std::string shown(const Token& token) const {
    if (token.kind == Kind::end) return "EOF";
    return fmt::format("{}", std::string_view(out_.text).substr(token.offset, token.length));
  }
  Result<void> close(std::string_view context) {
    const Token token = take();
    if (token.kind == Kind::close) return {};
    return error(token, "unexpected <{}> in {}", shown(token), context);
  }

  Result<Ended> block(Block& into) {
    if (++depth_ > kMaxDepth) return error(peek(), "nested deeper than {} levels", kMaxDepth);
    const std::size_t variables = variables_.size();
    while (true) {
      const Token token = take();
      if (token.kind == Kind::end) {
        --depth_;
        return Ended{"end of text", token};
      }
      if (token.kind == Kind::text) {
        Statement text;
        text.text = token.value;
        into.push_back(std::move(text));
        continue;
      }
      if (is_word("end") || is_word("else")) {
        const Token word = take();
        variables_.resize(variables);
        --depth_;
        return Ended{word.value, token};
      }
      CHECK(statement(into, token));
    }
  }

  Result<void> statement(Block& into, const Token& open) {
    if (is_word("if")) return control(into, Statement::Kind::if_, open);
    if (is_word("with")) return control(into, Statement::Kind::with, open);
    if (is_word("range")) return control(into, Statement::Kind::range, open);
    if (is_word("define")) return define(open);
    if (is_word("block")) return inline_block(into, open);
    if (is_word("template")) return call(into, open);
    if (is_word("break") || is_word("continue")) return jump(into);
    Statement action;
    action.kind = Statement::Kind::action;
    TRY(action.pipe, pipeline("command", Kind::close));
    action.span = action.pipe.span;
    into.push_back(std::move(action));
    return close("command");
  }

  Result<void> jump(Block& into) {
    const Token word = take();
    if (loops_ == 0) return error(word, "{{{{{}}}}} outside {{{{range}}}}", word.value);
    Statement statement;
    statement.kind = word.value == "break" ? Statement::Kind::break_ : Statement::Kind::continue_;
    into.push_back(std::move(statement));
    return close(word.value);
  }

  Result<void> control(Block& into, Statement::Kind kind, const Token& open) {
    const Token word = take();
    const std::size_t variables = variables_.size();
    if (++depth_ > kMaxDepth) return error(word, "nested deeper than {} levels", kMaxDepth);
    Statement statement;
    statement.kind = kind;
    TRY(statement.pipe, pipeline(word.value, Kind::close));
    statement.span = statement.pipe.span;
    CHECK(close(word.value));
    loops_ += kind == Statement::Kind::range ? 1 : 0;
    TRY(Ended ended, block(statement.body));
    loops_ -= kind == Statement::Kind::range ? 1 : 0;
    if (ended.by == "else") {
      // `else if` and `else with` are a nested statement that shares the one end.
      if ((is_word("if") && kind == Statement::Kind::if_) || (is_word("with") && kind == Statement::Kind::with)) {
        CHECK(control(statement.otherwise, kind, open));
        ended.by = "chained";
      } else {
        CHECK(close("else"));
        TRY(ended, block(statement.otherwise));
      }
    }
    variables_.resize(variables);
    --depth_;
    into.push_back(std::move(statement));
    if (ended.by == "chained") return {};
    if (ended.by == "end of text") return error(open, "unexpected EOF: {{{{{}}}}} has no {{{{end}}}}", word.value);
    if (ended.by != "end") return error(ended.at, "expected end; found {{{{{}}}}}", ended.by);
    return close("end");
  }

  Result<std::string> template_name(std::string_view context) {
    const Token name = take();
    if (name.kind != Kind::string) return error(name, "unexpected <{}> in {} clause", shown(name), context);
    return name.value;
  }

  /// A body with a scope of its own, in which only `$` is known.
  Result<void> body_of(const std::string& name, const Token& open) {
    auto outer = std::exchange(variables_, {"$"});
    const int outer_loops = std::exchange(loops_, 0);
    Block body;
    TRY(const Ended ended, block(body));
    if (ended.by == "end of text") return error(open, "unexpected EOF: \"{}\" has no {{{{end}}}}", name);
    if (ended.by != "end") return error(ended.at, "unexpected {{{{{}}}}} in define clause", ended.by);
    variables_ = std::move(outer);
    loops_ = outer_loops;
    CHECK(close("end"));
    if (!out_.defined.emplace(name, std::move(body)).second) {
      return error(open, "template: multiple definition of template \"{}\"", name);
    }
    return {};
  }

  Result<void> define(const Token& open) {
    take();
    TRY(const std::string name, template_name("define"));
    CHECK(close("define"));
    return body_of(name, open);
  }

  Result<void> inline_block(Block& into, const Token& open) {
    take();
    Statement statement;
    statement.kind = Statement::Kind::template_;
    TRY(statement.text, template_name("block"));
    TRY(statement.pipe, pipeline("block", Kind::close));
    statement.span = statement.pipe.span;
    CHECK(close("block"));
    CHECK(body_of(statement.text, open));
    into.push_back(std::move(statement));
    return {};
  }

  Result<void> call(Block& into, const Token& open) {
    take();
    Statement statement;
    statement.kind = Statement::Kind::template_;
    TRY(statement.text, template_name("template"));
    if (peek().kind != Kind::close) {
      TRY(statement.pipe, pipeline("template", Kind::close));
    }
    statement.span = {open.offset, peek().offset};
    into.push_back(std::move(statement));
    return close("template");
  }

  Result<Pipe> pipeline(std::string_view context, Kind closing) {
    if (++depth_ > kMaxDepth) return error(peek(), "nested deeper than {} levels", kMaxDepth);
    Pipe pipe;
    pipe.span.from = peek().offset;
    CHECK(declaration(pipe, context));
    while (true) {
      TRY(Command command, this->command(context));
      if (!pipe.commands.empty()) CHECK(check_stage(command, pipe.commands.size() + 1));
      pipe.commands.push_back(std::move(command));
      if (peek().kind != Kind::pipe) break;
      take();
    }
    if (peek().kind != closing) return error(peek(), "unexpected <{}> in {}", shown(peek()), context);
    pipe.span.to = peek().offset;
    if (pipe.declares) variables_.insert(variables_.end(), pipe.variables.begin(), pipe.variables.end());
    --depth_;
    return pipe;
  }

  /// `$x :=`, `$x =`, `$i, $e :=`.
  Result<void> declaration(Pipe& pipe, std::string_view context) {
    if (peek().kind != Kind::variable) return {};
    const bool pair = context == "range" && peek(1).kind == Kind::comma && peek(2).kind == Kind::variable;
    const Token& sign = peek(pair ? 3 : 1);
    if (sign.kind != Kind::declare && sign.kind != Kind::assign) return {};
    pipe.declares = sign.kind == Kind::declare;
    for (int i = 0; i < (pair ? 2 : 1); ++i) {
      const Token name = take();
      if (!pipe.declares) CHECK(check_variable(name));
      pipe.variables.push_back(name.value);
      take();
    }
    return {};
  }

  Result<void> check_variable(const Token& name) const {
    if (std::find(variables_.begin(), variables_.end(), name.value) != variables_.end()) return {};
    return error(name, "undefined variable \"{}\"", name.value);
  }

  /// Only something that can take the value before it may stand behind a `|`.
  Result<void> check_stage(const Command& command, std::size_t stage) const {
    const auto kind = command.words.front().kind;
    const bool constant =
        (kind == Operand::Kind::literal || kind == Operand::Kind::dot || kind == Operand::Kind::nil) &&
        command.words.front().fields.empty();
    if (!constant) return {};
    return fail_at(locate(out_.text, out_.source, command.words.front().span.from), Errc::parse,
                   "non executable command in pipeline stage {}", stage);
  }

  Result<Command> command(std::string_view context) {
    Command command;
    const Token first = peek();
    while (true) {
      TRY(auto word, operand());
      if (!word) break;
      command.words.push_back(std::move(*word));
    }
    if (command.words.empty()) {
      if (peek().kind == Kind::close || peek().kind == Kind::right)
        return error(first, "missing value for {}", context);
      return error(first, "unexpected <{}> in {}", shown(first), context);
    }
    if (command.words.front().kind == Operand::Kind::nil) return error(first, "nil is not a command");
    return command;
  }

  Result<std::optional<Operand>> operand() {
    const Token token = peek();
    Operand word;
    word.span = {token.offset, token.offset + token.length};
    switch (token.kind) {
      case Kind::dot:
        word.kind = Operand::Kind::dot;
        break;
      case Kind::field:
        word.kind = Operand::Kind::dot;
        word.fields.push_back(token.value);
        --word.span.from;
        break;
      case Kind::variable:
        CHECK(check_variable(token));
        word.kind = Operand::Kind::variable;
        word.name = token.value;
        break;
      case Kind::string:
        word.kind = Operand::Kind::literal;
        word.literal = token.value;
        break;
      case Kind::character:
      case Kind::number: {
        auto value = number(token.value);
        if (!value) return error(token, "bad number syntax: \"{}\"", token.value);
        word.kind = Operand::Kind::literal;
        word.literal = std::move(*value);
        break;
      }
      case Kind::identifier:
        CHECK(identifier(token, word));
        break;
      case Kind::left: {
        take();
        TRY(Pipe inner, pipeline("parenthesized pipeline", Kind::right));
        word.kind = Operand::Kind::pipe;
        word.pipe = std::make_shared<const Pipe>(std::move(inner));
        break;
      }
      default:
        return std::optional<Operand>();
    }
    const Token last = take();
    word.span.to = last.offset + last.length;
    while (peek().kind == Kind::field && !peek().space_before) {
      const Token field = take();
      if (word.kind == Operand::Kind::literal || word.kind == Operand::Kind::nil) {
        return error(field, "unexpected . after term \"{}\"", shown(token));
      }
      word.fields.push_back(field.value);
      word.span.to = field.offset + field.length;
    }
    return std::optional(std::move(word));
  }

  Result<void> identifier(const Token& token, Operand& word) const {
    if (token.value == "true" || token.value == "false") {
      word.kind = Operand::Kind::literal;
      word.literal = token.value == "true";
      return {};
    }
    if (token.value == "nil") {
      word.kind = Operand::Kind::nil;
      return {};
    }
    if (std::find(kKeywords.begin(), kKeywords.end(), token.value) != kKeywords.end()) {
      return error(token, "unexpected {{{{{}}}}}", token.value);
    }
    if (find_function(token.value) == nullptr) {
      if (const auto why = unsupported_function(token.value); !why.empty()) {
        return error(token, "function \"{}\" is not supported: {}", token.value, why);
      }
      const auto meant = nearest(token.value, function_names());
      return error(token, "function \"{}\" not defined{}", token.value,
                   meant ? fmt::format("; did you mean \"{}\"?", *meant) : "");
    }
    word.kind = Operand::Kind::function;
    word.name = token.value;
    return {};
  }

  Template& out_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::vector<std::string> variables_{"$"};
  int depth_ = 0;
  int loops_ = 0;
};

}  // namespace

Result<std::shared_ptr<const Template>> parse(std::string text, std::string source, const Delimiters& delimiters) {
  if (text.size() > kMaxBytes) return fail(Errc::parse, "{}: the template is larger than 1 MiB", source);
  auto parsed = std::make_shared<Template>();
  parsed->source = std::move(source);
  parsed->text = std::move(text);
  TRY(auto tokens, lex(parsed->text, parsed->source, delimiters));
  CHECK(Parser(*parsed, std::move(tokens)).run());
  return std::shared_ptr<const Template>(std::move(parsed));
}

}  // namespace devstack::templates

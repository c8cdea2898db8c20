#include "core/template/evaluate.h"

#include <algorithm>
#include <utility>

#include "core/template/functions.h"
#include "core/template/lexer.h"

namespace devstack::templates {
namespace {

constexpr int kMaxCalls = 200;
constexpr int kMaxLevels = 1500;
constexpr int kMaxDepth = 200;
constexpr std::int64_t kMaxRange = 1'000'000;

/// What a statement leaves behind: go on, or leave the loop or its round.
enum class Flow { next, break_, continue_ };

class Walk {
 public:
  Walk(const Template& parsed, Rendering& rendering) : template_(parsed), rendering_(rendering) {}

  Result<void> run(std::string& out) {
    CHECK(block(template_.body, Value(), out));
    return {};
  }

  /// A defined template with its own variables.
  Result<void> call(const std::string& name, const Value& dot, std::string& out) {
    const auto at = template_.defined.find(name);
    if (at == template_.defined.end()) return fail(Errc::failed, "template \"{}\" not defined", name);
    if (++calls_ > kMaxCalls) return fail(Errc::too_large, "exceeded maximum template depth ({})", kMaxCalls);
    auto outer = std::exchange(variables_, {{"$", dot}});
    auto done = block(at->second, dot, out);
    variables_ = std::move(outer);
    --calls_;
    if (!done) return tl::unexpected<Error>(std::move(done).error());
    return {};
  }

 private:
  /// Adds the position and Go's "at <…>" to an error that has none yet.
  [[nodiscard]] Error placed(Error error, const Span& span) const {
    if (error.at) return error;
    std::string_view shown = std::string_view(template_.text).substr(span.from, span.to - span.from);
    while (shown.ends_with(' ') || shown.ends_with('\n')) shown.remove_suffix(1);
    error.at = locate(template_.text, template_.source, span.from);
    error.message = fmt::format("executing at <{}>: {}", shown, error.message);
    return error;
  }
  template <class T>
  Result<T> place(Result<T> result, const Span& span) const {
    if (result) return result;
    return tl::unexpected<Error>(placed(std::move(result).error(), span));
  }

  /// Counts work, so that every template ends: also one that runs over nothing many times or copies what is large.
  Result<void> spend(std::size_t steps) {
    steps_ += steps;
    if (steps_ > rendering_.inputs.limits.steps) return fail(Errc::too_large, "the template does not end");
    return {};
  }
  Result<void> spend_on(const Value& value) {
    const Extent extent = value.extent();
    if (extent.bytes > rendering_.inputs.limits.bytes) {
      return fail(Errc::too_large, "a value is larger than {} bytes", rendering_.inputs.limits.bytes);
    }
    if (extent.depth > kMaxDepth) return fail(Errc::too_large, "a value is nested deeper than {} levels", kMaxDepth);
    return spend(1 + extent.bytes / 64);
  }

  /// One more block or pipeline within the others, across all calls: what the stack has room for.
  class Level {
   public:
    explicit Level(int& levels) : levels_(++levels) {}
    ~Level() { --levels_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    [[nodiscard]] Result<void> check() const {
      if (levels_ <= kMaxLevels) return {};
      return fail(Errc::too_large, "exceeded maximum template depth");
    }

   private:
    int& levels_;
  };

  Result<Flow> block(const Block& statements, const Value& dot, std::string& out) {
    const Level level(levels_);
    CHECK(level.check());
    const std::size_t scope = variables_.size();
    for (const auto& statement : statements) {
      CHECK(place(spend(1), statement.span));
      TRY(const Flow flow, run(statement, dot, out));
      if (out.size() > rendering_.inputs.limits.bytes) {
        return place<Flow>(
            fail(Errc::too_large, "the output is larger than {} MiB", rendering_.inputs.limits.bytes >> 20U),
            statement.span);
      }
      if (flow != Flow::next) {
        variables_.resize(scope);
        return flow;
      }
    }
    variables_.resize(scope);
    return Flow::next;
  }

  Result<Flow> run(const Statement& statement, const Value& dot, std::string& out) {
    switch (statement.kind) {
      case Statement::Kind::text:
        out += statement.text;
        return Flow::next;
      case Statement::Kind::break_:
        return Flow::break_;
      case Statement::Kind::continue_:
        return Flow::continue_;
      case Statement::Kind::action: {
        TRY(const Value value, pipe(statement.pipe, dot));
        if (statement.pipe.variables.empty()) out += value.display();
        return Flow::next;
      }
      case Statement::Kind::template_: {
        Value argument;
        if (!statement.pipe.commands.empty()) {
          TRY(argument, pipe(statement.pipe, dot));
        }
        CHECK(place(call(statement.text, argument, out), statement.span));
        return Flow::next;
      }
      case Statement::Kind::if_:
      case Statement::Kind::with:
        return branch(statement, dot, out);
      case Statement::Kind::range:
        return range(statement, dot, out);
    }
    return Flow::next;
  }

  Result<Flow> branch(const Statement& statement, const Value& dot, std::string& out) {
    const std::size_t scope = variables_.size();
    TRY(const Value value, pipe(statement.pipe, dot));
    const bool with = statement.kind == Statement::Kind::with;
    auto flow = value.truth() ? block(statement.body, with ? value : dot, out) : block(statement.otherwise, dot, out);
    variables_.resize(scope);
    return flow;
  }

  /// What `range` runs over, in its order. Every round is paid for here, before it takes memory, whether it is run or a
  /// `break` comes first.
  Result<std::vector<std::pair<Value, Value>>> elements(const Value& value) {
    std::vector<std::pair<Value, Value>> all;
    if (value.is_nil()) return all;
    if (const auto* list = value.list()) {
      CHECK(spend(list->items.size()));
      for (std::size_t i = 0; i < list->items.size(); ++i) {
        all.emplace_back(static_cast<std::int64_t>(i), list->items[i]);
      }
    } else if (const auto* map = value.map()) {
      CHECK(spend(map->entries.size()));
      for (const auto& [key, item] : map->entries) all.emplace_back(key_value(key), item);
    } else if (const auto* count = value.get<std::int64_t>()) {
      if (*count > kMaxRange) return fail(Errc::too_large, "range over {} is too long", *count);
      CHECK(spend(static_cast<std::size_t>(std::max<std::int64_t>(*count, 0))));
      for (std::int64_t i = 0; i < *count; ++i) all.emplace_back(i, i);
    } else {
      return fail(Errc::invalid_argument, "range can't iterate over {}", value.print());
    }
    return all;
  }

  Result<Flow> range(const Statement& statement, const Value& dot, std::string& out) {
    const std::size_t scope = variables_.size();
    TRY(const Value value, commands(statement.pipe, dot));
    TRY(const auto all, place(elements(value), statement.span));
    const auto& names = statement.pipe.variables;
    for (const auto& [key, item] : all) {
      if (names.size() == 1) bind(statement.pipe, names[0], item);
      if (names.size() == 2) {
        bind(statement.pipe, names[0], key);
        bind(statement.pipe, names[1], item);
      }
      TRY(const Flow flow, block(statement.body, item, out));
      variables_.resize(scope);
      if (flow == Flow::break_) break;
    }
    if (all.empty()) {
      TRY(const Flow flow, block(statement.otherwise, dot, out));
      return flow;
    }
    return Flow::next;
  }

  void bind(const Pipe& pipe, const std::string& name, Value value) {
    if (pipe.declares) {
      variables_.emplace_back(name, std::move(value));
      return;
    }
    const auto at =
        std::find_if(variables_.rbegin(), variables_.rend(), [&](const auto& v) { return v.first == name; });
    if (at != variables_.rend()) at->second = std::move(value);
  }

  Result<Value> pipe(const Pipe& pipe, const Value& dot) {
    const Level level(levels_);
    CHECK(place(level.check(), pipe.span));
    TRY(Value value, commands(pipe, dot));
    for (const auto& name : pipe.variables) bind(pipe, name, value);
    return value;
  }

  Result<Value> commands(const Pipe& pipe, const Value& dot) {
    std::optional<Value> last;
    for (const auto& command : pipe.commands) {
      TRY(last, run(command, dot, std::move(last)));
    }
    return std::move(last).value_or(Value());
  }

  Result<Value> run(const Command& command, const Value& dot, std::optional<Value> last) {
    const auto& first = command.words.front();
    const Arity arity{command, last ? 1U : 0U};
    if (first.kind == Operand::Kind::function && first.fields.empty()) {
      return place(call_function(command, dot, std::move(last)), first.span);
    }
    if (arity.count() == 0) return operand(first, dot);
    if (first.fields.empty())
      return place<Value>(fail(Errc::invalid_argument, "can't give argument to non-function"), first.span);
    return place(call_method(command, dot, std::move(last)), first.span);
  }

  struct Arity {
    const Command& command;
    std::size_t piped;
    [[nodiscard]] std::size_t count() const { return command.words.size() - 1 + piped; }
  };

  Result<std::vector<Value>> arguments(const Command& command, const Value& dot, std::optional<Value> last) {
    std::vector<Value> values;
    for (std::size_t i = 1; i < command.words.size(); ++i) {
      TRY(Value value, operand(command.words[i], dot));
      values.push_back(std::move(value));
    }
    if (last) values.push_back(std::move(*last));
    return values;
  }

  Result<Value> call_function(const Command& command, const Value& dot, std::optional<Value> last) {
    const auto& name = command.words.front().name;
    if (name == "and" || name == "or") return short_circuit(command, dot, std::move(last), name == "or");
    TRY(const auto values, arguments(command, dot, std::move(last)));
    return invoke(name, values);
  }

  Result<Value> invoke(const std::string& name, const std::vector<Value>& values) {
    const auto* function = find_function(name);
    const auto count = static_cast<int>(values.size());
    if (count < function->least || (function->most >= 0 && count > function->most)) {
      return fail(Errc::invalid_argument, "wrong number of args for {}: want {}{} got {}", name,
                  function->least == function->most ? ""
                  : count < function->least         ? "at least "
                                                    : "at most ",
                  count < function->least ? function->least : function->most, count);
    }
    auto result = function->run(rendering_, values);
    if (result) {
      if (auto affordable = spend_on(*result); !affordable) result = tl::unexpected(std::move(affordable).error());
    }
    if (!result && !result.error().at) {
      result.error().message = fmt::format("error calling {}: {}", name, result.error().message);
    }
    return result;
  }

  /// `and` and `or` give the deciding argument and leave the rest unevaluated.
  Result<Value> short_circuit(const Command& command, const Value& dot, std::optional<Value> last, bool stop_at) {
    Value value;
    if (command.words.size() == 1 && !last) {
      return fail(Errc::invalid_argument, "wrong number of args for {}: want at least 1 got 0", stop_at ? "or" : "and");
    }
    for (std::size_t i = 1; i < command.words.size(); ++i) {
      TRY(value, operand(command.words[i], dot));
      if (value.truth() == stop_at) return value;
    }
    return last ? std::move(*last) : value;
  }

  /// The value of an operand without its fields.
  Result<Value> base(const Operand& word, const Value& dot) {
    switch (word.kind) {
      case Operand::Kind::dot:
        return dot;
      case Operand::Kind::nil:
        return Value(NilInterface{});
      case Operand::Kind::literal:
        return word.literal;
      case Operand::Kind::pipe:
        return pipe(*word.pipe, dot);
      case Operand::Kind::function:
        return invoke(word.name, {});
      case Operand::Kind::variable:
        break;
    }
    const auto at =
        std::find_if(variables_.rbegin(), variables_.rend(), [&](const auto& v) { return v.first == word.name; });
    if (at == variables_.rend()) return fail(Errc::failed, "undefined variable: {}", word.name);
    return at->second;
  }

  Result<Value> operand(const Operand& word, const Value& dot) {
    TRY(Value value, place(base(word, dot), word.span));
    CHECK(place(spend_on(value), word.span));
    for (const auto& name : word.fields) {
      TRY(value, place(field(value, name), word.span));
    }
    return value;
  }

  Result<Value> field(const Value& of, const std::string& name) {
    if (of.is_absent()) return Value();
    if (of.is_nil()) return fail(Errc::failed, "nil pointer evaluating interface {{}}.{}", name);
    if (const auto* structure = of.structure()) {
      if (const auto* value = structure->find(name)) return *value;
      return fail(Errc::failed, "can't evaluate field {} in type {}", name, of.type());
    }
    if (const auto* map = of.map()) {
      const auto* value = map->find(name);
      return value == nullptr ? map->zero() : *value;
    }
    if (of.scratch() != nullptr) return method(of, name, {});
    return fail(Errc::failed, "can't evaluate field {} in type {}", name, of.type());
  }

  Result<Value> call_method(const Command& command, const Value& dot, std::optional<Value> last) {
    Operand receiver = command.words.front();
    const std::string name = receiver.fields.back();
    receiver.fields.pop_back();
    TRY(const Value of, operand(receiver, dot));
    TRY(const auto values, arguments(command, dot, std::move(last)));
    if (of.scratch() == nullptr) {
      return fail(Errc::invalid_argument, "{} is not a method but has arguments", name);
    }
    return method(of, name, values);
  }

  /// scratch.Key, Get, Set, SetX, MapSet, MapSetX, MapValues.
  Result<Value> method(const Value& of, const std::string& name, const std::vector<Value>& args) {
    static const std::map<std::string, std::size_t> arity{{"Key", 1},    {"Get", 1},     {"Set", 2},      {"SetX", 2},
                                                          {"MapSet", 3}, {"MapSetX", 3}, {"MapValues", 1}};
    const auto known = arity.find(name);
    if (known == arity.end()) return fail(Errc::failed, "can't evaluate field {} in type {}", name, of.type());
    if (args.size() != known->second) {
      return fail(Errc::invalid_argument, "wrong number of args for {}: want {} got {}", name, known->second,
                  args.size());
    }
    auto& values = of.scratch()->values;
    TRY(const std::string key, text_argument(args[0]));
    const auto held = values.find(key);
    if (name == "Key") return Value(held != values.end());
    if (name == "Get") return held == values.end() ? Value(NilInterface{}) : held->second;
    if (name == "Set" || name == "SetX") {
      if (name == "Set" || held == values.end()) values[key] = args[1];
      return Value("");
    }
    const Map* map = held == values.end() ? nullptr : held->second.map();
    if (held != values.end() && map == nullptr) return fail(Errc::failed, "\"{}\" is not a map", key);
    if (name == "MapValues") {
      List list;
      if (map != nullptr) {
        for (const auto& [each, value] : map->entries) list.items.push_back(value);
      }
      return Value(std::move(list));
    }
    TRY(const std::string inner, text_argument(args[1]));
    Map changed = map == nullptr ? Map{} : *map;
    if (name == "MapSet" || changed.find(inner) == nullptr) changed.entries[inner] = args[2];
    Value next(std::move(changed));
    CHECK(spend_on(next));
    values[key] = std::move(next);
    return Value("");
  }

  const Template& template_;
  Rendering& rendering_;
  std::vector<std::pair<std::string, Value>> variables_{{"$", Value()}};
  std::size_t steps_ = 0;
  int calls_ = 0;
  int levels_ = 0;
};

}  // namespace

Evaluation evaluate(const Template& parsed, const Inputs& inputs) {
  Rendering rendering{
      .inputs = inputs, .used = {}, .missing = {}, .scratch = std::make_shared<Scratch>(), .execute = {}};
  Walk walk(parsed, rendering);
  rendering.execute = [&walk](const std::string& name, const Value& dot) -> Result<std::string> {
    std::string out;
    CHECK(walk.call(name, dot, out));
    return out;
  };
  Evaluation result;
  const auto done = walk.run(result.text);
  // A scratch pad may hold itself, and would never go.
  rendering.scratch->values.clear();
  result.used.assign(rendering.used.begin(), rendering.used.end());
  result.missing = std::move(rendering.missing);
  if (!done && result.missing.empty()) result.error = done.error();
  if (!done || !result.missing.empty()) result.text.clear();
  return result;
}

}  // namespace devstack::templates

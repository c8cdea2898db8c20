#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/template/value.h"

/// A parsed template as a tree of plain structs, made by the parser and walked by the evaluator.
namespace devstack::templates {

/// A piece of the template's text, for error positions and the "at <…>" of messages.
struct Span {
  std::size_t from = 0, to = 0;
};

struct Pipe;

/// One word of a command, with the fields behind it: `.A.B`, `$x.A`, `"text"`, `name`, `(pipe).A`.
struct Operand {
  enum class Kind { dot, nil, literal, variable, function, pipe };
  Kind kind = Kind::dot;
  Value literal;
  std::string name;  ///< of the variable (with its dollar) or the function
  std::shared_ptr<const Pipe> pipe;
  std::vector<std::string> fields;
  Span span;
};

struct Command {
  std::vector<Operand> words;  ///< never empty
};

struct Pipe {
  std::vector<std::string> variables;
  bool declares = false;  ///< := rather than =
  std::vector<Command> commands;
  Span span;
};

struct Statement;
using Block = std::vector<Statement>;

struct Statement {
  enum class Kind { text, action, if_, with, range, template_, break_, continue_ };
  Kind kind = Kind::text;
  std::string text;  ///< of text; the name of a template
  Pipe pipe;         ///< empty commands: `template "x"` without an argument
  Block body, otherwise;
  Span span;
};

struct Template {
  std::string source;  ///< what stands before line and column in messages
  std::string text;
  Block body;
  std::map<std::string, Block> defined;
};

}  // namespace devstack::templates

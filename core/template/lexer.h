#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

/// A template's text as tokens. Trim markers and comments are already acted on. Pure; any thread.
/// https://pkg.go.dev/text/template
namespace devstack::templates {

struct Token {
  enum class Kind {
    text,        ///< copied to the output; `value` is trimmed
    open,        ///< {{
    close,       ///< }}
    identifier,  ///< also keywords, true, false, nil
    field,       ///< .Name; `value` without the dot
    variable,    ///< $ or $name; `value` with the dollar
    dot,
    number,
    character,  ///< 'a'; `value` is the code point in decimal
    string,     ///< `value` is unquoted
    pipe,
    comma,
    left,
    right,
    declare,  ///< :=
    assign,   ///< =
    end,
  };
  Kind kind = Kind::end;
  std::string value;
  std::size_t offset = 0;     ///< in the template's text
  std::size_t length = 0;     ///< of the token as written
  bool space_before = false;  ///< blanks tell `$x.Field` from `$x .Field`
};

struct Delimiters {
  std::string left = "{{", right = "}}";
};

/// Error: its position (`source`, line, column) and Go's words ("unclosed action").
Result<std::vector<Token>> lex(std::string_view text, std::string_view source, const Delimiters& delimiters = {});

/// Line and column, from 1, of an offset.
SourcePos locate(std::string_view text, std::string_view source, std::size_t offset);

}  // namespace devstack::templates

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

/// Command lines as /bin/sh cuts and quotes them. Private to the room; pure.
namespace devstack::stack {

/// Words of a command line: quotes and backslashes, no expansion. Error: a quote that is not closed.
Result<std::vector<std::string>> split_words(std::string_view text);

/// A word that the shell reads back as itself, with `$PORT` and `${PORT…}` in it left for the shell to fill in.
std::string quote_word(std::string_view word);
/// Whether `$PORT` or `${PORT` stands in it.
bool names_port(std::string_view word);

}  // namespace devstack::stack

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/template/ast.h"
#include "core/template/lexer.h"

namespace devstack::templates {

/// Reads a template of at most 1 MiB. Names of functions are checked here, so that a wrong one is found before anything
/// runs. Errc::parse with the position in `source`. Pure; any thread.
Result<std::shared_ptr<const Template>> parse(std::string text, std::string source, const Delimiters& delimiters = {});

}  // namespace devstack::templates

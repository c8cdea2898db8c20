#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

/// The `${…}` marks of prepared query templates: the part of HIL (https://github.com/hashicorp/hil) that names the
/// variables and the one function a template has. Pure. Private to the room.
namespace devstack::registry {

class Interpolation {
 public:
  /// `asked` is the name that was asked for, `prefix` the template's own, `regexp` what cuts `asked` into match(N).
  Interpolation(std::string_view asked, std::string_view prefix, std::string_view regexp);

  /// Marks replaced. Errors have HIL's texts, with line:column: what cannot be read is Errc::parse ("parse error at
  /// 1:6: expected "}" but found end of string"), what does not exist Errc::failed.
  [[nodiscard]] Result<std::string> fill(std::string_view text) const;

 private:
  struct Reader;
  [[nodiscard]] Result<std::string> evaluate(Reader& reader) const;
  [[nodiscard]] Result<std::string> call(Reader& reader, const std::string& function, std::size_t start) const;

  std::string asked_, prefix_;
  std::vector<std::string> groups_;
};

}  // namespace devstack::registry

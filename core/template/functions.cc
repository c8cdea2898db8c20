#include "core/template/functions.h"

#include <algorithm>
#include <array>
#include <map>

namespace devstack::templates {
namespace {

const std::map<std::string_view, const Function*>& all_functions() {
  static const auto all = [] {
    std::map<std::string_view, const Function*> functions;
    for (const auto table :
         {builtin_functions(), registry_functions(), text_functions(), number_functions(), data_functions()}) {
      for (const auto& function : table) functions.emplace(function.name, &function);
    }
    return functions;
  }();
  return all;
}

constexpr std::array<std::string_view, 9> kVaultAndNomad{"secret",       "secrets",          "pkiCert",
                                                         "nomadService", "nomadServices",    "nomadVar",
                                                         "nomadVarList", "nomadVarListSafe", "nomadVarExists"};

}  // namespace

const Function* find_function(std::string_view name) {
  const auto at = all_functions().find(name);
  return at == all_functions().end() ? nullptr : at->second;
}

std::span<const std::string_view> function_names() {
  static const auto names = [] {
    std::vector<std::string_view> list;
    for (const auto& [name, function] : all_functions()) list.push_back(name);
    return list;
  }();
  return names;
}

std::string_view unsupported_function(std::string_view name) {
  const bool theirs = std::find(kVaultAndNomad.begin(), kVaultAndNomad.end(), name) != kVaultAndNomad.end();
  return theirs ? "there is no Vault and no Nomad here" : "";
}

void Rendering::lacks(std::string what) {
  if (std::find(missing.begin(), missing.end(), what) == missing.end()) missing.push_back(std::move(what));
}

Result<std::string> text_argument(const Value& value) {
  if (const auto* text = value.text()) return *text;
  return fail(Errc::invalid_argument, "wrong type for value; expected string; got {}", value.type());
}

Result<std::int64_t> integer_argument(const Value& value) {
  if (const auto* number = value.get<std::int64_t>()) return *number;
  if (const auto* number = value.get<std::uint64_t>()) return static_cast<std::int64_t>(*number);
  return fail(Errc::invalid_argument, "wrong type for value; expected int; got {}", value.type());
}

std::optional<double> as_number(const Value& value) {
  if (const auto* number = value.get<std::int64_t>()) return static_cast<double>(*number);
  if (const auto* number = value.get<std::uint64_t>()) return static_cast<double>(*number);
  if (const auto* number = value.get<double>()) return *number;
  return std::nullopt;
}

}  // namespace devstack::templates

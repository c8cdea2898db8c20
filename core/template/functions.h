#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/template/evaluate.h"
#include "core/template/value.h"

/// The functions of the language as tables: name, number of arguments, code. Private to the room.
namespace devstack::templates {

/// What a running evaluation shares with its functions.
struct Rendering {
  const Inputs& inputs;
  std::set<registry::Watch> used;
  std::vector<std::string> missing;
  std::shared_ptr<Scratch> scratch = std::make_shared<Scratch>();
  std::function<Result<std::string>(const std::string& name, const Value& dot)> execute;

  void lacks(std::string what);
};

using Arguments = std::span<const Value>;
struct Function {
  std::string_view name;
  int least;
  int most;  ///< -1: any number
  Result<Value> (*run)(Rendering&, Arguments);
};

const Function* find_function(std::string_view name);
std::span<const std::string_view> function_names();
/// Why a function of consul-template is left out on purpose; "" for all others.
std::string_view unsupported_function(std::string_view name);

// The tables, a file each.
std::span<const Function> builtin_functions();
std::span<const Function> registry_functions();
std::span<const Function> text_functions();
std::span<const Function> number_functions();
std::span<const Function> data_functions();

// --- What they share ---
/// An argument as a string; the error is Go's ("wrong type for value; expected string; got int").
Result<std::string> text_argument(const Value& value);
Result<std::int64_t> integer_argument(const Value& value);
/// Integers of either sign and floats; nothing for others.
std::optional<double> as_number(const Value& value);
Result<bool> equal(const Value& a, const Value& b);
Result<bool> less(const Value& a, const Value& b);
/// printf.cc: fmt.Sprintf. Errc::too_large beyond `most` bytes.
Result<std::string> format(std::string_view layout, Arguments args, std::size_t most);
std::string print_operands(Arguments args);                        ///< fmt.Sprint
std::string to_json(const Value& value, std::string_view indent);  ///< json.cc: encoding/json
Result<Value> from_json(const std::string& text);

}  // namespace devstack::templates

// Stack files, several where a line "%%%" parts them. What is understood is printed, and what is printed means the
// same.
#include <algorithm>
#include <vector>

#include "core/stack/interpolate.h"
#include "core/stack/plan.h"
#include "core/stack/stack_file.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace devstack;  // NOLINT(google-build-using-namespace)
using fuzz::require;

Result<stack::StackFile> read(std::string_view text) {
  constexpr std::string_view kBorder = "\n%%%\n";
  stack::LoadOptions options;
  options.cwd = "/nonexistent/project";
  options.environment = {{"SET", "value"}, {"EMPTY", ""}, {"HOME", "/root"}, {"PORT", "80"}};
  std::vector<stack::NamedText> texts;
  for (std::size_t from = 0; from <= text.size();) {
    const auto to = std::min(text.find(kBorder, from), text.size());
    texts.push_back({fmt::format("stack-{}.yaml", texts.size()), std::string(text.substr(from, to - from))});
    from = to + kBorder.size();
  }
  return stack::parse(texts, options);
}

void check_plan(const stack::StackFile& file) {
  for (const auto engine : {stack::EngineAvailable::yes, stack::EngineAvailable::no}) {
    const auto plan = stack::make_plan(file, engine);
    if (!plan) continue;
    require(stack::diff(*plan, *plan).empty(), "a plan does not differ from itself");
    for (const auto& unit : plan->units) require(!unit.config_hash.empty(), "every unit has a hash", unit.name);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 16384) return 0;
  const auto text = fuzz::text_of(data, size);
  (void)stack::read_dotenv(text, ".env", {{"SET", "value"}});
  const auto file = read(text);
  if (!file) {
    require(file.error().code == Errc::stack_file, "what is wrong is the file");
    require(!file.error().to_string().empty(), "an error has words");
    return 0;
  }
  check_plan(*file);
  const auto printed = stack::to_yaml(*file);
  const auto again = read(printed);
  require(again.has_value(), "the resolved file can be read",
          printed + "\n" + (again ? std::string() : again.error().to_string()));
  require(stack::to_yaml(*again) == printed, "the resolved file is already resolved",
          printed + "\n--- again:\n" + stack::to_yaml(*again));
  require(!stack::to_json(*file).empty(), "and there is JSON of it");
  return 0;
}

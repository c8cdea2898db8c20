// Templates: lexer, parser, evaluator and functions over a small registry.
#include "core/template/evaluate.h"
#include "core/template/parser.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/registry.h"

namespace {

using namespace devstack;  // NOLINT(google-build-using-namespace)
using fuzz::require;

const templates::Inputs& inputs() {
  static const templates::Inputs made = [] {
    templates::Inputs some;
    some.state = std::make_shared<const registry::State>(fuzz::small_registry());
    some.node = "node1";
    some.datacenter = "dc1";
    some.environment = {{"SET", "value"}};
    some.now = std::chrono::system_clock::from_time_t(1'700'000'000);
    some.limits = {.steps = 20'000, .bytes = 1U << 20U};
    return some;
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string text(fuzz::text_of(data, size));
  const auto parsed = templates::parse(text, "t.ctmpl");
  if (!parsed) {
    require(parsed.error().at.has_value() && !parsed.error().message.empty(), "an error has a place", text);
    return 0;
  }
  const auto first = templates::evaluate(**parsed, inputs());
  require(first.text.size() <= inputs().limits.bytes + size, "the output is bounded", text);
  require(!first.error || first.text.empty(), "a failed template renders nothing", text);
  if (text.find("scratch") != std::string::npos) return 0;
  const auto second = templates::evaluate(**parsed, inputs());
  require(first.text == second.text && first.missing == second.missing && first.used == second.used,
          "rendering is a function of the registry", text);
  return 0;
}

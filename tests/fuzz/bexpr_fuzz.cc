// Filter expressions: the parser, the check against a schema, and rows.
#include "core/api/bexpr.h"
#include "core/api/select.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace devstack;  // NOLINT(google-build-using-namespace)

const registry::Instance& instance() {
  static const registry::Instance made = [] {
    auto node = std::make_shared<registry::Node>();
    node->name = "n1";
    node->address = "10.0.0.1";
    node->meta = {{"rack", "r2"}};
    auto service = std::make_shared<registry::Service>();
    service->name = "web";
    service->id = "web-1";
    service->port = 8080;
    service->tags = {"primary", "v1"};
    service->meta = {{"version", "1.2"}};
    service->tagged_addresses = {{"lan", {"10.0.0.1", 80}}};
    auto check = std::make_shared<registry::Check>();
    check->id = "a";
    check->status = "passing";
    return registry::Instance{node, service, {check, check}};
  }();
  return made;
}

void match(std::string_view text, const api::bexpr::Schema& schema, const void* row) {
  const auto parsed = api::bexpr::Expression::parse(text, schema);
  if (!parsed) {
    fuzz::require(!parsed.error().message.empty(), "a refusal says why");
    return;
  }
  const bool once = parsed->matches(row);
  fuzz::require(parsed->matches(row) == once, "a filter says the same twice", text);
  if (text.size() > 200) return;
  const auto inverse = api::bexpr::Expression::parse("not ( " + std::string(text) + " )", schema);
  // White space around the whole is not part of the language's inner rule; only what parses is compared.
  if (inverse) fuzz::require(inverse->matches(row) != once, "`not` turns a filter round", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 2048) return 0;
  const auto text = fuzz::text_of(data, size);
  match(text, api::instance_schema(), &instance());
  match(text, api::service_node_schema(), &instance());
  match(text, api::node_schema(), instance().node.get());
  match(text, api::check_schema(), instance().checks.front().get());
  match(text, api::agent_service_schema(), instance().service.get());
  return 0;
}

#include "core/api/agent_ids.h"

#include <cctype>

#include "core/api/go_text.h"

namespace devstack::api {

namespace {

/// The first "%" that no two hex digits follow, with what stands there.
std::string_view bad_escape(std::string_view text) {
  const auto hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    if (at + 2 >= text.size() || !hex(text[at + 1]) || !hex(text[at + 2])) return text.substr(at, 3);
  }
  return {};
}

}  // namespace

Result<std::string> agent_id(const Call& call) {
  auto decoded = http::decode_path(call.rest);
  if (!decoded) {
    return fail(Errc::failed, "failure in unescaping path param {}: invalid URL escape {}", go_quote(call.rest),
                go_quote(bad_escape(call.rest)));
  }
  return std::move(*decoded);
}

registry::ServicePtr agent_service_of(const State& state, const std::string& node, std::string_view id) {
  auto service = state.service(node, id);
  // Unlike the catalog, an agent tells upper from lower case.
  return service != nullptr && service->agent_owned && service->id == id ? service : nullptr;
}

registry::CheckPtr agent_check_of(const State& state, const std::string& node, std::string_view id) {
  auto check = state.check(node, id);
  return check != nullptr && check->agent_owned && check->id == id ? check : nullptr;
}

asio::awaitable<http::Response> apply_quietly(const Call& call, registry::Command command) {
  const auto result = co_await call.backend.writer.apply(std::move(command));
  if (!result) co_return respond(result.error());
  co_return empty();
}

}  // namespace devstack::api

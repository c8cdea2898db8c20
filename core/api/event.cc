#include <re2/re2.h>

#include <charconv>
#include <optional>

#include "core/api/blocking.h"
#include "core/api/encode.h"
#include "core/api/go_text.h"
#include "core/api/handlers.h"
#include "core/api/limits.h"
#include "core/api/proxy.h"
#include "core/api/uuid.h"

/// /v1/event/*. https://developer.hashicorp.com/consul/api-docs/event
namespace devstack::api {
namespace {

using registry::EventPtr;
using registry::UserEvent;
using Table = Watch::Table;

bool matches(const std::string& pattern, const std::string& text) { return re2::RE2::PartialMatch(text, pattern); }

Result<void> check_pattern(std::string_view which, const std::string& pattern) {
  if (pattern.empty()) return {};
  const re2::RE2 regex(pattern, re2::RE2::Quiet);
  if (regex.ok()) return {};
  return fail(Errc::failed, "Invalid {} filter: {}", which, regexp_error(regex));
}

/// What a Consul server counts against its limit: the name it gossips, and a msgpack map of the event's fields
/// (https://github.com/msgpack/msgpack/blob/master/spec-old.md).
std::size_t event_bytes(const UserEvent& event) {
  constexpr std::string_view kPrefix = "consul:event:";
  const auto raw = [](const std::string& text) { return text.size() + (text.size() < 32 ? 1 : 3); };
  const auto optional = [&](std::size_t key, const std::string& text) { return text.empty() ? 0 : key + raw(text); };
  const std::size_t id = 3 + raw(event.id), name = 2 + raw(event.name), version = 2 + 1;
  return kPrefix.size() + event.name.size() + 1 + id + name + version + optional(2, event.payload) +
         optional(3, event.node_filter) + optional(3, event.service_filter) + optional(3, event.tag_filter);
}

tl::unexpected<Error> too_large_event(fmt::format_string<const std::size_t&> why) {
  const auto text = fmt::format(why, kLargestEvent);
  return fail(Errc::failed, "{}", error_list({"error broadcasting event to segment \"\": " + text}));
}

Result<void> validate(const UserEvent& event) {
  if (event.service_filter.empty() && !event.tag_filter.empty()) {
    return fail(Errc::failed, "Cannot provide tag filter without service filter");
  }
  CHECK(check_pattern("node", event.node_filter));
  CHECK(check_pattern("service", event.service_filter));
  CHECK(check_pattern("tag", event.tag_filter));
  const auto before = event_bytes(event);
  if (before > kLargestEvent) {
    return too_large_event("user event exceeds configured limit of {} bytes before encoding");
  }
  // The envelope that gossip puts around it: type, clock, name, payload and a flag.
  constexpr std::size_t kEnvelope = 36;
  if (before + kEnvelope > kLargestEvent) {
    return too_large_event("encoded user event exceeds configured limit of {} bytes after encoding");
  }
  return {};
}

bool service_matches(const State& state, const std::string& node, const UserEvent& event) {
  for (const auto& service : state.services_of(node)) {
    if (!service->agent_owned || !matches(event.service_filter, service->name)) continue;
    if (event.tag_filter.empty()) return true;
    for (const auto& tag : service->tags) {
      if (matches(event.tag_filter, tag)) return true;
    }
  }
  return false;
}

/// Only events that are meant for this agent are kept and listed.
bool is_for_us(const State& state, const std::string& node, const UserEvent& event) {
  if (!event.node_filter.empty() && !matches(event.node_filter, node)) return false;
  return event.service_filter.empty() || service_matches(state, node, event);
}

/// The two halves of a UUID, xored: what stands for the newest event in X-Consul-Index.
Index index_of_event(const UserEvent& event) {
  std::string digits;
  for (const char c : event.id) {
    if (c != '-') digits += c;
  }
  Index low = 0;
  Index high = 0;
  if (digits.size() != 32) return 1;
  std::from_chars(digits.data(), digits.data() + 16, low, 16);
  std::from_chars(digits.data() + 16, digits.data() + 32, high, 16);
  return low ^ high;
}

struct Listing {
  std::vector<EventPtr> events;
  Index index = 1;
};

Listing list_events(const State& state, std::string_view name) {
  Listing out;
  for (auto& event : state.events()) {
    if (name.empty() || event->name == name) out.events.push_back(event);
  }
  if (!out.events.empty()) out.index = index_of_event(*out.events.back());
  return out;
}

}  // namespace

asio::awaitable<http::Response> event_list_when_changed(const Call& call) {
  const auto options = wait_options(call.query);
  if (!options) co_return http::text(400, options.error().message);
  const auto deadline = std::chrono::steady_clock::now() + blocking_time(options->wait, 0);
  const std::string_view name = call.param("name");
  auto state = call.backend.view.snapshot();
  auto listing = list_events(*state, name);
  std::optional<Blocked> blocked;
  while (options->index != 0 && options->index == listing.index) {
    if (!blocked) blocked.emplace(call.backend);
    if (!blocked->admitted()) co_return http::text(429, std::string(Blocked::refusal));
    std::vector<Watch> watches{{Table::events, ""}};
    if (!co_await call.backend.view.wait(std::move(watches), state->index(), deadline)) break;
    state = call.backend.view.snapshot();
    listing = list_events(*state, name);
  }
  JsonWriter out;
  out.open_array();
  for (const auto& event : listing.events) write_event(out, *event);
  out.close_array();
  auto response = http::json(200, out.take());
  response.headers.set("X-Consul-Index", std::to_string(listing.index));
  co_return response;
}

asio::awaitable<http::Response> event_fire(const Call& call) {
  if (call.rest.empty()) co_return http::text(400, "Missing name");
  UserEvent event;
  event.id = new_uuid();
  event.name = call.rest;
  event.payload = call.request.body;
  event.node_filter = call.param("node");
  event.service_filter = call.param("service");
  event.tag_filter = call.param("tag");
  if (auto valid = validate(event); !valid) co_return respond(valid.error());
  JsonWriter out;
  write_event(out, event);
  const auto state = call.backend.view.snapshot();
  if (is_for_us(*state, call.backend.writer.identity().node, event)) {
    registry::EventFireCommand command;
    command.event = std::move(event);
    registry::Command posted = std::move(command);
    const auto result = co_await call.backend.writer.apply(std::move(posted));
    if (!result) co_return respond(result.error());
  }
  co_return http::json(200, out.take());
}

}  // namespace devstack::api

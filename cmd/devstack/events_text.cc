#include "cmd/devstack/events_text.h"

#include <fmt/format.h>

#include "cmd/devstack/consul_client.h"
#include "cmd/devstack/consul_json.h"
#include "cmd/devstack/kv_entries.h"
#include "cmd/devstack/table.h"
#include "cmd/devstack/terminal.h"
#include "core/api/json_writer.h"

namespace devstack {
namespace {

Result<FiredEvent> event_of(const boost::json::object& object) {
  FiredEvent event;
  event.id = consul_json::text(object, "ID");
  event.name = consul_json::text(object, "Name");
  TRY(event.payload, consul_json::bytes(object, "Payload"));
  event.node_filter = consul_json::text(object, "NodeFilter");
  event.service_filter = consul_json::text(object, "ServiceFilter");
  event.tag_filter = consul_json::text(object, "TagFilter");
  event.ltime = consul_json::number(object, "LTime");
  return event;
}

std::string payload_text(const FiredEvent& event) {
  if (event.payload.empty()) return "-";
  return is_text(event.payload) ? terminal::printable(event.payload) : fmt::format("({} bytes)", event.payload.size());
}

}  // namespace

Result<std::vector<FiredEvent>> parse_events(std::string_view body) {
  TRY(const auto objects, consul_json::objects(body));
  std::vector<FiredEvent> out;
  for (const auto& object : objects) {
    TRY(auto event, event_of(object));
    out.push_back(std::move(event));
  }
  return out;
}

Result<FiredEvent> parse_event(std::string_view body) {
  TRY(const auto value, consul_json::parse(body));
  if (!value.is_object()) return fail(Errc::parse, "what answered is no Consul: its event is no object");
  return event_of(value.as_object());
}

std::string audience(const FiredEvent& event) {
  std::string out;
  const auto add = [&out](std::string_view name, const std::string& filter) {
    if (!filter.empty()) out += fmt::format("{}{}={}", out.empty() ? "" : ", ", name, terminal::printable(filter));
  };
  add("node", event.node_filter);
  add("service", event.service_filter);
  add("tag", event.tag_filter);
  return out.empty() ? "all" : out;
}

std::string events_table(const std::vector<FiredEvent>& events) {
  if (events.empty()) return "no events\n";
  Table table({"ID", "NAME", "FOR", "PAYLOAD"});
  for (const auto& event : events) {
    table.add({{event.id}, {terminal::printable(event.name)}, {audience(event)}, {payload_text(event)}});
  }
  return table.text();
}

std::string event_line(const FiredEvent& event) {
  return fmt::format("{}  {}  {}\n", event.id, terminal::printable(event.name), payload_text(event));
}

std::string event_json(const FiredEvent& event) {
  api::JsonWriter out;
  out.open_object();
  out.field("ID", event.id);
  out.field("Name", event.name);
  out.key("Payload");
  if (event.payload.empty()) {
    out.null();
  } else {
    out.base64(event.payload);
  }
  out.field("NodeFilter", event.node_filter);
  out.field("ServiceFilter", event.service_filter);
  out.field("TagFilter", event.tag_filter);
  out.field("LTime", event.ltime);
  out.close_object();
  return out.take();
}

Result<http::Request> fire_request(const FireOptions& options, std::string payload) {
  if (options.name.empty()) return fail(Errc::usage, "the NAME is missing");
  if (!options.tag.empty() && options.service.empty()) return fail(Errc::usage, "--tag needs --service");
  http::Request request;
  request.method = "PUT";
  request.target = "/v1/event/fire/" + http::encode_path(options.name, http::Slash::keep);
  if (!options.node.empty()) request.target = with_parameter(std::move(request.target), "node", options.node);
  if (!options.service.empty()) request.target = with_parameter(std::move(request.target), "service", options.service);
  if (!options.tag.empty()) request.target = with_parameter(std::move(request.target), "tag", options.tag);
  request.body = std::move(payload);
  return request;
}

std::vector<FiredEvent> NewEvents::update(std::vector<FiredEvent> listed) {
  std::vector<FiredEvent> out;
  std::set<std::string> now;
  for (auto& event : listed) {
    now.insert(event.id);
    if (!seen_.contains(event.id)) out.push_back(std::move(event));
  }
  // What the server has forgotten does not come back: the set stays as small as its list.
  seen_ = std::move(now);
  return out;
}

}  // namespace devstack

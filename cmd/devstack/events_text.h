#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/http/message.h"

/// Consul's user events as the command line fires and shows them. Pure.
/// https://developer.hashicorp.com/consul/api-docs/event
namespace devstack {

struct FiredEvent {
  std::string id;
  std::string name;
  std::string payload;  ///< bytes
  std::string node_filter;
  std::string service_filter;
  std::string tag_filter;
  std::uint64_t ltime = 0;
};

/// The body of GET /v1/event/list.
Result<std::vector<FiredEvent>> parse_events(std::string_view body);
/// The body of PUT /v1/event/fire.
Result<FiredEvent> parse_event(std::string_view body);

/// ID NAME FOR PAYLOAD.
std::string events_table(const std::vector<FiredEvent>& events);
/// One event as a line: `NAME PAYLOAD`, when following.
std::string event_line(const FiredEvent& event);
/// One compact object; the payload in base64 as in Consul's own.
std::string event_json(const FiredEvent& event);

/// "node=web.*, service=api, tag=v2", or "all".
std::string audience(const FiredEvent& event);

struct FireOptions {
  std::string name;
  std::string payload;  ///< as given: text, "@file" or "-"
  std::string node;
  std::string service;
  std::string tag;
};
/// Errc::usage when a rule of Consul's is broken.
Result<http::Request> fire_request(const FireOptions& options, std::string payload);

/// Which of a listing were not in the one before.
class NewEvents {
 public:
  std::vector<FiredEvent> update(std::vector<FiredEvent> listed);

 private:
  std::set<std::string> seen_;
};

}  // namespace devstack

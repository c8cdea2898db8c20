#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devstack::control {

/// Reads a stream of server-sent events
/// (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream) as far as devstack's own
/// server uses it: fields `event` and `data`, comments skipped. Pure.
class EventParser {
 public:
  struct Event {
    std::string name;
    std::string data;
    friend bool operator==(const Event&, const Event&) = default;
  };
  /// The events that `bytes` completes.
  std::vector<Event> add(std::string_view bytes);

 private:
  void take_line(std::string_view line, std::vector<Event>& out);

  std::string line_;
  Event event_;
  bool has_data_ = false;
};

}  // namespace devstack::control

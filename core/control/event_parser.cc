#include "core/control/event_parser.h"

#include <utility>

namespace devstack::control {

std::vector<EventParser::Event> EventParser::add(std::string_view bytes) {
  std::vector<Event> out;
  for (;;) {
    const auto newline = bytes.find('\n');
    line_ += bytes.substr(0, newline);
    if (newline == std::string_view::npos) return out;
    bytes.remove_prefix(newline + 1);
    auto line = std::exchange(line_, {});
    if (!line.empty() && line.back() == '\r') line.pop_back();
    take_line(line, out);
  }
}

void EventParser::take_line(std::string_view line, std::vector<Event>& out) {
  if (line.empty()) {
    if (has_data_) out.push_back(std::move(event_));
    event_ = {};
    has_data_ = false;
    return;
  }
  const auto colon = line.find(':');
  const auto field = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") event_.name = value;
  if (field != "data") return;
  if (has_data_) event_.data += '\n';
  event_.data += value;
  has_data_ = true;
}

}  // namespace devstack::control

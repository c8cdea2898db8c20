// Server-sent events, as the command line reads them from the control socket.
#include "core/control/event_parser.h"
#include "tests/fuzz/fuzz.h"

namespace {

std::string events_of(std::string_view bytes, std::size_t step) {
  devstack::control::EventParser parser;
  std::string seen;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    for (const auto& event : parser.add(bytes.substr(0, step))) {
      devstack::fuzz::require(event.name.find('\n') == std::string::npos, "an event's name is one line");
      seen += event.name + "\n" + event.data + "\n\n";
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 8192) return 0;
  const auto bytes = devstack::fuzz::text_of(data, size);
  devstack::fuzz::require(events_of(bytes, 1) == events_of(bytes, size + 1), "borders between reads mean nothing");
  return 0;
}

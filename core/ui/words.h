#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/control/status_json.h"

/// What the status page says in words, and in which tone. Pure; any thread.
namespace devstack::ui {

/// Each tone has a colour and a shape of its own on the page: nothing is told by colour alone.
enum class Tone {
  good,  ///< as it should be
  busy,  ///< on its way
  warn,  ///< works, or will be tried again; look at it
  bad,   ///< needs somebody
  done,  ///< ended as it should
  idle,  ///< not running, on request
};
std::string_view to_string(Tone tone);

Tone tone_of(const supervisor::UnitStatus& unit);
/// "healthy", "running", "restarting", "failed, exit code 1".
std::string state_words(const supervisor::UnitStatus& unit);
/// Of a discovered service: "2 passing", "1 of 3 passing".
Tone tone_of(const supervisor::DiscoveredService& service);
std::string state_words(const supervisor::DiscoveredService& service);

/// The one sentence at the top of the page.
struct Verdict {
  Tone tone = Tone::good;
  std::string sentence;  ///< "All 6 services are healthy"
};
Verdict verdict(const supervisor::Status& status);

/// "8 s", "12 min", "3 h 5 min", "4 d 2 h".
std::string elapsed_words(std::chrono::seconds span);

/// {"1.2.3.4:53/udp", "1.2.3.4:53/tcp"} -> {"1.2.3.4:53 udp tcp"}; the order of first appearance is kept.
std::vector<std::string> compact_addresses(const std::vector<std::string>& addresses);

}  // namespace devstack::ui

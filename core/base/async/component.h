#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace devstack {

namespace asio = boost::asio;

/// What a component tells its users about itself; the supervisor adds state and health.
struct ComponentReport {
  std::vector<std::string> addresses;  ///< what it listens on: "172.17.0.1:53/udp"
  std::vector<std::string> links;      ///< what a browser can open: "http://127.0.0.1:7500/"
  std::string detail;                  ///< one line: "12 services, 3 checks" or what is wrong and what to do
  bool degraded = false;               ///< works, but not as asked (a fallback port, no Docker)
};

/// A part of the appliance (registry, dns, registrator, proxy, templates, ui) that the supervisor starts and stops
/// exactly like a user's service. Loop thread only. Made by cmd/devstack/app.cc; outlives the supervisor's use of it.
class Component {
 public:
  virtual ~Component() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Names of the components that must run first.
  [[nodiscard]] virtual std::vector<std::string> after() const { return {}; }
  /// Returns when the component answers, or with what stopped it (Errc::port_taken names the holder). After an error
  /// nothing of it is left running. Calling start() again after stop() or an error is allowed.
  virtual asio::awaitable<Result<void>> start() = 0;
  /// Ends everything that start() began; bounded, never fails, may be called when not started.
  virtual asio::awaitable<void> stop() = 0;
  [[nodiscard]] virtual ComponentReport report() const = 0;
  /// Called by the component, on the loop, when report() would now say something else. Set by the supervisor.
  std::function<void()> on_change;
};

}  // namespace devstack

#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/async/signal.h"
#include "core/base/result.h"
#include "core/proxy/routes.h"

namespace devstack::proxy {

namespace asio = boost::asio;

/// Everything a proxy program is to do, as a value: two equal models need no change.
struct Model {
  std::vector<std::string> bind;  ///< IP literals to listen on
  std::uint16_t port = 80;
  std::vector<Route> routes;
  std::string extra;  ///< raw configuration of the program, appended as is
  friend bool operator==(const Model&, const Model&) = default;
};

struct BackendChange {
  std::string service;
  Backend backend;
  friend bool operator==(const BackendChange&, const BackendChange&) = default;
};
struct BackendChanges {
  std::vector<BackendChange> add, remove;
};
/// Whether the two have the same listeners and routes, so that only instances came or went.
bool only_backends_differ(const Model& from, const Model& to);
/// What came and went between two such models.
BackendChanges backend_changes(const Model& from, const Model& to);

/// A proxy program under our care: HAProxy (haproxy_engine.h); nginx would be another. Loop thread; calls do not
/// overlap.
class Engine {
 public:
  virtual ~Engine() = default;
  [[nodiscard]] virtual std::string program() const = 0;
  /// Brings `model` about: starts the program when it does not run, else changes it without losing a request. A
  /// configuration that the program refuses is not swapped in: the running one goes on and the program's own words are
  /// the error.
  virtual asio::awaitable<Result<void>> apply(Model model) = 0;
  [[nodiscard]] virtual bool running() const = 0;
  /// Running, or an earlier supervisor's process still is, which apply() takes over: a listening port may be its.
  [[nodiscard]] virtual bool holds_ports() const = 0;
  /// Bumps when the program has ended without being told to.
  virtual Signal& died() = 0;
  /// Ends the program and what it left behind; bounded.
  virtual asio::awaitable<void> stop() = 0;
};

}  // namespace devstack::proxy

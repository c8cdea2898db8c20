#pragma once

#include <memory>
#include <string>

#include "core/control/api.h"
#include "core/http/server.h"

namespace devstack::control {

/// Where the control socket of a state directory is: "<state_dir>/control.sock".
std::string socket_path(const std::string& state_dir);

/// Serves a ControlApi on the control socket, which only its owner may open (mode 0600). Loop thread.
class ControlServer {
 public:
  /// `api` outlives it.
  ControlServer(asio::any_io_executor loop, ControlApi& api, std::string state_dir);

  /// Errc::io or permission, naming the path. The state directory must exist.
  Result<void> start();
  /// Lets requests in flight finish for a moment and removes the socket. May be called when not started.
  asio::awaitable<void> stop();

 private:
  std::string path_;
  http::Server server_;
  bool listening_ = false;
};

}  // namespace devstack::control

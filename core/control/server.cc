#include "core/control/server.h"

#include <unistd.h>

namespace devstack::control {
namespace {

constexpr unsigned kOwnerOnly = 0600;

http::ServerLimits limits() {
  http::ServerLimits limits;
  limits.connections = 256;
  return limits;
}

}  // namespace

std::string socket_path(const std::string& state_dir) { return state_dir + "/control.sock"; }

ControlServer::ControlServer(asio::any_io_executor loop, ControlApi& api, std::string state_dir)
    : path_(socket_path(state_dir)),
      server_(
          loop, "control", [&api](http::Request request) { return api.handle(std::move(request)); }, limits()) {}

Result<void> ControlServer::start() {
  CHECK(server_.listen_unix(path_, kOwnerOnly));
  listening_ = true;
  return {};
}

asio::awaitable<void> ControlServer::stop() {
  co_await server_.stop();
  if (listening_) ::unlink(path_.c_str());
  listening_ = false;
}

}  // namespace devstack::control

#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/control/api.h"
#include "core/control/log_stream.h"
#include "core/http/client.h"
#include "core/supervisor/status.h"

namespace devstack::control {

/// The CLI's side of the control socket. Every call is one connection, on the caller's executor. Errors are the
/// server's (error_json.h), and Errc::unavailable "no devstack is running here (state directory …): start it with
/// `devstack up`" when nobody answers, Errc::permission when the socket is another user's.
class ControlClient {
 public:
  explicit ControlClient(std::string state_dir);

  /// Whether a supervisor answers (within two seconds).
  [[nodiscard]] asio::awaitable<bool> is_running() const;
  [[nodiscard]] asio::awaitable<Result<supervisor::Status>> status() const;
  /// The status document as it came, for `status --json`.
  [[nodiscard]] asio::awaitable<Result<std::string>> status_json() const;
  /// The document of startup_json.h, of one project.
  [[nodiscard]] asio::awaitable<Result<std::string>> startup_json(std::string project) const;
  /// Calls `on_status` with the status now and on every change until it returns false (then ok) or `deadline` passes
  /// (Errc::timeout). Errc::unavailable when the supervisor goes away.
  asio::awaitable<Result<void>> watch(std::function<bool(const supervisor::Status&)> on_status,
                                      Instant deadline = Instant::max()) const;
  /// `on_text` gets pieces of text in the request's form. Returns when the log ends; when following, cancel it.
  asio::awaitable<Result<void>> logs(LogRequest request, std::function<void(std::string_view)> on_text) const;

  /// The same of the DNS server's queries, one a line; `tail` < 0 for all that it still knows.
  asio::awaitable<Result<void>> dns_log(int tail, Follow follow, std::function<void(std::string_view)> on_text) const;

  asio::awaitable<Result<void>> unit_action(UnitAction action, std::string name) const;
  asio::awaitable<Result<void>> carry_out(UnitOrder order) const;
  /// Returns when the services (of that project, where one is named) are down: up to `kLongest`.
  asio::awaitable<Result<void>> down(supervisor::DownOptions options = {}, std::string project = {}) const;
  asio::awaitable<Result<std::string>> apply(std::string request_json) const;
  asio::awaitable<Result<std::string>> plan(std::string request_json = {}) const;

  static constexpr std::chrono::minutes kLongest{30};

 private:
  asio::awaitable<Result<std::string>> call(std::string method, std::string target, std::string body,
                                            std::chrono::milliseconds timeout) const;
  asio::awaitable<Result<void>> stream_text(std::string target, std::function<void(std::string_view)> on_text) const;
  [[nodiscard]] Error explain(Error error) const;

  std::string state_dir_;
  http::Target target_;
};

}  // namespace devstack::control

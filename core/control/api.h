#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/async/clock.h"
#include "core/base/async/signal.h"
#include "core/base/result.h"
#include "core/control/log_stream.h"
#include "core/control/stack_control.h"
#include "core/http/message.h"
#include "core/registry/registry.h"
#include "core/supervisor/status.h"

namespace devstack::control {

/// What the composition root adds. A hook that is not set answers 503 unavailable. Hooks run on the loop, are carried
/// to their end even when the client hangs up, and must not call ControlApi::stop().
struct ControlOptions {
  LogPlaces logs;
  registry::RegistryView* registry = nullptr;  ///< for Status::discovered; none without it
  /// URLs under which a browser reaches a discovered service (through the proxy).
  std::function<std::vector<std::string>(std::string_view service)> links;
  /// The DNS server's queries from number `after` on, a line each, the last `most` of them; moves `after` behind them.
  std::function<std::string(std::uint64_t& after, std::size_t most)> dns_log;
  /// The document of GET /v1/dns/queries (core/dns/queries_json.h), with the queries from number `after` on.
  std::function<std::string(std::uint64_t after)> dns_queries;
  /// `project` "" = all of them, and then the components.
  std::function<asio::awaitable<Result<void>>(supervisor::DownOptions options, std::string project)> down;
  /// The bodies of POST /v1/apply and POST /v1/plan and what they answer are JSON between CLI and composition root;
  /// GET /v1/plan passes "".
  std::function<asio::awaitable<Result<std::string>>(std::string request_json)> apply;
  std::function<asio::awaitable<Result<std::string>>(std::string request_json)> plan;
};

std::string_view to_string(UnitAction action);
std::optional<UnitAction> parse_unit_action(std::string_view text);

/// devstack's own HTTP API, served on the control socket (server.h) and, in part, by the status page (core/ui):
///
///     GET  /v1/status                           the document of status_json.h
///     GET  /v1/status/events                    server-sent events `status`, the whole document on each change, at
///                                               most ten a second; a comment every 15 s of quiet
///     GET  /v1/startup?project=P                how long the last `up` of a project took and why: startup_json.h
///     GET  /v1/logs?project=P&service=NAME&tail=N&since=T&until=T&follow=1&format=json   kept lines of NAME
///     (repeatable) by time,
///                                               `name | line` or a JSON object a line; see log_stream.h
///     GET  /v1/dns/log?tail=N&follow=1          text/plain, a query a line: what the DNS server was asked, and how it
///                                               answered
///     GET  /v1/dns/queries?after=N              the same queries and the counts of them as JSON, for the status page
///     POST /v1/units/NAME/{stop,start,restart,pause,unpause,kill,remove}  by unit or service name; answers {} when
///     done.
///                                               ?timeout=SECONDS for stop and restart, ?signal=HUP for kill,
///                                               ?alone=1 for restart: not what depends on it with restart: true,
///                                               ?volumes=1 for remove: with anonymous volumes
///     POST /v1/down?project=NAME&timeout=SECONDS&volumes=1&images=local|all&orphans=1   answers {} after the services
///                                               (of that project) are down
///     POST /v1/apply · GET, POST /v1/plan       the composition root's
///
/// Errors: error_json.h. Loop thread; outlives the servers that hand it requests. `stack` outlives it.
class ControlApi {
 public:
  ControlApi(asio::any_io_executor loop, StackControl& stack, ControlOptions options, Clock& clock = steady_clock());
  ~ControlApi();
  ControlApi(const ControlApi&) = delete;
  ControlApi& operator=(const ControlApi&) = delete;

  /// Begins to watch the stack and the registry; without it changed() never bumps.
  void start();
  /// Ends what start() began and cancels actions under way. Stop the servers first.
  asio::awaitable<void> stop();

  asio::awaitable<http::Response> handle(http::Request request);

  /// The supervisor's status with `discovered` filled in.
  [[nodiscard]] supervisor::Status status() const;
  /// Bumps when status() may say something else.
  Signal& changed();
  asio::awaitable<Result<void>> unit_action(UnitAction action, std::string name);
  asio::awaitable<Result<void>> carry_out(UnitOrder order);

  /// Writes an event of that name with what `render` makes of the status, now and whenever that text changes, as
  /// /v1/status/events does. Returns when the peer is gone.
  using Render = std::function<std::string(const supervisor::Status&)>;
  asio::awaitable<void> stream_events(http::BodyWriter& out, std::string event, Render render);
  /// The same as a response.
  http::Response event_response(std::string event, Render render);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace devstack::control

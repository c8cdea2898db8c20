#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/control/stack_control.h"
#include "core/http/message.h"

namespace devstack::control {

/// Follows or reads a container's log (docker::Client::logs behind it): bytes of both streams as they come; `tail` < 0
/// for all. Returns when the log ends, or with what broke it; cancellable.
using ContainerLogs = std::function<asio::awaitable<Result<void>>(std::string container_id, bool follow, int tail,
                                                                  std::function<void(std::string_view)> on_bytes)>;

enum class Follow { no, yes };

struct LogRequest {
  std::string service;  ///< a unit, a service, a component, or "devstack" for the supervisor itself; "": all services
  int tail = -1;        ///< of each unit; negative: all
  Follow follow = Follow::no;
};

/// One place that a unit's lines come from: a file (only lines that contain `filter`, when set) or a container.
struct LogSource {
  std::string name;
  std::string file;
  std::string filter;
  std::string container_id;
  bool ended = false;  ///< its unit will not write more for now
  friend bool operator==(const LogSource&, const LogSource&) = default;
};

/// Which sources a request means. Units that have nothing to read yet have no source. Errc::not_found, with the names
/// there are, for an unknown name. Pure but for asking `stack` for file names.
Result<std::vector<LogSource>> log_sources(const StackControl& stack, const std::string& supervisor_log,
                                           const std::string& service);

/// Writes `name | line\n` for each line of each source. A source's lines keep their order; sources are not ordered
/// against each other. Following goes on until the peer goes, and takes up units, containers and files that appear
/// later. Loop thread; `stack` and `containers` outlive it.
asio::awaitable<void> stream_logs(StackControl& stack, const ContainerLogs& containers, std::string supervisor_log,
                                  LogRequest request, http::BodyWriter& out);

}  // namespace devstack::control

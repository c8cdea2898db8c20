#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/control/stack_control.h"
#include "core/http/message.h"
#include "core/logs/reader.h"

namespace devstack::control {

enum class Follow { no, yes };
enum class LogForm { text, json };

struct LogRequest {
  std::vector<std::string> services;  ///< see log_units.h; empty: all services
  logs::Choice choice;
  Follow follow = Follow::no;
  LogForm form = LogForm::text;  ///< `name | line`, or the JSON of core/logs/record.h, a line a record
};

/// The files that logs are read from.
struct LogPlaces {
  std::string kept;            ///< the folder of the project's kept logs
  std::string supervisor_log;  ///< "" when devstack logs to a terminal
};

/// Adds what a request means to a reader. Errc::not_found for an unknown name.
Result<void> add_log_sources(const supervisor::Status& status, const LogPlaces& places,
                             const std::vector<std::string>& services, logs::LogReader& reader);

std::string log_text(const std::vector<logs::Record>& records, LogForm form);

/// Writes the records of the units that are asked for, by time. Following goes on until the peer goes, and takes up
/// units that appear later. A slow peer holds up nobody: what it has not taken stays on disk. Loop thread; `stack`
/// outlives it.
asio::awaitable<void> stream_logs(StackControl& stack, LogPlaces places, LogRequest request, http::BodyWriter& out);

}  // namespace devstack::control

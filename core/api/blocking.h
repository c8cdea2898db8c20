#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "core/api/call.h"

/// Blocking queries and the parameters that all reads share. Private to the room.
/// https://developer.hashicorp.com/consul/api-docs/features/blocking
namespace devstack::api {

/// `index` and `wait`; the error is the text of the 400.
Result<ReadOptions> wait_options(const http::Query& query);
/// These and the consistency flags.
Result<ReadOptions> read_options(const http::Query& query);

/// How long a query with this `wait` blocks: 5m by default, at most 10m, plus `jitter` (0..1) of a sixteenth.
std::chrono::nanoseconds blocking_time(std::chrono::nanoseconds wait, double jitter);

/// Computes the answer, and when its index is not past `call.options.index` waits for a change and computes again,
/// until the deadline. A timeout gives the last answer.
asio::awaitable<Answer> answer_when_changed(const Route& route, const Call& call);

}  // namespace devstack::api

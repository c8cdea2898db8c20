// The kinds of checks that speak HTTP/2: gRPC's health protocol, and a mere PING.
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "core/base/async/clock.h"
#include "core/health/check_probe.h"
#include "core/health/grpc_health.h"
#include "core/health/h2_client.h"

namespace devstack::health {
namespace {

using Time = std::chrono::steady_clock;

H2Security security_of(const registry::CheckDefinition& definition, bool tls) {
  H2Security security;
  security.tls = tls;
  security.verify = !definition.tls_skip_verify;
  security.server_name = definition.tls_server_name;
  return security;
}

asio::awaitable<CheckResult> ask_health(CheckPtr check, Time::time_point deadline) {
  const auto& definition = check->definition;
  const auto target = grpc_target(definition.grpc);
  auto security = security_of(definition, definition.grpc_use_tls);
  auto stream = co_await H2Stream::connect(target.address, std::move(security), deadline);
  if (!stream) {
    const auto why =
        fmt::format("connection error: desc = \"transport: {}{}\"",
                    stream.error().code == Errc::failed ? "authentication handshake failed: " : "Error while dialing ",
                    stream.error().message);
    co_return critical(rpc_error("Unavailable", why));
  }
  H2Request request;
  request.path = "/grpc.health.v1.Health/Check";
  request.authority = target.address;
  request.tls = definition.grpc_use_tls;
  request.headers = {{"content-type", "application/grpc"}, {"te", "trailers"}, {"user-agent", "grpc-devstack"}};
  request.body = health_request(target.service);
  const auto answer = co_await h2_post(**stream, std::move(request));
  if (!answer) co_return critical(rpc_error("Unavailable", "transport is closing: " + answer.error().message));
  co_return health_result(definition.grpc, *answer);
}

asio::awaitable<CheckResult> ping(CheckPtr check, Time::time_point deadline) {
  const auto& definition = check->definition;
  auto security = security_of(definition, true);
  auto stream = co_await H2Stream::connect(definition.h2ping, std::move(security), deadline);
  if (!stream) co_return critical(fmt::format("Failed to dial to {}: {}", definition.h2ping, stream.error().message));
  const auto pong = co_await h2_ping(**stream);
  if (!pong) co_return critical(fmt::format("HTTP2 ping failed: {}", pong.error().message));
  CheckResult result;
  result.status = registry::status::passing;
  result.output = "HTTP2 ping was successful";
  co_return result;
}

}  // namespace

asio::awaitable<CheckResult> probe_grpc(CheckPtr check) {
  using namespace asio::experimental::awaitable_operators;
  const auto deadline = Time::now() + time_limit(check->definition, std::chrono::seconds(10));
  auto ended = co_await (ask_health(check, deadline) || steady_clock().sleep_until(deadline));
  if (ended.index() == 0) co_return std::move(std::get<0>(ended));
  co_return critical(rpc_error("DeadlineExceeded", "context deadline exceeded"));
}

asio::awaitable<CheckResult> probe_h2ping(CheckPtr check) {
  using namespace asio::experimental::awaitable_operators;
  const auto deadline = Time::now() + time_limit(check->definition, std::chrono::seconds(10));
  auto ended = co_await (ping(check, deadline) || steady_clock().sleep_until(deadline));
  if (ended.index() == 0) co_return std::move(std::get<0>(ended));
  co_return critical("HTTP2 ping failed: context deadline exceeded");
}

}  // namespace devstack::health

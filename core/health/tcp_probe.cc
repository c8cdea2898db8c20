#include "core/health/check_probe.h"
#include "core/health/dial.h"

namespace devstack::health {

asio::awaitable<CheckResult> probe_tcp(CheckPtr check) {
  const auto& definition = check->definition;
  const auto limit = time_limit(definition, std::chrono::seconds(10));
  const std::string where = definition.tcp;
  const auto connection = co_await dial(where, std::chrono::steady_clock::now() + limit);
  if (!connection) co_return critical(connection.error().message);
  CheckResult result;
  result.status = registry::status::passing;
  result.output = fmt::format("TCP connect {}: Success", where);
  co_return result;
}

}  // namespace devstack::health

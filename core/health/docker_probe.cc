#include "core/base/duration.h"
#include "core/docker/client.h"
#include "core/health/check_probe.h"
#include "core/health/output_tail.h"

namespace devstack::health {
namespace {

std::string why(const Error& error, const std::string& container, std::chrono::nanoseconds limit) {
  switch (error.code) {
    case Errc::not_found:
      return fmt::format("create exec failed for unknown container {}", container);
    case Errc::conflict:
      return fmt::format("create exec failed since container {} is paused or stopped", container);
    case Errc::timeout:
      return fmt::format("Timed out ({}) running check", format_duration(limit));
    default:
      return fmt::format("create exec failed for container {}: {}", container, error.message);
  }
}

}  // namespace

asio::awaitable<CheckResult> probe_docker(CheckPtr check, std::shared_ptr<docker::Client> engine) {
  const auto& definition = check->definition;
  const auto limit = time_limit(definition, std::chrono::seconds(30));
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(limit);
  auto argv = definition.script_args;
  auto ran = co_await engine->exec(definition.docker_container_id, std::move(argv), output_limit(definition), whole);
  if (!ran) co_return critical(why(ran.error(), definition.docker_container_id, limit));
  CheckResult result;
  if (ran->exit_code == 0) result.status = registry::status::passing;
  if (ran->exit_code == 1) result.status = registry::status::warning;
  result.output = captured_text(std::move(ran->output), ran->written);
  co_return result;
}

}  // namespace devstack::health

#include "core/health/probe.h"

#include <fmt/format.h>

namespace devstack::health {
namespace {

constexpr std::size_t output_bytes = 4096;  // what Docker keeps of a probe

}  // namespace

std::vector<std::string> command_of(const std::vector<std::string>& test) {
  if (test.size() < 2) return {};
  if (test[0] == "CMD") return {test.begin() + 1, test.end()};
  if (test[0] == "CMD-SHELL") return {"/bin/sh", "-c", test[1]};
  return {};
}

asio::awaitable<ProbeResult> probe_command(process::Spec spec, std::chrono::milliseconds timeout) {
  ProbeResult result;
  auto finished = co_await process::run(std::move(spec), timeout, output_bytes);
  if (!finished) {
    result.output = finished.error().message;
    co_return result;
  }
  result.outcome = finished->exit_code == 0 ? Outcome::passed : Outcome::failed;
  result.output = std::move(finished->output);
  while (!result.output.empty() && result.output.back() == '\n') result.output.pop_back();
  if (result.output.empty() && finished->exit_code != 0) {
    result.output = fmt::format("exit code {}", finished->exit_code);
  }
  co_return result;
}

}  // namespace devstack::health

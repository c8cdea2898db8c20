#include "core/host/tell.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "core/process/child.h"

namespace devstack::host {

asio::awaitable<Result<void>> tell(std::vector<Notify> programs, std::map<std::string, std::string> environment,
                                   bool restart_docker, std::vector<std::string>& todo) {
  const bool systemd = std::filesystem::exists("/run/systemd/system");
  for (const auto& one : programs) {
    if (one.interrupts && !restart_docker) continue;
    const auto command = fmt::format("{}", fmt::join(one.argv, " "));
    if (!systemd) {
      todo.push_back(fmt::format("restart {}: systemd does not run here", one.program));
      continue;
    }
    process::Spec spec;
    spec.argv = one.argv;
    spec.env = environment;
    auto finished = co_await process::run(std::move(spec), std::chrono::seconds(60));
    if (!finished) co_return tl::unexpected(std::move(finished.error()).with_context(command));
    if (finished->exit_code != 0) {
      co_return fail(Errc::failed, "the files are changed, but `{}` ended with {}: {}", command, finished->exit_code,
                     finished->output);
    }
  }
  co_return Result<void>();
}

}  // namespace devstack::host

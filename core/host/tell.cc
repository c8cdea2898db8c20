#include "core/host/tell.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "core/process/child.h"

namespace devstack::host {

bool systemd_runs() { return std::filesystem::exists("/run/systemd/system"); }

asio::awaitable<bool> tell(std::vector<Notify> programs, TellOptions options, std::vector<std::string>& todo) {
  bool all = true;
  for (const auto& one : programs) {
    if (one.interrupts && !options.restart_docker) continue;
    const auto command = fmt::format("{}", fmt::join(one.argv, " "));
    if (!options.systemd) {
      todo.push_back(fmt::format("restart {}: systemd does not run here", one.program));
      continue;
    }
    process::Spec spec;
    spec.argv = one.argv;
    spec.env = options.environment;
    // Docker stops its containers first, and each has a grace period.
    const std::chrono::seconds limit(one.interrupts ? 300 : 60);
    const auto finished = co_await process::run(std::move(spec), limit);
    if (finished && finished->exit_code == 0) continue;
    all = false;
    std::string why = finished ? fmt::format("exit code {}: {}", finished->exit_code, finished->output)
                               : finished.error().to_string();
    why.erase(why.find_last_not_of(" \t\n:") + 1);
    todo.push_back(fmt::format("`{}` failed ({}): run it yourself", command, why));
  }
  co_return all;
}

}  // namespace devstack::host

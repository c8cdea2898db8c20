#include <filesystem>

#include "core/base/duration.h"
#include "core/health/check_probe.h"
#include "core/health/output_tail.h"
#include "core/process/child.h"

namespace devstack::health {
namespace {

std::string_view status_of(int exit_code) {
  if (exit_code == 0) return registry::status::passing;
  return exit_code == 1 ? registry::status::warning : registry::status::critical;
}

/// Why a command cannot start, in the words of Go's os/exec; nothing when it can.
std::optional<std::string> cannot_start(const std::string& command, const std::map<std::string, std::string>& env) {
  if (command.empty()) return "exec: no command";
  const auto path = env.find("PATH");
  if (process::find_program(command, path == env.end() ? std::string_view() : path->second)) return std::nullopt;
  if (command.find('/') == std::string::npos) {
    return fmt::format("exec: \"{}\": executable file not found in $PATH", command);
  }
  std::error_code error;
  const bool there = std::filesystem::exists(command, error);
  return fmt::format("fork/exec {}: {}", command, there ? "permission denied" : "no such file or directory");
}

CheckResult at_once(std::string output) {
  auto result = critical(std::move(output));
  result.at_once = true;
  return result;
}

}  // namespace

asio::awaitable<CheckResult> probe_script(CheckPtr check, std::map<std::string, std::string> environment) {
  const auto& definition = check->definition;
  const auto limit = time_limit(definition, std::chrono::seconds(30));
  const std::string command = definition.script_args.empty() ? std::string() : definition.script_args[0];
  if (auto why = cannot_start(command, environment)) co_return at_once(std::move(*why));
  process::Spec spec;
  spec.argv = definition.script_args;
  spec.env = std::move(environment);
  auto ran = co_await process::capture(std::move(spec), std::chrono::ceil<std::chrono::milliseconds>(limit),
                                       output_limit(definition));
  if (!ran) co_return at_once(ran.error().message);
  auto output = captured_text(std::move(ran->output), ran->written);
  if (ran->timed_out) {
    auto text = fmt::format("Timed out ({}) running check", format_duration(limit));
    if (!output.empty()) text += "\n\n" + output;
    co_return at_once(std::move(text));
  }
  CheckResult result;
  result.status = status_of(ran->exit_code);
  result.output = std::move(output);
  co_return result;
}

}  // namespace devstack::health

#include <fmt/format.h>

#include <cstdio>

#include "cmd/devstack/command.h"
#include "cmd/devstack/paths.h"
#include "core/base/async/task_group.h"
#include "core/control/client.h"

namespace devstack {
namespace {

struct LogOptions {
  bool follow = false;
  int tail = -1;
  std::vector<std::string> services;
};

void print(std::string_view bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  std::fflush(stdout);
}

asio::awaitable<void> print_one(control::LogRequest request, int& code) {
  const control::ControlClient client(state_dir());
  const auto ended = co_await client.logs(request, print);
  if (!ended) code = report(ended.error());
}

int logs(const LogOptions& options) {
  asio::io_context io;
  int code = 0;
  const auto names = options.services.empty() ? std::vector<std::string>{""} : options.services;
  for (const auto& name : names) {
    control::LogRequest request;
    request.service = name;
    request.tail = options.tail;
    request.follow = options.follow ? control::Follow::yes : control::Follow::no;
    spawn(io.get_executor(), "logs of " + name, print_one(std::move(request), code));
    // Several are followed side by side, but read to their end one after the other.
    if (!options.follow) {
      io.run();
      io.restart();
    }
  }
  io.run();
  return code;
}

}  // namespace

void add_logs(CommandLine line) {
  auto* command = line.cli.add_subcommand("logs", "what services and components print");
  auto options = std::make_shared<LogOptions>();
  command->add_flag("-f,--follow", options->follow, "go on with what comes");
  command->add_option("-n,--tail", options->tail, "only the last N lines of each");
  command->add_option("SERVICE", options->services, "services, units or components, or devstack; none: all services");
  command->callback([line, options] { line.chosen = [options] { return logs(*options); }; });
}

}  // namespace devstack

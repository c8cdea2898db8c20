#include "cmd/devstack/up.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/daemon.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/plan.h"
#include "cmd/devstack/settle.h"
#include "cmd/devstack/startup_text.h"
#include "cmd/devstack/terminal.h"
#include "cmd/devstack/watch.h"
#include "core/base/async/clock.h"
#include "core/control/client.h"
#include "core/control/startup_json.h"
#include "core/control/status_json.h"

namespace devstack {
namespace {

using supervisor::Status;

struct UpOptions {
  bool foreground = false;
  bool detach = false;
  int ready_fd = -1;
  bool dry_run = false;
  bool explain = false;
  WaitFlags wait;
  Attachment attachment;
};

std::string summary(const Status& status, std::chrono::steady_clock::duration took) {
  std::string out =
      fmt::format("{} is up: {} components, {} services, {:.1f} s\n", terminal::bold(status.project),
                  status.components.size(), status.services.size(), std::chrono::duration<double>(took).count());
  for (const auto& unit : status.components) {
    if (unit.name == "ui" && !unit.links.empty()) out += fmt::format("  status page  {}\n", unit.links.front());
  }
  for (const auto& unit : status.services) {
    if (!unit.links.empty()) out += fmt::format("  {:<11}  {}\n", unit.name, unit.links.front());
  }
  return out;
}

/// The status document, and with it, under `startup`, why the start took that long.
std::string explained_json(const Status& status, const std::string& startup) {
  auto document = boost::json::parse(control::to_json(status));
  document.as_object()["startup"] = boost::json::parse(startup);
  return boost::json::serialize(document);
}

int report_settled(const Globals& globals, const Status& status, const std::string& startup,
                   std::chrono::steady_clock::duration took) {
  if (globals.json) {
    fmt::print("{}\n", startup.empty() ? control::to_json(status) : explained_json(status, startup));
    return 0;
  }
  fmt::print("{}", summary(status, took));
  return 0;
}

/// Also of a start that failed: what it waited for is what to look at.
std::string startup_of(const Globals& globals, const control::ControlClient& client, const std::string& project) {
  auto document = run_blocking(client.startup_json(project));
  const auto startup = document ? control::startup_from_json(*document) : tl::unexpected<Error>(document.error());
  if (!startup) {
    terminal::complain(startup.error().message);
    return {};
  }
  if (!globals.json) fmt::print("{}", startup_text(*startup));
  return std::move(*document);
}

int wait_and_report(const Globals& globals, const Awaited& what, Explained explained, Instant began) {
  const control::ControlClient client(state_dir());
  const auto status = run_blocking(wait_settled(client, what));
  const auto took = std::chrono::steady_clock::now() - began;
  std::string startup;
  if (explained == Explained::yes) startup = startup_of(globals, client, what.project);
  if (!status) return report(status.error());
  return report_settled(globals, *status, startup, took);
}

/// Says what changes, before it is done, where `up` is asked to explain.
void explain_changes(const Globals& globals, const control::ControlClient& client, const std::string& request) {
  const auto text = run_blocking(client.plan(request));
  const auto changes = text ? changes_from_json(*text) : Result<Changes>(tl::unexpected(text.error()));
  if (changes && !globals.json) fmt::print("{}", changes_text(*changes, Explained::yes));
}

int up(const Globals& globals, const UpOptions& options, const UpFlags& flags) {
  const auto began = std::chrono::steady_clock::now();
  const auto limit = wait_limit(options.wait);
  if (!limit) return report(limit.error());
  const auto choice = choice_of(flags);
  if (!choice) return report(choice.error());
  if (options.dry_run) return print_changes(globals, *choice, options.explain ? Explained::yes : Explained::no);
  auto load = load_options(globals);
  load.targets = choice->how.services;  // naming a service activates its profiles
  auto file = stack::load(load);
  if (!file) return report(file.error());
  const auto& code_from = options.attachment.exit_code_from;
  if (!code_from.empty() && !file->services.contains(code_from)) {
    return report(Error{Errc::not_found, fmt::format("--exit-code-from: no service \"{}\"", code_from)});
  }
  const bool follows_sources = flags.watch && has_watch_rules(*file);
  if (follows_sources && flags.no_build && has_watch_rules(*file, "rebuild")) {
    return report(Error{Errc::usage, "--no-build and --watch exclude each other where develop.watch has a rebuild"});
  }
  if (options.foreground || options.attachment.wanted()) {
    if (follows_sources && options.ready_fd < 0) {
      terminal::complain("develop.watch is followed by: devstack watch --no-up, beside this one");
    }
    if (options.detach) return report(Error{Errc::usage, "-d and flags that stay in this terminal exclude each other"});
    return run_in_foreground(globals,
                             ForegroundOptions{load, std::move(*file), *choice, options.attachment, options.ready_fd});
  }
  for (const auto& warning : file->warnings) terminal::complain(warning);

  const control::ControlClient client(state_dir());
  if (run_blocking(client.is_running())) {
    const auto request = up_request(load, *choice);
    if (options.explain) explain_changes(globals, client, request);
    const auto changes = run_blocking(client.apply(request));
    if (!changes) return report(changes.error());
    if (!globals.json) {
      fmt::print("{}\n", changes->empty() ? file->project + " is already up, nothing changed" : *changes);
    }
  } else if (const auto started = start_in_background(globals, *file, *choice); !started) {
    return report(started.error());
  }
  const Awaited what{file->project, choice->how.services, choice->how.no_start, began + *limit, globals.json};
  const auto explained = options.explain ? Explained::yes : Explained::no;
  const int code = options.wait.no_wait ? 0 : wait_and_report(globals, what, explained, began);
  if (code != 0 || !follows_sources || options.detach) return code;
  WatchSettings settings;
  settings.services = choice->how.services;
  return watch_sources(globals, std::move(settings));
}

/// Compose's `create`: up --no-start.
void add_create(CommandLine line) {
  auto* command = line.cli.add_subcommand("create", "make the services' containers without starting them");
  auto options = std::make_shared<UpOptions>();
  auto flags = std::make_shared<UpFlags>();
  flags->how.no_start = true;
  add_up_flags(*command, flags);
  command->callback([line, options, flags] {
    line.chosen = [&globals = line.globals, options, flags] { return up(globals, *options, *flags); };
  });
}

}  // namespace

int bring_up(const Globals& globals, const UpFlags& flags) {
  UpOptions detached;
  detached.detach = true;
  return up(globals, detached, flags);
}

void add_up(CommandLine line) {
  add_create(line);
  auto* command = line.cli.add_subcommand("up", "start the stack and return when all of it is healthy");
  auto options = std::make_shared<UpOptions>();
  auto flags = std::make_shared<UpFlags>();
  add_up_flags(*command, flags);
  command->add_flag("-d,--detach", options->detach, "run in the background (the default)");
  command->add_flag("--foreground", options->foreground, "stay in this terminal; for systemd");
  command->add_flag("--no-start", flags->how.no_start, "make containers as planned, and start none of them");
  add_wait_flags(*command, options->wait);
  command->add_flag("--dry-run", options->dry_run, "only say what would be done to each service");
  command->add_flag("--explain", options->explain,
                    "say why, with the keys that changed, and at the end what the start waited for");
  command->add_flag("-w,--watch", flags->watch,
                    "follow the stack's files: each change of them is applied; and, unless -d, the services' sources, "
                    "as `watch` does");
  command->add_flag("--abort-on-container-exit", options->attachment.abort_on_exit,
                    "stay in this terminal, and stop everything when one ends");
  command->add_option("--exit-code-from", options->attachment.exit_code_from,
                      "the same, and exit with the code of that service");
  command
      ->add_option("--attach", options->attachment.only, "stay in this terminal and show only these services' output")
      ->allow_extra_args(false);
  command->add_option("--no-attach", options->attachment.never, "do not show these services' output")
      ->allow_extra_args(false);
  command->add_option("--ui-dir", line.globals.ui_dir, "serve the status page's files from this folder");
  command->add_option("--ready-fd", options->ready_fd)->group("");
  command->callback([line, options, flags] {
    line.chosen = [&globals = line.globals, options, flags] { return up(globals, *options, *flags); };
  });
}

}  // namespace devstack

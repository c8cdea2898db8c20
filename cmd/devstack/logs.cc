#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/log_text.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/project_choice.h"
#include "cmd/devstack/terminal.h"
#include "core/control/client.h"
#include "core/control/log_units.h"
#include "core/logs/kept_log.h"

namespace devstack {
namespace {

struct LogOptions {
  bool follow = false;
  bool timestamps = false;
  bool no_prefix = false;
  std::string tail = "all";
  std::string since, until;
  std::vector<std::string> services;
};

Result<control::LogRequest> request_of(const LogOptions& options) {
  control::LogRequest request;
  request.services = options.services;
  request.follow = options.follow ? control::Follow::yes : control::Follow::no;
  request.form = control::LogForm::json;
  if (options.tail != "all") {
    const bool digits = !options.tail.empty() && options.tail.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || options.tail.size() > 9) {
      return fail(Errc::usage, "--tail: \"{}\" is neither a number nor \"all\"", options.tail);
    }
    request.choice.tail = std::stoi(options.tail);
  }
  const auto now = logs::now();
  if (!options.since.empty()) {
    TRY(request.choice.since, logs::parse_when(options.since, now));
  }
  if (!options.until.empty()) {
    TRY(request.choice.until, logs::parse_when(options.until, now));
  }
  return request;
}

/// Whose logs are meant where nothing runs: the stack file's project, else the one that ran last.
std::string project_here(const Globals& globals, const std::string& folder) {
  if (!globals.project.empty()) return globals.project;
  std::error_code error;
  if (const auto file = stack::load(load_options(globals)); file) {
    if (std::filesystem::exists(folder + "/" + file->project, error)) return file->project;
  }
  std::string latest;
  std::filesystem::file_time_type when{};
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const auto written = entry.last_write_time(error);
    if (!entry.is_directory() || (!latest.empty() && written <= when)) continue;
    latest = entry.path().filename().string();
    when = written;
  }
  return latest;
}

LogStyle style_of(const Globals& globals, const LogOptions& options) {
  return {.prefix = !options.no_prefix, .timestamps = options.timestamps, .json = globals.json};
}

Result<std::vector<std::string>> expected_names(const supervisor::Status& status, const std::string& kept,
                                                const std::vector<std::string>& services) {
  TRY(const auto wanted, control::log_units(status, logs::kept_units(kept), services));
  auto names = wanted.units;
  for (const auto& component : wanted.components) names.push_back(component.empty() ? "devstack" : component);
  return names;
}

/// What a killed or ended supervisor has kept.
Result<void> print_files(const Globals& globals, const LogOptions& options, const control::LogRequest& request) {
  const StatePaths paths(state_dir());
  control::LogPlaces places;
  places.kept = paths.logs(project_here(globals, paths.logs("")));
  places.supervisor_log = paths.log();
  // Components are no units that have logs of their own: their names are known without a supervisor, too.
  supervisor::Status status;
  for (const char* component : {"registry", "dns", "registrator", "proxy", "templates", "ui"}) {
    status.components.emplace_back().name = component;
  }
  TRY(const auto names, expected_names(status, places.kept, request.services));
  logs::LogReader reader(request.choice);
  CHECK(control::add_log_sources(status, places, request.services, reader));
  LogPrinter printer(style_of(globals, options), names);
  for (auto records = reader.read(); !records.empty(); records = reader.read()) {
    std::string text;
    for (const auto& record : records) text += printer.text(record);
    CHECK(terminal::write(text));
  }
  return {};
}

asio::awaitable<Result<void>> print_running(const Globals& globals, const LogOptions& options,
                                            control::LogRequest request) {
  const control::ControlClient client(state_dir());
  CO_TRY(auto status, co_await client.status());
  const auto& names_given = request.services;
  const bool elsewhere = std::any_of(names_given.begin(), names_given.end(),
                                     [](const std::string& name) { return name.find('/') != std::string::npos; });
  // One that is not up has kept logs.
  if (!elsewhere) request.project = named_project(globals);
  if (!elsewhere && request.project.empty()) request.project = choose_project(project_names(status), "").value_or("");
  control::LogPlaces places;
  places.projects = StatePaths(state_dir()).logs("");
  CO_CHECK(control::narrow(status, places, request));
  const auto& kept = places.kept;
  CO_TRY(const auto names, expected_names(status, kept, request.services));
  LogPrinter printer(style_of(globals, options), names);
  std::string line;
  std::function<void(std::string_view)> print = [&](std::string_view bytes) {
    std::string text;
    for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
      line += bytes.substr(0, end);
      if (const auto record = logs::parse_record(line)) text += printer.text(*record);
      line.clear();
      bytes.remove_prefix(end + 1);
    }
    line += bytes;
    (void)terminal::write(text);
  };
  co_return co_await client.logs(std::move(request), std::move(print));
}

int print_logs(const Globals& globals, const LogOptions& options) {
  const auto request = request_of(options);
  if (!request) return report(request.error());
  const control::ControlClient client(state_dir());
  const bool running = run_blocking(client.is_running());
  const auto printed =
      running ? run_blocking(print_running(globals, options, *request)) : print_files(globals, options, *request);
  return printed ? 0 : report(printed.error());
}

}  // namespace

void add_logs(CommandLine line) {
  auto* command = line.cli.add_subcommand(
      "logs", "what services print, by time; of services that are gone, too, and when devstack is down");
  auto options = std::make_shared<LogOptions>();
  command->add_flag("-f,--follow", options->follow, "go on with what comes");
  command->add_option("-n,--tail", options->tail, "only the last N lines of each, or all (default)");
  command->add_option("--since", options->since, "from then on: 10m, 2026-01-02T15:04:05 or Unix seconds");
  command->add_option("--until", options->until, "up to then");
  command->add_flag("-t,--timestamps", options->timestamps, "the time of each line before it");
  command->add_flag("--no-log-prefix", options->no_prefix, "without the name before each line");
  command->add_option("SERVICE", options->services, "services, units or components, or devstack; none: all services");
  command->callback(
      [line, options] { line.chosen = [&globals = line.globals, options] { return print_logs(globals, *options); }; });
}

}  // namespace devstack

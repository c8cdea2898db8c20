#include "core/control/log_stream.h"

#include <filesystem>

#include "core/base/async/clock.h"
#include "core/base/async/directory_watch.h"
#include "core/control/log_units.h"
#include "core/logs/kept_log.h"

namespace devstack::control {
namespace {

/// How often the files are looked at where the system has no inotify watch left.
constexpr auto kPoll = std::chrono::milliseconds(200);

}  // namespace

Result<void> narrow(supervisor::Status& status, LogPlaces& places, LogRequest& request) {
  for (auto& name : request.services) {
    const auto slash = name.find('/');
    if (slash == std::string::npos) continue;
    if (request.project.empty()) request.project = name.substr(0, slash);
    if (request.project == name.substr(0, slash)) name.erase(0, slash + 1);
  }
  if (request.project.empty()) request.project = status.project;
  if (request.project.starts_with('.') || request.project.find('/') != std::string::npos) {
    return fail(Errc::invalid_argument, "\"{}\" is no name of a project", request.project);
  }
  status = supervisor::of_project(std::move(status), request.project);
  if (!places.projects.empty()) places.kept = places.projects + "/" + request.project;
  return {};
}

Result<void> add_log_sources(const supervisor::Status& status, const LogPlaces& places,
                             const std::vector<std::string>& services, logs::LogReader& reader) {
  TRY(const auto wanted, log_units(status, logs::kept_units(places.kept), services));
  for (const auto& unit : wanted.units) reader.add_unit(places.kept, unit);
  for (const auto& component : wanted.components) reader.add_supervisor(places.supervisor_log, component);
  return {};
}

std::string log_text(const std::vector<logs::Record>& records, LogForm form) {
  std::string out;
  for (const auto& record : records) {
    out += form == LogForm::json ? to_json(record) + "\n" : fmt::format("{} | {}\n", record.unit, record.text);
  }
  return out;
}

asio::awaitable<void> stream_logs(StackControl& stack, LogPlaces places, LogRequest request, http::BodyWriter& out) {
  auto status = stack.status();
  if (!narrow(status, places, request)) co_return;
  DirectoryWatch files(co_await asio::this_coro::executor);
  bool polling = false;
  for (const auto& folder : {places.kept, std::filesystem::path(places.supervisor_log).parent_path().string()}) {
    if (request.follow == Follow::yes && !folder.empty()) polling = !files.add(folder) || polling;
  }
  logs::LogReader reader(request.choice);
  for (;;) {
    const auto seen = files.changed().version();
    // A name that is not there any more may come back.
    (void)add_log_sources(status, places, request.services, reader);
    for (auto records = reader.read(); !records.empty(); records = reader.read()) {
      auto text = log_text(records, request.form);
      const bool there = co_await out.write(std::move(text));
      if (!there) co_return;
    }
    const auto& until = request.choice.until;
    if (request.follow == Follow::no || (until && logs::now() > *until)) co_return;
    co_await files.changed().wait_past(seen, polling ? steady_clock().now() + kPoll : Instant::max());
    status = supervisor::of_project(stack.status(), request.project);
  }
}

}  // namespace devstack::control

#include "core/host/wiring.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "core/host/facts.h"
#include "core/host/journal.h"
#include "core/host/tell.h"

namespace devstack::host {
namespace {

/// An image's links mean places of the machine that it will be: none of them may lead our journal to a file of this
/// one.
Result<std::string> journal_dir(const WiringOptions& options) {
  namespace fs = std::filesystem;
  if (options.root == "/") return options.state_dir + "/host";
  std::string dir = options.root + options.state_dir + "/host";
  std::error_code error;
  const auto root = fs::canonical(options.root, error);
  if (error) return fail(Errc::io, "cannot follow {}: {}", options.root, error.message());
  const auto leads_to = fs::weakly_canonical(dir, error);
  if (error) return fail(Errc::io, "cannot follow {}: {}", dir, error.message());
  if (std::mismatch(root.begin(), root.end(), leads_to.begin(), leads_to.end()).first != root.end()) {
    return fail(Errc::invalid_argument, "{} leads to {}, out of the tree {}: the journal cannot lie there", dir,
                leads_to.string(), root.string());
  }
  return dir;
}

Result<void> check_rights(const WiringOptions& options) {
  if (options.root != "/" || ::geteuid() == 0) return {};
  return fail(Errc::permission, "changing this machine needs root: run it with sudo");
}

bool is_folder(const FileState& state) { return state.kind == FileState::Kind::directory; }

/// A folder of ours that others use by now stays.
Result<bool> put_unless_in_use(Machine& machine, const std::string& path, const FileState& wanted) {
  auto done = machine.put(path, wanted);
  if (done) return true;
  if (done.error().code == Errc::conflict) return false;
  return tl::unexpected(std::move(done.error()));
}

/// Makes the changes of one setup; on an error takes back those it made.
class Setup {
 public:
  Setup(const WiringOptions& options, Machine& machine, Journal& journal)
      : options_(options), machine_(machine), journal_(journal), earlier_(journal.history().entries.size()) {}

  Result<void> make(const std::vector<Change>& changes, const HostSettings& settings) {
    if (changes.empty() && earlier_ == 0) return {};
    if (journal_.history().settings != settings) CHECK(journal_.append(settings));
    for (const auto& change : changes) {
      auto made = make_one(change);
      if (made) continue;
      take_back();
      return made;
    }
    return {};
  }

 private:
  Result<void> make_one(const Change& change) {
    CHECK(journal_.append(Entry{change.path, change.before, change.after}));
    if (options_.on_step) options_.on_step("journalled");
    TRY([[maybe_unused]] const bool done, put_unless_in_use(machine_, change.path, change.after));
    return {};
  }

  /// What this run has made. Its records stay when the disk is too full for more: an undo finds nothing left to do.
  void take_back() {
    const auto& all = journal_.history().entries;
    const std::vector<Entry> own(all.begin() + static_cast<std::ptrdiff_t>(earlier_), all.end());
    const auto look = [&](const std::string& path) { return machine_.look(path).value_or(FileState{}); };
    bool complete = true;
    for (const auto& one : restorations(own, look, false)) {
      machine_.sweep(one.path);
      if (!same(one.now, one.back)) complete &= machine_.put(one.path, one.back).has_value();
    }
    if (!complete || earlier_ > 0) return;
    for (const auto& entry : own) {
      if (!journal_.append(Undone{entry.path})) return;
    }
  }

  const WiringOptions& options_;
  Machine& machine_;
  Journal& journal_;
  std::size_t earlier_;
};

std::vector<Change> needed(std::vector<Change> changes) {
  std::erase_if(changes, [](const Change& change) { return !change.needed(); });
  return changes;
}

constexpr std::string_view kSetupRestarts = " (or devstack host setup --restart-docker)";

/// `other_way`: what else does it, "" for nothing.
std::string restart_docker_hint(std::string_view other_way) {
  return fmt::format(
      "restart Docker so that it reads daemon.json: systemctl restart docker{}; containers without live-restore stop "
      "meanwhile",
      other_way);
}

/// dockerd writes its pid file when it starts: older than the configuration, and it has not read it.
bool docker_has_old_configuration() {
  struct stat pid {};
  struct stat configuration {};
  return ::stat("/run/docker.pid", &pid) == 0 && ::stat(kDaemonJson, &configuration) == 0 &&
         std::tie(pid.st_mtim.tv_sec, pid.st_mtim.tv_nsec) <
             std::tie(configuration.st_mtim.tv_sec, configuration.st_mtim.tv_nsec);
}

std::set<std::string> paths_of(const std::vector<Entry>& entries) {
  std::set<std::string> paths;
  for (const auto& entry : entries) paths.insert(entry.path);
  return paths;
}

/// The address of ours that what somebody else left there still names; "" when none.
std::string address_left_in(const FileState& state, const std::set<std::string>& addresses) {
  if (state.kind != FileState::Kind::file) return "";
  const auto found = std::find_if(addresses.begin(), addresses.end(), [&](const std::string& address) {
    return state.bytes.find(address) != std::string::npos;
  });
  return found == addresses.end() ? "" : *found;
}

bool any_below(const std::set<std::string>& paths, const std::string& folder) {
  return std::any_of(paths.begin(), paths.end(), [&](const auto& path) { return path.starts_with(folder + "/"); });
}

struct Restored {
  std::set<std::string> pending;  ///< their entries must stay in the journal
  std::set<std::string> failed;   ///< of these, those that nothing was done to
};

/// Puts back what can be.
Restored restore(Machine& machine, const Journal& journal, bool force, UndoReport& report) {
  Restored out;
  const auto& history = journal.history();
  const auto keep = [&](const std::string& path, const Error& error) {
    out.pending.insert(path);
    out.failed.insert(path);
    report.kept.push_back(
        fmt::format("{} is not as it was: {}; mend that and run `devstack host undo` again", path, error.to_string()));
  };
  std::map<std::string, Error> unreadable;
  const auto look = [&](const std::string& path) {
    auto found = machine.look(path);
    if (!found) unreadable.emplace(path, found.error());
    return found.value_or(FileState{});
  };
  for (const auto& one : restorations(history.entries, look, force)) {
    if (const auto error = unreadable.find(one.path); error != unreadable.end()) {
      keep(one.path, error->second);
      continue;
    }
    machine.sweep(one.path);
    if (!same(one.now, one.back)) {
      const auto done = put_unless_in_use(machine, one.path, one.back);
      if (!done) {
        keep(one.path, done.error());
        continue;
      }
      if (*done) {
        if (!is_folder(one.now)) report.restored.push_back(one.path);
      } else if (any_below(out.pending, one.path)) {
        out.pending.insert(one.path);
      } else {
        report.notes.push_back(one.path + " stays: there are files of others in it");
      }
    }
    if (!one.foreign) continue;
    const auto address = address_left_in(one.back, history.addresses);
    if (address.empty()) {
      report.notes.push_back(one.path + " was changed by somebody else since; nothing of ours is left in it");
      continue;
    }
    out.pending.insert(one.path);
    report.kept.push_back(
        fmt::format("{} was changed by somebody else since and still names {}: take that out, or "
                    "`devstack host undo --force` for what was there before",
                    one.path, address));
  }
  return out;
}

TellOptions tell_options(const WiringOptions& options) {
  return {options.environment, options.restart_docker, systemd_runs()};
}

Result<Plan> plan_for(const Machine& machine, const History& history, const HostSettings& settings) {
  TRY(const auto facts, gather(machine, history));
  return plan(facts, settings);
}

}  // namespace

Result<SetupReport> preview(const WiringOptions& options, const HostSettings& settings) {
  TRY(const auto machine, Machine::open(options.root));
  TRY(const auto dir, journal_dir(options));
  TRY(const auto journal, Journal::open(dir, Journal::Access::read));
  TRY(auto planned, plan_for(machine, journal.history(), settings));
  return SetupReport{needed(std::move(planned.changes)), std::move(planned.notes), {}};
}

asio::awaitable<Result<SetupReport>> setup(WiringOptions options, HostSettings settings) {
  CO_CHECK(check_rights(options));
  CO_TRY(auto machine, Machine::open(options.root, options.on_step));
  CO_TRY(const auto dir, journal_dir(options));
  CO_TRY(auto journal, Journal::open(dir, Journal::Access::hold));
  auto planned = plan_for(machine, journal.history(), settings);
  Result<void> made;
  SetupReport report;
  bool docker = false;
  if (planned) {
    docker = std::any_of(planned->changes.begin(), planned->changes.end(),
                         [](const Change& change) { return change.path == kDaemonJson; });
    report = {needed(std::move(planned->changes)), std::move(planned->notes), {}};
    made = Setup(options, machine, journal).make(report.changes, settings);
  } else {
    made = tl::unexpected(std::move(planned.error()));
  }
  if (!made) {
    static_cast<void>(journal.close_if_empty());
    co_return tl::unexpected(std::move(made.error()));
  }
  const bool untold = !journal.history().untold.empty();
  const bool this_one = machine.is_this_one();
  bool told = true;
  if (this_one) {
    auto changed = journal.history().untold;
    // An earlier setup may have told everybody but Docker.
    if (docker && options.restart_docker && docker_has_old_configuration()) changed.insert(kDaemonJson);
    told = co_await tell(notifications(changed), tell_options(options), report.todo);
  }
  if (untold && told) CO_CHECK(journal.append(Told{}));
  if (this_one && docker && !options.restart_docker && docker_has_old_configuration()) {
    report.todo.push_back(restart_docker_hint(kSetupRestarts));
  }
  CO_CHECK(journal.close_if_empty());
  co_return report;
}

asio::awaitable<Result<UndoReport>> undo(WiringOptions options, bool force) {
  CO_CHECK(check_rights(options));
  UndoReport report;
  CO_TRY(auto machine, Machine::open(options.root, options.on_step));
  CO_TRY(const auto dir, journal_dir(options));
  {
    CO_TRY(const auto peek, Journal::open(dir, Journal::Access::read));
    if (peek.history().bytes == 0 && peek.history().entries.empty()) co_return report;
  }
  CO_TRY(auto journal, Journal::open(dir, Journal::Access::hold));
  const auto restored = restore(machine, journal, force, report);
  // Programs are told before the journal forgets: a crash here, and the next undo tells them.
  const auto paths = paths_of(journal.history().entries);
  if (machine.is_this_one()) {
    auto changed = paths;
    for (const auto& path : restored.failed) changed.erase(path);
    // One that cannot be told (purged since) must not keep the others' files from being forgotten: it is left to do.
    co_await tell(notifications(changed), tell_options(options), report.todo);
    const bool daemon = std::find(report.restored.begin(), report.restored.end(), kDaemonJson) != report.restored.end();
    if (daemon && !options.restart_docker && std::filesystem::exists("/run/docker.pid")) {
      report.todo.push_back(restart_docker_hint(""));
    }
  }
  for (const auto& path : paths) {
    if (!restored.pending.contains(path)) CO_CHECK(journal.append(Undone{path}));
    if (options.on_step) options.on_step("forgotten");
  }
  CO_CHECK(journal.close_if_empty());
  co_return report;
}

Result<StatusReport> status(const WiringOptions& options, const HostSettings& otherwise) {
  TRY(const auto machine, Machine::open(options.root));
  TRY(const auto dir, journal_dir(options));
  TRY(const auto journal, Journal::open(dir, Journal::Access::read));
  const auto& history = journal.history();
  StatusReport report;
  report.was_setup = !history.entries.empty();
  report.settings = report.was_setup && history.settings ? *history.settings : otherwise;
  TRY(const auto facts, gather(machine, history));
  TRY(const auto planned, plan(facts, report.settings));
  report.resolver = facts.resolver;
  report.notes = planned.notes;
  const auto ours = paths_of(history.entries);
  for (const auto& change : planned.changes) {
    if (is_folder(change.after) || is_folder(change.before)) continue;
    std::string detail = change.reason;
    if (change.needed()) {
      detail = ours.contains(change.path) ? "no longer as devstack wrote it: somebody else changed it" : "not wired";
    }
    report.items.push_back({change.path, !change.needed(), std::move(detail)});
  }
  const bool all = std::all_of(report.items.begin(), report.items.end(), [](const auto& item) { return item.wired; });
  report.wired = all && !report.items.empty();
  if (!report.wired) report.todo.emplace_back("run `devstack host setup`");
  const bool docker = std::any_of(report.items.begin(), report.items.end(),
                                  [](const auto& item) { return item.path == kDaemonJson && item.wired; });
  if (docker && machine.is_this_one() && docker_has_old_configuration()) {
    report.todo.push_back(restart_docker_hint(kSetupRestarts));
  }
  if (machine.is_this_one() && !history.untold.empty()) {
    for (const auto& one : notifications(history.untold)) {
      if (!one.interrupts) report.todo.push_back(one.program + " was not told yet: run `devstack host setup`");
    }
  }
  return report;
}

}  // namespace devstack::host

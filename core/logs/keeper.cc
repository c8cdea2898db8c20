#include "core/logs/keeper.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "core/base/async/clock.h"
#include "core/base/async/directory_watch.h"
#include "core/base/async/task_group.h"
#include "core/base/log.h"
#include "core/logs/container_lines.h"
#include "core/logs/kept_log.h"
#include "core/logs/spool.h"

namespace devstack::logs {
namespace {

using namespace std::chrono_literals;

/// Between attempts to read a container's log while the engine does not answer, or the disk is full.
constexpr auto kRetry = 1s;
/// A container that has ended gives its log at once; longer waits are an engine that hangs.
constexpr auto kDrainLimit = 5s;
/// How often files are looked at where the system has no inotify watch left.
constexpr auto kPoll = 200ms;
constexpr std::string_view kSpoolEnding = ".log";

/// The engine is away, or the disk is full; a container whose logging driver cannot be read stays so.
bool worth_a_retry(Errc code) {
  return code == Errc::docker_unreachable || code == Errc::unavailable || code == Errc::timeout || code == Errc::io;
}

/// One container's log on its way into the kept one.
struct Follower {
  explicit Follower(const asio::any_io_executor& executor) : changed(executor) {}
  std::string unit, container;
  std::uint64_t asked = 0;  ///< bumped when it should be read (again) …
  std::uint64_t read = 0;   ///< … and which of those was read to the log's end
  std::uint64_t turn = 0;
  bool wanted = true;
  Signal changed;
};

}  // namespace

struct LogKeeper::Impl {
  Impl(const asio::any_io_executor& executor, std::string where, ContainerLog log)
      : loop(executor), dir(std::move(where)), containers(std::move(log)), files(executor), tasks(executor) {
    std::error_code ignored;
    std::filesystem::create_directories(dir, ignored);
    const auto watching = files.add(dir);
    polling = !watching;
    if (polling) log::warn("logs", "{}; looking every {} ms", watching.error().message, kPoll.count());
    tasks.spawn("logs: processes", keep_spools());
  }

  struct Kept {
    Kept(const std::string& dir, const std::string& unit) : log(dir, unit, {}) {}
    KeptLog log;
    std::unique_ptr<Spool> spool;
    bool complained = false;
  };

  Kept& kept_of(const std::string& unit) {
    auto& kept = units[unit];
    if (!kept) kept = std::make_unique<Kept>(dir, unit);
    return *kept;
  }

  Result<void> append(Kept& kept, const std::string& unit, const std::vector<KeptLog::Entry>& entries) {
    auto done = kept.log.append(entries);
    if (!done && !kept.complained) log::warn("logs", "{}: {}", unit, done.error().message);
    kept.complained = !done;
    return done;
  }

  // --- processes ---

  asio::awaitable<void> keep_spools() {
    for (;;) {
      const auto seen = files.changed().version();
      behind = false;
      for (const auto& source : std::vector<LogSource>(processes)) {
        co_await catch_up(source.unit, source.spool, source.up ? Spool::Rest::wait : Spool::Rest::take);
      }
      const auto deadline = polling || behind ? steady_clock().now() + kPoll : Instant::max();
      co_await files.changed().wait_past(seen, deadline);
    }
  }

  asio::awaitable<void> catch_up(std::string unit, std::string path, Spool::Rest rest) {
    auto& kept = kept_of(unit);
    const auto read_to = [&kept] {
      const auto position = kept.log.position(std::string(Spool::kOrigin));
      return position ? position->at : 0;
    };
    if (!kept.spool) kept.spool = std::make_unique<Spool>(std::move(path), read_to());
    for (;;) {
      const auto entries = kept.spool->read(rest);
      if (entries.empty()) co_return;
      const auto done = append(kept, unit, entries);
      behind = behind || !done;
      if (!done) {
        kept.spool->back_to(read_to());
        co_return;
      }
      kept.spool->give_back(read_to());
      // A process that writes without end must not stop everything else.
      co_await asio::post(loop, asio::use_awaitable);
    }
  }

  /// Those, too, of processes that no unit stands for any more.
  std::vector<LogSource> all_spools() const {
    std::vector<LogSource> out;
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator(dir, error)) {
      const auto name = file.path().filename().string();
      if (!name.ends_with(kSpoolEnding)) continue;
      LogSource source;
      source.unit = name.substr(0, name.size() - kSpoolEnding.size());
      source.spool = file.path().string();
      out.push_back(std::move(source));
    }
    return out;
  }

  // --- containers ---

  std::shared_ptr<Follower> follower_of(const std::string& unit, const std::string& container) {
    auto& follower = followers[unit + '\n' + container];
    if (follower) return follower;
    follower = std::make_shared<Follower>(loop);
    follower->unit = unit;
    follower->container = container;
    tasks.spawn("logs: container of " + unit, keep_container(follower));
    return follower;
  }

  static void ask(Follower& follower) {
    ++follower.asked;
    follower.changed.bump();
  }

  asio::awaitable<void> keep_container(std::shared_ptr<Follower> follower) {
    for (;;) {
      const auto asked = follower->asked;
      const auto read = co_await read_container(*follower);
      if (!read && worth_a_retry(read.error().code) && follower->wanted) {
        co_await steady_clock().sleep_for(kRetry);
        continue;
      }
      if (!read && read.error().code != Errc::not_found) {
        log::warn("logs", "{}: the log of its container cannot be read: {}", follower->unit, read.error().message);
      }
      follower->read = asked;
      follower->changed.bump();
      while (follower->asked == asked && follower->wanted) {
        co_await follower->changed.wait_past(follower->changed.version(), Instant::max());
      }
      if (follower->asked != asked) continue;
      followers.erase(follower->unit + '\n' + follower->container);
      co_return;
    }
  }

  asio::awaitable<Result<void>> read_container(Follower& follower) {
    auto& kept = kept_of(follower.unit);
    const ContainerLines::Positions kept_to{kept.log.position(ContainerLines::origin(follower.container, Stream::out)),
                                            kept.log.position(ContainerLines::origin(follower.container, Stream::err))};
    ContainerLines lines(follower.container, kept_to);
    std::function<Result<void>(Stream, std::string_view)> take = [&](Stream stream, std::string_view bytes) {
      return append(kept, follower.unit, lines.add(stream, bytes));
    };
    auto ended = co_await containers(follower.container, true, ContainerLines::since(kept_to), std::move(take));
    if (!ended && ended.error().code != Errc::not_found) co_return ended;
    auto rest = append(kept, follower.unit, lines.take_rest());
    co_return ended ? std::move(rest) : std::move(ended);
  }

  asio::any_io_executor loop;
  std::string dir;
  ContainerLog containers;
  DirectoryWatch files;
  bool polling = false;
  bool behind = false;  ///< something could not be written
  std::map<std::string, std::unique_ptr<Kept>> units;
  std::vector<LogSource> processes;
  std::map<std::string, std::shared_ptr<Follower>> followers;
  TaskGroup tasks;
};

LogKeeper::LogKeeper(asio::any_io_executor loop, std::string dir, ContainerLog containers)
    : impl_(std::make_shared<Impl>(loop, std::move(dir), std::move(containers))) {}

LogKeeper::~LogKeeper() = default;

void LogKeeper::follow(std::vector<LogSource> sources) {
  auto& impl = *impl_;
  impl.processes.clear();
  std::set<Follower*> wanted;
  for (auto& source : sources) {
    if (source.container.empty()) {
      if (!source.spool.empty()) impl.processes.push_back(std::move(source));
      continue;
    }
    const auto follower = impl.follower_of(source.unit, source.container);
    wanted.insert(follower.get());
    if (follower->turn != source.turn) Impl::ask(*follower);
    follower->turn = source.turn;
    follower->wanted = true;
  }
  for (const auto& [key, follower] : impl.followers) {
    if (wanted.contains(follower.get()) || !follower->wanted) continue;
    follower->wanted = false;
    follower->changed.bump();
  }
  impl.files.changed().bump();
}

asio::awaitable<void> LogKeeper::drain(std::string unit, std::string container) {
  const auto impl = impl_;
  const auto follower = impl->follower_of(unit, container);
  Impl::ask(*follower);
  const auto asked = follower->asked;
  const auto limit = steady_clock().now() + kDrainLimit;
  while (follower->read < asked) {
    const bool changed = co_await follower->changed.wait_past(follower->changed.version(), limit);
    if (changed) continue;
    log::warn("logs", "{}: the engine has not given the end of its log in {} s", unit, kDrainLimit.count());
    co_return;
  }
}

asio::awaitable<void> LogKeeper::stop() {
  const auto impl = impl_;
  co_await impl->tasks.stop();
  impl->files.close();
  const auto spools = impl->all_spools();
  for (const auto& spool : spools) {
    const bool up = std::any_of(impl->processes.begin(), impl->processes.end(),
                                [&](const LogSource& source) { return source.unit == spool.unit && source.up; });
    co_await impl->catch_up(spool.unit, spool.spool, up ? Spool::Rest::wait : Spool::Rest::take);
  }
}

}  // namespace devstack::logs

#include "core/docker/engine_watcher.h"

#include <sys/stat.h>

#include <boost/asio/post.hpp>
#include <map>
#include <vector>

#include "core/base/async/task_group.h"
#include "core/base/log.h"

namespace devstack::docker {
namespace {

constexpr std::chrono::milliseconds kFirstPause{500};
constexpr std::chrono::milliseconds kLongestPause{15000};
// While paused the socket file is looked at this often: one stat(2), where inotify would also have to follow folders
// that come and go.
constexpr std::chrono::milliseconds kLook{250};

/// Tells one socket file from the next of the same name.
struct SocketFile {
  bool there = false;
  ino_t inode = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const SocketFile&, const SocketFile&) = default;

  static SocketFile look(const http::Target& target) {
    struct stat found {};
    if (target.unix_path.empty() || ::stat(target.unix_path.c_str(), &found) != 0) return {};
    return {true, found.st_ino, found.st_ctim.tv_sec * 1'000'000'000 + found.st_ctim.tv_nsec};
  }
};

}  // namespace

struct EngineWatcher::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::any_io_executor on, Client with, Clock& turning)
      : loop(std::move(on)), client(std::move(with)), clock(turning), changed(loop), tasks(loop) {}

  struct Entry {
    Listener listener;
    bool told_up = false;
  };

  asio::any_io_executor loop;
  Client client;
  Clock& clock;
  Signal changed;
  TaskGroup tasks;
  bool started = false;
  bool stopping = false;
  State state;
  std::map<Subscription, Entry> entries;
  Subscription last = 0;
  std::string said;  ///< the reason already in the log

  // Listeners may subscribe and unsubscribe while they are called: each is looked up anew.
  template <class Function>
  void for_entries(Function&& call) {
    std::vector<Subscription> ids;
    for (const auto& [id, entry] : entries) ids.push_back(id);
    for (const auto id : ids) {
      if (const auto at = entries.find(id); at != entries.end()) call(at->second);
    }
  }

  static void tell_up(Entry& entry) {
    if (entry.told_up) return;
    entry.told_up = true;
    const auto call = entry.listener.on_up;  // a copy: it may unsubscribe itself
    if (call) call();
  }

  void set_up(const EngineInfo& info) {
    log::info("docker", "engine {} (API {}) at {}", info.version, info.api_version, client.target().to_string());
    state = State{true, true, info, {}};
    said.clear();
    changed.bump();
    for_entries([](Entry& entry) { tell_up(entry); });
  }

  void on_event(const Event& event) {
    for_entries([&event](Entry& entry) {
      if (!entry.told_up) return;
      const auto call = entry.listener.on_event;
      if (call) call(event);
    });
  }

  void set_down(const std::string& why) {
    const bool was_up = state.up;
    state = State{false, true, {}, why};
    if (stopping) return changed.bump();
    if (was_up || said != why) log::warn("docker", "{}", why);
    said = why;
    changed.bump();
    for_entries([](Entry& entry) {
      if (!entry.told_up) return;
      entry.told_up = false;
      const auto call = entry.listener.on_down;
      if (call) call();
    });
  }

  /// Until the engine goes away again, or cannot be reached. Whether it was reached.
  asio::awaitable<bool> follow() {
    auto info = co_await client.negotiate();
    if (!info) {
      set_down(info.error().message);
      co_return false;
    }
    auto opened = [self = this, known = *info]() { self->set_up(known); };
    auto heard = [self = this](const Event& event) { self->on_event(event); };
    auto ended = co_await client.events(std::move(opened), std::move(heard));
    const bool reached = state.up;
    set_down(ended ? "the event stream ended" : ended.error().message);
    co_return reached;
  }

  /// `span`, or less when the socket file is not the one that failed us.
  asio::awaitable<void> pause(std::chrono::milliseconds span, SocketFile failed) {
    const auto end = clock.now() + span;
    while (clock.now() < end) {
      co_await clock.sleep_until(std::min(end, clock.now() + kLook));
      const auto now = SocketFile::look(client.target());
      if (now.there && now != failed) co_return;
      failed.there = failed.there && now.there;  // one that went and came back is a new one, whatever its number
    }
  }

  static asio::awaitable<void> run(std::shared_ptr<Impl> self) {
    auto span = kFirstPause;
    while (true) {
      const auto file = SocketFile::look(self->client.target());
      const bool reached = co_await self->follow();
      if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
      if (reached) span = kFirstPause;
      co_await self->pause(span, reached ? SocketFile::look(self->client.target()) : file);
      span = std::min(span * 2, kLongestPause);
    }
  }
};

EngineWatcher::EngineWatcher(asio::any_io_executor loop, Client client, Clock& clock)
    : impl_(std::make_shared<Impl>(std::move(loop), std::move(client), clock)) {}

EngineWatcher::~EngineWatcher() = default;

void EngineWatcher::start() {
  if (impl_->started) return;
  impl_->started = true;
  impl_->tasks.spawn("docker: watch the engine", Impl::run(impl_));
}

asio::awaitable<void> EngineWatcher::stop() {
  const auto impl = impl_;
  impl->stopping = true;
  impl->entries.clear();
  co_await impl->tasks.stop();
}

asio::awaitable<bool> EngineWatcher::wait_probed(std::chrono::milliseconds limit) {
  const auto impl = impl_;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!impl->state.probed) {
    if (!co_await impl->changed.wait_past(impl->changed.version(), deadline)) break;
  }
  co_return impl->state.up;
}

const EngineWatcher::State& EngineWatcher::state() const { return impl_->state; }

Signal& EngineWatcher::changed() { return impl_->changed; }

EngineWatcher::Subscription EngineWatcher::subscribe(Listener listener) {
  const auto id = ++impl_->last;
  impl_->entries.emplace(id, Impl::Entry{std::move(listener), false});
  if (impl_->state.up) {
    asio::post(impl_->loop, [impl = impl_, id]() {
      const auto at = impl->entries.find(id);
      if (at != impl->entries.end() && impl->state.up) Impl::tell_up(at->second);
    });
  }
  return id;
}

void EngineWatcher::unsubscribe(Subscription subscription) { impl_->entries.erase(subscription); }

Client& EngineWatcher::client() { return impl_->client; }

}  // namespace devstack::docker

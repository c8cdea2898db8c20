#include "core/registry/expiry.h"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/container_hash/hash.hpp>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/base/async/signal.h"
#include "core/base/async/task_group.h"
#include "core/base/duration.h"
#include "core/base/log.h"

namespace devstack::registry {
namespace {

/// After a change of the registry the entries are compared again, but not more often than this.
constexpr auto sync_pause = std::chrono::milliseconds(100);
constexpr auto retry_pause = std::chrono::seconds(1);
/// So many commands are under way at most.
constexpr std::size_t posts_at_once = 64;
constexpr auto never = Instant::max();
/// A century: clients may give the 292 years that a duration holds, and now and those together are more than it holds.
constexpr std::chrono::nanoseconds longest = std::chrono::hours(100 * 365 * 24);

using Key = std::pair<std::string, std::string>;

/// Deadlines by key, and the earliest of them. A deadline that is moved on, as a heartbeat does, keeps its place in the
/// order until that is due, so that it costs the same however many there are.
class Deadlines {
 public:
  void set(const Key& key, std::chrono::nanoseconds span, Instant at) {
    const auto entry = entries_.try_emplace(key).first;
    entry->second.span = span;
    entry->second.at = at;
    if (!entry->second.slot || entry->second.looked_at > at) place(*entry);
  }
  void erase(const Key& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    if (found->second.slot) order_.erase(*found->second.slot);
    entries_.erase(found);
  }
  void clear() {
    order_.clear();
    entries_.clear();
  }
  /// What set() was told; none when it has no such key.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> span_of(const Key& key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? std::nullopt : std::optional(found->second.span);
  }
  /// When to call take_due(): no later than the earliest of them.
  [[nodiscard]] Instant next() const { return order_.empty() ? never : order_.begin()->first; }
  /// The entries that are due, no longer than `limit`; they have no deadline from then on.
  std::vector<Key> take_due(Instant now, std::size_t limit) {
    std::vector<Key> due;
    while (next() <= now && due.size() < limit) {
      const auto entry = entries_.find(*order_.begin()->second);
      if (entry->second.at <= now) {
        due.push_back(entry->first);
        entry->second.at = never;
      }
      place(*entry);
    }
    return due;
  }

 private:
  using Order = std::multimap<Instant, const Key*>;  ///< the keys are those of entries_
  struct Entry {
    std::chrono::nanoseconds span{0};
    Instant at = never;
    Instant looked_at = never;            ///< the time that `slot` has; not behind `at`
    std::optional<Order::iterator> slot;  ///< while it has a deadline
  };
  using Entries = std::unordered_map<Key, Entry, boost::hash<Key>>;
  /// Where it belongs now.
  void place(Entries::value_type& entry) {
    auto& [span, at, looked_at, slot] = entry.second;
    if (slot) order_.erase(*slot);
    slot = at == never ? std::nullopt : std::optional(order_.emplace_hint(order_.end(), at, &entry.first));
    looked_at = at;
  }

  Entries entries_;
  Order order_;
};

/// What both components share: entries that follow the registry, one timer, commands when one is due.
class ExpiryLoop : public std::enable_shared_from_this<ExpiryLoop> {
 public:
  ExpiryLoop(asio::any_io_executor executor, RegistryView& view, RegistryWriter& writer, Clock& clock,
             Watch::Table table)
      : loop_(executor), view_(view), writer_(writer), clock_(clock), table_(table), changed_(executor) {}
  virtual ~ExpiryLoop() = default;

  void start() {
    if (tasks_) return;
    tasks_ = std::make_unique<TaskGroup>(loop_);
    posts_ = std::make_unique<TaskGroup>(loop_);
    tasks_->spawn("registry: follow expiry", follow(shared_from_this()));
    tasks_->spawn("registry: expire", expire(shared_from_this()));
  }
  asio::awaitable<void> stop() {
    if (!tasks_) co_return;
    co_await tasks_->stop();
    co_await posts_->stop();
    tasks_.reset();
    posts_.reset();
  }
  /// Any thread.
  void touch(Key key) {
    asio::post(loop_, [weak = weak_from_this(), key = std::move(key)] {
      const auto self = weak.lock();
      if (!self) return;
      if (const auto found = self->find(*self->view_.snapshot(), key)) self->restart(found->first, found->second);
    });
  }

 protected:
  /// An entry and the time it is given; none when it is gone.
  using Tell = std::function<void(const Key&, std::optional<std::chrono::nanoseconds>)>;
  /// Tells every entry that may have changed since the last call; `afresh`: every entry there is.
  virtual void changes(const State& state, bool afresh, const Tell& tell) = 0;
  /// One of them, its key as the registry spells it.
  virtual std::optional<std::pair<Key, std::chrono::nanoseconds>> find(const State& state, const Key& key) const = 0;
  /// What to post when an entry is due; nothing when it is gone by now.
  virtual std::optional<Command> command(const State& state, const Key& key) const = 0;

 private:
  void restart(const Key& key, std::chrono::nanoseconds span) {
    const auto given = std::chrono::duration_cast<Instant::duration>(std::min(span, longest));
    set(key, span, clock_.now() + given);
  }

  void set(const Key& key, std::chrono::nanoseconds span, Instant at) {
    const auto before = deadlines_.next();
    deadlines_.set(key, span, at);
    if (deadlines_.next() < before) changed_.bump();
  }

  void sync(const State& state) {
    const bool restored = state.restored_at() != restored_at_;
    if (restored) deadlines_.clear();  // all start afresh
    restored_at_ = state.restored_at();
    changes(state, restored, [this](const Key& key, std::optional<std::chrono::nanoseconds> span) {
      if (!span) return deadlines_.erase(key);
      if (deadlines_.span_of(key) != span) restart(key, *span);
    });
  }

  static asio::awaitable<void> follow(std::shared_ptr<ExpiryLoop> self) {
    while (true) {
      const auto state = self->view_.snapshot();
      self->sync(*state);
      const Watch watch{self->table_, ""};
      std::vector<Watch> watches{watch};
      co_await self->view_.wait(std::move(watches), state->index_of(watch), never);
      co_await self->clock_.sleep_for(sync_pause);
    }
  }

  static asio::awaitable<void> expire(std::shared_ptr<ExpiryLoop> self) {
    using namespace asio::experimental::awaitable_operators;
    while (true) {
      const auto seen = self->changed_.version();
      const auto next = self->deadlines_.next();
      if (next == never) {
        co_await self->changed_.wait_past(seen, never);
        continue;
      }
      if (next > self->clock_.now()) {
        co_await (self->clock_.sleep_until(next) || self->changed_.wait_past(seen, never));
        continue;
      }
      const auto due = self->deadlines_.take_due(self->clock_.now(), posts_at_once);
      for (const auto& key : due) self->posts_->spawn("registry: post expiry", post(self, key));
      co_await self->posts_->join();
    }
  }

  static asio::awaitable<void> post(std::shared_ptr<ExpiryLoop> self, Key key) {
    const auto state = self->view_.snapshot();
    // A deadline from before a restored snapshot: `follow` has not set the new ones yet.
    if (state->restored_at() != self->restored_at_) co_return;
    auto command = self->command(*state, key);
    if (!command) {
      self->deadlines_.erase(key);  // `follow` may never have seen it
      co_return;
    }
    const auto done = co_await self->writer_.apply(std::move(*command));
    if (done || (done.error().code != Errc::io && done.error().code != Errc::unavailable)) co_return;
    log::warn("registry", "an expiry could not be written and is tried again: {}", done.error().message);
    const auto span = self->deadlines_.span_of(key);
    if (!span) co_return;
    self->set(key, *span, self->clock_.now() + retry_pause);
  }

  asio::any_io_executor loop_;
  RegistryView& view_;
  RegistryWriter& writer_;
  Clock& clock_;
  Watch::Table table_;
  Deadlines deadlines_;
  Index restored_at_ = 0;
  Signal changed_;
  std::unique_ptr<TaskGroup> tasks_, posts_;  ///< while started
};

}  // namespace

// --- Sessions ---

struct SessionExpiry::Impl final : ExpiryLoop {
  using ExpiryLoop::ExpiryLoop;

  static std::chrono::nanoseconds life_of(const Session& session) {
    if (session.ttl.empty()) return std::chrono::nanoseconds(0);
    const auto ttl = parse_duration(session.ttl);
    return ttl ? 2 * std::min(*ttl, longest) : std::chrono::nanoseconds(0);
  }
  void changes(const State& state, bool afresh, const Tell& tell) override {
    if (afresh) seen.clear();
    for (const auto& session : seen) {
      if (!state.session(session->id)) tell({session->id, ""}, std::nullopt);
    }
    seen = state.sessions();
    std::erase_if(seen, [](const SessionPtr& session) { return life_of(*session).count() == 0; });
    for (const auto& session : seen) tell({session->id, ""}, life_of(*session));
  }
  std::optional<std::pair<Key, std::chrono::nanoseconds>> find(const State& state, const Key& key) const override {
    const auto session = state.session(key.first);
    if (!session || life_of(*session).count() == 0) return std::nullopt;
    return std::pair(Key{session->id, ""}, life_of(*session));
  }
  std::optional<Command> command(const State& state, const Key& key) const override {
    if (!state.session(key.first)) return std::nullopt;
    return SessionDestroyCommand{key.first, state.restored_at()};
  }

  std::vector<SessionPtr> seen;  ///< those with a TTL
};

SessionExpiry::SessionExpiry(asio::any_io_executor loop, RegistryView& view, RegistryWriter& writer, Clock& clock)
    : impl_(std::make_shared<Impl>(std::move(loop), view, writer, clock, Watch::Table::sessions)) {}
SessionExpiry::~SessionExpiry() = default;
void SessionExpiry::start() { impl_->start(); }
void SessionExpiry::renew(std::string id) { impl_->touch({std::move(id), ""}); }
asio::awaitable<void> SessionExpiry::stop() { return impl_->stop(); }

// --- TTL checks ---

struct TtlChecks::Impl final : ExpiryLoop {
  using ExpiryLoop::ExpiryLoop;

  static Key key_of(const Check& check) { return {check.node, check.id}; }
  static bool is_ttl(const Check& check) {
    return check.definition.kind == CheckDefinition::Kind::ttl && check.definition.ttl.count() > 0;
  }
  void changes(const State& state, bool afresh, const Tell& tell) override {
    if (afresh) seen = {};
    const auto change = [&tell](const std::string&, const CheckPtr* was, const CheckPtr* now) {
      const bool timed = now != nullptr && is_ttl(**now), was_timed = was != nullptr && is_ttl(**was);
      // Also when it goes on under another spelling of its id.
      const bool same = timed && was_timed && (*was)->node == (*now)->node && (*was)->id == (*now)->id;
      if (same && (*was)->definition.ttl == (*now)->definition.ttl) return;
      if (was_timed && !same) tell(key_of(**was), std::nullopt);
      if (timed) tell(key_of(**now), (*now)->definition.ttl);
    };
    CheckTable::for_each_change(seen, state.check_table(), change);
    seen = state.check_table();
  }
  std::optional<std::pair<Key, std::chrono::nanoseconds>> find(const State& state, const Key& key) const override {
    const auto check = state.check(key.first, key.second);
    if (!check || !is_ttl(*check)) return std::nullopt;
    return std::pair(key_of(*check), check->definition.ttl);
  }
  std::optional<Command> command(const State& state, const Key& key) const override {
    const auto check = state.check(key.first, key.second);
    if (!check) return std::nullopt;
    UpdateCheckCommand expired{check->node, check->id, std::string(status::critical), "TTL expired"};
    if (!check->output.empty() && !check->output.starts_with("TTL expired")) {
      expired.output += " (last output before timeout follows): " + check->output;
    }
    expired.as_of_restore = state.restored_at();
    return expired;
  }

  CheckTable seen;
};

TtlChecks::TtlChecks(asio::any_io_executor loop, RegistryView& view, RegistryWriter& writer, Clock& clock)
    : impl_(std::make_shared<Impl>(std::move(loop), view, writer, clock, Watch::Table::checks)) {}
TtlChecks::~TtlChecks() = default;
void TtlChecks::start() { impl_->start(); }
void TtlChecks::heartbeat(std::string node, std::string check_id) {
  impl_->touch({std::move(node), std::move(check_id)});
}
asio::awaitable<void> TtlChecks::stop() { return impl_->stop(); }

}  // namespace devstack::registry

#include "core/registry/registry.h"

#include <atomic>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <deque>
#include <map>

#include "core/base/async/blocking_pool.h"
#include "core/base/async/task_group.h"
#include "core/base/log.h"
#include "core/registry/sqlite_store.h"
#include "core/registry/state_data.h"
#include "core/registry/wait_list.h"

namespace devstack::registry {
namespace {

constexpr auto tombstone_life = std::chrono::minutes(15);
constexpr auto reap_period = std::chrono::minutes(1);
/// So many commands share a commit at most: more would hold up the loop.
constexpr std::size_t longest_batch = 2048;

constexpr std::string_view own_service = "consul";
constexpr std::string_view own_check = "serfHealth";

RegisterCommand own_registration(const Identity& identity, const std::string& version) {
  RegisterCommand command;
  auto& node = command.node;
  node.id = identity.node_id;
  node.name = identity.node;
  node.address = identity.address;
  node.datacenter = identity.datacenter;
  boost::system::error_code not_an_ip;
  const bool v6 = asio::ip::make_address(identity.address, not_an_ip).is_v6() && !not_an_ip;
  node.tagged_addresses = {{"lan", identity.address},
                           {v6 ? "lan_ipv6" : "lan_ipv4", identity.address},
                           {"wan", identity.address},
                           {v6 ? "wan_ipv6" : "wan_ipv4", identity.address}};
  node.meta = {{"consul-network-segment", ""}};
  Service service;
  service.id = service.name = own_service;
  service.port = 8300;
  service.meta = {
      {"non_voter", "false"},     {"raft_version", "3"},      {"read_replica", "false"}, {"serf_protocol_current", "2"},
      {"serf_protocol_max", "5"}, {"serf_protocol_min", "1"}, {"version", version}};
  command.service = std::move(service);
  Check check;
  check.id = own_check;
  check.name = "Serf Health Status";
  check.status = status::passing;
  check.output = "Agent alive and reachable";
  command.checks.push_back(std::move(check));
  return command;
}

/// A coroutine's continuation that the loop calls once: it runs, and is destroyed, on the coroutine's own executor.
/// Nothing of it stays with the loop after the call, since the caller's context may go as soon as it has its answer.
template <class Handler, class Value>
class Continuation {
 public:
  explicit Continuation(Handler handler)
      : cell_(std::make_shared<std::unique_ptr<Pending>>(std::make_unique<Pending>(std::move(handler)))) {}
  void operator()(Value value) const {
    auto pending = std::move(*cell_);
    const auto executor = asio::get_associated_executor(pending->handler);
    asio::post(executor, [pending = std::move(pending), value = std::move(value)]() mutable {
      if (auto slot = asio::get_associated_cancellation_slot(pending->handler); slot.is_connected()) slot.clear();
      std::move(pending->handler)(std::move(value));
    });
  }
  [[nodiscard]] auto cancellation() const { return asio::get_associated_cancellation_slot((*cell_)->handler); }

 private:
  struct Pending {
    explicit Pending(Handler h) : handler(std::move(h)), work(asio::get_associated_executor(handler)) {}
    Handler handler;
    asio::executor_work_guard<typename asio::associated_executor<Handler>::type> work;
  };
  std::shared_ptr<std::unique_ptr<Pending>> cell_;
};

}  // namespace

struct Registry::Impl : std::enable_shared_from_this<Registry::Impl> {
  struct Queued {
    Command command;
    std::function<void(Result<CommandResult>)> done;
    bool own = false;  ///< ours: may change the own node
  };
  /// Commands applied together on top of the committed state, to be stored in one transaction.
  struct Batch {
    State state;
    Instant now;
    std::vector<std::function<void(Result<CommandResult>)>> done;
    std::vector<Result<CommandResult>> results;
    std::vector<Watch> changed;
    std::vector<Row> rows;
    std::map<std::string, Row> index_rows;  ///< the last of each name counts
  };

  Impl(asio::any_io_executor executor, RegistryOptions o)
      : loop(std::move(executor)),
        options(std::move(o)),
        clock(options.clock != nullptr ? *options.clock : steady_clock()),
        identity(std::make_shared<const Identity>(options.identity)),
        commits(loop),
        tasks(loop) {}

  void enqueue(Queued queued);
  asio::awaitable<void> drain(std::shared_ptr<Impl> self);
  Batch new_batch() const;
  Batch next_batch();
  static asio::awaitable<Batch> restored_batch(std::shared_ptr<Impl> self);
  static asio::awaitable<void> let_go(std::shared_ptr<Impl> self, std::shared_ptr<const State> state);
  void carry_out(Batch& batch, Command command, bool own, const std::function<void(Result<CommandResult>)>& done);
  void restore_own(Batch& batch);
  RestoreCommand with_own_id(const RestoreCommand& command) const;
  void settle_restored(Batch& batch, const State& before);
  void publish(Batch batch);
  asio::awaitable<void> reap(std::shared_ptr<Impl> self);
  asio::awaitable<Result<void>> load();
  asio::awaitable<Result<CommandResult>> submit(Command command, bool own);

  asio::any_io_executor loop;
  RegistryOptions options;
  Clock& clock;
  std::atomic<std::shared_ptr<const Identity>> identity;
  std::atomic<std::shared_ptr<const State>> published{std::make_shared<const State>()};
  std::atomic<std::uint64_t> commit_count{0}, command_count{0};

  // Loop only.
  WaitList waiting;
  std::deque<Queued> queue;
  bool draining = false;
  bool closed = false;
  TaskGroup commits, tasks;
  /// Used on the pool's thread while open; null in memory.
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<BlockingPool> pool;
};

// --- Writing ---

asio::awaitable<Result<CommandResult>> Registry::Impl::submit(Command command, bool own) {
  auto start = [impl = shared_from_this(), command = std::move(command), own](auto handler) mutable {
    Continuation<decltype(handler), Result<CommandResult>> done(std::move(handler));
    asio::post(impl->loop, [self = impl, queued = Queued{std::move(command), std::move(done), own}]() mutable {
      self->enqueue(std::move(queued));
    });
  };
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(Result<CommandResult>)>(std::move(start),
                                                                                           asio::use_awaitable);
}

void Registry::Impl::enqueue(Queued queued) {
  if (closed) return queued.done(fail(Errc::unavailable, "the registry is closed"));
  if (queue.size() >= options.queue_limit) {
    return queued.done(fail(Errc::unavailable, "too many writes are waiting for the disk"));
  }
  queue.push_back(std::move(queued));
  if (draining) return;
  draining = true;
  commits.spawn("registry: commit", drain(shared_from_this()));
}

/// Commits batch after batch until nothing is queued. What comes in during a commit forms the next batch.
asio::awaitable<void> Registry::Impl::drain(std::shared_ptr<Impl> self) {
  while (!self->queue.empty()) {
    // As large as a restore may be, the loop goes on meanwhile; later writes wait for it.
    const bool restores = std::holds_alternative<RestoreCommand>(self->queue.front().command);
    std::shared_ptr<const State> replaced;
    Batch batch;
    if (restores) {
      replaced = self->published.load();
      batch = co_await restored_batch(self);
    } else {
      batch = self->next_batch();
    }
    Result<void> stored;
    if (self->store && !batch.rows.empty()) {
      auto write = [store = self->store.get(), rows = std::move(batch.rows)] { return store->commit(rows); };
      stored = co_await self->pool->run(std::move(write));
      ++self->commit_count;
    }
    if (stored) {
      self->publish(std::move(batch));
      // Freeing all of it takes long too.
      if (restores) self->commits.spawn("registry: free", let_go(self, std::move(replaced)));
    } else {
      log::error("registry", "{} writes were refused: {}", batch.done.size(), stored.error().message);
      for (const auto& done : batch.done) done(tl::unexpected(stored.error()));
    }
    // Writers released just now that write again may join the next commit, instead of every other one.
    for (int turn = 0; turn < 3; ++turn) co_await asio::post(self->loop, asio::use_awaitable);
  }
  self->draining = false;
}

Registry::Impl::Batch Registry::Impl::new_batch() const {
  Batch batch;
  batch.state = *published.load();
  batch.now = clock.now();
  return batch;
}

Registry::Impl::Batch Registry::Impl::next_batch() {
  auto batch = new_batch();
  const auto restores = [this] { return std::holds_alternative<RestoreCommand>(queue.front().command); };
  while (!queue.empty() && batch.done.size() < longest_batch && !restores()) {
    auto next = std::move(queue.front());
    queue.pop_front();
    carry_out(batch, std::move(next.command), next.own, next.done);
  }
  for (auto& [name, row] : batch.index_rows) batch.rows.push_back(std::move(row));
  return batch;
}

/// A batch of the restore that is first in the queue, made on the pool's thread: carry_out and what it calls touch the
/// batch and what never changes.
asio::awaitable<Registry::Impl::Batch> Registry::Impl::restored_batch(std::shared_ptr<Impl> self) {
  auto first = std::move(self->queue.front());
  self->queue.pop_front();
  // Not `self`: the pool would join itself if its thread were the last to let go.
  auto make = [impl = self.get(), batch = self->new_batch(), next = std::move(first)]() mutable {
    impl->carry_out(batch, std::move(next.command), next.own, next.done);
    for (auto& [name, row] : batch.index_rows) batch.rows.push_back(std::move(row));
    return std::move(batch);
  };
  co_return co_await self->pool->run(std::move(make));
}

asio::awaitable<void> Registry::Impl::let_go(std::shared_ptr<Impl> self, std::shared_ptr<const State> state) {
  auto free_it = [state = std::move(state)]() mutable {
    state.reset();
    return true;
  };
  co_await self->pool->run(std::move(free_it));
}

void Registry::Impl::carry_out(Batch& batch, Command command, bool own,
                               const std::function<void(Result<CommandResult>)>& done) {
  if (auto* registration = std::get_if<RegisterCommand>(&command); registration != nullptr && !own) {
    // The own node is ours to describe. Consul's anti-entropy would put it right again; here nothing is changed.
    const auto node = batch.state.node(registration->node.name);
    if (node && node->id == identity.load()->node_id) registration->skip_node_update = true;
  }
  const auto* restore = std::get_if<RestoreCommand>(&command);
  if (restore != nullptr) command = with_own_id(*restore);
  const std::optional<State> before = restore == nullptr ? std::nullopt : std::optional(batch.state);
  auto applied = batch.state.apply(command, batch.now);
  ++command_count;
  if (!applied) {
    if (done) {
      batch.done.push_back(done);
      batch.results.emplace_back(tl::unexpected(std::move(applied).error()));
    }
    return;
  }
  batch.state = std::move(applied->state);
  batch.changed.insert(batch.changed.end(), std::make_move_iterator(applied->changed.begin()),
                       std::make_move_iterator(applied->changed.end()));
  for (auto& row : applied->rows) {
    if (std::holds_alternative<ClearRow>(row.value)) {
      batch.rows.clear();
      batch.index_rows.clear();
    }
    if (const auto* index = std::get_if<IndexRow>(&row.value)) {
      batch.index_rows.insert_or_assign(index->name, std::move(row));
    } else {
      batch.rows.push_back(std::move(row));
    }
  }
  if (done) {
    batch.done.push_back(done);
    batch.results.emplace_back(std::move(applied->result));
  }
  if (before) settle_restored(batch, *before);
  if (!own) restore_own(batch);
}

/// The snapshot may come from a registry whose node had our name: the id stays ours.
RestoreCommand Registry::Impl::with_own_id(const RestoreCommand& command) const {
  const auto name = folded(options.identity.node);
  std::shared_ptr<std::vector<Row>> rows;  // copied only for what changes
  for (std::size_t i = 0; i < command.rows->size(); ++i) {
    const auto* node = std::get_if<NodePtr>(&(*command.rows)[i].value);
    if (node == nullptr) continue;
    const bool own = folded((*node)->name) == name;
    if (own == ((*node)->id == options.identity.node_id)) continue;
    auto changed = std::make_shared<Node>(**node);
    changed->id = own ? options.identity.node_id : "";  // not ours by name: it is us under an earlier one
    if (!rows) rows = std::make_shared<std::vector<Row>>(*command.rows);
    (*rows)[i].value = NodePtr(std::move(changed));
  }
  return rows ? RestoreCommand{std::move(rows)} : command;
}

/// What a snapshot cannot know: which agents are there now. Consul's servers drop the nodes of agents that are no
/// members, and its agent puts back what it has registered itself; here that is what the agent API and the parts of
/// devstack have registered. What the latter no longer know goes.
void Registry::Impl::settle_restored(Batch& batch, const State& before) {
  const auto& own_node = options.identity.node;
  const auto done_quietly = [&](Command command) { carry_out(batch, std::move(command), true, nullptr); };
  const auto on_own_node = [&] {
    RegisterCommand command;
    command.node = *before.node(own_node);
    command.skip_node_update = true;
    return command;
  };
  for (const auto& node : batch.state.nodes()) {
    if (folded(node->name) == folded(own_node)) continue;
    if (batch.state.check(node->name, own_check)) done_quietly(DeregisterCommand{node->name, "", ""});
  }
  done_quietly(own_registration(*identity.load(), options.version));
  for (const auto& service : batch.state.services_of(own_node)) {
    if (service->source.empty() || before.service(own_node, service->id)) continue;
    done_quietly(DeregisterCommand{own_node, service->id, ""});
  }
  std::map<std::string, std::vector<Check>> checks;  // by service; "" for those of the node
  for (const auto& check : before.checks_of_node(own_node)) {
    const bool ours = check->agent_owned || !check->service_id.empty();
    if (ours && !check->id.empty()) checks[folded(check->service_id)].push_back(*check);
  }
  for (const auto& service : before.services_of(own_node)) {
    if (service->source.empty() && !service->agent_owned) continue;
    auto command = on_own_node();
    command.service = *service;
    command.replace_checks = true;
    command.checks = std::move(checks[folded(service->id)]);
    done_quietly(std::move(command));
  }
  auto command = on_own_node();
  command.checks = std::move(checks[""]);
  done_quietly(std::move(command));
}

/// Our node, its service and its health are always there.
void Registry::Impl::restore_own(Batch& batch) {
  const auto& name = options.identity.node;
  if (batch.state.check(name, own_check) && batch.state.service(name, own_service)) return;
  carry_out(batch, own_registration(*identity.load(), options.version), true, nullptr);
}

void Registry::Impl::publish(Batch batch) {
  published.store(std::make_shared<const State>(std::move(batch.state)));
  for (std::size_t i = 0; i < batch.done.size(); ++i) batch.done[i](std::move(batch.results[i]));
  waiting.wake(batch.changed);
}

/// Forgets tombstones after their time. One number a minute is kept: which index was reached then.
asio::awaitable<void> Registry::Impl::reap(std::shared_ptr<Impl> self) {
  std::deque<std::pair<Instant, Index>> reached;
  while (!self->closed) {
    reached.emplace_back(self->clock.now(), self->published.load()->index());
    std::optional<Index> up_to;
    while (!reached.empty() && reached.front().first + tombstone_life <= self->clock.now()) {
      up_to = reached.front().second;
      reached.pop_front();
    }
    if (up_to) self->enqueue(Queued{ReapTombstonesCommand{*up_to}, [](const Result<CommandResult>&) {}, true});
    co_await self->clock.sleep_for(reap_period);
  }
}

// --- Opening and closing ---

asio::awaitable<Result<void>> Registry::Impl::load() {
  auto who = options.identity;
  pool = std::make_unique<BlockingPool>();
  if (!options.data_dir.empty()) {
    auto open_file = [directory = options.data_dir] { return SqliteStore::open(directory); };
    CO_TRY(auto opened, co_await pool->run(std::move(open_file)));
    store = std::move(opened.store);
    if (!opened.notice.empty()) {
      log::warn("registry", "{}", opened.notice);
      if (options.notice) options.notice(opened.notice);
    }
    published.store(std::make_shared<const State>(State::restore(opened.rows, 1)));
    if (who.node_id.empty()) who.node_id = opened.node_id;
  }
  const bool made = who.node_id.empty();
  if (made) who.node_id = boost::uuids::to_string(boost::uuids::random_generator()());
  if (store) {
    auto keep = [file = store.get(), id = who.node_id] { return file->set_node_id(id); };
    if (made) CO_CHECK(co_await pool->run(std::move(keep)));
  }
  options.identity = who;
  identity.store(std::make_shared<const Identity>(std::move(who)));
  Command registration(own_registration(*identity.load(), options.version));
  CO_TRY(const auto done, co_await submit(std::move(registration), true));
  static_cast<void>(done);
  co_return Result<void>{};
}

asio::awaitable<Result<std::unique_ptr<Registry>>> Registry::open(asio::any_io_executor loop, RegistryOptions options) {
  struct OnLoop {
    static asio::awaitable<Result<void>> begin(std::shared_ptr<Impl> impl) {
      auto loaded = co_await impl->load();
      if (loaded) {
        impl->tasks.spawn("registry: tombstones", impl->reap(impl));
      } else {
        impl->closed = true;
        co_await impl->commits.join();
      }
      co_return loaded;
    }
  };
  auto impl = std::make_shared<Impl>(loop, std::move(options));
  auto begun = co_await asio::co_spawn(loop, OnLoop::begin(impl), asio::use_awaitable);
  if (!begun) co_return tl::unexpected(std::move(begun).error());
  co_return std::unique_ptr<Registry>(new Registry(std::move(impl)));
}

asio::awaitable<void> Registry::close() {
  const auto impl = impl_;
  impl->closed = true;
  co_await impl->commits.join();
  co_await impl->tasks.stop();
  impl->waiting.clear();
  if (!impl->store) co_return;
  auto close_file = [file = std::make_shared<std::unique_ptr<SqliteStore>>(std::move(impl->store))] {
    file->reset();
    return true;
  };
  co_await impl->pool->run(std::move(close_file));
}

Registry::Registry(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Registry::~Registry() = default;

// --- The public face ---

std::shared_ptr<const State> Registry::snapshot() const { return impl_->published.load(); }

Identity Registry::identity() const { return *impl_->identity.load(); }

RegistryStats Registry::stats() const { return {impl_->commit_count, impl_->command_count, impl_->waiting.size()}; }

asio::awaitable<Result<CommandResult>> Registry::apply(Command command) {
  return impl_->submit(std::move(command), false);
}

asio::awaitable<Result<void>> Registry::advertise(std::string address) {
  const auto impl = impl_;
  auto who = *impl->identity.load();
  who.address = std::move(address);
  Command registration(own_registration(who, impl->options.version));
  impl->identity.store(std::make_shared<const Identity>(std::move(who)));
  CO_TRY(const auto done, co_await impl->submit(std::move(registration), true));
  static_cast<void>(done);
  co_return Result<void>{};
}

asio::awaitable<bool> Registry::wait(std::vector<Watch> watches, Index seen,
                                     std::chrono::steady_clock::time_point deadline) {
  auto start = [impl = impl_, watches = std::move(watches), seen, deadline](auto handler) mutable {
    Continuation<decltype(handler), bool> done(std::move(handler));
    const auto waiter = std::make_shared<WaitList::Waiter>(impl->loop, std::move(watches), seen, deadline);
    waiter->done = done;
    if (auto slot = done.cancellation(); slot.is_connected()) {
      slot.assign([self = impl, weak = std::weak_ptr(waiter)](asio::cancellation_type) {
        asio::post(self->loop, [self, weak] {
          if (const auto alive = weak.lock()) self->waiting.cancel(alive);
        });
      });
    }
    asio::post(impl->loop, [self = impl, waiter] {
      if (self->closed) return std::exchange(waiter->done, nullptr)(false);
      self->waiting.add(*self->published.load(), waiter);
    });
  };
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(bool)>(std::move(start), asio::use_awaitable);
}

}  // namespace devstack::registry

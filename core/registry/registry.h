#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/registry/state.h"

/// The two interfaces that an engine implements (embedded here; a real Consul in core/consul), and the embedded one.
namespace devstack::registry {

namespace asio = boost::asio;

/// What readers (dns, api, template, proxy, control) need. Readers never write.
class RegistryView {
 public:
  virtual ~RegistryView() = default;
  /// The newest committed state; never null. Any thread, never blocks.
  [[nodiscard]] virtual std::shared_ptr<const State> snapshot() const = 0;
  /// False until the engine has its data: an external Consul not reached yet, a reset index. Nothing is rendered from
  /// an unsynced view. Any thread.
  [[nodiscard]] virtual bool synced() const = 0;
  /// Returns when one of `watches` changed after index `seen` (true), at the deadline, or when cancelled (false). A
  /// change between taking the snapshot and calling is not missed. Any executor; wakes nobody for unrelated writes.
  virtual asio::awaitable<bool> wait(std::vector<Watch> watches, Index seen,
                                     std::chrono::steady_clock::time_point deadline) = 0;
};

/// Who this registry speaks for.
struct Identity {
  std::string node;     ///< node name in every answer
  std::string node_id;  ///< UUID, made at first start and kept
  std::string datacenter = "dc1";
  std::string address;  ///< advertised: what services without an address resolve to
};

/// What writers (api, registrator, health, supervisor) need.
class RegistryWriter {
 public:
  virtual ~RegistryWriter() = default;
  /// Returns once the command is committed (durable, and in snapshot()), or with Consul's error. Any executor.
  virtual asio::awaitable<Result<CommandResult>> apply(Command command) = 0;
  [[nodiscard]] virtual Identity identity() const = 0;
};

/// Registers an instance on the registry's own node, as the agent would (checks keep their status; ids, names and
/// tagged addresses are completed as in core/registry/agent.h).
asio::awaitable<Result<CommandResult>> register_service(RegistryWriter& writer, Service service,
                                                        std::vector<Check> checks = {});
asio::awaitable<Result<CommandResult>> deregister_service(RegistryWriter& writer, std::string service_id);

/// Where an embedded registry keeps its data.
struct RegistryOptions {
  Identity identity;
  std::string data_dir;  ///< holds registry.db; created when missing. Empty: in memory only
  /// Told of things a user should read: a database that was damaged and set aside, and where to.
  std::function<void(std::string)> notice;
  /// Commands that may wait for a commit; more are refused with Errc::unavailable.
  std::size_t queue_limit = 16384;
  /// What the meta of the service "consul" says.
  std::string version = "1.10.11";
  /// For lock-delay and for forgetting tombstones; null: the real one. Outlives the registry.
  Clock* clock = nullptr;
};

/// Counters since open().
struct RegistryStats {
  std::uint64_t commits = 0;   ///< SQLite transactions
  std::uint64_t commands = 0;  ///< commands carried out
  std::uint64_t waiters = 0;   ///< blocked in wait() now
};

/// The embedded single-node registry: one writer (the loop), immutable snapshots for all readers, SQLite (WAL,
/// synchronous=FULL) underneath. Concurrent writes share one commit; a write is acknowledged after it. Its own node,
/// the service "consul" and the check "serfHealth" are there from the start and come back when somebody deregisters
/// them; a registration through the catalog does not change the own node itself. A RestoreCommand leaves the own node,
/// the services and node checks registered there through the agent API (agent_owned), and the services that parts of
/// devstack have registered (Service::source), as they are now; it forgets those of the latter that are no more, and
/// the nodes of other agents (those with a check "serfHealth"), as Consul's servers do with nodes that are no members.
/// Owner: cmd/devstack/app.cc.
class Registry final : public RegistryView, public RegistryWriter {
 public:
  /// `loop` is where state lives; all other methods may be called from any executor unless said otherwise.
  static asio::awaitable<Result<std::unique_ptr<Registry>>> open(asio::any_io_executor loop, RegistryOptions options);
  ~Registry() override;

  [[nodiscard]] std::shared_ptr<const State> snapshot() const override;
  [[nodiscard]] bool synced() const override { return true; }
  asio::awaitable<bool> wait(std::vector<Watch> watches, Index seen,
                             std::chrono::steady_clock::time_point deadline) override;
  asio::awaitable<Result<CommandResult>> apply(Command command) override;
  [[nodiscard]] Identity identity() const override;
  /// The advertised address changed (docker0 appeared): updates the own node. Loop.
  asio::awaitable<Result<void>> advertise(std::string address);
  /// Any thread.
  [[nodiscard]] RegistryStats stats() const;
  /// Commits what is queued and closes the store. Loop. Call before destruction.
  asio::awaitable<void> close();

 private:
  struct Impl;
  explicit Registry(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace devstack::registry

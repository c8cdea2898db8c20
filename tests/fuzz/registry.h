#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <string>

#include "core/http/message.h"
#include "core/registry/registry.h"

/// A registry without disk and threads, that checks itself: what it would store must read back as what it holds.
namespace devstack::fuzz {

namespace asio = boost::asio;

/// A node, services of every shape, keys, a session: something to ask about.
registry::State small_registry();

/// Everything of a state that a restart keeps, as text.
std::string described(const registry::State& state);

class MemoryRegistry final : public registry::RegistryView, public registry::RegistryWriter {
 public:
  /// Its own node "node1" at 127.0.0.1 is there.
  MemoryRegistry();

  [[nodiscard]] std::shared_ptr<const registry::State> snapshot() const override { return state_; }
  [[nodiscard]] bool synced() const override { return true; }
  /// At its deadline at once: nobody else writes.
  asio::awaitable<bool> wait(std::vector<registry::Watch> watches, registry::Index seen,
                             std::chrono::steady_clock::time_point deadline) override;
  asio::awaitable<Result<registry::CommandResult>> apply(registry::Command command) override;
  [[nodiscard]] registry::Identity identity() const override;

  /// Ends the program when the rows of all commands do not make the same state again.
  void require_restorable() const;

 private:
  void store(const std::vector<registry::Row>& rows);
  std::shared_ptr<const registry::State> state_;
  std::map<std::string, registry::Row> stored_;  ///< by table and key, as SQLite would hold them
};

/// Runs a coroutine that waits for nothing to its end.
http::Response finish(asio::awaitable<http::Response> work);

}  // namespace devstack::fuzz

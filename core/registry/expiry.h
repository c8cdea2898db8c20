#pragma once

#include <memory>
#include <string>

#include "core/base/async/clock.h"
#include "core/registry/registry.h"

/// What passes with time: session TTLs and TTL checks. State knows no time, so these watch the registry, keep one
/// deadline an entry (monotonic) and one timer each, and post commands. Made on the loop by the composition root; call
/// stop() before destruction. A restart of the program, and the restore of a snapshot, count as a
/// renewal.
namespace devstack::registry {

/// Destroys a session 2 × TTL after its creation or last renewal, as Consul does.
class SessionExpiry {
 public:
  /// `view`, `writer` and `clock` outlive it.
  SessionExpiry(asio::any_io_executor loop, RegistryView& view, RegistryWriter& writer, Clock& clock = steady_clock());
  ~SessionExpiry();
  /// Loop.
  void start();
  /// PUT session/renew: the session has 2 × TTL from now. Unknown ids are ignored. Any thread.
  void renew(std::string id);
  /// Loop.
  asio::awaitable<void> stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// Turns a TTL check critical ("TTL expired", or "TTL expired (last output before timeout follows): …") when its
/// heartbeat was missed for its ttl. A new check, and one registered with another ttl, starts afresh; who registers an
/// unchanged one again calls heartbeat().
class TtlChecks {
 public:
  TtlChecks(asio::any_io_executor loop, RegistryView& view, RegistryWriter& writer, Clock& clock = steady_clock());
  ~TtlChecks();
  /// Loop.
  void start();
  /// agent/check/pass, warn, fail, update: the check has its ttl from now (whoever calls also posts the
  /// UpdateCheckCommand). Unknown or non-TTL checks are ignored. Any thread.
  void heartbeat(std::string node, std::string check_id);
  /// Loop.
  asio::awaitable<void> stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace devstack::registry

#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "core/proxy/engine.h"

namespace devstack::proxy {

struct HaproxyOptions {
  std::string state_dir;  ///< configuration, admin socket, pid and log; made when missing, ours alone
  std::string program = "haproxy";
  std::string path;  ///< where to look for it ($PATH form); "" = $PATH and the sbin folders
  std::string drain_timeout = "600s";
};

/// HAProxy as the proxy program. Instances that come and go are changed through its admin socket; anything else starts
/// a new process that takes the listening sockets from the old one (-x) and lets it finish its connections (-sf), after
/// `haproxy -c` has accepted the configuration. Two folders below state_dir hold the running configuration and the
/// one before or to come; `haproxy.cfg` points to the running one.
///
/// A process of an earlier supervisor is found by state_dir/haproxy.pid (pid, start time, boot) and replaced in the
/// same way.
class HaproxyEngine final : public Engine {
 public:
  HaproxyEngine(asio::any_io_executor loop, HaproxyOptions options);
  ~HaproxyEngine() override;

  [[nodiscard]] std::string program() const override { return "haproxy"; }
  asio::awaitable<Result<void>> apply(Model model) override;
  [[nodiscard]] bool running() const override;
  [[nodiscard]] bool holds_ports() const override;
  Signal& died() override;
  asio::awaitable<void> stop() override;

  /// The running process, 0 when none; for tests and `status`.
  [[nodiscard]] int pid() const;
  /// How often a configuration was swapped in by a new process.
  [[nodiscard]] std::uint64_t reloads() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace devstack::proxy

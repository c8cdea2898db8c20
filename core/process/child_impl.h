#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "core/base/async/signal.h"
#include "core/process/child.h"

/// What Child and run() share: a pidfd, the wait on it and the process group. Private to the room.
namespace devstack::process {

struct ChildCore {
  using Time = std::chrono::steady_clock;

  ChildCore(const asio::any_io_executor& executor, Identity who, bool own)
      : identity(std::move(who)), ours(own), pidfd(executor), ended(executor) {}

  static Result<std::shared_ptr<ChildCore>> open(const asio::any_io_executor& executor, const Identity& identity,
                                                 bool ours);
  static Result<std::shared_ptr<ChildCore>> start(const asio::any_io_executor& executor, const Spec& spec,
                                                  int output_fd);
  static asio::awaitable<void> watch(std::shared_ptr<ChildCore> core);
  /// True once the leader has ended.
  static asio::awaitable<bool> wait_until(std::shared_ptr<ChildCore> core, Time::time_point deadline);
  /// True once nobody of the group lives.
  static asio::awaitable<bool> group_ended(std::shared_ptr<ChildCore> core, Time::time_point deadline);
  [[nodiscard]] bool group_lives() const;
  void signal(int number) const;

  Identity identity;
  bool ours;  ///< our child: it is reaped by us and its exit code can be read
  asio::posix::stream_descriptor pidfd;
  std::optional<ExitStatus> status;
  Signal ended;
};

}  // namespace devstack::process

#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>

#include "core/base/result.h"
#include "core/docker/exec_session.h"

/// This terminal, or pipes, connected to a command in a container. Main thread.
namespace devstack {

namespace asio = boost::asio;

struct ConversationOptions {
  bool tty = false;    ///< the command has a terminal: ours is raw meanwhile, and its size is told
  bool input = false;  ///< what we are given is passed on
  /// What a signal (SIGINT, SIGTERM, SIGHUP, SIGQUIT) does; without it the conversation ends, as with 128 + its number.
  std::function<asio::awaitable<void>(int number)> on_signal;
};

bool stdin_is_terminal();

/// Copies both ways until the command has ended, and returns its exit code.
asio::awaitable<Result<int>> converse(docker::Session& session, ConversationOptions options);

}  // namespace devstack

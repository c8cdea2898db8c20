#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/docker/client.h"

/// What `exec` and `run` stand on: a connection that carries a command's input and output both ways.
/// https://docs.docker.com/engine/api/v1.41/#tag/Container/operation/ContainerAttach
namespace devstack::docker {

/// Size of a terminal, in characters.
struct TerminalSize {
  std::uint16_t rows = 0, columns = 0;
};

/// A command's streams. One reader and one writer at a time, both on the loop; any of them may be cancelled. Destroying
/// it closes the connection: a command without tty that still writes sees a broken pipe, nothing else happens to it.
class Session {
 public:
  struct Piece {
    LogStream stream = LogStream::out;  ///< of a tty always `out`
    std::string bytes;
  };

  /// Creates a command in a running container and starts it. Errc::not_found without such a container, conflict when
  /// it does not run or is paused.
  static asio::awaitable<Result<std::unique_ptr<Session>>> exec(Client client, std::string container,
                                                                ExecOptions options);
  /// The container's own streams, from now on. Attach before starting it and nothing is missed. Its input is ours when
  /// `input` is set and it was created with `stdin_open`.
  static asio::awaitable<Result<std::unique_ptr<Session>>> attach(Client client, std::string container, bool input);

  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// What comes next; nothing once the command closed its output. No deadline.
  asio::awaitable<Result<std::optional<Piece>>> read();
  /// Errc::io once the command does not read any more.
  asio::awaitable<Result<void>> write(std::string bytes);
  /// The command reads an end of file.
  void end_input();
  /// Of its terminal; ok and without meaning where it has none.
  asio::awaitable<Result<void>> resize(TerminalSize size);
  /// Waits for the end of the command and returns its exit code; 126 and 127 when it could not be run.
  asio::awaitable<Result<int>> exit_code();

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace devstack::docker

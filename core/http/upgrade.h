#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "core/http/client.h"

namespace devstack::http {

class Connection;

/// A connection whose request was answered by a change of protocol (RFC 9110 §7.8): from there on it carries bytes both
/// ways. One reader and one writer at a time. Destroying it closes it.
class Duplex {
 public:
  Duplex(std::shared_ptr<Connection> connection, std::string first);
  ~Duplex();
  Duplex(const Duplex&) = delete;
  Duplex& operator=(const Duplex&) = delete;

  /// At least one byte; "" once the peer ended its side. No deadline; may be cancelled.
  asio::awaitable<Result<std::string>> read();
  asio::awaitable<Result<void>> write(std::string bytes);
  /// Ends our side; the peer's is read on.
  void end_write();

 private:
  std::shared_ptr<Connection> connection_;
  std::string first_;  ///< came with the head of the answer
};

struct Upgraded {
  Response head;                   ///< with a status of 400 and above the body, else empty
  std::unique_ptr<Duplex> duplex;  ///< none when the server refused
};

/// Sends `message` with `Connection: Upgrade` and reads the head of the answer, all within `timeout`. A server that
/// answers 200 without a length (as engines of old do) has changed the protocol, too.
asio::awaitable<Result<Upgraded>> upgrade(Target target, Request message, std::string protocol,
                                          std::chrono::milliseconds timeout);

}  // namespace devstack::http

#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <memory>
#include <string_view>

#include "core/base/async/task_group.h"
#include "core/dns/responder.h"
#include "core/dns/udp_batch.h"

namespace devstack::dns {

/// One endpoint of the DNS server, UDP and TCP: bytes in, bytes out. Private to core/dns; everything on the DNS thread.
/// stop() before destruction.
class Listener {
 public:
  /// Errc::port_taken, Errc::permission or Errc::io. `port_setting` is the key that moves the port. `responder` and
  /// `batch` outlive it.
  static Result<std::unique_ptr<Listener>> open(const asio::any_io_executor& executor, const Endpoint& endpoint,
                                                Responder& responder, UdpBatch& batch, std::string_view port_setting);
  /// Where it listens, the port filled in.
  [[nodiscard]] Endpoint endpoint() const { return endpoint_; }
  void start();
  asio::awaitable<void> stop();

 private:
  Listener(const asio::any_io_executor& executor, Responder& responder, UdpBatch& batch);
  Result<void> bind(const Endpoint& endpoint, std::string_view port_setting);

  asio::awaitable<void> serve_udp();
  void answer_batch(std::size_t count);
  asio::awaitable<void> forward_udp(std::unique_ptr<Responder::Pending> pending, std::vector<std::uint8_t> request,
                                    Peer peer);
  asio::awaitable<void> accept_tcp();
  struct Session;
  asio::awaitable<void> serve_session(asio::ip::tcp::socket socket);
  asio::awaitable<void> serve_messages(std::shared_ptr<Session> session);

  asio::ip::udp::socket udp_;
  asio::ip::tcp::acceptor tcp_;
  Responder& responder_;
  UdpBatch& batch_;
  Endpoint endpoint_;
  TaskGroup tasks_;
};

}  // namespace devstack::dns

#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <functional>
#include <memory>
#include <string_view>

#include "core/base/async/task_group.h"
#include "core/dns/responder.h"
#include "core/dns/udp_batch.h"

namespace devstack::dns {

/// A request that a worker leaves to the thread with the upstreams, which replies from its own socket of that endpoint.
struct HandedOver {
  Endpoint endpoint;
  Peer peer;
  std::vector<std::uint8_t> request;
};

/// One endpoint of the DNS server: bytes in, bytes out. Several may share its UDP port, one for each thread; the first
/// of them also has TCP. Private to core/dns; everything on the thread of `executor`. stop() before destruction.
class Listener {
 public:
  enum class Place {
    alone,    ///< UDP and TCP, nobody else
    first,    ///< the same, and others may follow
    further,  ///< UDP only, on the endpoint of the first
  };
  /// Errc::port_taken, Errc::permission or Errc::io. `port_setting` is the key that moves the port. `responder` and
  /// `batch` outlive it.
  static Result<std::unique_ptr<Listener>> open(const asio::any_io_executor& executor, const Endpoint& endpoint,
                                                Responder& responder, UdpBatch& batch, std::string_view port_setting,
                                                Place place = Place::alone);
  /// Takes what the responder leaves to others; false: there is no room. Set before start().
  std::function<bool(HandedOver)> hand_over;
  /// Called before requests are answered. Set before start().
  std::function<void()> before_batch;
  /// Replies to a request that another thread received. `repeated` gets what that thread may reply itself from now on.
  using Repeated = std::function<void(Bytes reply, Source source, const Repeat& repeat)>;
  void answer_for_other(const HandedOver& handed, const Repeated& repeated);
  /// Where it listens, the port filled in.
  [[nodiscard]] Endpoint endpoint() const { return endpoint_; }
  void start();
  asio::awaitable<void> stop();

 private:
  Listener(const asio::any_io_executor& executor, Responder& responder, UdpBatch& batch);
  Result<void> bind(const Endpoint& endpoint, std::string_view port_setting, Place place);

  asio::awaitable<void> serve_udp();
  void answer_batch(std::size_t count);
  Responder::Step left_to_others(std::size_t index, const Responder::Client& client);
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

#include "core/dns/listener.h"

#include <netinet/in.h>

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/socket_base.hpp>

namespace devstack::dns {
namespace {

using asio::ip::tcp;
using asio::ip::udp;

constexpr int receive_buffer_bytes = 1 << 20;
constexpr int attempts_at_a_free_port = 16;

Error why_not(const Endpoint& endpoint, net::Transport transport, const boost::system::error_code& error,
              std::string_view setting) {
  const auto address = endpoint.address().to_string();
  const auto* kind = transport == net::Transport::tcp ? "tcp" : "udp";
  if (error == asio::error::address_in_use) return net::port_taken(transport, address, endpoint.port(), setting);
  if (error == asio::error::access_denied) {
    return {Errc::permission, fmt::format("no permission to listen on {}/{}: run as root, give the binary "
                                          "cap_net_bind_service, or set {} in stack.yaml to a port from 1024",
                                          to_text(endpoint), kind, setting)};
  }
  return {Errc::io, fmt::format("cannot listen on {}/{}: {}", to_text(endpoint), kind, error.message())};
}

/// Replies from a socket bound to every address must leave from the one that was asked.
void ask_for_arrival_address(udp::socket& socket, const Endpoint& endpoint) {
  const int on = 1;
  if (endpoint.address().is_v4()) {
    ::setsockopt(socket.native_handle(), IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  } else {
    ::setsockopt(socket.native_handle(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
  }
}

boost::system::error_code share(udp::socket& socket) {
  const int on = 1;
  if (::setsockopt(socket.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) return {};
  return {errno, boost::system::system_category()};
}

/// The first to share a port does so after it has bound it: until then a port that somebody else has, another devstack
/// too, is an error.
boost::system::error_code bind_udp(udp::socket& socket, const Endpoint& endpoint, Listener::Place place) {
  boost::system::error_code error;
  boost::system::error_code ignored;
  socket.close(ignored);
  socket.open(endpoint.protocol(), error);
  if (error) return error;
  if (endpoint.address().is_v6()) socket.set_option(asio::ip::v6_only(true), ignored);
  socket.set_option(asio::socket_base::receive_buffer_size(receive_buffer_bytes), ignored);
  if (endpoint.address().is_unspecified()) ask_for_arrival_address(socket, endpoint);
  socket.non_blocking(true, error);
  if (!error && place == Listener::Place::further) error = share(socket);
  if (!error) socket.bind(endpoint, error);
  if (!error && place == Listener::Place::first) error = share(socket);
  return error;
}

boost::system::error_code bind_tcp(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  boost::system::error_code error;
  boost::system::error_code ignored;
  acceptor.close(ignored);
  acceptor.open(endpoint.protocol(), error);
  if (error) return error;
  acceptor.set_option(tcp::acceptor::reuse_address(true), ignored);
  if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), ignored);
  acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  return error;
}

}  // namespace

Listener::Listener(const asio::any_io_executor& executor, Responder& responder, UdpBatch& batch)
    : udp_(executor), tcp_(executor), responder_(responder), batch_(batch), tasks_(executor) {}

Result<std::unique_ptr<Listener>> Listener::open(const asio::any_io_executor& executor, const Endpoint& endpoint,
                                                 Responder& responder, UdpBatch& batch, std::string_view port_setting,
                                                 Place place) {
  std::unique_ptr<Listener> out(new Listener(executor, responder, batch));
  CHECK(out->bind(endpoint, port_setting, place));
  return out;
}

Result<void> Listener::bind(const Endpoint& endpoint, std::string_view port_setting, Place place) {
  boost::system::error_code error;
  // A free UDP port may be taken on TCP: with port 0 another one will do.
  for (int attempt = 0; attempt < attempts_at_a_free_port; ++attempt) {
    error = bind_udp(udp_, endpoint, place);
    if (error) return tl::unexpected(why_not(endpoint, net::Transport::udp, error, port_setting));
    endpoint_ = udp_.local_endpoint(error);
    if (!error && place == Place::further) return {};
    if (!error) error = bind_tcp(tcp_, tcp::endpoint(endpoint_.address(), endpoint_.port()));
    if (!error) return {};
    if (endpoint.port() != 0) break;
  }
  return tl::unexpected(why_not(endpoint_, net::Transport::tcp, error, port_setting));
}

void Listener::start() {
  tasks_.spawn("dns: udp " + to_text(endpoint_), serve_udp());
  if (tcp_.is_open()) tasks_.spawn("dns: tcp " + to_text(endpoint_), accept_tcp());
}

asio::awaitable<void> Listener::stop() {
  boost::system::error_code ignored;
  udp_.close(ignored);
  tcp_.close(ignored);
  co_await tasks_.stop();
}

}  // namespace devstack::dns

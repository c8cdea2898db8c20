#include "core/proxy/listen_probe.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>

namespace devstack::proxy {

namespace asio = boost::asio;

ListenProbe probe_listen(const std::string& address, std::uint16_t port) {
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) return ListenProbe::no_address;
  const asio::ip::tcp::endpoint where(ip, port);
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io);
  acceptor.open(where.protocol(), error);
  if (error) return ListenProbe::no_address;
  acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (ip.is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  acceptor.bind(where, error);
  if (!error) return ListenProbe::possible;
  if (error == asio::error::address_in_use) return ListenProbe::taken;
  if (error == asio::error::access_denied) return ListenProbe::refused;
  return ListenProbe::no_address;
}

}  // namespace devstack::proxy

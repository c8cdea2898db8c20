#pragma once

#include <poll.h>

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "core/dns/codec.h"
#include "core/dns/exchange.h"

namespace devstack::dns::test_support {

/// A DNS server that says what a test wants, over real sockets: UDP and TCP on one free port of 127.0.0.1, on a thread
/// of its own, one question after another. Names of questions are kept as they came.
class ScriptedServer {
 public:
  /// The messages to send back, in order.
  using Script = std::function<std::vector<Message>(const Message& query, net::Transport transport)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)) {
    while (!bind()) {
    }
    endpoint_ = udp_.local_endpoint();
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedServer() { stop(); }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  /// From now on its port is closed.
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    udp_.close();
    tcp_.close();
  }
  [[nodiscard]] Endpoint endpoint() const { return endpoint_; }
  [[nodiscard]] std::string address() const { return to_text(endpoint_); }
  [[nodiscard]] int over_udp() const { return over_udp_; }
  [[nodiscard]] int over_tcp() const { return over_tcp_; }
  [[nodiscard]] std::vector<std::string> names() {
    const std::lock_guard lock(mutex_);
    return names_;
  }

 private:
  /// A free UDP port may be taken on TCP: then another one will do.
  bool bind() {
    constexpr int attempts = 50;
    if (++binds_ > attempts) throw std::runtime_error("no port is free for both UDP and TCP");
    const auto local = asio::ip::make_address("127.0.0.1");
    boost::system::error_code error;
    udp_ = asio::ip::udp::socket(io_, asio::ip::udp::endpoint(local, 0));
    tcp_ = asio::ip::tcp::acceptor(io_, asio::ip::tcp::v4());
    tcp_.set_option(asio::ip::tcp::acceptor::reuse_address(true));
    tcp_.bind({local, udp_.local_endpoint().port()}, error);
    if (!error) tcp_.listen(asio::socket_base::max_listen_connections, error);
    return !error;
  }
  void serve() {
    while (!stopping_) {
      std::array<pollfd, 2> waiting{{{udp_.native_handle(), POLLIN, 0}, {tcp_.native_handle(), POLLIN, 0}}};
      if (::poll(waiting.data(), waiting.size(), 20) <= 0) continue;
      if (waiting[0].revents != 0) serve_datagram();
      if (waiting[1].revents != 0) serve_connection();
    }
  }
  void serve_datagram() {
    std::vector<std::uint8_t> bytes(4096);
    asio::ip::udp::endpoint from;
    boost::system::error_code error;
    bytes.resize(udp_.receive_from(asio::buffer(bytes), from, 0, error));
    if (error) return;
    ++over_udp_;
    for (const auto& reply : replies(bytes, net::Transport::udp)) udp_.send_to(asio::buffer(reply), from, 0, error);
  }
  void serve_connection() {
    boost::system::error_code error;
    auto socket = tcp_.accept(error);
    std::array<std::uint8_t, 2> length{};
    if (!error) asio::read(socket, asio::buffer(length), error);
    if (error) return;
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(length[0]) << 8 | length[1]);
    asio::read(socket, asio::buffer(bytes), error);
    if (error) return;
    ++over_tcp_;
    for (const auto& reply : replies(bytes, net::Transport::tcp)) {
      length = {static_cast<std::uint8_t>(reply.size() >> 8), static_cast<std::uint8_t>(reply.size())};
      asio::write(socket, asio::buffer(length), error);
      asio::write(socket, asio::buffer(reply), error);
    }
  }
  std::vector<std::vector<std::uint8_t>> replies(Bytes query, net::Transport transport) {
    std::vector<std::vector<std::uint8_t>> out;
    const auto message = decode(query);
    if (!message) return out;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& question : message->questions) names_.push_back(question.name.to_text());
    }
    for (const auto& reply : script_(*message, transport)) out.push_back(encode(reply));
    return out;
  }

  Script script_;
  asio::io_context io_;
  asio::ip::udp::socket udp_{io_};
  asio::ip::tcp::acceptor tcp_{io_};
  int binds_ = 0;
  Endpoint endpoint_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> over_udp_{0}, over_tcp_{0};
  std::mutex mutex_;
  std::vector<std::string> names_;
  std::thread thread_;
};

/// The question back with one address, 10.1.1.`last`.
inline Message address_reply(const Message& query, std::uint32_t ttl, std::uint8_t last = 1) {
  Message out;
  out.header = query.header;
  out.header.response = true;
  out.header.authentic_data = false;
  out.questions = query.questions;
  if (query.edns) out.edns.emplace().udp_bytes = 1232;
  out.answers.push_back({query.questions.at(0).name, Type::a, class_in, ttl, Ipv4{{10, 1, 1, last}}});
  return out;
}

}  // namespace devstack::dns::test_support

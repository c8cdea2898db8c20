// The UDP side of a listener: batches in, batches out; what needs a recursor goes on as a task of its own.
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/dns/listener.h"

namespace devstack::dns {
namespace {

/// Batches answered before other work of the thread gets its turn.
constexpr int batches_at_once = 16;

}  // namespace

asio::awaitable<void> Listener::serve_udp() {
  for (;;) {
    boost::system::error_code error;
    co_await udp_.async_wait(asio::ip::udp::socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    for (int round = 0; round < batches_at_once; ++round) {
      const std::size_t count = batch_.receive(udp_.native_handle());
      if (count == 0) break;
      answer_batch(count);
    }
  }
}

void Listener::answer_batch(std::size_t count) {
  const int socket = udp_.native_handle();
  responder_.refresh();
  if (before_batch) before_batch();
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes request = batch_.request(i);
    const Responder::Client client{batch_.client(i), net::Transport::udp};
    auto step = responder_.begin(request, client, batch_.room(socket));
    if (step.outcome == Responder::Outcome::others) step = left_to_others(i, client);
    if (step.outcome == Responder::Outcome::reply) batch_.queue(i, step.size);
    if (step.outcome != Responder::Outcome::forward) continue;
    std::vector<std::uint8_t> copy(request.begin(), request.end());
    tasks_.spawn("dns: forward", forward_udp(std::move(step.pending), std::move(copy), batch_.peer(i)));
  }
  batch_.send(socket);
}

Responder::Step Listener::left_to_others(std::size_t index, const Responder::Client& client) {
  const Bytes request = batch_.request(index);
  HandedOver out{endpoint_, batch_.peer(index), {request.begin(), request.end()}};
  if (hand_over && hand_over(std::move(out))) return {};
  return responder_.refuse(request, client, batch_.room(udp_.native_handle()));
}

void Listener::answer_for_other(const HandedOver& handed, const Repeated& repeated) {
  if (!udp_.is_open()) return;
  thread_local std::vector<std::uint8_t> reply(max_message_bytes);
  const Responder::Client client{client_of(handed.peer), net::Transport::udp};
  auto step = responder_.begin(handed.request, client, reply);
  if (step.outcome == Responder::Outcome::reply) {
    const Bytes bytes = Bytes(reply).first(step.size);
    send_reply(udp_.native_handle(), handed.peer, bytes);
    if (step.repeat) repeated(bytes, step.source, *step.repeat);
  } else if (step.outcome == Responder::Outcome::forward) {
    tasks_.spawn("dns: forward", forward_udp(std::move(step.pending), handed.request, handed.peer));
  }
}

asio::awaitable<void> Listener::forward_udp(std::unique_ptr<Responder::Pending> pending,
                                            std::vector<std::uint8_t> request, Peer peer) {
  const auto reply = co_await responder_.finish(std::move(pending), std::move(request));
  if (!reply.empty() && udp_.is_open()) send_reply(udp_.native_handle(), peer, reply);
}

}  // namespace devstack::dns

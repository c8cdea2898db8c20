#include "core/dns/query.h"

#include <sys/random.h>

#include <chrono>

namespace devstack::dns {

std::uint16_t random_id() {
  std::uint16_t id = 0;
  // Two bytes never block or come short once the machine has booted; if they fail, the port still is unpredictable.
  if (::getrandom(&id, sizeof id, 0) != static_cast<ssize_t>(sizeof id)) {
    id = static_cast<std::uint16_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
  return id;
}

asio::awaitable<Result<Message>> query(Endpoint server, Name name, Type type, net::Transport transport,
                                       std::chrono::milliseconds limit) {
  Message message;
  message.header.id = random_id();
  message.header.recursion_desired = true;
  message.questions.push_back({std::move(name), type, class_in});
  message.edns.emplace();
  message.edns->udp_bytes = 1232;
  const auto bytes = encode(message);
  CO_TRY(auto reply, co_await exchange(server, bytes, transport, limit));
  CO_TRY(auto decoded, decode(reply));
  if (!decoded.header.truncated || transport == net::Transport::tcp) co_return decoded;
  CO_TRY(auto whole, co_await exchange(server, bytes, net::Transport::tcp, limit));
  co_return decode(whole);
}

}  // namespace devstack::dns

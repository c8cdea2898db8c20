#include "core/dns/forwarder.h"

#include <algorithm>

#include "core/base/log.h"
#include "core/dns/query.h"

namespace devstack::dns {
namespace {

using Packet = std::vector<std::uint8_t>;
constexpr auto distrust = std::chrono::seconds(10);

struct Counted {
  std::size_t& count;
  explicit Counted(std::size_t& c) : count(c) { ++count; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count; }
};

Rcode rcode_of(const Packet& reply) { return static_cast<Rcode>(reply[3] & 0x0f); }
bool is_truncated(const Packet& reply) { return (reply[2] & 0x02) != 0; }
bool is_final(const Packet& reply) { return rcode_of(reply) == Rcode::noerror || rcode_of(reply) == Rcode::nxdomain; }

void set_id(Packet& message, std::uint8_t high, std::uint8_t low) {
  message[0] = high;
  message[1] = low;
}

}  // namespace

std::vector<Endpoint> Forwarder::in_order() {
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(failed_at_, [&](const auto& entry) { return now - entry.second > distrust; });
  auto servers = recursors_.current(own);
  std::stable_partition(servers.begin(), servers.end(),
                        [this](const Endpoint& server) { return !failed_at_.contains(server); });
  return servers;
}

asio::awaitable<Result<Packet>> Forwarder::ask_one(Endpoint server, Packet query, net::Transport client) {
  CO_TRY(auto reply, co_await exchange(server, query, net::Transport::udp, limit_));
  if (client == net::Transport::udp || !is_truncated(reply)) co_return reply;
  co_return co_await exchange(server, std::move(query), net::Transport::tcp, limit_);
}

asio::awaitable<std::optional<Packet>> Forwarder::ask(Packet query, net::Transport client) {
  if (in_flight_ >= max_in_flight || query.size() < header_bytes) co_return std::nullopt;
  const Counted counted(in_flight_);
  const std::uint8_t high = query[0];
  const std::uint8_t low = query[1];
  for (const auto& server : in_order()) {
    const std::uint16_t id = random_id();
    set_id(query, static_cast<std::uint8_t>(id >> 8), static_cast<std::uint8_t>(id));
    auto reply = co_await ask_one(server, query, client);
    if (!reply) {
      log::debug("dns", "{}", reply.error().message);
      failed_at_[server] = std::chrono::steady_clock::now();
      continue;
    }
    failed_at_.erase(server);
    if (!is_final(*reply)) continue;
    set_id(*reply, high, low);
    co_return std::move(*reply);
  }
  co_return std::nullopt;
}

}  // namespace devstack::dns

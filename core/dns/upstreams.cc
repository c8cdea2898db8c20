#include "core/dns/upstreams.h"

#include <sys/random.h>

#include <algorithm>

#include "core/base/log.h"
#include "core/dns/query.h"

namespace devstack::dns {
namespace {

using Packet = std::vector<std::uint8_t>;
constexpr auto distrust = std::chrono::seconds(10);
constexpr auto folding_is_believed = std::chrono::minutes(10);
/// For one question, all servers together: nobody waits longer for a name.
constexpr auto longest_search = std::chrono::seconds(10);

Rcode rcode_of(const Packet& reply) { return static_cast<Rcode>(reply[3] & 0x0f); }
bool is_truncated(const Packet& reply) { return (reply[2] & 0x02) != 0; }
bool is_final(Rcode rcode) { return rcode == Rcode::noerror || rcode == Rcode::nxdomain; }

void set_id(Packet& message, std::uint16_t id) {
  message[0] = static_cast<std::uint8_t>(id >> 8);
  message[1] = static_cast<std::uint8_t>(id);
}

void vary_case(Packet& query) {
  std::array<std::uint8_t, 32> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) return;
  randomise_case(query, random);
}

template <class Map>
void forget_old(Map& times, Instant before) {
  std::erase_if(times, [&](const auto& entry) { return entry.second < before; });
}

}  // namespace

Upstreams::Way Upstreams::way(const Name& name) const {
  if (const auto* servers = settings_.domains.find(name)) return servers->empty() ? Way::no_such_name : Way::ask;
  return settings_.recursors.configured() ? Way::ask : Way::nobody;
}

std::vector<Endpoint> Upstreams::in_order(const Name& name) {
  const auto now = std::chrono::steady_clock::now();
  forget_old(failed_at_, now - distrust);
  forget_old(folds_case_until_, now);
  std::vector<Endpoint> servers;
  if (const auto* of_domain = settings_.domains.find(name)) {
    servers = *of_domain;
    std::erase_if(servers, own);
  } else {
    servers = settings_.recursors.current(own);
  }
  std::stable_partition(servers.begin(), servers.end(),
                        [this](const Endpoint& server) { return !failed_at_.contains(server); });
  return servers;
}

asio::awaitable<Result<Packet>> Upstreams::send(Endpoint server, Packet query, net::Transport transport) {
  counters_.upstream_queries.raise();
  auto reply = co_await exchange(server, std::move(query), transport, settings_.limit);
  if (!reply) counters_.upstream_failures.raise();
  co_return reply;
}

asio::awaitable<Result<Packet>> Upstreams::ask_over_udp(Endpoint server, Asker asker) {
  auto query = upstream_query(asker, random_id(), WithEdns::yes);
  const bool vary = settings_.random_case && !folds_case_until_.contains(server);
  if (vary) vary_case(query);
  CO_TRY(auto reply, co_await send(server, query, net::Transport::udp));
  // A server from before EDNS (RFC 6891 §7).
  if (rcode_of(reply) == Rcode::formerr || rcode_of(reply) == Rcode::notimp) {
    auto plain = upstream_query(asker, random_id(), WithEdns::no);
    co_return co_await send(server, std::move(plain), net::Transport::udp);
  }
  if (!vary || same_case(reply, query)) co_return reply;
  set_id(query, random_id());
  CO_TRY(auto sure, co_await send(server, query, net::Transport::tcp));
  if (!same_case(sure, query)) folds_case_until_[server] = std::chrono::steady_clock::now() + folding_is_believed;
  co_return sure;
}

asio::awaitable<Result<ForeignReplyPtr>> Upstreams::ask_one(Endpoint server, Asker asker) {
  CO_TRY(auto reply, co_await ask_over_udp(server, asker));
  if (is_truncated(reply)) {
    auto query = upstream_query(asker, random_id(), WithEdns::yes);
    auto whole = co_await send(server, std::move(query), net::Transport::tcp);
    // Where TCP is blocked, some of the answer and TC are more than nothing.
    if (whole) reply = std::move(*whole);
  }
  co_return read_foreign(std::move(reply));
}

asio::awaitable<ForeignReplyPtr> Upstreams::ask(Asker asker, std::shared_ptr<Endpoint> current) {
  const auto give_up = std::chrono::steady_clock::now() + longest_search;
  for (const auto& server : in_order(asker.question.name)) {
    if (std::chrono::steady_clock::now() >= give_up) break;
    *current = server;
    auto reply = co_await ask_one(server, asker);
    if (!reply) {
      log::debug("dns", "{}", reply.error().message);
      failed_at_[server] = std::chrono::steady_clock::now();
      continue;
    }
    failed_at_.erase(server);
    if (is_final((*reply)->rcode)) co_return std::move(*reply);
  }
  co_return nullptr;
}

asio::awaitable<std::optional<Packet>> Upstreams::relay(Packet query, Name name, net::Transport client) {
  if (query.size() < header_bytes) co_return std::nullopt;
  const auto id = static_cast<std::uint16_t>(query[0] << 8 | query[1]);
  const auto give_up = std::chrono::steady_clock::now() + longest_search;
  for (const auto& server : in_order(name)) {
    if (std::chrono::steady_clock::now() >= give_up) break;
    set_id(query, random_id());
    auto reply = co_await send(server, query, net::Transport::udp);
    if (reply && is_truncated(*reply) && client == net::Transport::tcp) {
      reply = co_await send(server, query, net::Transport::tcp);
    }
    if (!reply) {
      log::debug("dns", "{}", reply.error().message);
      failed_at_[server] = std::chrono::steady_clock::now();
      continue;
    }
    failed_at_.erase(server);
    if (!is_final(rcode_of(*reply))) continue;
    set_id(*reply, id);
    co_return std::move(*reply);
  }
  co_return std::nullopt;
}

asio::awaitable<void> Upstreams::send_only(Endpoint server, Asker asker) {
  auto query = upstream_query(asker, random_id(), WithEdns::yes);
  [[maybe_unused]] const auto reply = co_await send(server, std::move(query), net::Transport::udp);
}

}  // namespace devstack::dns

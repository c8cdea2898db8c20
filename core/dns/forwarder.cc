#include "core/dns/forwarder.h"

#include "core/base/log.h"
#include "core/dns/counted.h"
#include "core/dns/query.h"

namespace devstack::dns {
namespace {

using Packet = std::vector<std::uint8_t>;

/// Longer than any search of Upstreams: a flight ends by itself.
constexpr auto longest_wait = std::chrono::seconds(20);
constexpr std::string_view probe_prefix = "devstack-loop-";

std::string first_label(const Name& name) {
  const auto wire = name.wire();
  return std::string(wire.substr(1, static_cast<unsigned char>(wire.front())));
}

}  // namespace

Forwarder::Forwarder(const asio::any_io_executor& executor, UpstreamSettings settings, DnsCounters& counters)
    : executor_(executor), counters_(counters), upstreams_(std::move(settings), counters), tasks_(executor) {}

std::optional<Forwarder::Relayed> Forwarder::known(const Asker& asker) {
  const auto found = cache_.find(cache_key(asker), std::chrono::steady_clock::now());
  if (found.ask) return std::nullopt;
  if (!found.reply) return Relayed{};
  return Relayed{found.reply, found.age, found.age.stale ? Source::stale : Source::cache, found.same_until};
}

asio::awaitable<Forwarder::Relayed> Forwarder::ask(Asker asker, asio::ip::address client) {
  const std::string key = cache_key(asker);
  const auto now = std::chrono::steady_clock::now();
  const auto old = cache_.find(key, now);
  const Relayed fallback{old.reply, old.age, old.reply ? Source::stale : Source::upstream};
  if (waiting_ >= max_waiting) co_return fallback;
  const Counted counted(waiting_);

  const auto under_way = flights_.find(key);
  const bool joins = under_way != flights_.end();
  const FlightPtr flight = joins ? under_way->second : begin(asker, key);
  if (!flight) co_return fallback;
  if (joins) {
    counters_.shared.raise();
    suspect_loop(flight, client);
  }
  const auto patience = old.reply ? now + client_patience : now + longest_wait;
  // Of those who wait, the first one certainly is no echo of it.
  while (!flight->ended && !(joins && flight->looped)) {
    const bool changed = co_await flight->changed.wait_past(flight->changed.version(), patience);
    if (!changed) co_return fallback;
  }
  if (!flight->reply) co_return fallback;
  const Relayed fresh{flight->reply, Age{}, Source::upstream};
  co_return fresh;
}

Forwarder::FlightPtr Forwarder::begin(const Asker& asker, const std::string& key) {
  if (flights_.size() >= max_queries) return nullptr;
  auto flight = std::make_shared<Flight>(executor_, asker, key);
  flights_.emplace(key, flight);
  tasks_.spawn("dns: query", fly(this, flight));
  return flight;
}

asio::awaitable<void> Forwarder::fly(Forwarder* self, FlightPtr flight) {
  auto reply = co_await self->upstreams_.ask(flight->asker, flight->server);
  const auto now = std::chrono::steady_clock::now();
  if (reply) {
    self->cache_.keep(flight->key, reply, now);
  } else {
    self->cache_.failed(flight->key, now);
  }
  flight->reply = std::move(reply);
  flight->ended = true;
  self->flights_.erase(flight->key);
  flight->changed.bump();
}

/// A question that is under way already and comes from where the server is that we asked may be our own, sent back. A
/// probe, a name that nobody else can ask for, tells: where the question went round, it does, too.
void Forwarder::suspect_loop(const FlightPtr& flight, const asio::ip::address& client) {
  const bool possible = client == flight->server->address() || flight->server->address().is_loopback();
  if (!possible || !flight->probe.empty()) return;
  const std::string label = fmt::format("{}{:04x}{:04x}{:04x}", probe_prefix, random_id(), random_id(), random_id());
  Asker probe;
  const auto name = Name::join(label, flight->asker.question.name);
  if (!name) return;
  probe.question = {*name, Type::a, class_in};
  flight->probe = label;
  tasks_.spawn("dns: probe", upstreams_.send_only(*flight->server, std::move(probe)));
}

bool Forwarder::is_own_probe(const Name& name) {
  const std::string label = to_lower(first_label(name));
  if (!label.starts_with(probe_prefix)) return false;
  for (const auto& [key, flight] : flights_) {
    if (flight->probe != label) continue;
    counters_.loops.raise();
    if (!flight->looped) {
      log::warn("dns", "{} sends what we ask it for {} back to us: no answer", to_text(*flight->server),
                flight->asker.question.name.to_text());
    }
    flight->looped = true;
    flight->changed.bump();
    return true;
  }
  return false;
}

asio::awaitable<std::optional<Packet>> Forwarder::relay(Packet query, Name name, net::Transport client) {
  struct Relaying {
    decltype(relaying_)& all;
    decltype(relaying_)::iterator at;
    Relaying(decltype(relaying_)& a, const Name& n) : all(a), at(a.try_emplace(std::string(n.lowered().wire())).first) {
      ++at->second;
    }
    Relaying(const Relaying&) = delete;
    Relaying& operator=(const Relaying&) = delete;
    ~Relaying() {
      if (--at->second == 0) all.erase(at);
    }
  };
  const Relaying relaying(relaying_, name);
  if (relaying.at->second > max_relayed_alike || relaying_.size() > max_queries) co_return std::nullopt;
  co_return co_await upstreams_.relay(std::move(query), std::move(name), client);
}

}  // namespace devstack::dns

#include "core/dns/journal.h"

namespace devstack::dns {
namespace {

constexpr std::string_view arpa("\4arpa", 6);

bool is_reverse(std::string_view wire) {
  return wire.size() >= arpa.size() && equal_ignoring_case(wire.substr(wire.size() - arpa.size()), arpa);
}

}  // namespace

void DnsCounters::add(const DnsCounters& other) {
  for (std::size_t i = 0; i < by_rcode.size(); ++i) by_rcode.at(i).raise(other.by_rcode.at(i).value());
  for (std::size_t i = 0; i < by_source.size(); ++i) by_source.at(i).raise(other.by_source.at(i).value());
  upstream_queries.raise(other.upstream_queries.value());
  upstream_failures.raise(other.upstream_failures.value());
  shared.raise(other.shared.value());
  loops.raise(other.loops.value());
  handed_over.raise(other.handed_over.value());
}

void Journal::note(const QueryNote& query, NameCounters::Place& place) {
  counters.by_rcode[static_cast<std::size_t>(query.rcode) & 0xf].raise();
  counters.by_source[static_cast<std::size_t>(query.source)].raise();
  const bool registry = query.source == Source::registry;
  const bool ours = registry && query.rcode == Rcode::noerror;
  if (!names.raise(place, query.rcode, ours)) place = names.raise(query.name, query.rcode, ours);
  if (is_reverse(query.name)) {
    reverse.add(query.latency_us, query.unix_us / 1'000'000);
  } else if (registry && query.rcode != Rcode::refused) {
    own.add(query.latency_us, query.unix_us / 1'000'000);
  }
  log.add(query);
}

std::string code_name(std::size_t rcode) { return to_text(static_cast<Rcode>(rcode)); }

std::string summary(const DnsCounters& counters) {
  const std::uint64_t queries = counters.queries();
  if (queries == 0) return {};
  const std::uint64_t kept = counters.of(Source::cache).value() + counters.of(Source::stale).value();
  const std::uint64_t forwarded = kept + counters.of(Source::upstream).value();
  std::string out = fmt::format("{} {}", queries, queries == 1 ? "query" : "queries");
  for (std::size_t code = 1; code < counters.by_rcode.size(); ++code) {
    const auto count = counters.by_rcode.at(code).value();
    if (count > 0) out += fmt::format(", {} {}", count, code_name(code));
  }
  if (forwarded > 0) out += fmt::format(", {}% of the forwarded ones from cache", 100 * kept / forwarded);
  return out;
}

}  // namespace devstack::dns

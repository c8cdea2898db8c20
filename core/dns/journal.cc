#include "core/dns/journal.h"

namespace devstack::dns {

std::string summary(const DnsCounters& counters) {
  const std::uint64_t queries = counters.queries();
  if (queries == 0) return {};
  const std::uint64_t kept = counters.of(Source::cache).value() + counters.of(Source::stale).value();
  const std::uint64_t forwarded = kept + counters.of(Source::upstream).value();
  std::string out = fmt::format("{} {}", queries, queries == 1 ? "query" : "queries");
  if (forwarded > 0) out += fmt::format(", {}% of the forwarded ones from cache", 100 * kept / forwarded);
  return out;
}

}  // namespace devstack::dns

#pragma once

#include "core/dns/query_log.h"

namespace devstack::dns {

/// A number that one thread raises and any thread reads.
class Counter {
 public:
  void raise() { value_.store(value_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// What the DNS server did since it was made. Written by the DNS thread, read by any.
struct DnsCounters {
  std::array<Counter, 16> by_rcode;  ///< replies sent
  std::array<Counter, 4> by_source;  ///< by Source
  Counter upstream_queries;          ///< sent to other servers, probes and second tries included
  Counter upstream_failures;         ///< of those: no answer in time, or the server is not there
  Counter shared;                    ///< questions that waited for another client's query instead of sending their own
  Counter loops;                     ///< questions of ours that came back to us

  [[nodiscard]] const Counter& of(Source source) const { return by_source[static_cast<std::size_t>(source)]; }
  [[nodiscard]] std::uint64_t queries() const {
    std::uint64_t sum = 0;
    for (const auto& one : by_source) sum += one.value();
    return sum;
  }
};

struct Journal {
  DnsCounters counters;
  QueryLog log;

  void note(const LoggedQuery& query) {
    counters.by_rcode[static_cast<std::size_t>(query.rcode) & 0xf].raise();
    counters.by_source[static_cast<std::size_t>(query.source)].raise();
    log.add(query);
  }
};

/// "1204 queries, 61% of the forwarded ones from cache"; empty before the first query.
std::string summary(const DnsCounters& counters);

}  // namespace devstack::dns

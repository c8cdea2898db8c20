#pragma once

#include "core/dns/name_counters.h"
#include "core/dns/query_log.h"
#include "core/dns/query_times.h"

namespace devstack::dns {

/// A number that one thread raises and any thread reads. A copy is its value at that moment.
class Counter {
 public:
  Counter() = default;
  Counter(const Counter& other) : value_(other.value()) {}
  Counter& operator=(const Counter& other) {
    value_.store(other.value(), std::memory_order_relaxed);
    return *this;
  }
  void raise(std::uint64_t by = 1) { value_.store(value() + by, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// What one thread of the DNS server did since it was made, or the sum of several. Written by that thread, read by any.
struct DnsCounters {
  std::array<Counter, 16> by_rcode;  ///< replies sent
  std::array<Counter, 4> by_source;  ///< by Source
  Counter upstream_queries;          ///< sent to other servers, probes and second tries included
  Counter upstream_failures;         ///< of those: no answer in time, or the server is not there
  Counter shared;                    ///< questions that waited for another client's query instead of sending their own
  Counter loops;                     ///< questions of ours that came back to us
  Counter handed_over;               ///< questions that a worker left to the thread which asks other servers

  [[nodiscard]] const Counter& of(Source source) const { return by_source[static_cast<std::size_t>(source)]; }
  [[nodiscard]] std::uint64_t queries() const {
    std::uint64_t sum = 0;
    for (const auto& one : by_source) sum += one.value();
    return sum;
  }
  void add(const DnsCounters& other);
};

/// Where one thread of the DNS server writes down what it answered; the log is that of all of them.
struct Journal {
  explicit Journal(QueryLog& shared_log) : log(shared_log) {}

  QueryLog& log;
  DnsCounters counters;
  NameCounters names;
  QueryTimes own, reverse;  ///< names of ours, and questions for the name of an address: Consul's two kinds

  /// `place` is where the name is counted, if known; moves there.
  void note(const QueryNote& query, NameCounters::Place& place);
  void note(const QueryNote& query) {
    NameCounters::Place unknown;
    note(query, unknown);
  }
};

/// "1204 queries, 12 NXDOMAIN, 1 SERVFAIL, 61% of the forwarded ones from cache"; empty before the first query.
std::string summary(const DnsCounters& counters);

/// "SERVFAIL"; "RCODE9" for one without a name.
std::string code_name(std::size_t rcode);

}  // namespace devstack::dns

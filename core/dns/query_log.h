#pragma once

#include <array>
#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/dns/message.h"

namespace devstack::dns {

/// Where an answer came from.
enum class Source : std::uint8_t {
  registry,  ///< ourselves: the registry, fixed records, refusals
  cache,     ///< another server's answer, kept
  stale,     ///< the same past its time, because nobody answered
  upstream,  ///< another server, now; or none of them, which is SERVFAIL
};
std::string_view to_string(Source source);

/// One question that was answered.
struct LoggedQuery {
  std::int64_t unix_us = 0;  ///< when it came, microseconds
  std::uint32_t latency_us = 0;
  boost::asio::ip::address client;
  Name name;  ///< the root for what could not be read
  Type type = Type::a;
  Rcode rcode = Rcode::noerror;
  Source source = Source::registry;
};

/// The same while the name still lies in the datagram that asked: what is written down of an answer.
struct QueryNote {
  std::int64_t unix_us = 0;
  std::uint32_t latency_us = 0;
  boost::asio::ip::address client;
  std::string_view name{"", 1};  ///< in wire form, uncompressed; the root for what could not be read
  Type type = Type::a;
  Rcode rcode = Rcode::noerror;
  Source source = Source::registry;
};

/// "12:34:56.789012Z 172.17.0.2 A www.example.com. NOERROR cache 13µs".
std::string to_text(const LoggedQuery& query);

/// The last questions. Any thread adds, without waiting, locking or allocating, and takes a number first, which is the
/// order of the log; any thread reads meanwhile and gets whole entries only: each has a version that is odd while it is
/// being written. A writer that has slept while the others filled the whole ring drops its entry.
class QueryLog {
 public:
  static constexpr std::size_t capacity = 1024;

  void add(const QueryNote& query);
  /// How many have ever been added.
  [[nodiscard]] std::uint64_t count() const { return count_.load(std::memory_order_acquire); }
  /// Those from number `after` on (0: the first ever) that are still here, oldest first, the last `most` of them;
  /// `after` moves behind what was returned, and stays before an entry that is being written, so that none is missed.
  std::vector<LoggedQuery> since(std::uint64_t& after, std::size_t most = capacity) const;

 private:
  struct Packed;
  static constexpr std::size_t words = 37;
  /// An entry that is unfinished while so many later ones were begun is given up.
  static constexpr std::uint64_t patience = 256;
  enum class Found { whole, unfinished, gone };
  struct Slot {
    std::atomic<std::uint64_t> version{0};  // twice the number of the entry, plus 1 while writing, 2 when done
    std::array<std::atomic<std::uint64_t>, words> data{};
  };
  Found read(std::uint64_t number, LoggedQuery& into) const;

  std::unique_ptr<std::array<Slot, capacity>> slots_ = std::make_unique<std::array<Slot, capacity>>();
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace devstack::dns

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/dns/message.h"

namespace devstack::dns {

/// How often a name was asked for, by the code of the answer.
struct NameCount {
  static constexpr std::size_t codes = 7;  ///< NOERROR to REFUSED, then all others

  Name name;  ///< in small letters
  std::array<std::uint64_t, codes> by_rcode{};
  bool ours = false;  ///< the registry, or the fixed records, had an answer once

  [[nodiscard]] std::uint64_t total() const;
};

/// Counts of the names asked for most. The table is bounded, since clients make names up: a new name takes the place of
/// the one counted least among its neighbours, whose count is lost. One thread counts, without locking or allocating;
/// any thread reads meanwhile. A name costs its hash once: `raise` tells where it is counted, and the next time that is
/// enough.
class NameCounters {
 public:
  static constexpr std::size_t capacity = 1024;

  struct Place {
    std::uint32_t slot = 0;
    std::uint32_t tenant = 0;  ///< which of the names that have been there; 0: none
  };
  /// `wire`: the name as it was asked, in wire form.
  Place raise(std::string_view wire, Rcode rcode, bool ours);
  /// False when another name has moved in.
  bool raise(Place place, Rcode rcode, bool ours);

  /// Adds them to `into`, to those of the same name, in no order.
  void add_to(std::vector<NameCount>& into) const;

 private:
  static constexpr std::size_t ways = 8;
  static constexpr std::size_t words = 32;  // of a name
  struct Slot {
    std::atomic<std::uint32_t> version{0};  // twice the tenant's number, plus 1 while it moves in
    std::atomic<std::uint8_t> bytes{0};     // of its name
    std::atomic<bool> ours{false};
    std::uint64_t hash = 0;  // the counting thread's
    std::atomic<std::uint64_t> total{0};
    std::array<std::atomic<std::uint64_t>, NameCount::codes> by_rcode{};
    std::array<std::atomic<std::uint64_t>, words> name{};
  };
  void move_in(Slot& slot, std::string_view lowered, std::uint64_t hash);
  static void count(Slot& slot, Rcode rcode, bool ours);
  static bool read(const Slot& slot, NameCount& into);

  std::unique_ptr<std::array<Slot, capacity>> slots_ = std::make_unique<std::array<Slot, capacity>>();
};

/// The same of several threads' counters, the most asked first, at most `most`.
std::vector<NameCount> most_asked(std::vector<NameCount> counts, std::size_t most);

}  // namespace devstack::dns

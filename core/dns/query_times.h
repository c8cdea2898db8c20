#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

namespace devstack::dns {

/// How long answers took, in microseconds.
struct Times {
  std::uint64_t count = 0, sum = 0, squares = 0, least = 0, most = 0;

  void add(const Times& other) {
    if (other.count == 0) return;
    least = count == 0 ? other.least : std::min(least, other.least);
    most = std::max(most, other.most);
    count += other.count, sum += other.sum, squares += other.squares;
  }
};

/// Times since the start and of whole intervals, as Consul's telemetry tells them. One thread adds; any thread reads.
class QueryTimes {
 public:
  static constexpr std::int64_t interval_s = 10;

  /// `unix_s` never goes back by more than an interval.
  void add(std::uint64_t us, std::int64_t unix_s) {
    const auto number = unix_s / interval_s;
    auto& slot = slots_[static_cast<std::size_t>(number) % slots_.size()];
    if (slot.number.load(std::memory_order_relaxed) != number) {
      slot.number.store(-1, std::memory_order_relaxed);
      slot.clear();
      slot.number.store(number, std::memory_order_release);
    }
    slot.add(us);
    total_.add(us);
  }
  [[nodiscard]] Times total() const { return total_.read(); }
  /// Of the interval before the one that `unix_s` is in.
  [[nodiscard]] Times finished(std::int64_t unix_s) const {
    const auto number = unix_s / interval_s - 1;
    const auto& slot = slots_[static_cast<std::size_t>(number) % slots_.size()];
    if (slot.number.load(std::memory_order_acquire) != number) return {};
    const auto times = slot.read();
    return slot.number.load(std::memory_order_relaxed) == number ? times : Times{};
  }

 private:
  struct Slot {
    std::atomic<std::int64_t> number{-1};
    std::atomic<std::uint64_t> count{0}, sum{0}, squares{0}, least{0}, most{0};

    void set(std::atomic<std::uint64_t>& at, std::uint64_t value) { at.store(value, std::memory_order_release); }
    static std::uint64_t get(const std::atomic<std::uint64_t>& at) { return at.load(std::memory_order_acquire); }
    void clear() {
      for (auto* one : {&count, &sum, &squares, &least, &most}) set(*one, 0);
    }
    void add(std::uint64_t us) {
      const auto before = get(count);
      set(least, before == 0 ? us : std::min(get(least), us));
      set(most, std::max(get(most), us));
      set(sum, get(sum) + us);
      set(squares, get(squares) + us * us);
      set(count, before + 1);
    }
    [[nodiscard]] Times read() const { return {get(count), get(sum), get(squares), get(least), get(most)}; }
  };

  std::array<Slot, 3> slots_;  // by interval: one being filled, one finished, one to spare for readers
  Slot total_;
};

}  // namespace devstack::dns

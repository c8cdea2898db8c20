#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/dns/message.h"

namespace devstack::dns {

/// Fixed answers by lowered name in wire form; a first label "*" stands for any labels. Alternatives: Ipv4, Ipv6,
/// Target (an alias).
using FixedRecords = std::map<std::string, std::vector<Data>, std::less<>>;

/// Name (or "*.name") to addresses, or to one other name, as the stack file has them. Errc::invalid_argument names the
/// record that is wrong. Pure.
using RecordTexts = std::map<std::string, std::vector<std::string>>;
Result<FixedRecords> fixed_records(const RecordTexts& texts);

/// The fixed answers of several projects. One thread changes them; any thread reads them, as they were last published.
class RecordBook {
 public:
  /// Errc::conflict when another project has one of the names.
  [[nodiscard]] Result<void> fits(const std::string& project, const FixedRecords& records) const;
  /// The project's are these from now on; none takes them away.
  void set(const std::string& project, FixedRecords records);

  struct Edition {
    std::uint64_t number = 0;  ///< grows with each change
    FixedRecords records;
  };
  /// Of the newest edition: cheap enough to ask before every batch of questions.
  [[nodiscard]] std::uint64_t number() const { return number_.load(std::memory_order_acquire); }
  /// That one, or a newer one.
  [[nodiscard]] std::shared_ptr<const Edition> read() const { return published_.load(std::memory_order_acquire); }

 private:
  std::map<std::string, FixedRecords> projects_;
  std::atomic<std::shared_ptr<const Edition>> published_{std::make_shared<const Edition>()};
  std::atomic<std::uint64_t> number_{0};
};

}  // namespace devstack::dns

#include "core/dns/query_log.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

namespace devstack::dns {

/// An entry as it lies in the ring; the unused end of `name` is not copied.
struct QueryLog::Packed {
  std::int64_t unix_us = 0;
  std::uint32_t latency_us = 0;
  std::uint16_t type = 0;
  std::uint8_t rcode = 0;
  std::uint8_t source = 0;
  std::array<std::uint8_t, 16> address{};
  std::uint8_t v6 = 0;
  std::uint8_t name_bytes = 0;
  std::array<char, 255> name;

  [[nodiscard]] std::size_t used_words() const {
    return (offsetof(Packed, name) + name_bytes + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);
  }
};

std::string_view to_string(Source source) {
  switch (source) {
    case Source::registry:
      return "registry";
    case Source::cache:
      return "cache";
    case Source::stale:
      return "stale";
    case Source::upstream:
      return "upstream";
  }
  return "";
}

std::string to_text(const LoggedQuery& query) {
  const auto time = static_cast<std::time_t>(query.unix_us / 1'000'000);
  return fmt::format("{:%H:%M:%S}.{:06}Z {} {} {} {} {} {}µs", fmt::gmtime(time), query.unix_us % 1'000'000,
                     query.client.to_string(), to_text(query.type), query.name.to_text(), to_text(query.rcode),
                     to_string(query.source), query.latency_us);
}

void QueryLog::add(const QueryNote& query) {
  static_assert(sizeof(Packed) == words * sizeof(std::uint64_t));
  Packed packed;  // the name's unused end stays unset, and is not copied
  packed.unix_us = query.unix_us;
  packed.latency_us = query.latency_us;
  packed.type = static_cast<std::uint16_t>(query.type);
  packed.rcode = static_cast<std::uint8_t>(query.rcode);
  packed.source = static_cast<std::uint8_t>(query.source);
  packed.v6 = query.client.is_v6() ? 1 : 0;
  if (query.client.is_v6()) {
    packed.address = query.client.to_v6().to_bytes();
  } else {
    const auto bytes = query.client.to_v4().to_bytes();
    std::copy(bytes.begin(), bytes.end(), packed.address.begin());
  }
  packed.name_bytes = static_cast<std::uint8_t>(std::min(query.name.size(), packed.name.size()));
  std::copy_n(query.name.begin(), packed.name_bytes, packed.name.begin());

  const std::uint64_t number = count_.fetch_add(1, std::memory_order_acq_rel);
  Slot& slot = (*slots_)[number % capacity];
  std::array<std::uint64_t, words> raw;
  const std::size_t used = packed.used_words();
  std::memcpy(raw.data(), &packed, used * sizeof(std::uint64_t));
  auto version = slot.version.load(std::memory_order_relaxed);
  const bool writing = version % 2 != 0;
  if (writing || version > 2 * number) return;  // a whole round has passed one of us by
  if (!slot.version.compare_exchange_strong(version, 2 * number + 1, std::memory_order_acq_rel)) return;
  // Each word is released: a reader that sees one of them also sees the odd version from before it.
  for (std::size_t i = 0; i < used; ++i) slot.data[i].store(raw[i], std::memory_order_release);
  slot.version.store(2 * number + 2, std::memory_order_release);
}

QueryLog::Found QueryLog::read(std::uint64_t number, LoggedQuery& into) const {
  const Slot& slot = (*slots_)[number % capacity];
  const std::uint64_t version = 2 * number + 2;
  if (const auto now = slot.version.load(std::memory_order_acquire); now != version) {
    return now < version ? Found::unfinished : Found::gone;
  }
  std::array<std::uint64_t, words> raw;
  for (std::size_t i = 0; i < words; ++i) raw[i] = slot.data[i].load(std::memory_order_acquire);
  if (slot.version.load(std::memory_order_relaxed) != version) return Found::gone;
  const auto packed = std::bit_cast<Packed>(raw);
  into.unix_us = packed.unix_us;
  into.latency_us = packed.latency_us;
  into.type = static_cast<Type>(packed.type);
  into.rcode = static_cast<Rcode>(packed.rcode);
  into.source = static_cast<Source>(packed.source);
  if (packed.v6 != 0) {
    into.client = boost::asio::ip::address_v6(packed.address);
  } else {
    into.client = boost::asio::ip::address_v4(boost::asio::ip::address_v4::bytes_type{
        packed.address[0], packed.address[1], packed.address[2], packed.address[3]});
  }
  into.name = Name::from_valid_wire(std::string(packed.name.data(), packed.name_bytes));
  return Found::whole;
}

std::vector<LoggedQuery> QueryLog::since(std::uint64_t& after, std::size_t most) const {
  const std::uint64_t end = count();
  most = std::min(most, capacity);
  std::uint64_t from = std::min(after, end);
  if (end - from > most) from = end - most;
  std::vector<LoggedQuery> out;
  for (; from < end; ++from) {
    LoggedQuery query;
    const auto found = read(from, query);
    if (found == Found::unfinished && end - from < patience) break;
    if (found == Found::whole) out.push_back(std::move(query));
  }
  after = from;
  return out;
}

}  // namespace devstack::dns

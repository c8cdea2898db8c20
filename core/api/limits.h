#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>

/// Sizes that Consul's server refuses to go over, and how it says so (clients look for "too large"). Private.
namespace devstack::api {

inline constexpr std::size_t kLargestValue = 512U << 10U;
inline constexpr std::size_t kLargestTxn = 128;
inline constexpr std::size_t kLargestCheckOutput = 4096;
inline constexpr std::size_t kLargestEvent = 512;
inline constexpr std::size_t kLargestArchive = 256U << 20U;  ///< a snapshot on the wire
inline constexpr std::size_t kLargestSnapshot = 1U << 30U;   ///< unpacked

inline std::string too_large(std::size_t size_bytes) {
  return fmt::format(
      "Request body({} bytes) too large, max size: {} bytes. See "
      "https://www.consul.io/docs/agent/options.html#kv_max_value_size.",
      size_bytes, kLargestValue);
}

}  // namespace devstack::api

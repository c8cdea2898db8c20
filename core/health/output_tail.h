#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// The end of a check's output, as Consul keeps it (output_max_size, 4096 bytes unless given). Pure.
namespace devstack::health {

/// Keeps the last `limit` bytes of what is appended, whatever its size.
class OutputTail {
 public:
  explicit OutputTail(std::size_t limit) : limit_(limit) {}
  void append(std::string_view piece);
  [[nodiscard]] std::string take();

 private:
  std::size_t limit_;
  std::string kept_;
};

/// What a command's check shows: the tail alone, or "Captured 4096 of 9000 bytes\n...\n" before it when it was cut.
std::string captured_text(std::string tail, std::uint64_t written);

}  // namespace devstack::health

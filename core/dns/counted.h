#pragma once

#include <cstddef>

namespace devstack::dns {

/// One more of something for as long as it lives. Private to core/dns.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::size_t& count_;
};

}  // namespace devstack::dns

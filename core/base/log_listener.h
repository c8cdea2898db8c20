#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

#include "core/base/log.h"

/// Following the log from within: what `consul monitor` shows comes from here.
namespace devstack::log {

/// One line as it was logged; the texts live as long as the call.
struct Line {
  std::chrono::system_clock::time_point time;
  Level level = Level::info;
  std::string_view component, message;
};

/// Is told every line of `least` and above while it lives, also of levels that the log itself leaves out. `told` runs
/// on the thread that logs: it must be quick, must not throw and must not log. Listeners come and go on one thread, the
/// loop's; without one a line costs what it did.
class Listener {
 public:
  using Told = std::function<void(const Line&)>;
  Listener(Level least, Told told);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  struct Sink;
  std::shared_ptr<Sink> sink_;
};

}  // namespace devstack::log

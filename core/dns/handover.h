#pragma once

#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>

#include "core/dns/listener.h"

namespace devstack::dns {

/// What the owner of the upstreams tells a worker: a reply that it may send itself.
struct Learned {
  std::vector<std::uint8_t> request, reply;
  Source source = Source::registry;
  Repeat repeat;
  Responder::Indexes from{};
};

/// Between one worker and the owner of the upstreams: questions one way, replies to remember the other. Both directions
/// are bounded and wait for nobody; what does not fit is refused (a question) or forgotten (a reply). Each side's
/// functions are that side's thread's only.
class Handover {
 public:
  static constexpr std::size_t questions_most = 256;
  static constexpr std::size_t replies_most = 256;

  /// Wakes the owner, from the worker's thread: once for all questions that it has not begun to take yet.
  std::function<void()> wake;

  // --- The worker's ---
  bool ask(const HandedOver& question) {
    if (!questions_.push(question)) return false;
    if (!woken_.exchange(true, std::memory_order_acq_rel)) wake();
    return true;
  }
  template <class Take>
  void take_learned(Take take) {
    if (learned_.read_available() > 0) learned_.consume_all(take);
  }

  // --- The owner's ---
  template <class Take>
  void take_questions(Take take) {
    woken_.exchange(false, std::memory_order_acq_rel);
    questions_.consume_all(take);
  }
  void teach(Learned learned) { learned_.push(learned); }

 private:
  boost::lockfree::spsc_queue<HandedOver, boost::lockfree::capacity<questions_most>> questions_;
  boost::lockfree::spsc_queue<Learned, boost::lockfree::capacity<replies_most>> learned_;
  std::atomic<bool> woken_{false};
};

}  // namespace devstack::dns

#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace devstack::registrator {

/// One thing to do, mostly about one container.
struct Job {
  enum class Kind {
    refresh,   ///< inspect it and make the registry agree
    started,   ///< refresh, and it takes over ids that another container also claims
    stopping,  ///< it was told to stop: take it out before it is gone
    removed,   ///< it ended
    list,      ///< find out which containers there are; queues refreshes and a sweep
    sweep,     ///< take out registrations that no container stands behind
  };
  Kind kind = Kind::refresh;
  std::string container;
  int exit_code = 0;        ///< removed
  bool background = false;  ///< set by the queue
};

/// The order of work: jobs about one container never overlap and keep their order; jobs about different containers may
/// run side by side. What events ask for goes before reconciliation; a list or a sweep waits until all background jobs
/// before it have ended. Bounded: when too many events wait, they are replaced by one list, which finds out the same.
/// Pure; one thread.
class JobQueue {
 public:
  explicit JobQueue(std::size_t bound = 4096) : bound_(bound) {}
  void push_event(Job job);
  void push_background(Job job);
  /// The next job that may run now; its container is taken until done().
  std::optional<Job> take();
  void done(const Job& job);
  [[nodiscard]] bool idle() const;
  void clear();
  /// Forgets what waits; running jobs stay known.
  void clear_waiting();

 private:
  std::optional<Job> take_first_free(std::deque<Job>& jobs);

  std::size_t bound_;
  std::deque<Job> events_, background_;
  std::set<std::string> busy_;
  std::size_t background_running_ = 0, running_ = 0;
};

}  // namespace devstack::registrator

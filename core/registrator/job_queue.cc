#include "core/registrator/job_queue.h"

#include <algorithm>
#include <utility>

namespace devstack::registrator {
namespace {

bool is_barrier(const Job& job) { return job.kind == Job::Kind::list || job.kind == Job::Kind::sweep; }

}  // namespace

void JobQueue::push_event(Job job) {
  if (events_.size() >= bound_) {
    events_.clear();
    background_.clear();
    push_background(Job{Job::Kind::list, {}});
    return;
  }
  job.background = false;
  events_.push_back(std::move(job));
}

void JobQueue::push_background(Job job) {
  const auto same = [&](const Job& other) { return other.kind == job.kind && other.container == job.container; };
  if (std::any_of(background_.begin(), background_.end(), same)) return;
  job.background = true;
  background_.push_back(std::move(job));
}

std::optional<Job> JobQueue::take() {
  auto job = take_first_free(events_);
  if (!job) job = take_first_free(background_);
  if (!job) return std::nullopt;
  ++running_;
  if (job->background) ++background_running_;
  if (!job->container.empty()) busy_.insert(job->container);
  return job;
}

std::optional<Job> JobQueue::take_first_free(std::deque<Job>& jobs) {
  for (auto at = jobs.begin(); at != jobs.end(); ++at) {
    if (is_barrier(*at) && (at != jobs.begin() || background_running_ > 0)) return std::nullopt;
    if (busy_.contains(at->container)) continue;
    auto job = std::move(*at);
    jobs.erase(at);
    return job;
  }
  return std::nullopt;
}

void JobQueue::done(const Job& job) {
  --running_;
  if (job.background) --background_running_;
  busy_.erase(job.container);
}

bool JobQueue::idle() const { return running_ == 0 && events_.empty() && background_.empty(); }

void JobQueue::clear() { *this = JobQueue(bound_); }

void JobQueue::clear_waiting() {
  events_.clear();
  background_.clear();
}

}  // namespace devstack::registrator

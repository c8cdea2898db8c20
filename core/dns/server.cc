#include "core/dns/server.h"

#include <algorithm>
#include <ctime>

#include "core/base/log.h"
#include "core/dns/worker.h"

namespace devstack::dns {
namespace {

Times times_of(const std::vector<std::unique_ptr<Journal>>& journals, QueryTimes Journal::*which, bool finished) {
  Times out;
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  for (const auto& journal : journals) {
    const auto& times = (*journal).*which;
    out.add(finished ? times.finished(now) : times.total());
  }
  return out;
}

}  // namespace

int default_workers(unsigned cores) { return cores <= 2 ? 1 : static_cast<int>(std::min(cores / 2, 4U)); }

/// What exists between start() and stop(). The first worker is the owner of the upstreams.
struct DnsServer::Running {
  explicit Running(const asio::any_io_executor& loop) : tasks(loop) {}

  /// On the loop. The owner binds first: it finds ports that are taken, and fills in a port of 0 for the others.
  asio::awaitable<Bound> listen(std::vector<Endpoint> endpoints) {
    for (std::size_t i = workers.size(); i-- > 1;) {  // no worker is left alone with an endpoint that is given up
      auto kept = followed(endpoints);
      co_await workers[i]->there(workers[i]->listen(std::move(kept)));
    }
    auto bound = co_await workers.front()->there(workers.front()->listen(endpoints));
    last_bound = bound.endpoints;
    for (std::size_t i = 1; i < workers.size(); ++i) {
      auto further = co_await workers[i]->there(workers[i]->listen(bound.endpoints));
      for (auto& error : further.errors) bound.errors.push_back(std::move(error));
    }
    co_return bound;
  }

  /// Of what the owner has bound, that which stays.
  [[nodiscard]] std::vector<Endpoint> followed(const std::vector<Endpoint>& endpoints) const {
    std::vector<Endpoint> out;
    for (const auto& bound : last_bound) {
      const bool stays = std::any_of(endpoints.begin(), endpoints.end(), [&](const Endpoint& one) {
        return one.address() == bound.address() && (one.port() == bound.port() || one.port() == 0);
      });
      if (stays) out.push_back(bound);
    }
    return out;
  }

  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<Endpoint> last_bound;
  TaskGroup tasks;         // of the loop: changes of the endpoints
  bool rebinding = false;  // the loop's: one change at a time
};

DnsServer::DnsServer(asio::any_io_executor loop, const registry::RegistryView& view, DnsOptions options)
    : loop_(std::move(loop)), view_(view), options_(std::move(options)) {
  if (options_.workers <= 0) options_.workers = default_workers(std::thread::hardware_concurrency());
  for (int i = 0; i < options_.workers; ++i) journals_.push_back(std::make_unique<Journal>(*log_));
}

DnsServer::~DnsServer() = default;

Result<void> DnsServer::make_workers() {
  TRY(auto answers, answer_options(options_));
  records_.set({}, answers.records);
  UpstreamSettings upstreams;
  TRY(upstreams.recursors, Recursors::parse(options_.recursors));
  TRY(upstreams.domains, DomainServers::parse(options_.servers));
  upstreams.limit = options_.recursor_timeout;
  upstreams.random_case = options_.random_case;
  running_ = std::make_unique<Running>(loop_);
  auto& workers = running_->workers;
  const auto owner = options_.workers > 1 ? Listener::Place::first : Listener::Place::alone;
  workers.push_back(std::make_unique<Worker>(view_, records_, answers, std::move(upstreams), options_.port_setting,
                                             owner, *journals_.front()));
  for (std::size_t i = 1; i < journals_.size(); ++i) {
    workers.push_back(std::make_unique<Worker>(view_, records_, answers, std::nullopt, options_.port_setting,
                                               Listener::Place::further, *journals_[i]));
    Worker::connect(*workers.back(), *workers.front());
  }
  return {};
}

asio::awaitable<Result<void>> DnsServer::start() {
  if (running_) co_return Result<void>();
  CO_CHECK(make_workers());
  const auto asked = options_.endpoints;
  running_->rebinding = true;
  auto bound = co_await running_->listen(asked);
  running_->rebinding = false;
  if (!bound.errors.empty()) {
    co_await stop();
    co_return tl::unexpected(std::move(bound.errors.front()));
  }
  bound_ = std::move(bound.endpoints);
  problems_.clear();
  for (const auto& endpoint : bound_) log::info("dns", "listening on {}", to_text(endpoint));
  if (options_.endpoints != asked) set_endpoints(options_.endpoints);
  co_return Result<void>();
}

asio::awaitable<void> DnsServer::stop() {
  if (!running_) co_return;
  co_await running_->tasks.stop();
  const std::vector<Endpoint> nowhere;
  co_await running_->listen(nowhere);
  auto& workers = running_->workers;
  for (std::size_t i = workers.size(); i-- > 0;) {
    co_await workers[i]->there(workers[i]->end_queries());
    if (i > 0) workers[i]->end();  // the owner is there for the others until the last has ended
  }
  while (!workers.empty()) workers.pop_back();
  running_.reset();
  bound_.clear();
  problems_.clear();
}

void DnsServer::set_endpoints(std::vector<Endpoint> endpoints) {
  options_.endpoints = std::move(endpoints);
  if (!running_ || running_->rebinding) return;  // start(), or the change under way, goes on to these
  running_->rebinding = true;
  running_->tasks.spawn("dns: endpoints", rebind(this));
}

asio::awaitable<void> DnsServer::rebind(DnsServer* self) {
  std::vector<Endpoint> wanted;
  do {
    wanted = self->options_.endpoints;
    auto bound = co_await self->running_->listen(wanted);
    self->bound_ = std::move(bound.endpoints);
    self->problems_.clear();
    for (auto& error : bound.errors) {
      log::warn("dns", "{}", error.message);
      self->problems_.push_back(std::move(error.message));
    }
  } while (wanted != self->options_.endpoints);
  self->running_->rebinding = false;
  if (self->on_change) self->on_change();
}

Result<void> DnsServer::fits(const std::string& project, const RecordTexts& records) const {
  TRY(const auto wanted, fixed_records(records));
  return records_.fits(project, wanted);
}

void DnsServer::set_records(const std::string& project, const RecordTexts& records) {
  auto wanted = fixed_records(records);
  if (wanted) records_.set(project, std::move(*wanted));
}

DnsCounters DnsServer::counters() const {
  DnsCounters out;
  for (const auto& journal : journals_) out.add(journal->counters);
  return out;
}

std::vector<DnsCounters> DnsServer::counters_by_worker() const {
  std::vector<DnsCounters> out;
  for (const auto& journal : journals_) out.push_back(journal->counters);
  return out;
}

std::vector<NameCount> DnsServer::names(std::size_t most) const {
  std::vector<NameCount> all;
  for (const auto& journal : journals_) journal->names.add_to(all);
  return most_asked(std::move(all), most);
}

DnsServer::Latency DnsServer::latency(Kind kind) const {
  const auto which = kind == Kind::own ? &Journal::own : &Journal::reverse;
  return {times_of(journals_, which, true), times_of(journals_, which, false)};
}

ComponentReport DnsServer::report() const {
  ComponentReport out;
  for (const auto& endpoint : bound_) out.addresses.push_back(to_text(endpoint));
  out.degraded = !problems_.empty();
  if (out.degraded) {
    out.detail = problems_.front();
  } else if (running_ && bound_.empty()) {
    out.degraded = true;
    out.detail = "no address to listen on";
  } else {
    for (const auto& domain : options_.domains) out.detail += (out.detail.empty() ? "answers for " : ", ") + domain;
    if (const auto counted = summary(counters()); !counted.empty()) out.detail += "; " + counted;
  }
  return out;
}

}  // namespace devstack::dns

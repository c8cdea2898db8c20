#include "core/dns/server.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

#include "core/base/log.h"
#include "core/dns/listener.h"

namespace devstack::dns {
namespace {

bool contains(const std::vector<Endpoint>& endpoints, const Endpoint& one) {
  return std::find(endpoints.begin(), endpoints.end(), one) != endpoints.end();
}

struct Bound {
  std::vector<Endpoint> endpoints;
  std::vector<Error> errors;
};

}  // namespace

/// What exists between start() and stop(). All but `thread` and `tasks` is the DNS thread's.
struct DnsServer::Running {
  Running(const asio::any_io_executor& loop, const registry::RegistryView& view, AnswerOptions answers,
          UpstreamSettings upstreams, const DnsOptions& options, Journal& journal)
      : responder(io.get_executor(), view, std::move(answers), std::move(upstreams), journal),
        port_setting(options.port_setting),
        tasks(loop) {
    responder.forwarder().upstreams().own = [this](const Endpoint& endpoint) { return listens_on(endpoint); };
    thread = std::thread([this] { io.run(); });
  }

  bool listens_on(const Endpoint& endpoint) const {
    return std::any_of(listeners.begin(), listeners.end(), [&](const auto& one) {
      const Endpoint own = one.listener->endpoint();
      if (own.port() != endpoint.port()) return false;
      return own.address() == endpoint.address() ||
             (own.address().is_unspecified() && endpoint.address().is_loopback());
    });
  }

  /// Runs `work` on the DNS thread. Not cancellable: a cancellation would cross threads.
  template <class T>
  auto there(asio::awaitable<T> work) {
    return asio::co_spawn(io, std::move(work),
                          asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable));
  }

  asio::awaitable<Bound> listen(std::vector<Endpoint> endpoints) {
    for (auto at = listeners.begin(); at != listeners.end();) {
      if (contains(endpoints, at->asked)) {
        ++at;
        continue;
      }
      auto gone = std::move(at->listener);
      at = listeners.erase(at);
      co_await gone->stop();
    }
    Bound out;
    for (const auto& endpoint : endpoints) {
      const bool there_already =
          std::any_of(listeners.begin(), listeners.end(), [&](const auto& one) { return one.asked == endpoint; });
      if (there_already) continue;
      auto opened = Listener::open(io.get_executor(), endpoint, responder, batch, port_setting);
      if (!opened) {
        out.errors.push_back(std::move(opened).error());
        continue;
      }
      (*opened)->start();
      listeners.push_back({endpoint, std::move(*opened)});
    }
    for (const auto& one : listeners) out.endpoints.push_back(one.listener->endpoint());
    co_return out;
  }

  asio::awaitable<bool> end_queries() {
    co_await responder.stop();
    co_return true;
  }

  struct Listening {
    Endpoint asked;
    std::unique_ptr<Listener> listener;
  };
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard{io.get_executor()};
  Responder responder;
  UdpBatch batch;
  std::string port_setting;
  std::vector<Listening> listeners;
  TaskGroup tasks;         // of the loop: changes of the endpoints
  bool rebinding = false;  // the loop's: one change at a time
  std::thread thread;
};

DnsServer::DnsServer(asio::any_io_executor loop, const registry::RegistryView& view, DnsOptions options)
    : loop_(std::move(loop)), view_(view), options_(std::move(options)) {}

DnsServer::~DnsServer() = default;

asio::awaitable<Result<void>> DnsServer::start() {
  if (running_) co_return Result<void>();
  CO_TRY(auto answers, answer_options(options_));
  UpstreamSettings upstreams;
  CO_TRY(upstreams.recursors, Recursors::parse(options_.recursors));
  CO_TRY(upstreams.domains, DomainServers::parse(options_.servers));
  upstreams.limit = options_.recursor_timeout;
  upstreams.random_case = options_.random_case;
  running_ = std::make_unique<Running>(loop_, view_, std::move(answers), std::move(upstreams), options_, *journal_);
  const auto asked = options_.endpoints;
  running_->rebinding = true;
  auto bound = co_await running_->there(running_->listen(asked));
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
  co_await running_->there(running_->listen({}));
  co_await running_->there(running_->end_queries());
  end_thread();
  bound_.clear();
  problems_.clear();
}

void DnsServer::end_thread() {
  running_->io.stop();
  running_->thread.join();
  running_.reset();
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
    auto bound = co_await self->running_->there(self->running_->listen(wanted));
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
    if (const auto counted = summary(journal_->counters); !counted.empty()) out.detail += "; " + counted;
  }
  return out;
}

}  // namespace devstack::dns

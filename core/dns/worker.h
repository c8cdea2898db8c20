#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/dns/handover.h"
#include "core/dns/listener.h"

namespace devstack::dns {

/// Where a worker listens now, and what it could not have.
struct Bound {
  std::vector<Endpoint> endpoints;
  std::vector<Error> errors;
};

/// One thread of the DNS server: its own loop, sockets, buffers and responder, answering from snapshots and sharing
/// nothing that changes with the others but the query log. The first worker, the owner, also has the TCP side, and
/// alone asks other servers: cache, shared queries and loop detection are its own (forwarder.h). The others hand
/// questions for it over (handover.h), and it replies to the clients; of replies that stay the same for a while it
/// tells them, so that the questions which everybody asks are handed over once a second at most. Private to core/dns.
class Worker {
 public:
  /// The owner is the one with upstreams, and `place` says so too. The thread runs from here to end().
  Worker(const registry::RegistryView& view, const RecordBook& records, AnswerOptions answers,
         std::optional<UpstreamSettings> upstreams, std::string port_setting, Listener::Place place, Journal& journal);
  ~Worker() { end(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Runs `work` on the worker's thread. Not cancellable: a cancellation would cross threads.
  template <class T>
  auto there(asio::awaitable<T> work) {
    return asio::co_spawn(io_, std::move(work),
                          asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable));
  }
  /// The thread's: listens there and nowhere else. A port of 0 is chosen once.
  asio::awaitable<Bound> listen(std::vector<Endpoint> endpoints);
  /// The thread's: ends what is under way.
  asio::awaitable<bool> end_queries();
  /// Another thread's: ends the thread, whose listeners are gone.
  void end();

  /// Before listen(): `owner` answers what `worker` hands over.
  static void connect(Worker& worker, Worker& owner);

 private:
  struct Listening {
    Endpoint asked;
    std::unique_ptr<Listener> listener;
  };
  [[nodiscard]] bool listens_on(const Endpoint& endpoint) const;
  void answer_for(Handover& handover);

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_{io_.get_executor()};
  Responder responder_;
  UdpBatch batch_;
  std::string port_setting_;
  Listener::Place place_;
  std::shared_ptr<Handover> handover_;  // to the owner, who keeps it while it takes from it
  std::vector<Listening> listeners_;
  std::thread thread_;
};

}  // namespace devstack::dns

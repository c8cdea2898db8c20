#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/async/signal.h"
#include "core/http/parser.h"
#include "core/http/read_buffer.h"
#include "core/http/response_head.h"
#include "core/http/server.h"

/// One connection of a server. Private to the room.
namespace devstack::http {

class Session;

/// What the connections of one server share; owned by the server and by every session.
struct SessionContext {
  SessionContext(asio::any_io_executor on, std::string called, Server::Handler answer, ServerLimits bounds)
      : executor(std::move(on)),
        name(std::move(called)),
        handler(std::move(answer)),
        limits(bounds),
        ended(executor),
        sweep(executor) {}
  asio::any_io_executor executor;
  std::string name;
  Server::Handler handler;
  ServerLimits limits;
  HttpDate date;
  bool stopping = false;
  std::unordered_map<Session*, std::weak_ptr<Session>> sessions;
  std::size_t acceptors = 0;  ///< accept loops that have not ended
  Signal ended;               ///< bumped when a session or an accept loop ends
  asio::steady_timer sweep;   ///< one timer cuts all overdue sessions: cheaper than one a request
  bool sweeping = false;
};

/// Cuts, about once a second and while there are sessions, those past their deadline.
void sweep_overdue(const std::shared_ptr<SessionContext>& context);

/// Reads requests, calls the handler, writes answers, one at a time and in order. While the handler runs the socket is
/// watched: a client that hangs up cancels it. Bytes of a pipelined request that come meanwhile are kept.
class Session final : public BodyWriter, public std::enable_shared_from_this<Session> {
 public:
  using Socket = asio::generic::stream_protocol::socket;

  Session(std::shared_ptr<SessionContext> context, Socket socket, std::string peer);
  void start();
  /// Ends the session now; whatever it waits for is cancelled.
  void cut();
  void cut_if_idle();
  void cut_if_overdue(std::chrono::steady_clock::time_point now);

  asio::awaitable<bool> write(std::string chunk) override;

 private:
  enum class Phase { idle, reading, handling, writing, draining };
  enum class Read { complete, refused, closed };

  static asio::awaitable<void> supervise(std::shared_ptr<Session> self);
  static asio::awaitable<void> run(std::shared_ptr<Session> self);
  asio::awaitable<void> serve();
  asio::awaitable<Read> read_request(RequestParser& parser);
  asio::awaitable<bool> answer(Response response, bool head_method, int version, bool keep_alive);
  asio::awaitable<bool> stream_body(Response& response, Framing framing);
  asio::awaitable<void> refuse(int status, std::string_view why);
  asio::awaitable<void> drain();
  asio::awaitable<bool> send(std::string_view first, std::string_view second = {});

  void enter(Phase phase, std::chrono::steady_clock::duration limit);
  void watch_soon();
  void watch();
  void on_readable();

  std::shared_ptr<SessionContext> context_;
  Socket socket_;
  std::string peer_;
  ReadBuffer input_;
  std::string output_;
  asio::cancellation_signal cancel_;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  Phase phase_ = Phase::idle;
  Framing framing_ = Framing::length;
  bool cut_ = false;
  bool write_failed_ = false;
  bool watch_posted_ = false;
  bool watching_ = false;
};

}  // namespace devstack::http

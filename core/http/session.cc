#include "core/http/session.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

#include "core/base/ascii.h"
#include "core/base/async/task_group.h"

namespace devstack::http {
namespace {

/// Whether a comma-separated list ("keep-alive, Close") holds `token`.
bool list_holds(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto item = list.substr(0, comma);
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
    if (equal_ignoring_case(item, token)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

using Time = std::chrono::steady_clock;
using boost::system::error_code;
using Beast = boost::beast::http::error;

constexpr std::size_t kReadStep = 2048;        // of a head: most requests fit in one
constexpr std::size_t kBodyReadStep = 65536;   // while a body comes
constexpr std::size_t kPipelinedMost = 16384;  // kept while the handler runs
constexpr std::size_t kCopyMost = 32768;  // a body up to this goes into the head's buffer, larger ones by reference
constexpr std::size_t kOutputKept = 65536;

struct Refusal {
  int status;
  std::string_view why;
};

Refusal refusal_of(const RequestParser& parser) {
  const auto error = parser.error();
  if (error == Beast::body_limit) return {413, "the request body is too large"};
  if (error == Beast::header_limit) return {431, "the request header is too large"};
  if (error == Beast::bad_version) return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  if (parser.unknown_coding) return {501, "only the transfer coding \"chunked\" is understood"};
  return {400, "malformed HTTP request"};
}

}  // namespace

void sweep_overdue(const std::shared_ptr<SessionContext>& context) {
  if (context->sweeping || context->sessions.empty()) return;
  context->sweeping = true;
  context->sweep.expires_after(std::chrono::seconds(1));
  context->sweep.async_wait([context](error_code) {
    context->sweeping = false;
    std::vector<std::shared_ptr<Session>> alive;
    alive.reserve(context->sessions.size());
    for (const auto& [key, session] : context->sessions) alive.push_back(session.lock());
    const auto now = Time::now();
    for (const auto& session : alive) {
      if (session) session->cut_if_overdue(now);
    }
    sweep_overdue(context);
  });
}

Session::Session(std::shared_ptr<SessionContext> context, Socket socket, std::string peer)
    : context_(std::move(context)), socket_(std::move(socket)), peer_(std::move(peer)) {}

void Session::start() {
  context_->sessions.emplace(this, weak_from_this());
  sweep_overdue(context_);
  spawn(context_->executor, context_->name, supervise(shared_from_this()));
}

void Session::cut() {
  if (cut_) return;
  cut_ = true;
  cancel_.emit(asio::cancellation_type::all);
}

void Session::cut_if_idle() {
  if (phase_ == Phase::idle) cut();
}

void Session::cut_if_overdue(Time::time_point now) {
  if (now >= deadline_) cut();
}

asio::awaitable<void> Session::supervise(std::shared_ptr<Session> self) {
  struct Leave {
    Session& session;
    ~Leave() {
      error_code ignored;
      session.socket_.close(ignored);
      session.context_->sessions.erase(&session);
      session.context_->ended.bump();
    }
  } leave{*self};
  // The slot of its own lets the sweeper, the watch on the socket and stop() cancel this connection alone.
  co_await asio::co_spawn(self->context_->executor, run(self),
                          asio::bind_cancellation_slot(self->cancel_.slot(), asio::use_awaitable));
}

asio::awaitable<void> Session::run(std::shared_ptr<Session> self) {
  if (self->cut_) co_return;  // before the first turn of the loop: the signal had no slot to reach
  try {
    co_await self->serve();
  } catch (const boost::system::system_error& error) {
    if (!self->cut_ || error.code() != asio::error::operation_aborted) throw;
  }
}

void Session::enter(Phase phase, Time::duration limit) {
  phase_ = phase;
  deadline_ = limit == Time::duration::max() ? Time::time_point::max() : Time::now() + limit;
}

asio::awaitable<void> Session::serve() {
  while (!context_->stopping) {
    RequestParser parser(context_->limits.header_bytes, context_->limits.body_bytes, &context_->limits.body_bytes_of);
    const auto read = co_await read_request(parser);
    if (read == Read::closed || cut_) co_return;
    if (read == Read::refused) {
      const auto refusal = refusal_of(parser);
      co_await refuse(refusal.status, refusal.why);
      co_return;
    }
    input_.shrink(kReadStep * 4);
    parser.request.peer = peer_;
    const bool head_method = parser.request.method == "HEAD";
    bool keep_alive = parser.keep_alive();

    enter(Phase::handling, Time::duration::max());
    watch_soon();
    auto response = co_await context_->handler(std::move(parser.request));
    if (cut_) co_return;
    const auto connection = response.headers.get("Connection");
    keep_alive = keep_alive && !context_->stopping && !(connection && list_holds(*connection, "close"));
    const bool sent = co_await answer(std::move(response), head_method, parser.version, keep_alive);
    if (!sent || cut_) co_return;
    if (!keep_alive) {
      co_await drain();
      co_return;
    }
  }
}

asio::awaitable<Session::Read> Session::read_request(RequestParser& parser) {
  enter(Phase::idle, context_->limits.idle_timeout);
  bool continued = false;
  while (true) {
    // Some clients end a body with a line break that is not counted (RFC 9112 §2.2).
    while (phase_ == Phase::idle && !input_.empty() && (input_.data()[0] == '\r' || input_.data()[0] == '\n')) {
      input_.consume(1);
    }
    if (!input_.empty()) {
      if (phase_ == Phase::idle) enter(Phase::reading, context_->limits.read_timeout);
      const auto parsed = parser.feed(input_);
      if (parsed == Parse::done) co_return Read::complete;
      if (parsed == Parse::failed) co_return Read::refused;
    }
    const bool head_done = parser.is_header_done();
    if (head_done && parser.expects_continue && !continued && parser.request.body.empty()) {
      continued = true;
      const bool told = co_await send("HTTP/1.1 100 Continue\r\n\r\n");
      if (!told) co_return Read::closed;
      phase_ = Phase::reading;
    }
    // What stays unparsed is one line at most; a chunk header without an end is not the parser's to bound.
    if (input_.size() > context_->limits.header_bytes) co_return Read::refused;
    const auto room = input_.prepare(head_done ? kBodyReadStep : kReadStep);
    error_code error;
    const auto count = co_await socket_.async_read_some(room, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return Read::closed;
    input_.commit(count);
  }
}

asio::awaitable<bool> Session::answer(Response response, bool head_method, int version, bool keep_alive) {
  framing_ = framing_of(response, version);
  keep_alive = keep_alive && framing_ != Framing::close;
  output_.clear();
  append_head(output_, response, HeadContext{version, head_method, keep_alive, context_->date.now()});
  bool sent = false;
  if (framing_ == Framing::none || head_method) {
    sent = co_await send(output_);
  } else if (response.stream) {
    sent = co_await stream_body(response, framing_);
    sent = sent && keep_alive;
  } else if (response.body.size() <= kCopyMost) {
    output_.append(response.body);
    sent = co_await send(output_);
  } else {
    sent = co_await send(output_, response.body);
  }
  if (output_.capacity() > kOutputKept) std::string().swap(output_);
  co_return sent;
}

asio::awaitable<bool> Session::stream_body(Response& response, Framing framing) {
  write_failed_ = false;
  const bool head_sent = co_await send(output_);
  if (!head_sent) co_return false;
  enter(Phase::handling, Time::duration::max());
  watch_soon();
  co_await response.stream(*this);
  if (cut_ || write_failed_) co_return false;
  if (framing != Framing::chunked) co_return true;
  co_return co_await send("0\r\n\r\n");
}

asio::awaitable<bool> Session::write(std::string chunk) {
  if (cut_ || write_failed_) co_return false;
  if (chunk.empty()) co_return true;  // an empty chunk would end the body
  if (framing_ == Framing::chunked) {
    char size[20];
    const auto end = std::to_chars(size, size + sizeof size, chunk.size(), 16).ptr;
    output_.assign(size, static_cast<std::size_t>(end - size)).append("\r\n");
    chunk.append("\r\n");
  } else {
    output_.clear();
  }
  const bool sent = co_await send(output_, chunk);
  enter(Phase::handling, Time::duration::max());
  watch_soon();
  write_failed_ = write_failed_ || !sent;
  co_return sent;
}

asio::awaitable<void> Session::refuse(int status, std::string_view why) {
  auto response = text(status, std::string(why) + "\n");
  const bool sent = co_await answer(std::move(response), false, 11, false);
  if (sent) co_await drain();
}

// Closing while unread bytes wait makes the kernel send a reset, which can destroy an answer the client has not read
// yet: end our direction first and read on until the client closes, for a moment.
asio::awaitable<void> Session::drain() {
  error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  enter(Phase::draining, std::chrono::seconds(2));
  while (!error && !cut_) {
    input_.consume(input_.size());
    const auto room = input_.prepare(kBodyReadStep);
    co_await socket_.async_read_some(room, asio::redirect_error(asio::use_awaitable, error));
  }
}

// Nearly every answer fits in the socket's send buffer: one system call, no turn of the loop. What does not waits.
asio::awaitable<bool> Session::send(std::string_view first, std::string_view second) {
  iovec parts[2] = {{const_cast<char*>(first.data()), first.size()}, {const_cast<char*>(second.data()), second.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = second.empty() ? 1 : 2;
  const auto result = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (result < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) co_return false;
  const auto sent = result < 0 ? 0 : static_cast<std::size_t>(result);
  if (sent == first.size() + second.size()) co_return true;

  enter(Phase::writing, context_->limits.write_timeout);
  const auto of_first = std::min(sent, first.size());
  const std::array<asio::const_buffer, 2> rest{
      asio::buffer(first.substr(of_first)),
      asio::buffer(second.substr(sent - of_first)),
  };
  error_code error;
  co_await asio::async_write(socket_, rest, asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

// A wait on the socket costs a system call, so it starts one turn of the loop later: a handler that answers at once
// never pays for it.
void Session::watch_soon() {
  if (watch_posted_ || watching_) return;
  watch_posted_ = true;
  asio::post(context_->executor, [self = shared_from_this()] {
    self->watch_posted_ = false;
    if (self->phase_ == Phase::handling && self->socket_.is_open()) self->watch();
  });
}

void Session::watch() {
  if (watching_) return;
  watching_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](error_code error) {
    self->watching_ = false;
    if (!error && !self->cut_ && self->phase_ == Phase::handling) self->on_readable();
  });
}

void Session::on_readable() {
  if (input_.size() >= kPipelinedMost) return;  // enough kept; the client's end is seen after this answer
  const auto room = input_.prepare(kReadStep);
  const auto count = ::recv(socket_.native_handle(), room.data(), room.size(), MSG_DONTWAIT);
  if (count > 0) {
    input_.commit(static_cast<std::size_t>(count));
    watch();
  } else if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    watch();
  } else {
    cut();
  }
}

}  // namespace devstack::http

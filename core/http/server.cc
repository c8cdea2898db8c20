#include "core/http/server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>

#include "core/base/async/task_group.h"
#include "core/base/log.h"
#include "core/http/session.h"

namespace devstack::http {
namespace {

using asio::ip::tcp;
using Local = asio::local::stream_protocol;
using boost::system::error_code;

constexpr int kBacklog = 4096;

Error listen_error(const error_code& error, const std::string& where) {
  if (error == asio::error::address_in_use) {
    return Error{Errc::port_taken, fmt::format("{} is in use by another program", where)};
  }
  if (error == boost::system::errc::permission_denied) {
    return Error{Errc::permission, fmt::format("listening on {} is not permitted", where)};
  }
  return Error{Errc::io, fmt::format("cannot listen on {}: {}", where, error.message())};
}

std::string to_text(const tcp::endpoint& where) {
  const auto address = where.address().to_string();
  return where.address().is_v6() ? fmt::format("[{}]:{}", address, where.port())
                                 : fmt::format("{}:{}", address, where.port());
}

/// Programs we start must not inherit a listener: it would keep the port taken after we are gone.
void close_on_exec(int descriptor) { ::fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

std::string peer_of(const tcp::socket& socket) {
  error_code error;
  const auto where = socket.remote_endpoint(error);
  return error ? std::string() : to_text(where);
}
std::string peer_of(const Local::socket&) { return "unix"; }

void tune(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
}
void tune(Local::socket&) {}

/// Over the limit: one canned answer, written without waiting.
void turn_away(int descriptor) {
  static constexpr std::string_view answer =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 21\r\n"
      "Connection: close\r\n\r\ntoo many connections\n";
  [[maybe_unused]] const auto sent = ::send(descriptor, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(descriptor, SHUT_WR);
}

template <class Acceptor>
asio::awaitable<void> accept_all(std::shared_ptr<SessionContext> context, std::shared_ptr<Acceptor> acceptor) {
  struct Leave {
    SessionContext& context;
    ~Leave() {
      --context.acceptors;
      context.ended.bump();
    }
  } leave{*context};
  while (acceptor->is_open() && !context->stopping) {
    error_code error;
    auto socket = co_await acceptor->async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) break;
    if (error) {
      // Out of descriptors, or the client went before we came. Pause, so that the former does not spin.
      log::warn(context->name, "accepting a connection failed: {}", error.message());
      asio::steady_timer pause(context->executor, std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    close_on_exec(socket.native_handle());
    if (context->sessions.size() >= context->limits.connections) {
      turn_away(socket.native_handle());
      continue;
    }
    tune(socket);
    auto peer = peer_of(socket);
    std::make_shared<Session>(context, Session::Socket(std::move(socket)), std::move(peer))->start();
  }
}

/// A socket file left behind by a program that is gone may go; one that somebody answers on, or that is no socket,
/// stays.
Result<void> clear_stale(const std::string& path, const Local::endpoint& where) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode)) return fail(Errc::io, "{} exists and is not a socket", path);
  asio::io_context probe_io;
  Local::socket probe(probe_io);
  error_code error;
  probe.open(Local(), error);
  probe.non_blocking(true, error);
  probe.connect(where, error);
  if (error == asio::error::connection_refused) {
    ::unlink(path.c_str());
    return {};
  }
  if (error == boost::system::errc::permission_denied) {
    return tl::unexpected(listen_error(error, path));
  }
  return fail(Errc::port_taken, "{} is in use by another program", path);
}

Result<std::shared_ptr<Local::acceptor>> open_unix(const asio::any_io_executor& executor, const Local::endpoint& where,
                                                   const std::string& path, unsigned mode) {
  auto acceptor = std::make_shared<Local::acceptor>(executor);
  error_code error;
  acceptor->open(Local(), error);
  if (error) return tl::unexpected(listen_error(error, path));
  close_on_exec(acceptor->native_handle());
  // The file is born with the socket's own mode (less the umask): at no moment can others connect.
  ::fchmod(acceptor->native_handle(), mode);
  acceptor->bind(where, error);
  if (!error) acceptor->listen(kBacklog, error);
  if (error) return tl::unexpected(listen_error(error, path));
  if (::chmod(path.c_str(), mode) != 0) return fail(Errc::io, "cannot set the permissions of {}", path);
  return acceptor;
}

}  // namespace

struct Server::Impl {
  explicit Impl(std::shared_ptr<SessionContext> shared) : context(std::move(shared)) {}

  struct TcpListener {
    tcp::endpoint where;
    std::shared_ptr<tcp::acceptor> acceptor;
  };
  struct UnixListener {
    std::string path;
    ino_t inode = 0;
    std::shared_ptr<Local::acceptor> acceptor;
  };

  std::shared_ptr<SessionContext> context;
  std::vector<TcpListener> tcp_listeners;
  std::vector<UnixListener> unix_listeners;

  template <class Acceptor>
  void accept_on(std::shared_ptr<Acceptor> acceptor) {
    ++context->acceptors;
    spawn(context->executor, context->name + ": accept", accept_all(context, std::move(acceptor)));
  }

  void close_listeners() {
    error_code ignored;
    for (auto& listener : tcp_listeners) listener.acceptor->close(ignored);
    for (auto& listener : unix_listeners) {
      struct stat found {};
      // Another program may have put its own socket there since.
      if (::lstat(listener.path.c_str(), &found) == 0 && found.st_ino == listener.inode) {
        ::unlink(listener.path.c_str());
      }
      listener.acceptor->close(ignored);
    }
    tcp_listeners.clear();
    unix_listeners.clear();
  }

  void for_sessions(void (Session::*action)()) const {
    std::vector<std::shared_ptr<Session>> alive;
    for (const auto& [key, session] : context->sessions) alive.push_back(session.lock());
    for (const auto& session : alive) {
      if (session) (*session.*action)();
    }
  }
};

Server::Server(asio::any_io_executor executor, std::string name, Handler handler, ServerLimits limits)
    : impl_(std::make_shared<Impl>(
          std::make_shared<SessionContext>(std::move(executor), std::move(name), std::move(handler), limits))) {}

Server::~Server() {
  impl_->context->stopping = true;
  impl_->close_listeners();
  impl_->for_sessions(&Session::cut);
  impl_->context->sweep.cancel();
}

Result<tcp::endpoint> Server::listen(const tcp::endpoint& where) {
  auto acceptor = std::make_shared<tcp::acceptor>(impl_->context->executor);
  error_code error;
  acceptor->open(where.protocol(), error);
  if (error) return tl::unexpected(listen_error(error, to_text(where)));
  close_on_exec(acceptor->native_handle());
  acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && where.address().is_v6()) acceptor->set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor->bind(where, error);
  if (!error) acceptor->listen(kBacklog, error);
  if (error) return tl::unexpected(listen_error(error, to_text(where)));
  const auto bound = acceptor->local_endpoint(error);
  if (error) return tl::unexpected(listen_error(error, to_text(where)));
  impl_->context->stopping = false;
  impl_->tcp_listeners.push_back({bound, acceptor});
  impl_->accept_on(std::move(acceptor));
  return bound;
}

Result<void> Server::listen_unix(const std::string& path, unsigned mode) {
  if (path.size() >= sizeof(sockaddr_un{}.sun_path)) {
    return fail(Errc::invalid_argument, "the socket path {} is longer than {} bytes", path,
                sizeof(sockaddr_un{}.sun_path) - 1);
  }
  const Local::endpoint where(path);
  CHECK(clear_stale(path, where));
  TRY(auto acceptor, open_unix(impl_->context->executor, where, path, mode));
  struct stat found {};
  ::lstat(path.c_str(), &found);
  impl_->context->stopping = false;
  impl_->unix_listeners.push_back({path, found.st_ino, acceptor});
  impl_->accept_on(std::move(acceptor));
  return {};
}

void Server::close(const tcp::endpoint& where) {
  std::erase_if(impl_->tcp_listeners, [&where](const Impl::TcpListener& listener) {
    if (listener.where != where) return false;
    error_code ignored;
    listener.acceptor->close(ignored);
    return true;
  });
}

std::vector<tcp::endpoint> Server::endpoints() const {
  std::vector<tcp::endpoint> all;
  for (const auto& listener : impl_->tcp_listeners) all.push_back(listener.where);
  return all;
}

std::size_t Server::connections() const { return impl_->context->sessions.size(); }

asio::awaitable<void> Server::stop(std::chrono::milliseconds grace) {
  const auto impl = impl_;
  const auto context = impl->context;
  context->stopping = true;
  impl->close_listeners();
  impl->for_sessions(&Session::cut_if_idle);
  auto deadline = std::chrono::steady_clock::now() + grace;
  bool cut = false;
  while (!context->sessions.empty() || context->acceptors > 0) {
    const auto seen = context->ended.version();
    if (!co_await context->ended.wait_past(seen, deadline)) {
      if (cut) break;  // we are being cancelled ourselves
      cut = true;
      impl->for_sessions(&Session::cut);
      deadline = std::chrono::steady_clock::time_point::max();
    }
  }
  context->sweep.cancel();
}

}  // namespace devstack::http

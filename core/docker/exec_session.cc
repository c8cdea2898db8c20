#include "core/docker/exec_session.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>

#include "core/docker/errors.h"
#include "core/docker/frames.h"
#include "core/docker/wire.h"
#include "core/http/upgrade.h"

namespace devstack::docker {
namespace {

constexpr auto kOpenLimit = std::chrono::seconds(60);
constexpr auto kLookAgain = std::chrono::milliseconds(10);

std::string path_of(std::string_view container, std::string_view action) {
  return fmt::format("/containers/{}/{}", http::encode_path(container, http::Slash::escape), action);
}

}  // namespace

struct Session::Impl {
  explicit Impl(Client engine)
      : client(std::move(engine)), frames([this](LogStream stream, std::string_view bytes) {
          pieces.push_back({stream, std::string(bytes)});
        }) {}
  Client client;
  std::string container;  ///< attached to
  std::string exec;       ///< id of a command
  bool tty = false;
  std::unique_ptr<http::Duplex> duplex;
  LogDemultiplexer frames;
  std::deque<Piece> pieces;
};

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

asio::awaitable<Result<std::unique_ptr<http::Duplex>>> Client::hijack(std::string path, std::string body) {
  http::Request message;
  message.method = "POST";
  CO_TRY(message.target, co_await versioned(std::move(path)));
  message.headers.set("Content-Type", "application/json");
  message.body = std::move(body);
  auto answer = co_await http::upgrade(target_, std::move(message), "tcp", kOpenLimit);
  if (!answer) co_return tl::unexpected(unreachable(std::move(answer).error(), target_));
  if (!answer->duplex) co_return tl::unexpected(refused(answer->head.status, answer->head.body));
  co_return std::move(answer->duplex);
}

asio::awaitable<Result<std::unique_ptr<Session>>> Session::exec(Client client, std::string container,
                                                                ExecOptions options) {
  auto impl = std::make_unique<Impl>(std::move(client));
  impl->tty = options.tty;
  auto path = path_of(container, "exec");
  CO_TRY(const auto created, co_await impl->client.call("POST", std::move(path), wire::create_exec_body(options)));
  impl->exec = wire::text_field(created.body, "Id");
  if (impl->exec.empty()) co_return fail(Errc::parse, "the engine's answer holds no id of the command");
  auto start = fmt::format("/exec/{}/start", impl->exec);
  auto body = fmt::format(R"({{"Detach":{},"Tty":{}}})", options.detach, options.tty);
  if (options.detach) {
    CO_TRY([[maybe_unused]] const auto done, co_await impl->client.call("POST", std::move(start), std::move(body)));
  } else {
    CO_TRY(impl->duplex, co_await impl->client.hijack(std::move(start), std::move(body)));
    if (!options.input) impl->duplex->end_write();
  }
  co_return std::unique_ptr<Session>(new Session(std::move(impl)));
}

asio::awaitable<Result<std::unique_ptr<Session>>> Session::attach(Client client, std::string container, bool input) {
  auto impl = std::make_unique<Impl>(std::move(client));
  CO_TRY(const auto found, co_await impl->client.inspect_container(std::move(container)));
  impl->tty = found.tty;
  impl->container = found.id;
  auto path = path_of(found.id, fmt::format("attach?stream=1&stdout=1&stderr=1&stdin={}", input ? 1 : 0));
  CO_TRY(impl->duplex, co_await impl->client.hijack(std::move(path), {}));
  co_return std::unique_ptr<Session>(new Session(std::move(impl)));
}

asio::awaitable<Result<std::optional<Session::Piece>>> Session::read() {
  auto& session = *impl_;
  while (session.pieces.empty()) {
    if (!session.duplex) co_return std::optional<Piece>();
    CO_TRY(auto bytes, co_await session.duplex->read());
    if (bytes.empty()) co_return std::optional<Piece>();
    if (session.tty) {
      session.pieces.push_back({LogStream::out, std::move(bytes)});
    } else {
      CO_CHECK(session.frames.feed(bytes));
    }
  }
  auto piece = std::move(session.pieces.front());
  session.pieces.pop_front();
  co_return std::optional<Piece>(std::move(piece));
}

asio::awaitable<Result<void>> Session::write(std::string bytes) {
  if (!impl_->duplex) co_return fail(Errc::io, "the command was started without an input");
  co_return co_await impl_->duplex->write(std::move(bytes));
}

void Session::end_input() {
  if (impl_->duplex) impl_->duplex->end_write();
}

asio::awaitable<Result<void>> Session::resize(TerminalSize size) {
  if (!impl_->tty) co_return Result<void>();
  const auto target = impl_->exec.empty() ? path_of(impl_->container, "resize") : "/exec/" + impl_->exec + "/resize";
  auto path = fmt::format("{}?h={}&w={}", target, size.rows, size.columns);
  CO_TRY([[maybe_unused]] const auto done, co_await impl_->client.call("POST", std::move(path)));
  co_return Result<void>();
}

asio::awaitable<Result<int>> Session::exit_code() {
  if (impl_->exec.empty()) co_return co_await impl_->client.wait_container(impl_->container);
  // The engine tells nobody when a command ends: it must be asked.
  asio::steady_timer pause(co_await asio::this_coro::executor);
  while (true) {
    auto path = fmt::format("/exec/{}/json", impl_->exec);
    CO_TRY(const auto answer, co_await impl_->client.call("GET", std::move(path)));
    CO_TRY(const auto state, wire::parse_exec(answer.body));
    if (!state.running && state.exit_code) co_return *state.exit_code;
    pause.expires_after(kLookAgain);
    boost::system::error_code error;
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return fail(Errc::cancelled, "cancelled");
  }
}

}  // namespace devstack::docker

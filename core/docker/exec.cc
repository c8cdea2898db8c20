// Commands in running containers: https://docs.docker.com/engine/api/v1.41/#tag/Exec
#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/docker/client.h"
#include "core/docker/frames.h"
#include "core/docker/wire.h"

namespace devstack::docker {
namespace {

using Time = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto kLookAgain = milliseconds(10);

/// What is left until `deadline`, for one call. Never 0: that would mean "without end".
milliseconds left(Time::time_point deadline) {
  return std::max(std::chrono::duration_cast<milliseconds>(deadline - Time::now()), milliseconds(1));
}

/// The last bytes of a stream that may be endless.
class Tail {
 public:
  explicit Tail(std::size_t most) : most_(most) {}
  void add(std::string_view bytes) {
    written_ += bytes.size();
    kept_.append(bytes.substr(bytes.size() - std::min(bytes.size(), most_)));
    if (kept_.size() > 2 * most_) cut();
  }
  std::string take() {
    cut();
    return std::move(kept_);
  }
  [[nodiscard]] std::uint64_t written() const { return written_; }

 private:
  void cut() {
    if (kept_.size() > most_) kept_.erase(0, kept_.size() - most_);
  }
  std::size_t most_;
  std::uint64_t written_ = 0;
  std::string kept_;
};

tl::unexpected<Error> in_words(Error error, const std::vector<std::string>& argv, milliseconds timeout) {
  if (error.code != Errc::timeout) return tl::unexpected(std::move(error));
  return fail(Errc::timeout, "\"{}\" did not end within {} ms", argv.empty() ? std::string() : argv.front(),
              timeout.count());
}

}  // namespace

asio::awaitable<Result<ExecResult>> Client::exec(std::string container, std::vector<std::string> argv,
                                                 std::size_t output_bytes, milliseconds timeout) {
  ExecOptions options;
  options.argv = std::move(argv);
  co_return co_await exec(std::move(container), std::move(options), output_bytes, timeout);
}

asio::awaitable<Result<ExecResult>> Client::exec(std::string container, ExecOptions options, std::size_t output_bytes,
                                                 milliseconds timeout) {
  const auto& argv = options.argv;
  options.tty = options.input = options.detach = false;
  const auto deadline = Time::now() + timeout;
  if (api_version_.empty()) {  // asking for it has a limit of its own
    using namespace asio::experimental::awaitable_operators;
    boost::system::error_code ignored;
    asio::steady_timer limit(co_await asio::this_coro::executor, deadline);
    auto known = co_await (negotiate() || limit.async_wait(asio::redirect_error(asio::use_awaitable, ignored)));
    if (known.index() != 0) co_return in_words(Error{Errc::timeout, {}}, argv, timeout);
    auto& engine = std::get<0>(known);
    if (!engine) co_return in_words(std::move(engine).error(), argv, timeout);
  }
  auto path = fmt::format("/containers/{}/exec", http::encode_path(container, http::Slash::escape));
  auto created = co_await call("POST", std::move(path), wire::create_exec_body(options), left(deadline));
  if (!created) co_return in_words(std::move(created).error(), argv, timeout);
  const auto id = wire::text_field(created->body, "Id");
  if (id.empty()) co_return fail(Errc::parse, "the engine's answer holds no id of the command");

  http::Request start;
  start.method = "POST";
  start.target = fmt::format("/exec/{}/start", id);
  start.headers.set("Content-Type", "application/json");
  start.body = R"({"Detach":false,"Tty":false})";
  Tail tail(output_bytes);
  LogDemultiplexer frames([&tail](LogStream, std::string_view bytes) { tail.add(bytes); });
  ByteSink feed = [&frames](std::string_view bytes) { return frames.feed(bytes); };
  auto ended = co_await read_stream(std::move(start), {}, std::move(feed), milliseconds(0), left(deadline));
  if (!ended) co_return in_words(std::move(ended).error(), argv, timeout);

  // The engine ends the stream a moment before it knows the exit code; a process that closed its output may run on.
  asio::steady_timer pause(co_await asio::this_coro::executor);
  while (Time::now() < deadline) {
    auto answer = co_await call("GET", fmt::format("/exec/{}/json", id), {}, left(deadline));
    if (!answer) co_return in_words(std::move(answer).error(), argv, timeout);
    CO_TRY(const auto state, wire::parse_exec(answer->body));
    if (!state.running && state.exit_code) co_return ExecResult{*state.exit_code, tail.take(), tail.written()};
    pause.expires_after(kLookAgain);
    boost::system::error_code error;
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return fail(Errc::cancelled, "cancelled");
  }
  co_return in_words(Error{Errc::timeout, {}}, argv, timeout);
}

}  // namespace devstack::docker

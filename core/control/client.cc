#include "core/control/client.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "core/control/error_json.h"
#include "core/control/event_parser.h"
#include "core/control/server.h"
#include "core/control/status_json.h"

namespace devstack::control {
namespace {

constexpr std::chrono::milliseconds kQuick{10'000};
constexpr std::chrono::milliseconds kProbe{2'000};
/// Three heartbeats of /v1/status/events.
constexpr std::chrono::milliseconds kEventsIdle{45'000};

/// A streamed answer whose head was an error: the body is that error.
struct Head {
  std::optional<http::Response> refusal;

  bool take(const http::Response& response) {
    if (response.status >= 400) refusal = response;
    return true;
  }
};

}  // namespace

ControlClient::ControlClient(std::string state_dir)
    : state_dir_(std::move(state_dir)), target_(http::Target::unix_socket(socket_path(state_dir_))) {}

Error ControlClient::explain(Error error) const {
  if (error.code == Errc::unavailable) {
    error.message =
        fmt::format("no devstack is running here (state directory {}): start it with `devstack up`", state_dir_);
  } else if (error.code == Errc::permission) {
    error.message = fmt::format(
        "the devstack of state directory {} belongs to another user: use sudo, or your own "
        "state directory",
        state_dir_);
  }
  return error;
}

asio::awaitable<Result<std::string>> ControlClient::call(std::string method, std::string target, std::string body,
                                                         std::chrono::milliseconds timeout) const {
  http::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers.set("Host", "devstack");
  if (!body.empty()) request.headers.set("Content-Type", "application/json");
  request.body = std::move(body);
  http::ClientLimits limits;
  limits.timeout = timeout;
  auto answer = co_await http::request(target_, std::move(request), limits);
  if (!answer) co_return tl::unexpected<Error>(explain(std::move(answer).error()));
  if (answer->status >= 400) co_return tl::unexpected<Error>(error_from_response(*answer));
  co_return std::move(answer->body);
}

asio::awaitable<bool> ControlClient::is_running() const {
  const auto answer = co_await call("GET", "/v1/status", {}, kProbe);
  co_return answer.has_value();
}

asio::awaitable<Result<std::string>> ControlClient::status_json() const {
  co_return co_await call("GET", "/v1/status", {}, kQuick);
}

asio::awaitable<Result<std::string>> ControlClient::startup_json(std::string project) const {
  auto target = "/v1/startup?project=" + http::encode_path(project, http::Slash::escape);
  co_return co_await call("GET", std::move(target), {}, kQuick);
}

asio::awaitable<Result<supervisor::Status>> ControlClient::status() const {
  CO_TRY(const auto text, co_await status_json());
  co_return status_from_json(text);
}

asio::awaitable<Result<void>> ControlClient::watch(std::function<bool(const supervisor::Status&)> on_status,
                                                   Instant deadline) const {
  using namespace asio::experimental::awaitable_operators;
  const auto executor = co_await asio::this_coro::executor;
  Signal finished(executor);
  Result<void> outcome;
  EventParser parser;
  Head head;
  std::string refused;
  http::StreamHandlers handlers;
  handlers.on_head = [&](const http::Response& response) { return head.take(response); };
  handlers.on_chunk = [&](std::string_view bytes) {
    if (head.refusal) {
      refused += bytes;
      return;
    }
    for (const auto& event : parser.add(bytes)) {
      if (event.name != "status" || finished.version() > 0) continue;
      const auto status = status_from_json(event.data);
      if (!status) outcome = tl::unexpected<Error>(status.error());
      if (!status || !on_status(*status)) finished.bump();
    }
  };
  http::Request request;
  request.target = "/v1/status/events";
  request.headers.set("Host", "devstack");
  auto winner = co_await (http::stream(target_, std::move(request), std::move(handlers), kEventsIdle) ||
                          finished.wait_past(0, deadline));
  if (auto* chosen = std::get_if<1>(&winner)) {
    if (!*chosen) co_return fail(Errc::timeout, "not in time");
    co_return outcome;
  }
  if (head.refusal) {
    head.refusal->body = refused;
    co_return tl::unexpected<Error>(error_from_response(*head.refusal));
  }
  if (finished.version() > 0) co_return outcome;
  const auto& ended = std::get<0>(winner);
  co_return tl::unexpected<Error>(explain(ended ? Error{Errc::unavailable, ""} : ended.error()));
}

asio::awaitable<Result<void>> ControlClient::logs(LogRequest log, std::function<void(std::string_view)> on_text) const {
  const auto& choice = log.choice;
  auto target =
      fmt::format("/v1/logs?tail={}&follow={}&format={}", choice.tail < 0 ? "all" : std::to_string(choice.tail),
                  log.follow == Follow::yes ? 1 : 0, log.form == LogForm::json ? "json" : "text");
  if (!log.project.empty()) target += "&project=" + http::encode_path(log.project, http::Slash::escape);
  for (const auto& name : log.services) target += "&service=" + http::encode_path(name, http::Slash::escape);
  if (choice.since) target += "&since=" + logs::format_time(*choice.since);
  if (choice.until) target += "&until=" + logs::format_time(*choice.until);
  co_return co_await stream_text(std::move(target), std::move(on_text));
}

asio::awaitable<Result<void>> ControlClient::dns_log(int tail, Follow follow,
                                                     std::function<void(std::string_view)> on_text) const {
  auto target = fmt::format("/v1/dns/log?tail={}&follow={}", tail < 0 ? "all" : std::to_string(tail),
                            follow == Follow::yes ? 1 : 0);
  co_return co_await stream_text(std::move(target), std::move(on_text));
}

asio::awaitable<Result<void>> ControlClient::stream_text(std::string target,
                                                         std::function<void(std::string_view)> on_text) const {
  Head head;
  std::string refused;
  http::StreamHandlers handlers;
  handlers.on_head = [&](const http::Response& response) { return head.take(response); };
  handlers.on_chunk = [&](std::string_view bytes) {
    if (head.refusal) {
      refused += bytes;
    } else {
      on_text(bytes);
    }
  };
  http::Request request;
  request.target = std::move(target);
  request.headers.set("Host", "devstack");
  const auto ended = co_await http::stream(target_, std::move(request), std::move(handlers));
  if (head.refusal) {
    head.refusal->body = refused;
    co_return tl::unexpected<Error>(error_from_response(*head.refusal));
  }
  if (!ended) co_return tl::unexpected<Error>(explain(ended.error()));
  co_return Result<void>();
}

asio::awaitable<Result<void>> ControlClient::unit_action(UnitAction action, std::string name) const {
  UnitOrder order;
  order.action = action;
  order.name = std::move(name);
  co_return co_await carry_out(std::move(order));
}

asio::awaitable<Result<void>> ControlClient::carry_out(UnitOrder order) const {
  auto target = fmt::format("/v1/units/{}/{}?signal={}", http::encode_path(order.name, http::Slash::escape),
                            to_string(order.action), http::encode_path(order.signal, http::Slash::escape));
  if (order.grace) target += fmt::format("&timeout={}", order.grace->count());
  if (order.restart == supervisor::Restart::alone) target += "&alone=1";
  if (order.volumes) target += "&volumes=1";
  CO_TRY([[maybe_unused]] const auto answer, co_await call("POST", std::move(target), {}, kLongest));
  co_return Result<void>();
}

asio::awaitable<Result<void>> ControlClient::down(supervisor::DownOptions options, std::string project) const {
  using supervisor::RemoveImages;
  auto target = fmt::format("/v1/down?volumes={}&orphans={}", options.volumes ? 1 : 0, options.orphans ? 1 : 0);
  if (!project.empty()) target += "&project=" + http::encode_path(project, http::Slash::escape);
  if (options.images != RemoveImages::none) {
    target += options.images == RemoveImages::local ? "&images=local" : "&images=all";
  }
  if (options.grace) target += fmt::format("&timeout={}", options.grace->count());
  CO_TRY([[maybe_unused]] const auto answer, co_await call("POST", std::move(target), {}, kLongest));
  co_return Result<void>();
}

asio::awaitable<Result<std::string>> ControlClient::apply(std::string request_json) const {
  co_return co_await call("POST", "/v1/apply", std::move(request_json), kLongest);
}

asio::awaitable<Result<std::string>> ControlClient::plan(std::string request_json) const {
  std::string method = request_json.empty() ? "GET" : "POST";
  co_return co_await call(std::move(method), "/v1/plan", std::move(request_json), kLongest);
}

}  // namespace devstack::control

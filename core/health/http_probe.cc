#include <boost/beast/http/status.hpp>

#include "core/health/check_probe.h"
#include "core/health/dial.h"
#include "core/health/output_tail.h"
#include "core/health/redirect.h"
#include "core/health/tls_words.h"

namespace devstack::health {
namespace {

using Time = std::chrono::steady_clock;

constexpr std::string_view timed_out = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";

struct Answer {
  int status = 0;  ///< 0: none came
  std::string location;
  std::string body;
};

/// What broke an exchange before its answer began, in Go's words.
std::string why(const Error& error, const http::Target& target) {
  const auto prefix = fmt::format("cannot connect to {}: ", target.to_string());
  const auto where = join_host_port(target.host, target.port);
  switch (error.code) {
    case Errc::timeout:
      return std::string(timed_out);
    case Errc::permission:
    case Errc::unavailable:
      if (!error.message.starts_with(prefix)) return fmt::format("dial tcp {}: i/o timeout", where);
      return fmt::format("dial tcp {}: connect: {}", where,
                         go_words(std::string_view(error.message).substr(prefix.size())));
    case Errc::failed:
      return tls_words(error.message, target.tls_server_name);
    case Errc::io:
      return "EOF";
    case Errc::parse:
      return "net/http: HTTP/1.x transport connection broken: malformed HTTP response";
    default:
      return error.message;
  }
}

asio::awaitable<Result<Answer>> exchange(HttpCall call, std::size_t output_bytes, Time::time_point deadline,
                                         Time::time_point connect_deadline) {
  const auto answer = std::make_shared<Answer>();
  const auto tail = std::make_shared<OutputTail>(output_bytes);
  http::StreamHandlers handlers;
  handlers.on_head = [answer](const http::Response& head) {
    answer->status = head.status;
    answer->location = head.headers.get("Location").value_or("");
    return true;
  };
  handlers.on_chunk = [tail](std::string_view piece) { tail->append(piece); };
  const auto now = Time::now();
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
  const auto connecting = std::chrono::ceil<std::chrono::milliseconds>(connect_deadline - now);
  if (left.count() <= 0) co_return fail(Errc::timeout, "{}", timed_out);
  const http::Target target = call.target;
  const auto done = co_await http::stream(call.target, std::move(call.request), std::move(handlers),
                                          std::chrono::milliseconds(0), left, connecting);
  // An answer that broke off is one all the same: its status counts, as for Consul.
  if (!done && (answer->status == 0 || done.error().code == Errc::cancelled)) {
    co_return fail(done.error().code, "{}", why(done.error(), target));
  }
  answer->body = tail->take();
  co_return std::move(*answer);
}

/// Tries each address of the host in turn until one takes the connection.
asio::awaitable<Result<Answer>> ask(HttpCall call, std::size_t output_bytes, Time::time_point deadline) {
  const HostPort where{call.target.host, call.target.port};
  const auto addresses = co_await resolve(where, deadline);
  if (!addresses) co_return fail(addresses.error().code, "dial tcp: {}", addresses.error().message);
  Result<Answer> first = fail(Errc::unavailable, "dial tcp: no address");
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    HttpCall one = call;
    one.target.host = (*addresses)[i].address().to_string();
    one.target.port = std::to_string((*addresses)[i].port());
    const auto share = share_until(Time::now(), deadline, addresses->size() - i);
    auto answer = co_await exchange(std::move(one), output_bytes, deadline, share);
    const bool connected = answer.has_value() || answer.error().code != Errc::unavailable;
    if (i == 0 || connected) first = std::move(answer);
    if (connected || Time::now() >= deadline) break;
  }
  co_return first;
}

CheckResult result_of(const registry::CheckDefinition& definition, const std::string& method, const Answer& answer) {
  CheckResult result;
  if (answer.status >= 200 && answer.status <= 299) result.status = registry::status::passing;
  if (answer.status == 429) result.status = registry::status::warning;
  const auto phrase =
      boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(static_cast<unsigned>(answer.status)));
  result.output = fmt::format("HTTP {} {}: {} {} Output: {}", method, definition.http, answer.status,
                              std::string_view(phrase.data(), phrase.size()), answer.body);
  return result;
}

}  // namespace

asio::awaitable<CheckResult> probe_http(CheckPtr check) {
  const auto& definition = check->definition;
  const auto deadline = Time::now() + time_limit(definition, std::chrono::seconds(10));
  auto step = first_step(definition);
  const std::string method = step.method;
  const std::string host = host_of(step.url);
  for (int redirects = 0;; ++redirects) {
    auto call = call_of(step, definition, host_of(step.url) != host);
    if (!call && call.error().code == Errc::parse) co_return critical(call.error().message);
    if (!call) co_return critical(url_error(method, step.url, call.error().message));
    const auto answer = co_await ask(std::move(*call), output_limit(definition), deadline);
    if (!answer) co_return critical(url_error(method, step.url, answer.error().message));
    if (definition.disable_redirects) co_return result_of(definition, method, *answer);
    auto next = next_step(step, answer->status, answer->location);
    if (!next) co_return critical(url_error(method, step.url, next.error().message));
    if (!*next) co_return result_of(definition, method, *answer);
    if (redirects + 1 >= most_redirects) {
      co_return critical(url_error(method, answer->location, "stopped after 10 redirects"));
    }
    step = std::move(**next);
  }
}

}  // namespace devstack::health

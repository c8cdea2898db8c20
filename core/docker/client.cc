#include "core/docker/client.h"

#include <cstdlib>

#include "core/docker/errors.h"
#include "core/docker/wire.h"

namespace devstack::docker {
namespace {

constexpr auto kProbeLimit = std::chrono::seconds(10);
constexpr std::size_t kRefusalMost = 64U << 10U;

http::Request get(std::string target) {
  http::Request message;
  message.target = std::move(target);
  return message;
}

asio::awaitable<Result<http::Response>> probe(http::Target target, std::string path) {
  http::ClientLimits limits;
  limits.timeout = kProbeLimit;
  auto answer = co_await http::request(target, get(std::move(path)), limits);
  if (!answer) co_return tl::unexpected(unreachable(std::move(answer).error(), target));
  if (answer->status >= 400) co_return tl::unexpected(refused(answer->status, answer->body));
  co_return std::move(*answer);
}

}  // namespace

Result<Client> Client::connect_to(std::string host) {
  if (host.empty()) {
    const char* set = std::getenv("DOCKER_HOST");
    host = set != nullptr && *set != '\0' ? set : "unix:///var/run/docker.sock";
  }
  auto target = http::Target::parse(host);
  if (!target) return tl::unexpected(std::move(target).error().with_context("the Docker engine's address"));
  return Client(std::move(*target));
}

Client::Client(http::Target target) : target_(std::move(target)) {}

const http::Target& Client::target() const { return target_; }

asio::awaitable<Result<EngineInfo>> Client::negotiate() {
  CO_TRY(const auto pong, co_await probe(target_, "/_ping"));
  CO_TRY(const auto answer, co_await probe(target_, "/version"));
  CO_TRY(auto engine, wire::parse_version(answer.body));
  if (const auto newest = pong.headers.get("Api-Version")) engine.api_version = std::string(*newest);
  CO_TRY(auto chosen, wire::choose_version(engine));
  api_version_ = chosen;
  co_return EngineInfo{std::move(engine.version), std::move(chosen)};
}

asio::awaitable<Result<std::string>> Client::versioned(std::string path) {
  if (api_version_.empty()) {
    CO_TRY([[maybe_unused]] const auto info, co_await negotiate());
  }
  co_return fmt::format("/v{}{}", api_version_, path);
}

asio::awaitable<Result<http::Response>> Client::call(std::string method, std::string path, std::string body,
                                                     std::chrono::milliseconds timeout) {
  http::Request message;
  message.method = std::move(method);
  CO_TRY(message.target, co_await versioned(std::move(path)));
  if (!body.empty()) message.headers.set("Content-Type", "application/json");
  message.body = std::move(body);
  http::ClientLimits limits;
  limits.timeout = timeout;
  auto answer = co_await http::request(target_, std::move(message), limits);
  if (!answer) co_return tl::unexpected(unreachable(std::move(answer).error(), target_));
  if (answer->status >= 400) co_return tl::unexpected(refused(answer->status, answer->body));
  co_return std::move(*answer);
}

// `message.target` is unversioned. The body of a refusal is read to its end, for its words.
asio::awaitable<Result<void>> Client::read_stream(http::Request message,
                                                  std::function<void(const http::Response&)> on_ok, ByteSink on_bytes,
                                                  std::chrono::milliseconds idle, std::chrono::milliseconds whole) {
  CO_TRY(message.target, co_await versioned(std::move(message.target)));
  int status = 0;
  std::string refusal;
  std::optional<Error> broken;
  http::StreamHandlers handlers;
  handlers.on_head = [&](const http::Response& head) {
    status = head.status;
    if (status < 400 && on_ok) on_ok(head);
    return true;
  };
  handlers.on_chunk = [&](std::string_view bytes) {
    if (status >= 400) {
      refusal.append(bytes.substr(0, kRefusalMost - std::min(refusal.size(), kRefusalMost)));
    } else if (!broken) {
      auto taken = on_bytes(bytes);
      if (!taken) broken = std::move(taken).error();
    }
  };
  handlers.go_on = [&]() { return !broken.has_value(); };
  auto ended = co_await http::stream(target_, std::move(message), std::move(handlers), idle, whole);
  if (status >= 400) co_return tl::unexpected(refused(status, refusal));
  if (broken) co_return tl::unexpected(std::move(*broken));
  if (!ended) co_return tl::unexpected(unreachable(std::move(ended).error(), target_));
  co_return Result<void>();
}

}  // namespace devstack::docker

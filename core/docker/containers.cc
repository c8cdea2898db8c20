// Containers of the Engine API: https://docs.docker.com/engine/api/v1.41/#tag/Container
#include "core/docker/client.h"
#include "core/docker/errors.h"
#include "core/docker/wire.h"

namespace devstack::docker {
namespace {

std::string container_path(std::string_view id, std::string_view action) {
  return fmt::format("/containers/{}{}", http::encode_path(id, http::Slash::escape), action);
}

/// The engine waits `grace` for the container before it kills it: our own deadline comes well after.
std::chrono::seconds patience(std::chrono::seconds grace) { return grace + std::chrono::seconds(30); }

}  // namespace

asio::awaitable<Result<std::vector<ContainerSummary>>> Client::list_containers(bool all,
                                                                               std::vector<std::string> labels) {
  std::string path = fmt::format("/containers/json?all={}", all ? 1 : 0);
  if (!labels.empty()) path += "&filters=" + http::encode_path(wire::label_filter(labels), http::Slash::escape);
  CO_TRY(const auto answer, co_await call("GET", std::move(path)));
  co_return wire::parse_container_list(answer.body);
}

asio::awaitable<Result<Container>> Client::inspect_container(std::string id) {
  CO_TRY(const auto answer, co_await call("GET", container_path(id, "/json")));
  co_return wire::parse_container(answer.body);
}

asio::awaitable<Result<std::string>> Client::create_container(ContainerSpec spec) {
  std::string path = "/containers/create?";
  if (!spec.name.empty()) path += "name=" + http::encode_path(spec.name, http::Slash::escape);
  if (!spec.platform.empty()) path += "&platform=" + http::encode_path(spec.platform, http::Slash::escape);
  CO_TRY([[maybe_unused]] const auto known, co_await versioned(""));  // what is said depends on the version
  auto body = wire::create_container_body(spec, api_version_);
  CO_TRY(const auto answer, co_await call("POST", std::move(path), std::move(body)));
  auto id = wire::text_field(answer.body, "Id");
  if (id.empty()) co_return fail(Errc::parse, "the engine's answer holds no id of the new container");
  if (wire::api_at_least(api_version_, 1, 44)) co_return id;
  for (std::size_t at = 1; at < spec.endpoints.size(); ++at) {
    auto connected = co_await connect_network(id, spec.endpoints[at]);
    if (connected) continue;
    co_await remove_container(id, true, true);
    co_return tl::unexpected(std::move(connected).error().with_context("network " + spec.endpoints[at].network));
  }
  co_return id;
}

asio::awaitable<Result<void>> Client::rename_container(std::string id, std::string name) {
  auto path = container_path(id, "/rename?name=" + http::encode_path(name, http::Slash::escape));
  CO_TRY([[maybe_unused]] const auto answer, co_await call("POST", std::move(path)));
  co_return Result<void>();
}

asio::awaitable<Result<ProcessTable>> Client::top(std::string id, std::string ps_arguments) {
  std::string action = "/top";
  if (!ps_arguments.empty()) action += "?ps_args=" + http::encode_path(ps_arguments, http::Slash::escape);
  CO_TRY(const auto answer, co_await call("GET", container_path(id, action)));
  co_return wire::parse_process_table(answer.body);
}

asio::awaitable<Result<void>> Client::start_container(std::string id) {
  CO_TRY([[maybe_unused]] const auto answer,
         co_await call("POST", container_path(id, "/start"), {}, std::chrono::seconds(60)));
  co_return Result<void>();  // 304: it runs already
}

asio::awaitable<Result<void>> Client::stop_container(std::string id, std::chrono::seconds grace) {
  auto path = container_path(id, fmt::format("/stop?t={}", grace.count()));
  CO_TRY([[maybe_unused]] const auto answer, co_await call("POST", std::move(path), {}, patience(grace)));
  co_return Result<void>();  // 304: it does not run
}

asio::awaitable<Result<void>> Client::kill_container(std::string id, std::string signal) {
  auto path = container_path(id, "/kill?signal=" + http::encode_path(signal, http::Slash::escape));
  CO_TRY([[maybe_unused]] const auto answer, co_await call("POST", std::move(path)));
  co_return Result<void>();
}

asio::awaitable<Result<void>> Client::restart_container(std::string id, std::chrono::seconds grace) {
  auto path = container_path(id, fmt::format("/restart?t={}", grace.count()));
  CO_TRY([[maybe_unused]] const auto answer, co_await call("POST", std::move(path), {}, patience(grace)));
  co_return Result<void>();
}

asio::awaitable<Result<void>> Client::pause_container(std::string id) {
  CO_TRY([[maybe_unused]] const auto answer, co_await call("POST", container_path(id, "/pause")));
  co_return Result<void>();
}

asio::awaitable<Result<void>> Client::unpause_container(std::string id) {
  CO_TRY([[maybe_unused]] const auto answer, co_await call("POST", container_path(id, "/unpause")));
  co_return Result<void>();
}

asio::awaitable<Result<void>> Client::remove_container(std::string id, bool force, bool volumes) {
  auto path = container_path(id, fmt::format("?force={}&v={}", force ? 1 : 0, volumes ? 1 : 0));
  auto answer = co_await call("DELETE", std::move(path), {}, std::chrono::seconds(60));
  if (!answer && answer.error().code != Errc::not_found) co_return tl::unexpected(std::move(answer).error());
  co_return Result<void>();
}

asio::awaitable<Result<int>> Client::wait_container(std::string id) {
  http::Request message;
  message.method = "POST";
  message.target = container_path(id, "/wait");
  std::string body;
  ByteSink collect = [&body](std::string_view bytes) -> Result<void> {
    body.append(bytes);
    return {};
  };
  auto ended = co_await read_stream(std::move(message), {}, std::move(collect), std::chrono::milliseconds(0));
  CO_CHECK(std::move(ended));
  co_return wire::parse_exit_code(body);
}

}  // namespace devstack::docker

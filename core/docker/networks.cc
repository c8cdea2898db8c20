// Networks and volumes of the Engine API: https://docs.docker.com/engine/api/v1.41/#tag/Network
#include "core/docker/client.h"
#include "core/docker/errors.h"
#include "core/docker/wire.h"

namespace devstack::docker {
namespace {

std::string network_path(std::string_view name) { return "/networks/" + http::encode_path(name, http::Slash::escape); }
std::string volume_path(std::string_view name) { return "/volumes/" + http::encode_path(name, http::Slash::escape); }

std::string filtered(std::string path, const std::vector<std::string>& labels) {
  if (!labels.empty()) path += "?filters=" + http::encode_path(wire::label_filter(labels), http::Slash::escape);
  return path;
}

}  // namespace

asio::awaitable<Result<std::vector<Network>>> Client::list_networks(std::vector<std::string> labels) {
  CO_TRY(const auto answer, co_await call("GET", filtered("/networks", labels)));
  co_return wire::parse_network_list(answer.body);
}

asio::awaitable<Result<Network>> Client::inspect_network(std::string name) {
  CO_TRY(const auto answer, co_await call("GET", network_path(name)));
  co_return wire::parse_network(answer.body);
}

asio::awaitable<Result<std::string>> Client::create_network(NetworkSpec spec) {
  CO_TRY([[maybe_unused]] const auto known, co_await versioned(""));  // what is said depends on the version
  auto body = wire::create_network_body(spec, api_version_);
  CO_TRY(const auto answer, co_await call("POST", "/networks/create", std::move(body)));
  auto id = wire::text_field(answer.body, "Id");
  if (id.empty()) co_return fail(Errc::parse, "the engine's answer holds no id of the new network");
  co_return id;
}

asio::awaitable<Result<void>> Client::remove_network(std::string name) {
  CO_TRY([[maybe_unused]] const auto answer, co_await call("DELETE", network_path(name)));
  co_return Result<void>();
}

asio::awaitable<Result<void>> Client::connect_network(std::string container, EndpointSpec endpoint) {
  auto body = wire::connect_body(container, endpoint);
  CO_TRY([[maybe_unused]] const auto answer,
         co_await call("POST", network_path(endpoint.network) + "/connect", std::move(body)));
  co_return Result<void>();
}

asio::awaitable<Result<void>> Client::disconnect_network(std::string network, std::string container, bool force) {
  auto body = wire::disconnect_body(container, force);
  CO_TRY([[maybe_unused]] const auto answer,
         co_await call("POST", network_path(network) + "/disconnect", std::move(body)));
  co_return Result<void>();
}

asio::awaitable<Result<std::vector<Volume>>> Client::list_volumes(std::vector<std::string> labels) {
  CO_TRY(const auto answer, co_await call("GET", filtered("/volumes", labels)));
  co_return wire::parse_volume_list(answer.body);
}

asio::awaitable<Result<Volume>> Client::inspect_volume(std::string name) {
  CO_TRY(const auto answer, co_await call("GET", volume_path(name)));
  co_return wire::parse_volume(answer.body);
}

asio::awaitable<Result<Volume>> Client::create_volume(VolumeSpec spec) {
  CO_TRY(const auto answer, co_await call("POST", "/volumes/create", wire::create_volume_body(spec)));
  co_return wire::parse_volume(answer.body);
}

asio::awaitable<Result<void>> Client::remove_volume(std::string name) {
  auto answer = co_await call("DELETE", volume_path(name));
  if (!answer && answer.error().code != Errc::not_found) co_return tl::unexpected(std::move(answer).error());
  co_return Result<void>();
}

}  // namespace devstack::docker

#include "core/registry/snapshot.h"

#include "core/api/archive.h"
#include "core/api/handlers.h"
#include "core/api/limits.h"

/// /v1/snapshot. Packing and unpacking are kept from the loop, which other requests wait for.
/// https://developer.hashicorp.com/consul/api-docs/snapshot
namespace devstack::api {

std::optional<std::size_t> body_limit(std::string_view method, std::string_view target) {
  if (method == "PUT" && target.substr(0, target.find('?')) == "/v1/snapshot") return kLargestArchive;
  return std::nullopt;
}

asio::awaitable<http::Response> snapshot_save(const Call& call) {
  const auto state = call.backend.view.snapshot();
  SnapshotMeta meta;
  meta.index = state->index();
  meta.made = std::time(nullptr);
  const auto identity = call.backend.writer.identity();
  meta.server_id = identity.node_id;
  meta.server_address = fmt::format("{}:{}", identity.address, call.backend.options.server_port);
  auto pack = [state, meta] {
    return pack_snapshot(meta, registry::encode_snapshot(*state), {kLargestArchive, kLargestSnapshot});
  };
  auto packed = co_await call.backend.pool.run(std::move(pack));
  if (!packed) co_return http::text(500, packed.error().message);
  http::Response response;
  response.body = std::move(*packed);
  response.headers.add("Content-Type", "application/x-gzip");
  response.headers.add("X-Consul-Index", std::to_string(meta.index));
  response.headers.add("X-Consul-Knownleader", "true");
  response.headers.add("X-Consul-Lastcontact", "0");
  co_return response;
}

asio::awaitable<http::Response> snapshot_restore(const Call& call) {
  auto unpack = [&archive = call.request.body]() -> Result<registry::RestoreCommand> {
    TRY(const auto bytes, unpack_snapshot(archive, kLargestSnapshot));
    return registry::decode_snapshot(bytes);
  };
  auto restore = co_await call.backend.pool.run(std::move(unpack));
  if (!restore) co_return http::text(500, restore.error().message);
  registry::Command posted(std::move(*restore));
  const auto done = co_await call.backend.writer.apply(std::move(posted));
  if (!done) co_return respond(done.error());
  co_return empty();
}

asio::awaitable<http::Response> snapshot(const Call& call) {
  return call.request.method == "GET" ? snapshot_save(call) : snapshot_restore(call);
}

}  // namespace devstack::api

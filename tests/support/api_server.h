#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <utility>

#include "core/api/api.h"
#include "core/http/client.h"
#include "core/http/server.h"
#include "core/registry/expiry.h"
#include "core/registry/registry.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

namespace devstack::test {

/// The embedded registry with its HTTP API on a free loopback port: node "node1" at 127.0.0.1, data in a temporary
/// directory. Everything runs on `io`.
class ApiServer {
 public:
  explicit ApiServer(api::ApiOptions how = {}) {
    registry::RegistryOptions options;
    options.identity.node = "node1";
    options.identity.node_id = "adf4238a-882b-9ddc-4a9d-5b6758e4159e";
    options.identity.address = "127.0.0.1";
    options.data_dir = dir_.file("data");
    auto opened = run(io, registry::Registry::open(io.get_executor(), std::move(options)));
    if (!opened) throw std::runtime_error(opened.error().message);
    registry = std::move(*opened);
    sessions_ = std::make_unique<registry::SessionExpiry>(io.get_executor(), *registry, *registry);
    ttls_ = std::make_unique<registry::TtlChecks>(io.get_executor(), *registry, *registry);
    sessions_->start();
    ttls_->start();
    how.renew_session = [this](const std::string& id) { sessions_->renew(id); };
    how.heartbeat = [this](const std::string& node, const std::string& id) { ttls_->heartbeat(node, id); };
    api_ = std::make_unique<api::Api>(*registry, *registry, std::move(how));
    http::ServerLimits limits;
    limits.body_bytes_of = api::body_limit;
    server_ = std::make_unique<http::Server>(
        io.get_executor(), "api", [this](http::Request request) { return api_->handle(std::move(request)); }, limits);
    auto bound = server_->listen({asio::ip::address_v4::loopback(), 0});
    if (!bound) throw std::runtime_error(bound.error().message);
    port = bound->port();
  }
  ~ApiServer() {
    run(io, server_->stop(std::chrono::milliseconds(0)));
    run(io, sessions_->stop());
    run(io, ttls_->stop());
    run(io, registry->close());
  }
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  /// `co_await request("PUT", "/v1/kv/a", "body")`; throws when there is no answer.
  asio::awaitable<http::Response> request(std::string method, std::string path, std::string body = {},
                                          http::Headers headers = {}) {
    http::Request message;
    message.method = std::move(method);
    message.target = std::move(path);
    message.body = std::move(body);
    message.headers = std::move(headers);
    http::Target where;
    where.host = "127.0.0.1";
    where.port = std::to_string(port);
    auto answer = co_await http::request(std::move(where), std::move(message));
    if (!answer) throw std::runtime_error(answer.error().message);
    co_return std::move(*answer);
  }
  http::Response exchange(std::string method, std::string path, std::string body = {}, http::Headers headers = {}) {
    return run(io, request(std::move(method), std::move(path), std::move(body), std::move(headers)));
  }

  asio::io_context io;
  std::unique_ptr<registry::Registry> registry;
  unsigned short port = 0;

 private:
  TempDir dir_;
  std::unique_ptr<registry::SessionExpiry> sessions_;
  std::unique_ptr<registry::TtlChecks> ttls_;
  std::unique_ptr<api::Api> api_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace devstack::test

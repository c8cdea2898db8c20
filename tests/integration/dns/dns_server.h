#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>

#include "core/dns/query.h"
#include "core/dns/server.h"
#include "core/registry/registry.h"
#include "tests/support/run.h"

namespace devstack::dns::test_support {

inline Endpoint loopback(std::uint16_t port = 0) { return {asio::ip::make_address("127.0.0.1"), port}; }

/// What the real client says: dig's output, errors included.
inline std::string dig(const Endpoint& server, const std::string& arguments) {
  const auto command =
      fmt::format("dig @{} -p {} +time=3 +tries=1 {} 2>&1", server.address().to_string(), server.port(), arguments);
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 4096> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), size);
  ::pclose(pipe);
  return out;
}

/// Servers on a registry with the services web and outside (an alias of db.corp).
class DnsServerTest : public testing::Test {
 protected:
  DnsServerTest() {
    registry::RegistryOptions options;
    options.identity = {"n1", "11111111-2222-3333-4444-555555555555", "dc1", "127.0.0.1"};
    auto opened = test::run(io_, registry::Registry::open(io_.get_executor(), std::move(options)));
    if (!opened) throw std::runtime_error(opened.error().message);
    registry_ = std::move(*opened);
    add("web", "10.0.0.1", 80);
    add("outside", "db.corp", 5432);
  }
  ~DnsServerTest() override {
    for (auto& server : servers_) test::run(io_, server->stop());
    test::run(io_, registry_->close());
  }

  void add(const std::string& name, const std::string& address, int port) {
    registry::Service service;
    service.name = name;
    service.id = fmt::format("{}-{}", name, port);
    service.address = address;
    service.port = port;
    const auto added = test::run(io_, registry::register_service(*registry_, service));
    if (!added) throw std::runtime_error(added.error().message);
  }

  DnsServer& make(DnsOptions options) {
    if (options.endpoints.empty()) options.endpoints = {loopback()};
    servers_.push_back(std::make_unique<DnsServer>(io_.get_executor(), *registry_, std::move(options)));
    return *servers_.back();
  }
  /// A server that runs; where it listens.
  Endpoint serve(DnsOptions options = {}) {
    auto& server = make(std::move(options));
    const auto started = test::run(io_, server.start());
    if (!started) throw std::runtime_error(started.error().message);
    return server.endpoints().at(0);
  }
  /// Another company's DNS: names in "corp".
  Endpoint upstream() {
    DnsOptions options;
    options.domains = {"corp"};
    options.records = {{"db.corp", {"9.9.9.9"}}, {"www.corp", {"db.corp"}}};
    for (int i = 0; i < 100; ++i) options.records["many.corp"].push_back(fmt::format("10.8.0.{}", i));
    return serve(std::move(options));
  }
  Message ask(const Endpoint& server, const std::string& name, Type type,
              net::Transport transport = net::Transport::udp) {
    const auto reply = test::run(io_, query(server, Name::parse(name).value(), type, transport));
    if (!reply) throw std::runtime_error(reply.error().message);
    return *reply;
  }

  asio::io_context io_;
  std::unique_ptr<registry::Registry> registry_;
  std::vector<std::unique_ptr<DnsServer>> servers_;
};

}  // namespace devstack::dns::test_support

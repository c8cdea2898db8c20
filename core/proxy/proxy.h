#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/async/component.h"
#include "core/proxy/engine.h"
#include "core/proxy/haproxy_engine.h"
#include "core/proxy/routes.h"
#include "core/registry/registry.h"

namespace devstack::proxy {

struct ProxyOptions {
  RouteOptions routes;
  std::vector<std::string> bind{"127.0.0.1"};  ///< IP literals; those that the machine lacks are left out and said
  std::uint16_t port = 80;
  std::string extra;  ///< raw configuration of the program, appended
  /// "nginx (pid 812)": who holds a TCP port, for the message.
  std::function<std::string(std::uint16_t port)> describe_taken;
};

/// The front door: one HTTP port on which every service of the registry answers under its own host name. Follows the
/// registry, has a proxy program (Engine) do it, restarts the program when it dies. Instances that leave the registry
/// get no new requests within milliseconds; new services are routed within about 50 ms. While the registry has no data
/// the last good routes stay.
///
/// Loop thread only. Owner: cmd/devstack/app.cc, which keeps the view alive longer.
class Proxy : public Component {
 public:
  Proxy(asio::any_io_executor loop, registry::RegistryView& view, std::unique_ptr<Engine> engine, ProxyOptions options);
  ~Proxy() override;

  [[nodiscard]] std::string_view name() const override { return "proxy"; }
  [[nodiscard]] std::vector<std::string> after() const override { return {"registry"}; }
  /// Errors: port_taken (names the holder), permission, not_found (the program is not installed), or what the program
  /// says.
  asio::awaitable<Result<void>> start() override;
  asio::awaitable<void> stop() override;
  [[nodiscard]] ComponentReport report() const override;

  /// Other addresses to listen on (docker0 appeared): brought about soon, without cutting connections.
  void set_binds(std::vector<std::string> addresses);
  void set_extra(std::string extra);
  /// These services will soon be registered: they get their routes now, so that their first instances cost no reload.
  /// What is not there after a minute is forgotten.
  void expect(const std::vector<std::string>& services);
  /// What is to be routed: what the registry says, and what has no route and why.
  [[nodiscard]] const RouteTable& table() const;
  /// Whether the program already routes this service as the registry has it now; true for what has no route.
  [[nodiscard]] bool routes_now(std::string_view service) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The proxy with HAProxy behind it.
class HaproxyProxy final : public Proxy {
 public:
  HaproxyProxy(asio::any_io_executor loop, registry::RegistryView& view, ProxyOptions options, HaproxyOptions haproxy);
  /// The program's process id, 0 while it does not run.
  [[nodiscard]] int pid() const;
  [[nodiscard]] std::uint64_t reloads() const;

 private:
  HaproxyProxy(asio::any_io_executor loop, registry::RegistryView& view, ProxyOptions options, HaproxyEngine* engine);
  HaproxyEngine& haproxy_;  ///< the same as the base's engine, by its own type
};

}  // namespace devstack::proxy

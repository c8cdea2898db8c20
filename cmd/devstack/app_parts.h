#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cmd/devstack/listeners.h"
#include "core/dns/server.h"
#include "core/docker/engine_watcher.h"
#include "core/registry/registry.h"
#include "core/stack/plan.h"
#include "core/stack/stack_file.h"
#include "core/supervisor/projects.h"
#include "core/template/template_sets.h"

/// The components of one appliance, made from its stack file. Used by app.cc alone. Loop thread.
namespace devstack {

/// The ports that are really used: the stack file's, or high ones where low ones may not be bound.
struct Ports {
  std::uint16_t dns = 53;
  std::uint16_t proxy = 80;
};
/// Falls back to 8600 and 8080 without the right to bind low ports, and says so in `notices`; a port that the stack
/// file names itself is never replaced.
Ports choose_ports(const stack::StackFile& file, std::vector<std::string>& notices);

registry::RegistryOptions registry_options(const stack::StackFile& file, const std::string& state_dir);
/// Without what needs the running appliance (names, ports, images): app.cc adds that.
supervisor::SupervisorOptions supervisor_options(const stack::StackFile& file, const std::string& state_dir);

/// `registry.kv`: written where the key does not exist.
asio::awaitable<Result<void>> seed_keys(registry::RegistryWriter& writer, std::map<std::string, std::string> keys);

std::string host_name();
/// `registry.advertise`, or for "auto" the bridge's address, or loopback where there is no bridge.
std::string advertised_address(const stack::StackFile& file);

/// The keys of `wanted` that say something else about components than `running` does: "dns, ui"; "" for none.
std::string unused_settings(const stack::StackFile& running, const stack::StackFile& wanted);

/// One line a change: "create web", "replace api", "remove old", and one for components whose settings differ; "" for
/// none.
std::string describe_changes(const stack::PlanDiff& diff, const stack::StackFile& running,
                             const stack::StackFile& wanted);

struct PartsInput {
  asio::any_io_executor loop;
  const stack::StackFile& file;
  std::string state_dir;
  std::string ui_dir;
  Ports ports;
  docker::EngineWatcher& engine;
  registry::Registry& registry;
  supervisor::Projects& projects;
  std::function<asio::awaitable<Result<void>>(supervisor::DownOptions, std::string project)> down;
  std::function<asio::awaitable<Result<std::string>>(std::string)> apply, plan;
};

class Parts {
 public:
  /// Errc::stack_file for a setting that no component can use.
  static Result<std::unique_ptr<Parts>> make(PartsInput input);
  ~Parts();

  void add_to(supervisor::Supervisor& supervisor);
  /// A container is about to be started: the proxy gets its routes now, while the engine is busy with it.
  asio::awaitable<void> expect(std::string container);
  /// Those of every project; each `up` sets its own.
  templates::TemplateSets& templates();
  /// Its fixed answers are every project's; nothing where the stack file has it off.
  dns::DnsServer* dns();
  /// Opens the control socket. The components need not run yet.
  Result<void> serve_control();
  /// The machine's addresses changed: every listener moves.
  Result<void> follow_addresses(const stack::StackFile& file, Ports ports);
  /// Closes the control socket, when requests in flight have been answered.
  asio::awaitable<void> stop();

 private:
  struct Impl;
  explicit Parts(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace devstack

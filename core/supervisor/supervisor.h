#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/async/clock.h"
#include "core/base/async/component.h"
#include "core/base/async/signal.h"
#include "core/base/result.h"
#include "core/docker/engine_watcher.h"
#include "core/registry/registry.h"
#include "core/stack/plan.h"
#include "core/supervisor/startup.h"
#include "core/supervisor/status.h"

namespace devstack::supervisor {

namespace asio = boost::asio;

struct SupervisorOptions {
  std::string state_dir;   ///< logs/PROJECT/ live here
  std::string project;     ///< whose processes are remembered in projects/PROJECT/; "" = those of the only one
  std::string stack_file;  ///< shown in the status
  std::string version;
  std::string process_path;         ///< PATH of host processes
  std::string docker_config;        ///< folder of Docker's config.json, whose credentials pulls and builds use
  std::function<void()> on_change;  ///< status() would say something else; beside changed()
  /// Nameservers for the containers we create ("172.17.0.1"); empty while our DNS is not on port 53.
  std::function<std::vector<std::string>()> container_dns;
  /// The address at which others reach a process of this machine that listens on a TCP port; nothing while it does not
  /// listen. Without it a process counts as listening everywhere at once.
  std::function<std::optional<std::string>(std::uint16_t port)> listening_address;
  /// What host processes are told to listen on ($HOST): the bridge's address, so that containers reach them.
  std::function<std::string()> process_host;
  /// Called with a container that is there and about to be started.
  std::function<asio::awaitable<void>(std::string container)> before_start;
  /// Called with a unit and a container of it that does not run any more, before that is removed.
  std::function<asio::awaitable<void>(std::string unit, std::string container)> before_remove;
  /// Makes a local image when a container needs one that the engine lacks ("devstack/hello"); true when it did.
  std::function<asio::awaitable<Result<bool>>(std::string image)> provide_image;
};

/// What a user may ask of one `up`, beside the plan.
struct ApplyOptions {
  bool force_recreate = false;      ///< containers are replaced although nothing changed
  bool no_recreate = false;         ///< containers that exist stay, although something changed
  bool renew_anon_volumes = false;  ///< a replaced container begins with empty anonymous volumes
  bool no_deps = false;             ///< only `services`, not what they depend on
  stack::Texts services;            ///< only these and what they depend on; the others stay as they are. Empty: all
  bool remove_orphans = false;  ///< also containers of this project by another program, and of a `run` that has ended
  bool no_start = false;        ///< containers are made as planned, and not started
  bool build = false;           ///< images with a `build` are built, though they are there
  std::string pull;             ///< always, missing, never; "": each service's pull_policy
};

/// Which images `down` removes: those without `image:` of their own, or all that the plan names.
enum class RemoveImages { none, local, all };

enum class Restart { alone, with_dependents };

struct DownOptions {
  std::optional<std::chrono::seconds> grace;  ///< for each unit; nothing: its stop_grace_period
  bool volumes = false;  ///< named volumes of the project that are not external, and anonymous ones
  RemoveImages images = RemoveImages::none;
  bool orphans = false;           ///< also containers of this project that another program made, and those of `run`
  stack::Texts more_images = {};  ///< removed too: of a stack that the plan does not know any more
};

/// The images that go with `down`, by name.
stack::Texts images_of(const stack::Plan& plan, RemoveImages which);

/// Brings a plan about and keeps it so: components first, in the order of their `after()`, then services in dependency
/// order, each as a unit of one state machine (status.h), health-gated, restarted with backoff, stopped in reverse.
/// Containers are found by label (io.devstack.project/.unit/.config-hash), processes by pid and start time, so that a
/// supervisor that was killed takes its stack back without restarting what runs. Loop thread only; the owner
/// (cmd/devstack/app.cc) keeps what it is given alive longer.
class Supervisor {
 public:
  Supervisor(asio::any_io_executor loop, SupervisorOptions options, docker::EngineWatcher& engine,
             registry::RegistryView& view, registry::RegistryWriter& writer, Clock& clock = steady_clock());
  ~Supervisor();

  /// Before start_components(). The component outlives the supervisor.
  void add(Component& component);
  /// Starts all components; on the first error stops those already started, in reverse, and returns it.
  asio::awaitable<Result<void>> start_components();
  /// Makes `plan` the wanted one and returns at once; convergence goes on in the background: unchanged units are left
  /// alone, changed ones replaced, missing ones created or adopted, others removed.
  void apply(stack::Plan plan, ApplyOptions how = {});
  [[nodiscard]] const stack::Plan& plan() const;

  [[nodiscard]] Status status() const;
  /// What the last apply() started, how long that took and why, as far as it has come.
  [[nodiscard]] Startup startup() const;
  /// Bumps when status() would say something else.
  Signal& changed();

  /// By unit or service name, or several ("a,b"); Errc::not_found names the known ones.
  asio::awaitable<Result<void>> stop_unit(std::string name, std::optional<std::chrono::seconds> grace = std::nullopt);
  asio::awaitable<Result<void>> start_unit(std::string name);
  /// With it, unless `alone`, what runs and depends on it with `restart: true`, and so on: stopped before it, and
  /// started when its conditions hold again.
  asio::awaitable<Result<void>> restart_unit(std::string name, std::optional<std::chrono::seconds> grace = std::nullopt,
                                             Restart which = Restart::with_dependents);
  /// Holds what runs of it; only resume_unit(), a stop or a restart ends that. Errc::conflict when nothing of it runs,
  /// and for resume_unit() when nothing of it is paused.
  asio::awaitable<Result<void>> pause_unit(std::string name);
  asio::awaitable<Result<void>> resume_unit(std::string name);
  /// Sends a signal ("HUP", "SIGUSR1", "9") to what runs; SIGKILL ends it for good, as a stop does. Errc::conflict when
  /// nothing of it runs.
  asio::awaitable<Result<void>> signal_unit(std::string name, std::string signal);
  /// Removes what is left of units that do not run, with `volumes` anonymous volumes too; the next start makes them
  /// anew. Errc::conflict while one runs.
  asio::awaitable<Result<void>> remove_unit(std::string name, bool volumes = false);

  /// `down`: stops services in reverse order (at most `grace` each when given), removes containers and the project's
  /// network, then stops the components. Bounded; reports what could not be removed.
  asio::awaitable<Result<void>> down(std::optional<std::chrono::seconds> grace = std::nullopt);
  asio::awaitable<Result<void>> down(DownOptions options);
  /// Ends supervision and leaves services running (for an upgrade in place): the next start re-adopts them.
  asio::awaitable<void> detach();

  /// The log file of a process unit; "" for containers and components.
  [[nodiscard]] std::string log_file(const std::string& unit) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace devstack::supervisor

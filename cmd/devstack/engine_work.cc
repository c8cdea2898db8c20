#include "cmd/devstack/engine_work.h"

#include "cmd/devstack/app_parts.h"
#include "cmd/devstack/blocking.h"
#include "cmd/devstack/hello_image.h"
#include "cmd/devstack/listeners.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/service_units.h"
#include "core/base/async/task_group.h"
#include "core/base/log.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;

}  // namespace

EngineWork::EngineWork(const stack::StackFile& file) : options_(supervisor_options(file, state_dir())) {
  // Containers ask our DNS only where it runs; the supervisor's status would know, a fixed port 53 is what it takes.
  options_.container_dns = [bridge = file.bridge, enabled = file.dns.enabled]() -> std::vector<std::string> {
    const auto status = run_blocking(running_status());
    const auto address = bridge_address(bridge);
    if (!enabled || !status || !address) return {};
    for (const auto& component : status->components) {
      for (const auto& place : component.addresses) {
        if (component.name == "dns" && place.starts_with(address->to_string() + ":53")) return {address->to_string()};
      }
    }
    return {};
  };
  options_.provide_image = [this](std::string name) { return provide_hello_image(client(), std::move(name)); };
  auto engine = docker::Client::connect_to().value_or(docker::Client(http::Target::unix_socket("/nonexistent")));
  engine_ = std::make_unique<docker::EngineWatcher>(io_.get_executor(), std::move(engine));
  shared_ = std::make_unique<supervisor::ContainerShared>(io_.get_executor(), *engine_, options_);
}

EngineWork::~EngineWork() = default;

docker::Client& EngineWork::client() { return engine_->client(); }

stack::EngineAvailable EngineWork::available() {
  const auto probe = [](docker::Client client) -> asio::awaitable<Result<docker::EngineInfo>> {
    co_return co_await client.negotiate();
  };
  return run_blocking(probe(client())) ? stack::EngineAvailable::yes : stack::EngineAvailable::no;
}

Result<int> EngineWork::run(const Work& work, const stack::Plan& plan, const supervisor::ApplyOptions& how) {
  log::set_level(log::Level::warn);  // what the engine's watcher says is for a supervisor's log
  follow(plan, how);
  std::optional<Result<int>> outcome;
  auto carry = [](EngineWork& self, const Work& job, std::optional<Result<int>>& into) -> asio::awaitable<void> {
    into = co_await self.carry_out(job);
  };
  spawn(io_.get_executor(), "work with the engine", carry(*this, work, outcome));
  io_.restart();
  io_.run();
  return std::move(*outcome);
}

asio::awaitable<Result<int>> EngineWork::carry_out(const Work& work) {
  engine_->start();
  co_await engine_->wait_probed(5s);
  Result<int> outcome = 1;
  if (const auto reachable = shared_->reachable(); !reachable) {
    outcome = tl::unexpected(reachable.error());
  } else {
    outcome = co_await work(*this);
  }
  co_await engine_->stop();
  co_return outcome;
}

asio::awaitable<Result<docker::Image>> EngineWork::image(stack::ServiceSpec service,
                                                         supervisor::ContainerShared::Note note) {
  co_return co_await shared_->ensure_image(std::move(service), std::move(note));
}

/// The containers whose namespaces the service joins.
asio::awaitable<Result<std::map<std::string, std::string>>> EngineWork::parents(stack::ServiceSpec service) {
  std::map<std::string, std::string> ids;
  for (const auto& parent : supervisor::namespace_parents(service)) {
    std::vector<std::string> labels{std::string(supervisor::label::project) + "=" + project(),
                                    std::string(supervisor::label::service) + "=" + parent};
    CO_TRY(const auto found, co_await client().list_containers(false, std::move(labels)));
    if (found.empty())
      co_return fail(Errc::conflict, "{} joins a namespace of {}, which does not run", service.name, parent);
    ids[parent] = found.front().id;
  }
  co_return ids;
}

asio::awaitable<Result<docker::ContainerSpec>> EngineWork::container(stack::PlannedUnit unit) {
  supervisor::ContainerDetails details;
  CO_TRY(const auto image, co_await shared_->ensure_image(unit.spec, [](const std::string&) {}));
  details.image_id = image.id;
  details.image_entrypoint = image.entrypoint;
  for (const auto& at : supervisor::attachments(unit.spec)) {
    CO_TRY([[maybe_unused]] const auto id, co_await shared_->ensure_network(at.network));
  }
  for (const auto& mount : unit.spec.volumes) {
    const bool named = mount.kind == stack::MountKind::volume && !mount.source.empty();
    if (named) CO_CHECK(co_await shared_->ensure_volume(mount.source));
  }
  CO_TRY(details.file_binds, co_await shared_->write_files(unit.spec));
  CO_TRY(details.ids, co_await parents(unit.spec));
  unit.spec.container_name.clear();
  co_return supervisor::container_spec(unit, shared_->context(), details);
}

}  // namespace devstack

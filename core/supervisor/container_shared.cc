#include "core/supervisor/container_shared.h"

namespace devstack::supervisor {
namespace {

constexpr int kCreations = 8;
constexpr int kStarts = 8;
constexpr int kRemovals = 8;
constexpr int kPulls = 4;

}  // namespace

ContainerShared::ContainerShared(const asio::any_io_executor& loop, docker::EngineWatcher& watcher,
                                 const SupervisorOptions& supervisor)
    : executor(loop),
      engine(watcher),
      options(supervisor),
      creating(loop, kCreations),
      starting(loop, kStarts),
      removing(loop, kRemovals),
      making_(loop, 1),
      pulling_(loop, kPulls) {}

void ContainerShared::follow(const stack::Plan& plan, const ApplyOptions& how) {
  project = plan.project;
  project_dir_ = plan.project_dir;
  files_ = plan.files;
  env_files_ = plan.env_files;
  networks_.clear();
  for (const auto& network : plan.networks) networks_[network.key] = network;
  volumes_.clear();
  for (const auto& volume : plan.volumes) volumes_[volume.key] = volume;
  configs_ = plan.configs;
  secrets_ = plan.secrets;
  containers_.clear();
  for (const auto& unit : plan.units) {
    if (unit.kind == stack::UnitKind::container) containers_[unit.service].push_back(container_name(unit, project));
  }
  build_wanted_ = how.build;
  pull_wanted_ = how.pull;
  refreshed_.clear();
  prepared.clear();
}

Turns& ContainerShared::preparing(const std::string& service) {
  auto& turns = preparing_[service];
  if (!turns) turns = std::make_unique<Turns>(executor, 1);
  return *turns;
}

ContainerContext ContainerShared::context() const {
  ContainerContext context{project, project_dir_, files_, env_files_, options.version};
  context.networks = networks_;
  context.volumes = volumes_;
  context.containers = containers_;
  if (options.container_dns) context.dns = options.container_dns();
  return context;
}

Result<void> ContainerShared::reachable() const {
  if (engine.state().up) return {};
  return fail(Errc::docker_unreachable, "engine not reachable: {}",
              engine.state().detail.empty() ? "no answer yet" : engine.state().detail);
}

asio::awaitable<Result<stack::Texts>> ContainerShared::write_files(stack::ServiceSpec service) {
  if (service.configs.empty() && service.secrets.empty()) co_return stack::Texts();
  auto folder = options.state_dir + "/files/" + project;
  auto write = [service = std::move(service), configs = configs_, secrets = secrets_, folder = std::move(folder)] {
    return write_grants(service, configs, secrets, folder);
  };
  co_return co_await disk_.run(std::move(write));
}

}  // namespace devstack::supervisor

#include "cmd/devstack/app.h"

#include "cmd/devstack/app_impl.h"
#include "cmd/devstack/hello_image.h"
#include "cmd/devstack/paths.h"
#include "core/base/log.h"
#include "core/net/port_holder.h"

namespace devstack {

using namespace std::chrono_literals;

asio::awaitable<Result<void>> App::Impl::open_registry() {
  auto wanted = registry_options(options.file, options.state_dir);
  wanted.notice = [this](std::string text) { notices.push_back(std::move(text)); };
  CO_TRY(registry, co_await registry::Registry::open(loop, std::move(wanted)));
  co_return Result<void>();
}

void App::Impl::make_projects() {
  const auto complete = [this](supervisor::SupervisorOptions& wanted) {
    wanted.container_dns = [this]() -> std::vector<std::string> {
      const auto bridge = bridge_address(options.file.bridge);
      if (!options.file.dns.enabled || ports.dns != 53 || !bridge) return {};
      return {bridge->to_string()};
    };
    wanted.listening_address = [this](std::uint16_t port) {
      auto found = net::listening_address(port);
      if (found == "0.0.0.0") found = registry->identity().address;
      return found;
    };
    wanted.before_start = [this](std::string container) { return parts->expect(std::move(container)); };
    wanted.provide_image = [this](std::string image) { return provide_hello_image(engine.client(), std::move(image)); };
  };
  projects = std::make_unique<AppProjects>(ProjectsInput{
      loop, options.file, options.state_dir, engine, *registry, complete,
      [this]() -> templates::TemplateSets& { return parts->templates(); }, [this] { return parts->dns(); }});
}

Result<void> App::Impl::make_parts(App& app) {
  PartsInput input{
      loop, options.file, options.state_dir, options.ui_dir, ports, engine, *registry, projects->all(), {}, {}, {}};
  input.down = [&app](supervisor::DownOptions wanted, std::string project) {
    return app.down(wanted, std::move(project));
  };
  input.plan = [&app](const std::string& request) -> asio::awaitable<Result<std::string>> { return app.plan(request); };
  input.apply = [&app](const std::string& request) -> asio::awaitable<Result<std::string>> {
    return app.apply(request);
  };
  TRY(parts, Parts::make(std::move(input)));
  parts->add_to(projects->all().components());
  return {};
}

asio::awaitable<Result<void>> App::Impl::bring_up(App& app) {
  CO_CHECK(co_await seed_keys(*registry, options.file.registry.kv));
  CO_CHECK(co_await projects->all().components().start_components());
  CO_TRY([[maybe_unused]] const auto own, co_await projects->apply(options.load, options.choice, options.file));
  co_await projects->take_back(options.file.project);
  follow_files(app);
  if (const auto watching = interfaces.start(); !watching) {
    log::warn("core", "docker0 is not followed: {}", watching.error().message);
  } else {
    tasks.spawn("follow interfaces", follow_interfaces());
  }
  co_return Result<void>();
}

/// docker0 may appear after us, or change its address: the listeners and the advertised address go with it.
asio::awaitable<void> App::Impl::follow_interfaces() {
  for (;;) {
    // The first look is for what changed while the components started.
    const auto seen = interfaces.changed().version();
    if (const auto moved = parts->follow_addresses(options.file, ports); !moved) {
      log::warn("core", "{}", moved.error().message);
    }
    const std::string address = advertised_address(options.file);
    if (address != registry->identity().address) {
      const auto told = co_await registry->advertise(address);
      if (!told) log::warn("core", "cannot advertise {}: {}", address, told.error().message);
    }
    const bool moved_on = co_await interfaces.changed().wait_past(seen, Instant::max());
    if (!moved_on) co_return;
  }
}

asio::awaitable<void> App::Impl::take_down_parts() {
  co_await tasks.stop();
  if (files) files->close();
  co_await interfaces.stop();
  if (parts) co_await parts->stop();
  if (projects) co_await projects->stop_logs();
  co_await engine.stop();
  if (registry) co_await registry->close();
}

App::App(asio::io_context& loop, AppOptions options) : impl_(std::make_unique<Impl>(loop, std::move(options))) {}
App::~App() = default;

asio::awaitable<Result<void>> App::start() {
  auto& app = *impl_;
  const auto& file = app.options.file;
  app.ports = choose_ports(file, app.notices);
  app.engine.start();
  co_await app.engine.wait_probed(3s);
  // Said before anything is touched: a stack that needs an engine, a cycle, an unknown service.
  auto scaled = file;
  const auto plan = chosen_plan({}, scaled, app.options.choice, app.engine_available());
  Result<void> outcome;
  if (!plan) {
    outcome = tl::unexpected(plan.error());
  } else {
    outcome = write_hello_program(StatePaths(app.options.state_dir).programs());
  }
  if (outcome) outcome = co_await app.open_registry();
  if (outcome) {
    app.make_projects();
    outcome = app.make_parts(*this);
  }
  if (outcome) outcome = app.parts->serve_control();
  if (outcome) outcome = co_await app.bring_up(*this);
  if (!outcome) {
    // Not down(): services that an earlier supervisor left running stay for the next start.
    if (app.projects) co_await app.projects->all().detach();
    co_await app.take_down_parts();
  }
  co_return outcome;
}

asio::awaitable<Result<void>> App::down(supervisor::DownOptions wanted, std::string project) {
  auto& app = *impl_;
  if (!project.empty() && app.projects->leaves_others(project)) {
    auto outcome = co_await app.projects->down(std::move(project), wanted);
    co_return outcome;
  }
  co_await app.tasks.stop();
  const auto outcome = co_await app.projects->down_all(wanted);
  // The client that asked still waits for its answer on the control socket: that goes last, and not from here.
  auto finish = [](Impl& impl) -> asio::awaitable<void> {
    co_await impl.take_down_parts();
    impl.finished.bump();
  };
  spawn(app.loop, "finish", finish(app));
  co_return outcome;
}

supervisor::Status App::status() const {
  return supervisor::of_project(impl_->projects->all().status(), impl_->options.file.project);
}
Signal& App::changed() { return impl_->projects->all().changed(); }
const stack::StackFile& App::file() const { return impl_->options.file; }
Signal& App::finished() { return impl_->finished; }
const std::vector<std::string>& App::notices() const { return impl_->notices; }

}  // namespace devstack

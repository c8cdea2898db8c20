// A container that is not as planned, and the one that takes its place.
#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <set>

#include "core/base/log.h"
#include "core/docker/exec_session.h"
#include "core/stack/images.h"
#include "core/supervisor/container_unit.h"
#include "core/supervisor/hook_options.h"

namespace devstack::supervisor {
namespace {

using docker::find_label;

constexpr std::size_t hook_output_most = 4096;
constexpr auto hook_limit = std::chrono::minutes(5);

/// The engine names a volume that nobody named by 64 hex digits.
bool anonymous(const docker::MountPoint& mount) {
  return mount.type == "volume" && mount.name.size() == 64 &&
         mount.name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// "container:<id>" of the one whose namespace it joins, where it is not the one that is there now.
bool joins_another(const std::string& mode, const std::string& planned, const std::map<std::string, std::string>& ids) {
  constexpr std::string_view by_service = "service:";
  if (!planned.starts_with(by_service)) return false;
  const auto parent = ids.find(planned.substr(by_service.size()));
  return parent != ids.end() && mode != "container:" + parent->second;
}

}  // namespace

asio::awaitable<Result<std::map<std::string, std::string>>> ContainerUnit::parent_ids() {
  std::map<std::string, std::string> ids;
  const auto context = shared_.context();
  const auto parents = namespace_parents(unit_.spec);
  for (const auto& service : parents) {
    const auto names = context.containers.find(service);
    if (names == context.containers.end() || names->second.empty()) continue;
    auto found = co_await shared_.engine.client().inspect_container(names->second.front());
    if (found) ids[service] = found->id;
    if (!found && found.error().code != Errc::not_found) co_return tl::unexpected<Error>(found.error());
  }
  co_return ids;
}

asio::awaitable<Result<std::string>> ContainerUnit::network_difference(docker::Container container) {
  const auto context = shared_.context();
  const auto wanted = attachments(unit_.spec);
  for (const auto& at : wanted) {
    const auto network = context.network(at.network);
    const auto on = container.networks.find(network.name);
    if (on == container.networks.end()) co_return "it is not on the network " + network.name;
    auto there = co_await shared_.engine.client().inspect_network(network.name);
    if (!there && there.error().code != Errc::not_found) co_return tl::unexpected<Error>(there.error());
    const bool same = there && (on->second.network_id.empty() || on->second.network_id == there->id);
    if (!same) co_return "the network " + network.name + " is another now";
  }
  CO_TRY(const auto ids, co_await parent_ids());
  const auto& isolation = unit_.spec.isolation;
  const bool moved = joins_another(container.network_mode, unit_.spec.network_mode, ids) ||
                     joins_another(container.pid_mode, isolation.pid, ids) ||
                     joins_another(container.ipc_mode, isolation.ipc, ids);
  co_return moved ? std::string("the container whose namespace it joins is another now") : std::string();
}

/// "" when the container is as planned.
asio::awaitable<Result<std::string>> ContainerUnit::difference(docker::Container container) {
  if (find_label(container.labels, label::config_hash) != unit_.config_hash)
    co_return std::string("its configuration changed");
  const auto name = stack::image_name(unit_.spec, shared_.project);
  auto image = co_await shared_.engine.client().inspect_image(name);
  if (!image && image.error().code != Errc::not_found) co_return tl::unexpected<Error>(image.error());
  if (image && !container.image_id.empty() && image->id != container.image_id) {
    co_return std::string("its image is another now");
  }
  const auto context = shared_.context();
  for (const auto& mount : unit_.spec.volumes) {
    if (mount.kind != stack::MountKind::volume || mount.source.empty()) continue;
    const auto volume = context.volume(mount.source).name;
    const bool there = std::any_of(container.mounts.begin(), container.mounts.end(), [&](const auto& mounted) {
      return mounted.target == mount.target && mounted.name == volume;
    });
    if (!there) co_return "it does not have the volume " + volume;
  }
  co_return co_await network_difference(std::move(container));
}

asio::awaitable<std::string> ContainerUnit::outdated() {
  take_plan();
  if (!shared_.engine.state().up) co_return std::string();
  if (shared_.wants_refresh(unit_.spec)) {
    const auto refreshed =
        co_await shared_.ensure_image(unit_.spec, [this](std::string note) { say(std::move(note)); });
    if (!refreshed) log::warn("supervisor", "{}: {}", unit_.name, refreshed.error().message);
  }
  auto found = co_await find();
  if (!found || !*found || !ours(**found)) co_return std::string();
  const auto different = co_await difference(std::move(**found));
  co_return different.value_or(std::string());
}

/// Containers of the unit under other names than its own: of the time before its container_name changed, or a new one
/// that an earlier supervisor died over before it took its place. The first is what `old` stands for where there is
/// none, for the sake of its volumes; the others go.
asio::awaitable<Result<ContainerUnit::Found>> ContainerUnit::find_predecessor(Found old) {
  std::vector<std::string> labels{std::string(label::project) + "=" + shared_.project,
                                  std::string(label::unit) + "=" + unit_.name, std::string(label::one_off) + "=False"};
  auto listed = co_await shared_.engine.client().list_containers(true, std::move(labels));
  if (!listed) co_return tl::unexpected<Error>(listed.error());
  for (const auto& row : *listed) {
    if (row.names.empty() || row.names.front() == name_ || (old && row.id == old->id)) continue;
    if (!old) {
      auto found = co_await shared_.engine.client().inspect_container(row.id);
      if (found) old = std::move(*found);
    } else {
      CO_CHECK(co_await shared_.engine.client().remove_container(row.id, true, false));
    }
  }
  co_return old;
}

asio::awaitable<Result<docker::ContainerSpec>> ContainerUnit::prepare(Found old) {
  ContainerDetails details;
  enter(StartPhase::image, stack::image_name(unit_.spec, shared_.project));
  CO_TRY(const auto image,
         co_await shared_.ensure_image(unit_.spec, [this](std::string note) { say(std::move(note)); }));
  enter(StartPhase::create);
  details.image_id = image.id;
  details.image_entrypoint = image.entrypoint;
  const auto networks = attachments(unit_.spec);
  for (const auto& at : networks) {
    CO_TRY([[maybe_unused]] const auto id, co_await shared_.ensure_network(at.network));
  }
  std::set<std::string> named;
  for (const auto& mount : unit_.spec.volumes) {
    if (mount.kind != stack::MountKind::volume || mount.source.empty()) continue;
    named.insert(mount.target);
    CO_CHECK(co_await shared_.ensure_volume(mount.source));
  }
  CO_TRY(details.file_binds, co_await shared_.write_files(unit_.spec));
  CO_TRY(details.ids, co_await parent_ids());
  if (old && !options_.renew_volumes) {
    for (const auto& mount : old->mounts) {
      if (anonymous(mount) && !named.contains(mount.target)) details.kept_volumes[mount.target] = mount.name;
    }
  }
  co_return container_spec(unit_, shared_.context(), details);
}

/// Makes the container; `old` goes once the new one is there.
asio::awaitable<Result<void>> ContainerUnit::make(Found old) {
  CO_TRY(old, co_await find_predecessor(std::move(old)));
  CO_TRY(auto spec, co_await prepare(old));
  const auto turn = co_await shared_.creating.take();
  // Not to be cancelled: the engine would go on, and nobody would know what it made.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto done = co_await take_place(std::move(old), std::move(spec));
  co_await asio::this_coro::reset_cancellation_state();
  co_return done;
}

asio::awaitable<Result<void>> ContainerUnit::take_place(Found old, docker::ContainerSpec spec) {
  auto& client = shared_.engine.client();
  if (old) spec.name = old->id.substr(0, 12) + "_" + name_;
  CO_TRY(auto fresh, co_await client.create_container(std::move(spec)));
  id_ = fresh;
  if (!old) co_return Result<void>();
  const auto grace = std::chrono::duration_cast<std::chrono::seconds>(unit_.spec.stop_grace_period);
  co_await run_pre_stop(*old);
  CO_CHECK(co_await client.stop_container(old->id, grace));
  if (shared_.options.before_remove) co_await shared_.options.before_remove(unit_.name, old->id);
  CO_CHECK(co_await client.remove_container(old->id, true, options_.renew_volumes));
  co_return co_await client.rename_container(std::move(fresh), name_);
}

asio::awaitable<Result<void>> ContainerUnit::run_hooks(std::vector<stack::Hook> hooks, std::string which,
                                                       std::string id) {
  for (const auto& hook : hooks) {
    auto options = exec_options(hook);
    CO_TRY(const auto result,
           co_await shared_.engine.client().exec(id, std::move(options), hook_output_most, hook_limit));
    if (result.exit_code == 0) continue;
    auto output = result.output;
    while (!output.empty() && output.back() == '\n') output.pop_back();
    co_return fail(Errc::failed, "{} \"{}\" exited with code {}{}{}", which,
                   hook.command.empty() ? std::string() : hook.command.front(), result.exit_code,
                   output.empty() ? "" : ": ", output);
  }
  co_return Result<void>();
}

/// What the service wants done before it is stopped; that it fails is no reason to let it run.
asio::awaitable<void> ContainerUnit::run_pre_stop(docker::Container container) {
  if (!container.running || unit_.spec.pre_stop.empty()) co_return;
  if (container.status == "paused") {  // the engine runs no command in what is held
    const auto resumed = co_await shared_.engine.client().unpause_container(container.id);
    if (!resumed) log::warn("supervisor", "{}: {}", unit_.name, resumed.error().message);
  }
  const auto hooked = co_await run_hooks(unit_.spec.pre_stop, "pre_stop", container.id);
  if (!hooked) log::warn("supervisor", "{}: {}", unit_.name, hooked.error().message);
}

asio::awaitable<Result<void>> ContainerUnit::remove_container(bool volumes) {
  CO_CHECK(shared_.reachable());
  auto found = co_await find();
  if (!found) co_return tl::unexpected<Error>(found.error());
  if (!*found || !ours(**found)) co_return Result<void>();
  const auto turn = co_await shared_.removing.take();
  auto& client = shared_.engine.client();
  if (shared_.options.before_remove) co_await shared_.options.before_remove(unit_.name, (*found)->id);
  CO_CHECK(co_await client.remove_container((*found)->id, true, volumes));
  if (!volumes) co_return Result<void>();
  // One that was carried over from a replaced container counts as named for the engine.
  for (const auto& mount : (*found)->mounts) {
    if (!anonymous(mount)) continue;
    const auto removed = co_await client.remove_volume(mount.name);
    if (!removed) log::debug("supervisor", "{}: {}", unit_.name, removed.error().message);
  }
  co_return Result<void>();
}

}  // namespace devstack::supervisor

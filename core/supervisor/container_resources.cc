// Networks and volumes of a project, made and removed.
#include <algorithm>

#include "core/base/append.h"
#include "core/base/log.h"
#include "core/supervisor/container_shared.h"

namespace devstack::supervisor {
namespace {

using docker::find_label;

/// Made by us, and otherwise than we would make it now.
bool changed_since(const docker::StringMap& there, const docker::StringMap& wanted) {
  const auto made = find_label(there, label::config_hash);
  return !made.empty() && made != find_label(wanted, label::config_hash);
}

}  // namespace

asio::awaitable<Result<std::string>> ContainerShared::ensure_network(std::string key) {
  const auto turn = co_await making_.take();
  const auto wanted = context().network(key);
  auto found = co_await engine.client().inspect_network(wanted.name);
  if (found) co_return found->id;
  if (found.error().code != Errc::not_found) co_return tl::unexpected<Error>(found.error());
  if (wanted.external) {
    co_return fail(Errc::not_found,
                   "networks.{0}: the external network {1} is not there: make it (docker network create {1}), or take "
                   "`external` away",
                   key, wanted.name);
  }
  auto spec = network_spec(wanted, context());
  auto made = co_await engine.client().create_network(std::move(spec));
  if (made) co_return *made;
  if (made.error().code != Errc::conflict)
    co_return tl::unexpected(std::move(made).error().with_context("networks." + key));
  auto others = co_await engine.client().inspect_network(wanted.name);
  if (!others) co_return tl::unexpected<Error>(others.error());
  co_return others->id;
}

asio::awaitable<Result<void>> ContainerShared::ensure_volume(std::string key) {
  const auto turn = co_await making_.take();
  const auto wanted = context().volume(key);
  auto spec = volume_spec(wanted, context());
  auto found = co_await engine.client().inspect_volume(wanted.name);
  if (found) {
    if (!wanted.external && changed_since(found->labels, spec.labels)) {
      log::warn("supervisor", "the volume {} was made with other settings and stays as it is; `down -v` removes it",
                wanted.name);
    }
    co_return Result<void>();
  }
  if (found.error().code != Errc::not_found) co_return tl::unexpected<Error>(found.error());
  if (wanted.external) {
    co_return fail(Errc::not_found,
                   "volumes.{0}: the external volume {1} is not there: make it (docker volume create {1}), or take "
                   "`external` away",
                   key, wanted.name);
  }
  auto made = co_await engine.client().create_volume(std::move(spec));
  if (!made) co_return tl::unexpected(std::move(made).error().with_context("volumes." + key));
  co_return Result<void>();
}

asio::awaitable<Result<void>> ContainerShared::drop_changed_networks() {
  const auto turn = co_await making_.take();
  const auto defined = networks_;
  for (const auto& [key, wanted] : defined) {
    if (wanted.external) continue;
    auto found = co_await engine.client().inspect_network(wanted.name);
    if (!found) continue;
    const auto spec = network_spec(wanted, context());
    if (find_label(found->labels, label::project) != project || !changed_since(found->labels, spec.labels)) continue;
    log::info("supervisor", "the network {} has another definition now: making it anew", wanted.name);
    for (const auto& container : found->containers) {
      const auto gone = co_await engine.client().disconnect_network(found->id, container, true);
      if (!gone)
        log::warn("supervisor", "{} stays on {}: {}", container.substr(0, 12), wanted.name, gone.error().message);
    }
    CO_CHECK(co_await engine.client().remove_network(found->id));
  }
  co_return Result<void>();
}

asio::awaitable<Result<void>> ContainerShared::remove_networks() {
  if (project.empty() || !engine.state().up) co_return Result<void>();
  std::vector<std::string> labels{std::string(label::compose_project) + "=" + project};
  CO_TRY(const auto found, co_await engine.client().list_networks(std::move(labels)));
  std::string left;
  for (const auto& network : found) {
    const auto removed = co_await engine.client().remove_network(network.id);
    if (removed || removed.error().code == Errc::not_found) continue;
    if (find_label(network.labels, label::project) != project) continue;
    const auto used = co_await engine.client().inspect_network(network.id);
    if (used && !used->containers.empty()) {
      log::warn("supervisor", "{}", removed.error().message);
      continue;
    }
    append_part(left, fmt::format("the network {} was not removed: {}", network.name, removed.error().message), "; ");
  }
  if (!left.empty()) co_return fail(Errc::failed, "{}", left);
  co_return Result<void>();
}

asio::awaitable<Result<void>> ContainerShared::remove_volumes() {
  if (project.empty() || !engine.state().up) co_return Result<void>();
  std::vector<std::string> labels{std::string(label::compose_project) + "=" + project};
  CO_TRY(const auto found, co_await engine.client().list_volumes(std::move(labels)));
  std::string left;
  for (const auto& volume : found) {
    const auto removed = co_await engine.client().remove_volume(volume.name);
    if (removed) continue;
    if (removed.error().code == Errc::conflict) {
      log::warn("supervisor", "{}", removed.error().message);
      continue;
    }
    append_part(left, fmt::format("the volume {} was not removed: {}", volume.name, removed.error().message), "; ");
  }
  if (!left.empty()) co_return fail(Errc::failed, "{}", left);
  co_return Result<void>();
}

}  // namespace devstack::supervisor

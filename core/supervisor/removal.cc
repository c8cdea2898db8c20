// What goes away: units at the end of a stack, and what no plan names.
#include <algorithm>
#include <set>

#include "core/base/append.h"
#include "core/base/log.h"
#include "core/stack/images.h"
#include "core/supervisor/supervisor_impl.h"

namespace devstack::supervisor {
namespace {

using docker::find_label;
using namespace std::chrono_literals;
constexpr auto default_grace = 10s;  ///< the engine's own, and Compose's

std::string shown(const docker::ContainerSummary& row) {
  return row.names.empty() ? row.id.substr(0, 12) : row.names.front();
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

asio::awaitable<void> remove_one(std::shared_ptr<Unit> unit, bool volumes, std::string& complaint) {
  auto* container = dynamic_cast<ContainerUnit*>(&unit->backend());
  Result<void> removed;
  if (container != nullptr && volumes) {
    removed = co_await container->remove_all();
  } else {
    removed = co_await unit->remove();
  }
  if (!removed) complaint = fmt::format("{} was not removed: {}", unit->name(), removed.error().message);
}

/// What the container was made with: no unit knows it, and so no stack file. A wait without an end is none of ours.
asio::awaitable<std::chrono::seconds> own_grace(docker::Client& client, std::string id) {
  const auto found = co_await client.inspect_container(std::move(id));
  const auto own = found ? found->stop_timeout : std::nullopt;
  co_return own&&* own >= 0s ? *own : default_grace;
}

asio::awaitable<void> remove_stray(ContainerShared& containers, docker::ContainerSummary row, Grace asked, bool volumes,
                                   std::string& complaint) {
  const auto turn = co_await containers.removing.take();
  auto& client = containers.engine.client();
  const auto name = shown(row);
  log::info("supervisor", "removing container {}", name);
  const auto own = co_await own_grace(client, row.id);
  co_await client.stop_container(row.id, asked.value_or(own));
  const auto unit = find_label(row.labels, label::unit);
  if (containers.options.before_remove && !unit.empty()) co_await containers.options.before_remove(unit, row.id);
  const auto removed = co_await client.remove_container(row.id, true, volumes);
  if (!removed) complaint = fmt::format("container {} was not removed: {}", name, removed.error().message);
}

bool goes(const docker::ContainerSummary& one_off, OneOff which) {
  const bool ended = one_off.state == "exited" || one_off.state == "dead";
  return which == OneOff::all || (which == OneOff::ended && ended);
}

}  // namespace

/// All at once; what could not be removed, in words.
asio::awaitable<std::string> Supervisor::Impl::remove_units(Units leaving, bool volumes) {
  std::vector<std::string> complaints(leaving.size());
  std::vector<asio::awaitable<void>> removals;
  for (std::size_t at = 0; at < leaving.size(); ++at) {
    removals.push_back(remove_one(leaving[at], volumes, complaints[at]));
  }
  co_await run_all(loop, "supervisor: remove units", std::move(removals));
  std::string left;
  for (const auto& complaint : complaints) append_part(left, complaint, "; ");
  co_return left;
}

asio::awaitable<void> Supervisor::Impl::stop_stray_processes(std::vector<std::string> known) {
  const auto all = records.all();
  std::vector<asio::awaitable<void>> stops;
  for (const auto& [name, record] : all) {
    if (contains(known, name)) continue;
    if (process::alive(record.identity)) {
      log::info("supervisor", "{}: stopping pid {} of an earlier run", name, record.identity.pid);
    }
    stops.push_back(stop_stray(loop, record, default_grace));
  }
  co_await run_all(loop, "supervisor: stop strays", std::move(stops));
  for (const auto& [name, record] : all) {
    if (!contains(known, name)) (void)records.erase(name);
  }
}

asio::awaitable<Result<void>> Supervisor::Impl::remove_strays(Strays which) {
  if (!engine.state().up || containers.project.empty()) co_return Result<void>();
  std::vector<std::string> labels{std::string(label::compose_project) + "=" + containers.project};
  CO_TRY(const auto found, co_await engine.client().list_containers(true, std::move(labels)));
  std::vector<docker::ContainerSummary> leaving;
  std::string foreign;
  for (const auto& row : found) {
    const bool ours = find_label(row.labels, label::project) == containers.project;
    const bool step = !find_label(row.labels, label::hook).empty();
    if (find_label(row.labels, label::one_off) == "True" && !step) {
      if (goes(row, which.one_off)) leaving.push_back(row);
    } else if (ours) {
      if (which.ours && !contains(which.known, find_label(row.labels, label::unit))) leaving.push_back(row);
    } else if (which.foreign) {
      if (!contains(which.services, find_label(row.labels, label::compose_service))) leaving.push_back(row);
    } else if (!contains(which.services, find_label(row.labels, label::compose_service))) {
      append_part(foreign, shown(row), "; ");
    }
  }
  if (!foreign.empty()) {
    log::warn("supervisor", "containers of the project {} that another program made stay: {} (--remove-orphans)",
              containers.project, foreign);
  }
  std::vector<std::string> complaints(leaving.size());
  std::vector<asio::awaitable<void>> removals;
  for (std::size_t at = 0; at < leaving.size(); ++at) {
    removals.push_back(remove_stray(containers, leaving[at], which.grace, which.volumes, complaints[at]));
  }
  co_await run_all(loop, "supervisor: remove strays", std::move(removals));
  std::string left;
  for (const auto& complaint : complaints) append_part(left, complaint, "; ");
  if (!left.empty()) co_return fail(Errc::failed, "{}", left);
  co_return Result<void>();
}

stack::Texts images_of(const stack::Plan& plan, RemoveImages which) {
  std::set<std::string> images;
  for (const auto& unit : plan.units) {
    if (unit.kind != stack::UnitKind::container || which == RemoveImages::none) continue;
    for (const auto& spec : stack::by_image(unit.spec)) {
      const bool local = spec.build && spec.image.empty();
      if (local || which == RemoveImages::all) images.insert(stack::image_name(spec, plan.project));
    }
  }
  return {images.begin(), images.end()};
}

asio::awaitable<std::string> Supervisor::Impl::remove_images(DownOptions asked) {
  auto images = images_of(plan, asked.images);
  images.insert(images.end(), asked.more_images.begin(), asked.more_images.end());
  std::string left;
  for (const auto& image : images) {
    const auto removed = co_await engine.client().remove_image(image);
    if (!removed && removed.error().code != Errc::not_found)
      append_part(left, fmt::format("the image {} was not removed: {}", image, removed.error().message), "; ");
  }
  co_return left;
}

asio::awaitable<Result<void>> Supervisor::Impl::take_down(DownOptions asked) {
  std::string left;
  co_await stop_in_order(units, asked.grace);
  for (const auto& unit : units) append_part(left, unit->halt_error(), "; ");
  auto all = units;
  const auto unremoved = co_await remove_units(std::move(all), asked.volumes);
  append_part(left, unremoved, "; ");
  co_await release();
  co_await stop_stray_processes({});
  Strays strays;
  strays.foreign = asked.orphans;
  if (asked.orphans) strays.one_off = OneOff::all;
  strays.volumes = asked.volumes;
  strays.grace = asked.grace;
  const auto orphans = co_await remove_strays(std::move(strays));
  if (!orphans) append_part(left, orphans.error().message, "; ");
  const auto networks = co_await containers.remove_networks();
  if (!networks) append_part(left, networks.error().message, "; ");
  if (asked.volumes) {
    const auto volumes = co_await containers.remove_volumes();
    if (!volumes) append_part(left, volumes.error().message, "; ");
  }
  if (asked.images != RemoveImages::none && engine.state().up) {
    const auto images = co_await remove_images(asked);
    append_part(left, images, "; ");
  }
  co_await stop_components();
  if (!left.empty()) co_return fail(Errc::failed, "{}", left);
  co_return Result<void>();
}

}  // namespace devstack::supervisor

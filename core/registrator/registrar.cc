#include "core/registrator/registrar.h"

#include <algorithm>
#include <utility>

#include "core/base/log.h"
#include "core/registrator/check_definition.h"
#include "core/registrator/checks.h"
#include "core/registry/agent.h"

namespace devstack::registrator {
namespace {

bool is_probed(const registry::Check& check) { return check.definition.kind != registry::CheckDefinition::Kind::none; }

}  // namespace

asio::awaitable<Result<void>> Registrar::converge(std::string container, std::vector<Registration> wanted,
                                                  TakeOver take_over) {
  std::set<std::string> ids;
  for (const auto& registration : wanted) ids.insert(registration.service.id);
  const auto before = std::exchange(claims_[container], ids);
  if (ids.empty()) claims_.erase(container);

  // Every step is tried even when one fails: one refused service must not keep another one stale.
  Result<void> outcome;
  for (auto& registration : wanted) {
    const auto owner = owners_.find(registration.service.id);
    const bool ours = owner == owners_.end() || owner->second == container || take_over == TakeOver::yes;
    if (!ours) continue;
    owners_[registration.service.id] = container;
    if (take_over == TakeOver::no && was_given_up(registration)) continue;
    if (auto written = co_await write(std::move(registration)); !written) outcome = std::move(written);
  }
  for (const auto& id : before) {
    if (ids.contains(id)) continue;
    if (auto released = co_await release(id, container); !released) outcome = std::move(released);
  }
  co_return outcome;
}

bool Registrar::was_given_up(const Registration& wanted) const {
  const auto written = written_.find(wanted.service.id);
  if (written == written_.end()) return false;
  const auto state = view_.snapshot();
  if (state->service(writer_.identity().node, wanted.service.id) != nullptr) return false;
  if (state->restored_at() > written->second) return false;
  return std::any_of(wanted.checks.begin(), wanted.checks.end(),
                     [](const auto& check) { return check.definition.deregister_critical_after.count() > 0; });
}

asio::awaitable<Result<void>> Registrar::write(Registration wanted) {
  const auto state = view_.snapshot();
  const auto node = writer_.identity().node;
  wanted.service.node = node;
  registry::add_ip_tagged_addresses(wanted.service);
  const auto present = state->service(node, wanted.service.id);
  const bool service_differs = present == nullptr || !same(wanted.service, *present);
  auto change = registry::on_own_node(writer_.identity());
  change.keep_check_status = false;
  for (auto& check : wanted.checks) {
    check.node = node;
    const auto present_check = state->check(node, check.id);
    if (present_check != nullptr && !differs(check, *present_check)) continue;
    // As an agent that is told of a check again: the new definition starts from the old result.
    if (present_check != nullptr && is_probed(*present_check) && is_probed(check)) {
      check.status = present_check->status;
      check.output = present_check->output;
    }
    change.checks.push_back(check);
  }
  if (service_differs) {
    log::info("registrator", "{} is {} at {}:{}", wanted.service.id, wanted.service.name,
              wanted.service.address.empty() ? "the node's address" : wanted.service.address, wanted.service.port);
    change.service = wanted.service;
  }
  // Before the write: what the present service says tells whose its checks are.
  auto swept = co_await remove_stale_checks(wanted, present);
  CO_CHECK(std::move(swept));
  if (change.service || !change.checks.empty()) {
    auto written = co_await writer_.apply(registry::Command(std::move(change)));
    if (!written) co_return tl::unexpected(std::move(written).error().with_context(wanted.service.id));
  }
  written_[wanted.service.id] = view_.snapshot()->index();
  co_return Result<void>();
}

asio::awaitable<Result<void>> Registrar::remove_stale_checks(Registration wanted, registry::ServicePtr present) {
  const auto state = view_.snapshot();
  for (const auto& id : check_ids(wanted.service.id)) {
    const auto has_id = [&](const registry::Check& check) { return check.id == id; };
    if (std::any_of(wanted.checks.begin(), wanted.checks.end(), has_id)) continue;
    const auto check = state->check(writer_.identity().node, id);
    if (check == nullptr) continue;
    const bool ours = check->name == docker_check_name || (present != nullptr && defines_check(present->meta));
    if (!ours) continue;
    auto removed = co_await deregister({}, id);
    CO_CHECK(std::move(removed));
  }
  co_return Result<void>();
}

asio::awaitable<Result<void>> Registrar::release(std::string service_id, std::string container) {
  const auto owner = owners_.find(service_id);
  if (owner == owners_.end() || owner->second != container) co_return Result<void>();
  owners_.erase(owner);
  written_.erase(service_id);
  for (const auto& [other, ids] : claims_) {
    if (!ids.contains(service_id)) continue;
    if (contested) contested(other);
    co_return Result<void>();
  }
  auto removed = co_await deregister(service_id, {});
  // Still ours to take out: the next attempt, or the sweep, sees it again.
  if (removed) log::info("registrator", "{} is gone", service_id);
  co_return removed;
}

asio::awaitable<Result<void>> Registrar::sweep(std::string hostname, bool adopt_by_id) {
  Result<void> outcome;
  const auto state = view_.snapshot();
  for (const auto& service : state->services_of(writer_.identity().node)) {
    const bool ours = service->source == source_name ||
                      (adopt_by_id && service->source.empty() && is_registrator_id(service->id, hostname));
    if (!ours || owners_.contains(service->id)) continue;
    log::info("registrator", "{} has no container any more", service->id);
    if (auto removed = co_await deregister(service->id, {}); !removed) outcome = std::move(removed);
  }
  co_return outcome;
}

asio::awaitable<Result<void>> Registrar::deregister(std::string service_id, std::string check_id) {
  registry::DeregisterCommand change;
  change.node = writer_.identity().node;
  change.service_id = std::move(service_id);
  change.check_id = std::move(check_id);
  auto removed = co_await writer_.apply(registry::Command(std::move(change)));
  if (!removed) co_return tl::unexpected(std::move(removed).error());
  co_return Result<void>();
}

bool Registrar::same(const registry::Service& wanted, const registry::Service& present) const {
  // A real Consul adds tagged addresses of its own.
  const auto present_has = [&](const auto& tagged) {
    const auto found = present.tagged_addresses.find(tagged.first);
    return found != present.tagged_addresses.end() && found->second == tagged.second;
  };
  return wanted.name == present.name && wanted.tags == present.tags && wanted.address == present.address &&
         wanted.port == present.port && wanted.meta == present.meta &&
         (!compare_source_ || wanted.source == present.source) &&
         std::all_of(wanted.tagged_addresses.begin(), wanted.tagged_addresses.end(), present_has);
}

std::vector<std::string> Registrar::containers() const {
  std::vector<std::string> names;
  names.reserve(claims_.size());
  for (const auto& [container, ids] : claims_) names.push_back(container);
  return names;
}

}  // namespace devstack::registrator

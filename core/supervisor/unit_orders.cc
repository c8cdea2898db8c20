// What a user may ask of single units, by name.
#include <algorithm>

#include "core/base/append.h"
#include "core/supervisor/supervisor_impl.h"

namespace devstack::supervisor {
namespace {

using namespace std::chrono_literals;

std::string names_of(const std::vector<std::shared_ptr<Unit>>& units) {
  std::string out;
  for (const auto& unit : units) out += (out.empty() ? "" : ", ") + unit->name();
  return out;
}

/// What stopping them left behind.
Result<void> halted(const std::vector<std::shared_ptr<Unit>>& units) {
  std::string left;
  for (const auto& unit : units) {
    append_part(left, unit->halt_error(), "; ");
  }
  if (!left.empty()) return fail(Errc::failed, "{}", left);
  return {};
}

/// Those of `all`, which is in the order of dependencies, that asked to be restarted with one of `chosen`.
void add_dependents(const std::vector<std::shared_ptr<Unit>>& all, std::vector<std::shared_ptr<Unit>>& chosen) {
  for (const auto& unit : all) {
    if (!unit->machine().up() || std::find(chosen.begin(), chosen.end(), unit) != chosen.end()) continue;
    if (unit->restarts_with(chosen)) chosen.push_back(unit);
  }
}

}  // namespace

asio::awaitable<Result<void>> Supervisor::stop_unit(std::string name, Grace grace) {
  const auto impl = impl_;
  CO_TRY(auto found, impl->named(name));
  co_await impl->stop_in_order(found, grace);
  co_return halted(found);
}

asio::awaitable<Result<void>> Supervisor::restart_unit(std::string name, Grace grace, Restart which) {
  const auto impl = impl_;
  if (impl->stopping) co_return fail(Errc::conflict, "the stack is being stopped");
  CO_TRY(auto found, impl->named(name));
  if (which == Restart::with_dependents) add_dependents(impl->units, found);
  co_await impl->stop_in_order(found, grace);
  CO_CHECK(halted(found));
  for (const auto& unit : found) unit->request_start();
  co_return Result<void>();
}

asio::awaitable<Result<void>> Supervisor::pause_unit(std::string name) {
  const auto impl = impl_;
  CO_TRY(const auto found, impl->named(name));
  Impl::Units running;
  for (const auto& unit : found) {
    if (unit->machine().up() && unit->machine().state() != UnitState::paused) running.push_back(unit);
  }
  if (running.empty()) co_return fail(Errc::conflict, "nothing of {} runs that could be paused", names_of(found));
  for (const auto& unit : running) CO_CHECK(co_await unit->pause());
  co_return Result<void>();
}

asio::awaitable<Result<void>> Supervisor::resume_unit(std::string name) {
  const auto impl = impl_;
  CO_TRY(const auto found, impl->named(name));
  Impl::Units held;
  for (const auto& unit : found) {
    if (unit->machine().state() == UnitState::paused) held.push_back(unit);
  }
  if (held.empty()) co_return fail(Errc::conflict, "{} is not paused", names_of(found));
  for (const auto& unit : held) CO_CHECK(co_await unit->resume());
  co_return Result<void>();
}

asio::awaitable<Result<void>> Supervisor::signal_unit(std::string name, std::string signal) {
  const auto impl = impl_;
  CO_TRY(const int number, process::parse_signal(signal));
  CO_TRY(const auto found, impl->named(name));
  Impl::Units up;
  for (const auto& unit : found) {
    if (unit->machine().up()) up.push_back(unit);
  }
  if (up.empty()) co_return fail(Errc::conflict, "{} does not run", names_of(found));
  if (number == SIGKILL) {
    // Nothing survives it, and a restart by policy is not what somebody wants who kills.
    for (const auto& unit : up) unit->request_kill();
    co_await impl->stop_in_order(up, 0s);
    co_return Result<void>();
  }
  for (const auto& unit : up) CO_CHECK(co_await unit->backend().signal(number));
  co_return Result<void>();
}

asio::awaitable<Result<void>> Supervisor::remove_unit(std::string name, bool volumes) {
  const auto impl = impl_;
  CO_TRY(auto found, impl->named(name));
  for (const auto& unit : found) {
    if (unit->machine().up()) {
      co_return fail(Errc::conflict, "{} runs: stop it first (devstack stop, or rm -s)", unit->name());
    }
  }
  co_await impl->stop_in_order(found, std::nullopt);
  const auto left = co_await impl->remove_units(std::move(found), volumes);
  if (!left.empty()) co_return fail(Errc::failed, "{}", left);
  impl->note_change();
  co_return Result<void>();
}

}  // namespace devstack::supervisor

// What a user may ask of single units, by name.
#include "core/supervisor/supervisor_impl.h"

namespace devstack::supervisor {
namespace {

using namespace std::chrono_literals;

std::string names_of(const std::vector<std::shared_ptr<Unit>>& units) {
  std::string out;
  for (const auto& unit : units) out += (out.empty() ? "" : ", ") + unit->name();
  return out;
}

}  // namespace

asio::awaitable<Result<void>> Supervisor::stop_unit(std::string name, Grace grace) {
  const auto impl = impl_;
  CO_TRY(auto found, impl->named(name));
  co_await impl->stop_in_order(found, grace);
  std::string left;
  for (const auto& unit : found) {
    if (!unit->halt_error().empty()) left += (left.empty() ? "" : "; ") + unit->halt_error();
  }
  if (!left.empty()) co_return fail(Errc::failed, "{}", left);
  co_return Result<void>();
}

asio::awaitable<Result<void>> Supervisor::restart_unit(std::string name, Grace grace) {
  const auto impl = impl_;
  std::string same = name;
  CO_CHECK(co_await stop_unit(std::move(name), grace));
  co_return co_await start_unit(std::move(same));
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
    co_await impl->stop_in_order(up, 0s);
    co_return Result<void>();
  }
  for (const auto& unit : up) CO_CHECK(co_await unit->backend().signal(number));
  co_return Result<void>();
}

asio::awaitable<Result<void>> Supervisor::remove_unit(std::string name) {
  const auto impl = impl_;
  CO_TRY(auto found, impl->named(name));
  for (const auto& unit : found) {
    if (unit->machine().up()) {
      co_return fail(Errc::conflict, "{} runs: stop it first (devstack stop, or rm -s)", unit->name());
    }
  }
  co_await impl->stop_in_order(found, std::nullopt);
  for (const auto& unit : found) CO_CHECK(co_await unit->remove());
  impl->note_change();
  co_return Result<void>();
}

}  // namespace devstack::supervisor

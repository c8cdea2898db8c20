// Steps that run to their end before a container that was never started is. They run where depends_on is satisfied.
// https://docs.docker.com/reference/compose-file/services/#pre_start
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "core/base/log.h"
#include "core/supervisor/container_unit.h"
#include "core/supervisor/pre_start.h"

namespace devstack::supervisor {
namespace {

constexpr int step_output_lines = 20;
constexpr std::size_t step_output_most = 4096;

/// Waits are not cut short any more, and asked_to_end() tells of a cancellation from here on.
asio::awaitable<void> hold_cancellation() {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation(), asio::disable_cancellation());
}

asio::awaitable<bool> asked_to_end() {
  co_return (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none;
}

std::string last_lines(std::string output) {
  while (!output.empty() && output.back() == '\n') output.pop_back();
  if (output.size() > step_output_most) output.erase(0, output.size() - step_output_most);
  return output;
}

}  // namespace

/// One instance of the service at a time, so that the steps for the service as a whole run once, in the first to come.
asio::awaitable<Result<void>> ContainerUnit::prepare_start() {
  const auto turn = co_await shared_.preparing(unit_.service).take();
  CO_TRY(const bool prepared, co_await prepared_before());
  CO_CHECK(co_await remove_steps());
  CO_CHECK(co_await run_steps(prepared));
  shared_.prepared.insert(unit_.config_hash);
  replacing_ = false;
  co_return Result<void>();
}

/// Whether the steps for the service as a whole have been run for another instance of the same configuration.
asio::awaitable<Result<bool>> ContainerUnit::prepared_before() {
  if (shared_.prepared.contains(unit_.config_hash)) co_return true;
  if (replacing_ || unit_.spec.scale < 2) co_return false;
  std::vector<std::string> labels{
      std::string(label::project) + "=" + shared_.project, std::string(label::service) + "=" + unit_.service,
      std::string(label::config_hash) + "=" + unit_.config_hash, std::string(label::one_off) + "=False"};
  CO_TRY(const auto found, co_await shared_.engine.client().list_containers(true, std::move(labels)));
  for (const auto& row : found) {
    if (row.id != id_ && row.state != "created") co_return true;
  }
  co_return false;
}

/// What they need is there before the first runs.
asio::awaitable<Result<void>> ContainerUnit::run_steps(bool only_own) {
  const auto steps = unit_.spec.pre_start;
  std::vector<std::pair<std::string, docker::ContainerSpec>> containers;
  for (std::size_t at = 0; at < steps.size(); ++at) {
    if (only_own && !steps[at].per_replica) continue;
    CO_TRY(auto spec, co_await step_container(at));
    const auto& command = steps[at].command;
    auto which = fmt::format("pre_start step {} of {}, \"{}\"", at + 1, steps.size(),
                             command.empty() ? std::string() : command.front());
    containers.emplace_back(std::move(which), std::move(spec));
  }
  for (auto& [which, spec] : containers) {
    enter(StartPhase::start, which);
    note_ = which;
    if (shared_.changed) shared_.changed();
    CO_CHECK(co_await run_step(std::move(spec), which));
  }
  note_.clear();
  co_return Result<void>();
}

asio::awaitable<Result<docker::ContainerSpec>> ContainerUnit::step_container(std::size_t at) {
  const auto unit = step_unit(unit_, at);
  ContainerDetails details;
  CO_TRY(const auto image,
         co_await shared_.ensure_image(unit.spec, [this](std::string note) { say(std::move(note)); }));
  details.image_id = image.id;
  CO_TRY(details.ids, co_await parent_ids());
  co_return step_spec(container_spec(unit, shared_.context(), details), at, id_);
}

/// A cancellation ends the step, and its container goes all the same.
asio::awaitable<Result<void>> ContainerUnit::run_step(docker::ContainerSpec spec, std::string which) {
  co_await hold_cancellation();
  auto made = co_await shared_.engine.client().create_container(std::move(spec));
  bool cancelled = co_await asked_to_end();
  Result<int> code = fail(Errc::cancelled, "cancelled");
  if (made && !cancelled) {
    co_await asio::this_coro::reset_cancellation_state();
    // A cancellation between two waits must not let the second begin.
    co_await asio::this_coro::throw_if_cancelled(true);
    try {
      code = co_await run_to_end(*made);
    } catch (const boost::system::system_error&) {
      cancelled = true;
    }
    co_await asio::this_coro::throw_if_cancelled(false);
    cancelled = cancelled || co_await asked_to_end();
    co_await hold_cancellation();
  }
  std::string output;
  if (made) output = co_await finish_step(*made);
  cancelled = cancelled || co_await asked_to_end();
  co_await asio::this_coro::reset_cancellation_state();
  co_await asio::this_coro::throw_if_cancelled(true);
  if (cancelled) co_return fail(Errc::cancelled, "{} was stopped before its end", which);
  if (!made) co_return tl::unexpected(std::move(made).error().with_context(which));
  if (!code) co_return tl::unexpected(std::move(code).error().with_context(which));
  if (*code == 0) co_return Result<void>();
  co_return fail(Errc::failed, "{} exited with code {}{}{}", which, *code, output.empty() ? "" : ": ", output);
}

/// Its exit code. As long as the step takes: a stop of the unit cancels it.
asio::awaitable<Result<int>> ContainerUnit::run_to_end(std::string id) {
  CO_CHECK(co_await shared_.engine.client().start_container(id));
  co_return co_await shared_.engine.client().wait_container(std::move(id));
}

/// Its container is stopped where it still runs, its output kept with the unit's, and it is removed. The last lines.
asio::awaitable<std::string> ContainerUnit::finish_step(std::string id) {
  auto& client = shared_.engine.client();
  const auto grace = std::chrono::duration_cast<std::chrono::seconds>(unit_.spec.stop_grace_period);
  const auto stopped = co_await client.stop_container(id, grace);
  if (!stopped) log::debug("supervisor", "{}: {}", unit_.name, stopped.error().message);
  std::string output;
  const auto read = co_await client.logs(id, false, step_output_lines,
                                         [&output](docker::LogStream, std::string_view bytes) { output += bytes; });
  if (!read) log::debug("supervisor", "{}: {}", unit_.name, read.error().message);
  if (shared_.options.before_remove) co_await shared_.options.before_remove(unit_.name, id);
  const auto removed = co_await client.remove_container(std::move(id), true, true);
  if (!removed) log::warn("supervisor", "{}: {}", unit_.name, removed.error().message);
  co_return last_lines(std::move(output));
}

/// Of a start that an earlier supervisor died over.
asio::awaitable<Result<void>> ContainerUnit::remove_steps() {
  std::vector<std::string> labels{std::string(label::project) + "=" + shared_.project,
                                  std::string(label::unit) + "=" + unit_.name, std::string(label::hook) + "=pre_start"};
  CO_TRY(const auto found, co_await shared_.engine.client().list_containers(true, std::move(labels)));
  for (const auto& row : found) CO_CHECK(co_await shared_.engine.client().remove_container(row.id, true, true));
  co_return Result<void>();
}

}  // namespace devstack::supervisor

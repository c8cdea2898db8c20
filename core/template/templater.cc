#include "core/template/templater.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "core/base/async/clock.h"
#include "core/base/async/task_group.h"
#include "core/base/log.h"
#include "core/template/evaluate.h"
#include "core/template/parser.h"
#include "core/template/writer.h"

namespace devstack::templates {
namespace {

using registry::Index;
using registry::Watch;

/// How long a view that has not synced, or a file that could not be written, is left alone.
constexpr std::chrono::milliseconds kRetry{500};
constexpr std::chrono::minutes kLongest{10};

Result<std::string> text_of(const Entry& entry) {
  if (entry.source.empty()) return entry.contents;
  std::ifstream in(entry.source, std::ios::binary);
  if (!in) return fail(Errc::io, "cannot read {}: {}", entry.source, std::strerror(errno));
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// What stands before line and column in messages: the template's file, or whose contents they are.
std::string source_of(const Entry& entry) {
  return entry.source.empty() ? "template for " + entry.destination : entry.source;
}

Result<std::shared_ptr<const Template>> load(const Entry& entry) {
  TRY(std::string text, text_of(entry));
  return parse(std::move(text), source_of(entry));
}

Inputs inputs_of(const registry::RegistryView& view, const TemplaterOptions& options) {
  return {.state = view.snapshot(),
          .node = options.node,
          .datacenter = options.datacenter,
          .environment = options.environment,
          .now = std::chrono::system_clock::now()};
}

std::string time_of_day(std::chrono::system_clock::time_point when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm local{};
  localtime_r(&seconds, &local);
  char buffer[16];
  return {buffer, std::strftime(buffer, sizeof buffer, "%H:%M:%S", &local)};
}

}  // namespace

Result<Rendered> render_once(const Entry& entry, const registry::RegistryView& view, const TemplaterOptions& options) {
  if (!view.synced()) return fail(Errc::unavailable, "the registry has not answered yet");
  TRY(const auto parsed, load(entry));
  auto result = evaluate(*parsed, inputs_of(view, options));
  if (result.error) return tl::unexpected<Error>(std::move(*result.error));
  return Rendered{std::move(result.text), std::move(result.missing)};
}

struct Templater::Impl : std::enable_shared_from_this<Impl> {
  /// An entry with what is known of it.
  struct Item {
    Entry entry;
    std::shared_ptr<const Template> parsed;
    std::vector<Watch> used;
    std::optional<Index> seen;  ///< index of the last evaluation; empty: evaluate again
    std::string problem;        ///< "" = fine
    std::string command_problem;
    bool rendered = false;
  };

  Impl(asio::any_io_executor executor, registry::RegistryView& registry, TemplaterOptions given)
      : loop(std::move(executor)), view(registry), options(std::move(given)) {
    for (const auto& entry : options.entries) items.emplace_back().entry = entry;
  }

  void changed() const {
    if (notify) notify();
  }

  static bool touched(const Item& item, const registry::State& state) {
    if (!item.seen) return true;
    return std::any_of(item.used.begin(), item.used.end(),
                       [&](const Watch& watch) { return state.index_of(watch) > *item.seen; });
  }

  void set_problem(Item& item, std::string problem) const {
    if (!problem.empty() && problem != item.problem) log::warn("templates", "{}", problem);
    item.problem = std::move(problem);
  }

  /// Evaluates and writes one template; whether its file changed.
  asio::awaitable<bool> render(Item& item) {
    auto inputs = inputs_of(view, options);
    const Index index = inputs.state->index();
    auto result = evaluate(*item.parsed, inputs);
    item.used = std::move(result.used);
    item.seen = index;
    if (!result.missing.empty()) {
      set_problem(item, fmt::format("{} waits for {}", item.entry.destination, fmt::join(result.missing, ", ")));
      co_return false;
    }
    if (result.error) {
      set_problem(item, result.error->to_string());
      co_return false;
    }
    Output output{.destination = item.entry.destination,
                  .perms = item.entry.perms,
                  .check = item.entry.check,
                  .working_dir = options.working_dir};
    auto written = co_await write_file(std::move(output), std::move(result.text), options.environment);
    if (!written) {
      // A full disk may have room soon: try again without waiting for the registry. A failed check would fail again.
      if (written.error().code == Errc::io) item.seen.reset();
      set_problem(item, fmt::format("{}: {}", item.entry.destination, written.error().to_string()));
      co_return false;
    }
    set_problem(item, "");
    item.rendered = true;
    if (*written == Written::unchanged) co_return false;
    last_change = std::chrono::system_clock::now();
    log::info("templates", "wrote {}", item.entry.destination);
    co_return true;
  }

  /// All templates that something touched, then the commands of the files that changed, each command once.
  asio::awaitable<void> pass() {
    const auto state = view.snapshot();
    std::vector<std::string> commands;
    for (auto& item : items) {
      if (!item.parsed || !touched(item, *state)) continue;
      const bool wrote = co_await render(item);
      const auto& command = item.entry.command;
      if (!wrote || command.empty()) continue;
      if (std::find(commands.begin(), commands.end(), command) == commands.end()) commands.push_back(command);
    }
    for (const auto& command : commands) {
      auto done = co_await run_command(command, options.environment, options.working_dir);
      const std::string problem = done ? "" : done.error().to_string();
      if (!done) log::warn("templates", "{}", problem);
      for (auto& item : items) {
        if (item.entry.command == command) item.command_problem = problem;
      }
    }
    changed();
  }

  /// Every watch of every template, and the index from which a change counts.
  [[nodiscard]] std::pair<std::vector<Watch>, Index> watches() const {
    std::set<Watch> all;
    Index seen = 0;
    bool first = true;
    for (const auto& item : items) {
      if (!item.seen) continue;
      all.insert(item.used.begin(), item.used.end());
      seen = first ? *item.seen : std::min(seen, *item.seen);
      first = false;
    }
    return {{all.begin(), all.end()}, seen};
  }

  [[nodiscard]] bool wants_retry() const {
    return std::any_of(items.begin(), items.end(), [](const Item& item) { return item.parsed && !item.seen; });
  }

  /// After a pass nothing that was evaluated is behind this index, whether or not it was touched.
  void catch_up(Index index) {
    for (auto& item : items) {
      if (item.seen) item.seen = std::max(*item.seen, index);
    }
  }

  asio::awaitable<void> run() {
    while ((co_await asio::this_coro::cancellation_state).cancelled() == asio::cancellation_type::none) {
      if (!view.synced()) {
        co_await steady_clock().sleep_for(kRetry);
        continue;
      }
      const auto before = view.snapshot();
      co_await pass();
      catch_up(before->index());
      auto [wanted, seen] = watches();
      const auto limit =
          wants_retry() ? std::chrono::steady_clock::now() + kRetry : std::chrono::steady_clock::now() + kLongest;
      if (wanted.empty()) {
        co_await steady_clock().sleep_until(limit);
      } else {
        co_await view.wait(std::move(wanted), seen, limit);
      }
    }
  }

  void load_all() {
    for (auto& item : items) {
      item.seen.reset();
      item.rendered = false;
      auto parsed = load(item.entry);
      item.parsed = parsed ? *parsed : nullptr;
      set_problem(item, parsed ? "" : parsed.error().to_string());
    }
  }

  asio::any_io_executor loop;
  registry::RegistryView& view;
  TemplaterOptions options;
  std::vector<Item> items;
  std::optional<std::chrono::system_clock::time_point> last_change;
  std::unique_ptr<TaskGroup> tasks;
  std::function<void()> notify;
};

Templater::Templater(asio::any_io_executor loop, registry::RegistryView& view, TemplaterOptions options)
    : impl_(std::make_shared<Impl>(std::move(loop), view, std::move(options))) {
  impl_->notify = [this] {
    if (on_change) on_change();
  };
}

Templater::~Templater() { impl_->notify = nullptr; }

asio::awaitable<Result<void>> Templater::start() {
  if (impl_->tasks) co_return Result<void>();
  impl_->load_all();
  if (impl_->view.synced()) co_await impl_->pass();
  impl_->tasks = std::make_unique<TaskGroup>(impl_->loop);
  impl_->tasks->spawn("templates", impl_->run());
  co_return Result<void>();
}

asio::awaitable<void> Templater::stop() {
  if (!impl_->tasks) co_return;
  const auto impl = impl_;
  co_await impl->tasks->stop();
  impl->tasks.reset();
}

bool Templater::all_rendered() const {
  return std::all_of(impl_->items.begin(), impl_->items.end(), [](const auto& item) { return item.rendered; });
}

ComponentReport Templater::report() const {
  ComponentReport report;
  for (const auto& item : impl_->items) {
    const auto& problem = item.problem.empty() ? item.command_problem : item.problem;
    if (problem.empty()) continue;
    report.detail = problem;
    report.degraded = true;
    return report;
  }
  const auto count = impl_->items.size();
  report.detail = fmt::format("{} template{}", count, count == 1 ? "" : "s");
  if (impl_->last_change) report.detail += ", last change " + time_of_day(*impl_->last_change);
  if (!impl_->view.synced()) report.detail += ", waiting for the registry";
  return report;
}

}  // namespace devstack::templates

#include "core/template/template_sets.h"

#include <algorithm>

namespace devstack::templates {

TemplateSets::TemplateSets(asio::any_io_executor loop, registry::RegistryView& view)
    : loop_(std::move(loop)), view_(view) {}

asio::awaitable<Result<void>> TemplateSets::start() {
  running_ = true;
  const auto sets = sets_;
  for (const auto& [project, set] : sets) CO_CHECK(co_await set.templater->start());
  co_return Result<void>();
}

asio::awaitable<void> TemplateSets::stop() {
  running_ = false;
  const auto sets = sets_;
  for (const auto& [project, set] : sets) co_await set.templater->stop();
}

ComponentReport TemplateSets::report() const {
  ComponentReport all;
  for (const auto& [project, set] : sets_) {
    auto one = set.templater->report();
    if (sets_.size() == 1) return one;
    const auto text = project + ": " + one.detail;
    if (one.degraded) {
      one.detail = text;
      return one;
    }
    all.detail += (all.detail.empty() ? "" : "; ") + text;
  }
  if (sets_.empty()) all.detail = "0 templates";
  return all;
}

Result<void> TemplateSets::fits(const std::string& project, const std::vector<Entry>& entries) const {
  for (const auto& [other, set] : sets_) {
    if (other == project) continue;
    for (const auto& entry : entries) {
      const bool taken = std::any_of(set.entries.begin(), set.entries.end(),
                                     [&](const Entry& theirs) { return theirs.destination == entry.destination; });
      if (!taken) continue;
      return fail(Errc::conflict, "templates: {} is written by project {}, which is up: name another destination",
                  entry.destination, other);
    }
  }
  return {};
}

bool TemplateSets::is_current(const std::string& project, const std::shared_ptr<Templater>& templater) const {
  const auto at = sets_.find(project);
  return running_ && at != sets_.end() && at->second.templater == templater;
}

asio::awaitable<void> TemplateSets::set(std::string project, TemplaterOptions options) {
  const auto known = sets_.find(project);
  if (known != sets_.end() && known->second.entries == options.entries) co_return;
  co_await remove(project);
  if (options.entries.empty()) co_return;
  Set wanted{options.entries, std::make_shared<Templater>(loop_, view_, std::move(options))};
  const auto templater = wanted.templater;
  templater->on_change = [this] {
    if (on_change) on_change();
  };
  sets_[project] = std::move(wanted);
  // Somebody may set or remove it while it starts; what is not wanted any more must not go on.
  if (is_current(project, templater)) (void)co_await templater->start();
  const bool current = is_current(project, templater);
  if (!current) co_await templater->stop();
  if (on_change) on_change();
}

asio::awaitable<void> TemplateSets::remove(std::string project) {
  auto entry = sets_.extract(project);
  if (!entry) co_return;
  co_await entry.mapped().templater->stop();
  if (on_change) on_change();
}

}  // namespace devstack::templates

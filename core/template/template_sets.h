#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/template/templater.h"

/// The component "templates": those of every project that is up, each rendered with its own folder and environment.
namespace devstack::templates {

/// Loop thread only.
class TemplateSets final : public Component {
 public:
  TemplateSets(asio::any_io_executor loop, registry::RegistryView& view);

  [[nodiscard]] std::string_view name() const override { return "templates"; }
  [[nodiscard]] std::vector<std::string> after() const override { return {"registry"}; }
  asio::awaitable<Result<void>> start() override;
  asio::awaitable<void> stop() override;
  /// Of one set its own report; of several, the first that has a problem, or each after its project's name.
  [[nodiscard]] ComponentReport report() const override;

  /// Errc::conflict when another project writes one of the files.
  [[nodiscard]] Result<void> fits(const std::string& project, const std::vector<Entry>& entries) const;
  /// The project's templates are these from now on; the same entries again change nothing. Returns when, while the
  /// component runs, the first pass over new ones is done.
  asio::awaitable<void> set(std::string project, TemplaterOptions options);
  /// Its files stay, and follow the registry no more.
  asio::awaitable<void> remove(std::string project);

 private:
  struct Set {
    std::vector<Entry> entries;
    std::shared_ptr<Templater> templater;
  };
  [[nodiscard]] bool is_current(const std::string& project, const std::shared_ptr<Templater>& templater) const;

  asio::any_io_executor loop_;
  registry::RegistryView& view_;
  std::map<std::string, Set> sets_;  ///< by project; none without entries
  bool running_ = false;
};

}  // namespace devstack::templates

#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/async/component.h"
#include "core/registry/registry.h"

/// Files that follow the registry: each template is rendered when something it looked at changes, its file replaced
/// when the text differs, and then its command run. Loop thread only.
namespace devstack::templates {

/// One template and where it goes; made from stack.yaml's `templates:`.
struct Entry {
  std::string source;       ///< a file; read anew at each start. "" when `contents` is given
  std::string contents;     ///< the template itself
  std::string destination;  ///< absolute; "" only for render_once
  std::string command;      ///< by /bin/sh after the file changed; identical ones run once a pass, in order
  std::string check;        ///< by /bin/sh on the new file before the swap (`{}` or $FILE); failing keeps the old one
  std::string perms;        ///< octal; "" keeps the mode, 0644 for a new file
  bool operator==(const Entry&) const = default;
};

struct TemplaterOptions {
  std::vector<Entry> entries;
  std::map<std::string, std::string> environment;  ///< for `env` and for commands
  std::string working_dir;                         ///< of commands and checks: the stack file's folder; "" = ours
  std::string node;                                ///< what `node` without a name means
  std::string datacenter = "dc1";
};

/// What one template would be now, without writing anything: for `-once`, `-dry` and tests.
struct Rendered {
  std::string text;
  std::vector<std::string> missing;  ///< not empty: blocked by these, no text
};
/// Errc::parse, failed and io with position; unavailable while the view has not synced.
Result<Rendered> render_once(const Entry& entry, const registry::RegistryView& view, const TemplaterOptions& options);

/// The templates of one owner (template_sets.h has those of several). Nothing is rendered before the view has synced;
/// an error of any kind (wrong template, missing key, failed check or command) keeps the last good file, shows in
/// report() and stops nobody else.
class Templater final : public Component {
 public:
  Templater(asio::any_io_executor loop, registry::RegistryView& view, TemplaterOptions options);
  ~Templater() override;

  [[nodiscard]] std::string_view name() const override { return "templates"; }
  [[nodiscard]] std::vector<std::string> after() const override { return {"registry"}; }
  /// Returns when the first pass is done, whatever came of it, or at once when the view has not synced.
  asio::awaitable<Result<void>> start() override;
  asio::awaitable<void> stop() override;
  /// "2 templates, last change 12:03:44", or the first problem.
  [[nodiscard]] ComponentReport report() const override;
  /// Whether every template has been rendered at least once since start().
  [[nodiscard]] bool all_rendered() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace devstack::templates

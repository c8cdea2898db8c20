#include "cmd/devstack/kv_watch.h"

#include "cmd/devstack/follow.h"
#include "cmd/devstack/kv_entries.h"
#include "cmd/devstack/kv_requests.h"
#include "cmd/devstack/terminal.h"
#include "core/api/json_writer.h"

namespace devstack {
namespace {

struct WatchOptions {
  std::string key;
  std::optional<std::string> prefix;
  bool base64 = false;
  ConsulOptions consul;
};

std::string json_line(const KvDifference::Change& change) {
  if (!change.deleted) return entry_json(change.entry) + "\n";
  api::JsonWriter out;
  out.open_object();
  out.field("Key", change.entry.key);
  out.field("Deleted", true);
  out.close_object();
  return out.take() + "\n";
}

/// A key's value as `kv get` prints it; below a prefix KEY:VALUE, or "KEY (deleted)".
Result<void> show(const KvDifference::Change& change, const WatchOptions& options, bool json) {
  if (json) return terminal::write(json_line(change));
  if (options.prefix && change.deleted) return terminal::write(change.entry.key + " (deleted)\n");
  if (change.deleted) {
    terminal::complain("deleted: " + change.entry.key);
    return {};
  }
  const std::string value = value_text(change.entry, options.base64 ? ValueForm::base64 : ValueForm::bytes);
  if (options.prefix) return terminal::write(change.entry.key + ":" + value + "\n");
  return terminal::write(is_text(value) ? value + "\n" : value);
}

int watch(const WatchOptions& options, bool json) {
  if (options.prefix.has_value() == !options.key.empty()) {
    return report(Error{Errc::usage, "watch takes a KEY or --prefix PREFIX"});
  }
  const std::string target = options.prefix ? kv_tree_target(without_leading_slash(*options.prefix))
                                            : kv_target(without_leading_slash(options.key));
  auto difference = std::make_shared<KvDifference>();
  return run_following(options.consul, target,
                       [&options, json, difference](const ConsulAnswer& answer) -> Result<void> {
                         std::vector<KvEntry> entries;
                         if (answer.status != 404) {
                           TRY(entries, parse_kv_entries(answer.body));
                         }
                         for (const auto& change : difference->update(std::move(entries)))
                           CHECK(show(change, options, json));
                         return {};
                       });
}

}  // namespace

void add_kv_watch(CommandLine line, CLI::App& kv) {
  auto options = std::make_shared<WatchOptions>();
  auto* command = kv.add_subcommand("watch", "print a key, or what changes below a prefix, until interrupted");
  command->add_option("KEY", options->key);
  command->add_option("--prefix", options->prefix, "every key with this prefix instead (\"\": all keys)");
  command->add_flag("--base64", options->base64, "print values in base64");
  command->footer(
      "A key that is not there yet is waited for. A registry that goes away is asked again until it is back.");
  add_consul_options(*command, options->consul);
  command->callback(
      [line, options] { line.chosen = [&globals = line.globals, options] { return watch(*options, globals.json); }; });
}

}  // namespace devstack

// Images made here, and what follows the sources. https://docs.docker.com/reference/compose-file/build/
// https://docs.docker.com/reference/compose-file/develop/
#include <algorithm>

#include "core/stack/fields.h"
#include "core/stack/schema.h"

namespace devstack::stack {
namespace {

using R = const Reading&;
using V = const Node&;
using B = BuildSettings;

/// What the engine fetches by itself, instead of a folder here.
bool is_remote(std::string_view context) {
  return context.find("://") != std::string_view::npos || context.starts_with("git@") ||
         context.starts_with("github.com/") || context.starts_with("service:") || context.starts_with("target:");
}

std::string context_path(const std::string& text, R in) { return is_remote(text) ? text : absolute_path(text, in); }

void read_context(B& build, V node, R in) {
  if (const auto text = read_text(node, in)) build.context = context_path(*text, in);
}

void read_contexts(B& build, V node, R in) {
  for (auto& [name, where] : read_labels(node, in)) build.additional_contexts[name] = context_path(where, in);
}

struct BuildSecret {
  std::string source;
};
constexpr Field<BuildSecret> kBuildSecret[] = {
    {"source", Into<&BuildSecret::source>::text, "text"},
    {"target", ignored<BuildSecret>, "text"},
    {"uid", ignored<BuildSecret>, "text"},
    {"gid", ignored<BuildSecret>, "text"},
    {"mode", ignored<BuildSecret>, "mode"},
};

void read_build_secrets(B& build, V node, R in) {
  for (const auto& item : read_items(node, in)) {
    BuildSecret secret;
    if (item.kind == Node::Kind::map) {
      read_fields<BuildSecret>(item, secret, kBuildSecret, {}, in);
    } else {
      secret.source = read_text(item, in).value_or("");
    }
    if (!secret.source.empty()) build.secrets.push_back(std::move(secret.source));
  }
}

void read_ssh(B& build, V node, R in) {
  if (node.kind == Node::Kind::map) {
    for (const auto& [name, value] : read_text_map(node, in)) {
      build.ssh.push_back(value.empty() ? name : name + "=" + value);
    }
  } else {
    build.ssh = read_text_or_texts(node, in);
  }
}

constexpr Field<B> kBuild[] = {
    {"context", read_context, "text"},
    {"dockerfile", Into<&B::dockerfile>::text, "text"},
    {"dockerfile_inline", Into<&B::dockerfile_inline>::text, "text"},
    {"args", Into<&B::args>::by<read_variables>, "pairs"},
    {"labels", Into<&B::labels>::pairs, "pairs"},
    {"additional_contexts", read_contexts, "pairs"},
    {"cache_from", Into<&B::cache_from>::text_or_texts, "text_or_texts"},
    {"cache_to", Into<&B::cache_to>::text_or_texts, "text_or_texts"},
    {"extra_hosts", Into<&B::extra_hosts>::by<read_extra_hosts>, "extra_hosts"},
    {"platforms", Into<&B::platforms>::texts, "texts"},
    {"tags", Into<&B::tags>::texts, "texts"},
    {"secrets", read_build_secrets, "build_secrets"},
    {"ssh", read_ssh, "pairs_or_text"},
    {"target", Into<&B::target>::text, "text"},
    {"network", Into<&B::network>::text, "text"},
    {"no_cache", Into<&B::no_cache>::flag, "switch"},
    {"pull", Into<&B::pull>::flag, "switch"},
    {"privileged", Into<&B::privileged>::flag, "switch"},
    {"shm_size", Into<&B::shm_size>::size, "size"},
    {"ulimits", [](B& b, V v, R in) { read_ulimits(b.ulimits, v, in); }, "ulimits"},
    {"provenance", ignored_with_warning<B>},
    {"sbom", ignored_with_warning<B>},
};
constexpr Unsupported kBuildNot[] = {
    {"isolation", "it is for Windows; remove it"},
    {"entitlements"},
    {"no_cache_filter", "write `no_cache: true`"},
};

constexpr Field<Hook> kHook[] = {
    {"command", Into<&Hook::command>::command, "command"},
    {"user", Into<&Hook::user>::text, "text"},
    {"working_dir", Into<&Hook::working_dir>::text, "text"},
    {"privileged", Into<&Hook::privileged>::flag, "switch"},
    {"environment", Into<&Hook::environment>::by<read_variables>, "pairs"},
};

constexpr Field<Hook> kStep[] = {
    {"command", Into<&Hook::command>::command, "command"},
    {"image", Into<&Hook::image>::text, "text"},
    {"user", Into<&Hook::user>::text, "text"},
    {"working_dir", Into<&Hook::working_dir>::text, "text"},
    {"privileged", Into<&Hook::privileged>::flag, "switch"},
    {"environment", Into<&Hook::environment>::by<read_variables>, "pairs"},
    {"per_replica", Into<&Hook::per_replica>::flag, "switch"},
};

Hook read_hook(V node, std::span<const Field<Hook>> keys, R in) {
  Hook hook;
  read_fields<Hook>(node, hook, keys, {}, in);
  if (node.kind == Node::Kind::map && node.find("command") == nullptr) {
    in.report.error(node.at, "{}`command` is missing", node.prefix());
  }
  return hook;
}

constexpr std::array<std::string_view, 5> kActions{"rebuild", "restart", "sync", "sync+restart", "sync+exec"};

/// What the rule holds and its action makes no use of. Compose takes it without a word, so it is no error.
void warn_of_unused(const WatchRule& rule, V item, R in) {
  const auto unused = [&](std::string_view key, bool used) {
    const Node* given = item.find(key);
    if (given == nullptr || used || rule.action.empty()) return;
    in.report.warn(given->at, "{}`{}` means nothing to the action {}: remove it", item.prefix(), key, rule.action);
  };
  const bool syncs = rule.action.starts_with("sync");
  unused("target", syncs);
  unused("initial_sync", syncs);
  unused("exec", rule.action == "sync+exec");
}

constexpr Field<WatchRule> kWatchRule[] = {
    {"action", [](WatchRule& w, V v, R in) { w.action = read_choice(v, kActions, in).value_or(""); }, "watch_action"},
    {"path", Into<&WatchRule::path>::file, "text"},
    {"target", Into<&WatchRule::target>::text, "text"},
    {"ignore", Into<&WatchRule::ignore>::text_or_texts, "text_or_texts"},
    {"include", Into<&WatchRule::include>::text_or_texts, "text_or_texts"},
    {"initial_sync", Into<&WatchRule::initial_sync>::flag, "switch"},
    {"exec", [](WatchRule& w, V v, R in) { w.exec = read_hook(v, kHook, in); }, "hook"},
};

WatchRule read_watch_rule(V item, R in) {
  WatchRule rule;
  read_fields<WatchRule>(item, rule, kWatchRule, {}, in);
  if (item.kind != Node::Kind::map) return rule;
  for (const auto* key : {"action", "path"}) {
    if (item.find(key) == nullptr) in.report.error(item.at, "{}`{}` is missing", item.prefix(), key);
  }
  if (rule.action.starts_with("sync") && rule.target.empty()) {
    in.report.error(item.at, "{}`target` (where in the container) is missing", item.prefix());
  }
  if (rule.action == "sync+exec" && !rule.exec) {
    in.report.error(item.at, "{}`exec` (what to run after a sync) is missing", item.prefix());
  }
  warn_of_unused(rule, item, in);
  return rule;
}

constexpr Field<std::vector<WatchRule>> kDevelop[] = {
    {"watch",
     [](std::vector<WatchRule>& rules, V v, R in) {
       for (const auto& item : read_items(v, in)) rules.push_back(read_watch_rule(item, in));
     },
     "watch_rules"},
};

}  // namespace

void read_build(std::optional<BuildSettings>& into, const Node& node, const Reading& in) {
  auto& build = into.emplace();
  if (node.kind == Node::Kind::scalar) {
    read_context(build, node, in);
    return;
  }
  build.context = in.project_dir;
  read_fields<B>(node, build, kBuild, kBuildNot, in);
  if (!build.dockerfile.empty() && !build.dockerfile_inline.empty()) {
    in.report.error(node.find("dockerfile_inline")->at, "{}`dockerfile` is there too: give one of the two",
                    node.prefix());
  }
}

std::vector<WatchRule> read_develop(const Node& node, const Reading& in) {
  std::vector<WatchRule> rules;
  read_fields<std::vector<WatchRule>>(node, rules, kDevelop, {}, in);
  return rules;
}

std::vector<Hook> read_hooks(const Node& node, const Reading& in) {
  std::vector<Hook> hooks;
  for (const auto& item : read_items(node, in)) hooks.push_back(read_hook(item, kHook, in));
  return hooks;
}

std::vector<Hook> read_steps(const Node& node, const Reading& in) {
  std::vector<Hook> steps;
  for (const auto& item : read_items(node, in)) steps.push_back(read_hook(item, kStep, in));
  return steps;
}

void add_build_shapes(Shapes& into) {
  into.map("build_map", kBuild);
  into.map("build_secret", kBuildSecret);
  into.map("hook", kHook);
  into.map("step", kStep);
  into.map("watch_rule", kWatchRule);
  into.map("develop", kDevelop);
}

}  // namespace devstack::stack

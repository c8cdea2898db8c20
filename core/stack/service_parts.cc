// The parts of a service that have a grammar of their own.
#include <algorithm>

#include "core/stack/fields.h"
#include "core/stack/schema.h"
#include "core/stack/words.h"

namespace devstack::stack {
namespace {

using R = const Reading&;
using V = const Node&;

void read_test(Healthcheck& into, V node, R in) {
  if (node.kind == Node::Kind::scalar) {
    into.test = {"CMD-SHELL", node.text};
    return;
  }
  into.test = read_text_or_texts(node, in);
  if (node.kind != Node::Kind::list) return;
  const std::string first = into.test.empty() ? "" : into.test.front();
  if (first != "NONE" && first != "CMD" && first != "CMD-SHELL") {
    in.report.error(node.at, "{}a list must begin with NONE, CMD or CMD-SHELL, found \"{}\"", node.prefix(), first);
  } else if (first != "NONE" && into.test.size() < 2) {
    in.report.error(node.at, "{}{} is not followed by a command", node.prefix(), first);
  }
}

constexpr Field<Healthcheck> kHealthcheck[] = {
    {"test", read_test, "health_test"},
    {"interval", Into<&Healthcheck::interval>::span, "duration"},
    {"timeout", Into<&Healthcheck::timeout>::span, "duration"},
    {"start_period", Into<&Healthcheck::start_period>::span, "duration"},
    {"start_interval", Into<&Healthcheck::start_interval>::span, "duration"},
    {"retries", Into<&Healthcheck::retries>::number<1, 1000>, "integer"},
    {"disable", [](Healthcheck&, V v, R in) { (void)read_switch(v, in); }, "switch"},
};

/// Whatever test stands beside it: an override file switches off a check that it does not repeat.
bool is_disabled(V node) {
  const Node* disable = node.find("disable");
  return disable != nullptr && as_switch(disable->text).value_or(false);
}

struct DependencyText {
  std::string condition = "service_started";
  bool required = true, restart = false;
};

constexpr std::array<std::string_view, 3> kConditions{"service_started", "service_healthy",
                                                      "service_completed_successfully"};

constexpr Field<DependencyText> kDependency[] = {
    {"condition",
     [](DependencyText& d, V v, R in) {
       if (auto text = read_choice(v, kConditions, in)) d.condition = std::move(*text);
     },
     "condition"},
    {"required", Into<&DependencyText::required>::flag, "switch"},
    {"restart", Into<&DependencyText::restart>::flag, "switch"},
};

DependencyCondition condition_of(std::string_view text) {
  if (text == "service_healthy") return DependencyCondition::healthy;
  if (text == "service_completed_successfully") return DependencyCondition::completed_successfully;
  return DependencyCondition::started;
}

}  // namespace

void read_healthcheck(std::optional<Healthcheck>& into, const Node& node, const Reading& in) {
  into.emplace();
  read_fields<Healthcheck>(node, *into, kHealthcheck, {}, in);
  if (is_disabled(node)) into->test = {"NONE"};
}

std::vector<Dependency> read_depends_on(const Node& node, const Reading& in) {
  std::vector<Dependency> dependencies;
  if (node.kind == Node::Kind::list) {
    for (auto& name : read_texts(node, in)) dependencies.push_back({.service = std::move(name)});
    return dependencies;
  }
  if (node.kind != Node::Kind::map) {
    wrong_type(node, "a list or a map", in);
    return dependencies;
  }
  for (const auto& entry : node.entries) {
    DependencyText text;
    read_fields<DependencyText>(entry.value, text, kDependency, {}, in);
    dependencies.push_back({entry.key, condition_of(text.condition), text.required, text.restart});
  }
  return dependencies;
}

void read_restart(ServiceSpec& service, const Node& node, const Reading& in) {
  const auto given = read_text(node, in);
  if (!given || given->empty()) return;  // `${RESTART:-}`: as if the key were not there
  using Kind = RestartPolicy::Kind;
  auto& [kind, retries, delay, max_delay] = service.restart;
  if (*given == "no" || *given == "false") {
    kind = Kind::no;
  } else if (*given == "always") {
    kind = Kind::always;
  } else if (*given == "unless-stopped") {
    kind = Kind::unless_stopped;
  } else if (*given == "on-failure") {
    kind = Kind::on_failure;
  } else if (given->starts_with("on-failure:")) {
    Node count = node;
    count.text = given->substr(11);
    kind = Kind::on_failure;
    retries = static_cast<int>(read_number(count, 0, 1'000'000, in).value_or(0));
  } else {
    in.report.error(node.at, "{}expected no, always, on-failure[:n] or unless-stopped, found \"{}\"", node.prefix(),
                    *given);
  }
}

Texts read_container_command(const Node& node, const Reading& in) {
  if (node.kind == Node::Kind::null) return {};
  if (node.kind != Node::Kind::scalar) return read_text_or_texts(node, in);
  auto words = split_words(node.text);
  if (words) return std::move(*words);
  in.report.error(node.at, "{}{}", node.prefix(), words.error().message);
  return {};
}

void add_implied_dependencies(ServiceSpec& service) {
  const auto add = [&](const std::string& name, bool restart) {
    auto& known = service.depends_on;
    if (std::any_of(known.begin(), known.end(), [&](const Dependency& d) { return d.service == name; })) return;
    known.push_back({.service = name, .restart = restart});
  };
  for (const auto& link : service.links) add(link.substr(0, link.find(':')), true);
  const auto& isolation = service.isolation;
  for (const std::string& joined : {service.network_mode, isolation.ipc, isolation.pid}) {
    if (joined.starts_with("service:")) add(joined.substr(8), true);
  }
  for (const auto& from : service.volumes_from) {
    if (!from.starts_with("container:")) add(from.substr(0, from.find(':')), false);
  }
}

void add_part_shapes(Shapes& into) {
  into.map("healthcheck", kHealthcheck);
  into.map("dependency", kDependency);
}

}  // namespace devstack::stack

// Services that are processes of this machine, and what stands in for a container where no engine is.
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/stack/fields.h"
#include "core/stack/schema.h"
#include "core/stack/words.h"

namespace devstack::stack {
namespace {

using R = const Reading&;
using V = const Node&;
using P = ProcessSettings;

struct ProcessKeys {
  P& process;
  RestartPolicy& restart;
};

template <auto path>
void of_process(ProcessKeys& keys, V node, R in) {
  path(keys.process, node, in);
}

void read_port(P& process, V node, R in) {
  process.auto_port = node.kind == Node::Kind::scalar && node.text == "auto";
  if (process.auto_port) return;
  if (const auto port = read_number(node, 1, 65535, in)) process.port = static_cast<std::uint16_t>(*port);
}

void read_paths(P& process, V node, R in) {
  for (const auto& path : read_text_or_texts(node, in)) process.watch.push_back(absolute_path(path, in));
}

void read_every(P& process, V node, R in) {
  const auto span = read_duration(node, in);
  if (span) process.every = *span;
  if (span && span->count() == 0) in.report.error(node.at, "{}the span must be longer than 0s", node.prefix());
}

void read_ready_line(P& process, V node, R in) {
  const auto text = read_text(node, in);
  if (!text) return;
  process.ready_log_line = *text;
  const re2::RE2 expression(*text, re2::RE2::Quiet);
  if (text->empty()) in.report.error(node.at, "{}the expression is empty", node.prefix());
  if (!expression.ok()) {
    in.report.error(node.at, "{}\"{}\" is no regular expression (RE2): {}", node.prefix(), *text, expression.error());
  }
}

constexpr Field<ProcessKeys> kProcess[] = {
    {"command", of_process<[](P& p, V v, R in) { p.command = read_process_command(v, in); }>, "command"},
    {"port", of_process<read_port>, "process_port"},
    {"healthcheck", of_process<[](P& p, V v, R in) { read_healthcheck(p.healthcheck, v, in); }>, "healthcheck"},
    {"liveness", of_process<[](P& p, V v, R in) { read_healthcheck(p.liveness, v, in); }>, "healthcheck"},
    {"ready_log_line", of_process<read_ready_line>, "text"},
    {"stop_command", of_process<[](P& p, V v, R in) { p.stop_command = read_process_command(v, in); }>, "command"},
    {"watch", of_process<read_paths>, "text_or_texts"},
    {"every", of_process<read_every>, "duration"},
    {"restart_delay",
     [](ProcessKeys& k, V v, R in) { k.restart.delay = read_duration(v, in).value_or(k.restart.delay); }, "duration"},
    {"restart_max_delay",
     [](ProcessKeys& k, V v, R in) { k.restart.max_delay = read_duration(v, in).value_or(k.restart.max_delay); },
     "duration"},
};

/// Compose's keys that mean something to a host process; the others need a container.
constexpr std::array<std::string_view, 18> kOfProcesses{
    "command",    "ports",       "environment", "env_file", "labels",      "label_file",
    "depends_on", "healthcheck", "restart",     "expose",   "user",        "working_dir",
    "scale",      "profiles",    "attach",      "deploy",   "stop_signal", "stop_grace_period",
};

bool needs_container(std::string_view key) {
  return !key.starts_with("x-") && std::find(kOfProcesses.begin(), kOfProcesses.end(), key) == kOfProcesses.end();
}

/// The port of a host process: `ports: ["8080"]`, or x-process.port.
void take_port(ServiceSpec& s, V node, R in) {
  const Node* ports = node.find("ports");
  if (ports == nullptr || s.ports.empty()) return;
  const auto& port = s.ports.front();
  auto& process = *s.process;
  if (s.ports.size() > 1) {
    in.report.error(ports->at, "{}a host process has one port, found {}", ports->prefix(), s.ports.size());
  } else if (!port.host_ip.empty() || port.protocol != "tcp") {
    in.report.error(ports->at, "{}a host process listens where it will ($HOST): write \"{}\"", ports->prefix(),
                    port.target);
  } else if (port.published_last != 0 || (port.published != 0 && port.published != port.target)) {
    in.report.error(ports->at, "{}a host process listens on the host itself: write \"{}\"", ports->prefix(),
                    port.published);
  } else if (process.auto_port || (process.port != 0 && process.port != port.target)) {
    in.report.error(ports->at, "{}x-process.port says otherwise: give the port once", ports->prefix());
  } else {
    process.port = port.target;
  }
}

void take_command(ServiceSpec& s, V node, R in) {
  const Node* command = node.find("command");
  const Node* own = node.find("x-process");
  if (command != nullptr && own != nullptr && own->find("command") != nullptr) {
    in.report.error(command->at, "{}x-process.command is there too: give the command once", command->prefix());
  } else if (command != nullptr) {
    s.process->command = read_process_command(*command, in);
  } else if (own == nullptr || own->find("command") == nullptr) {
    in.report.error(s.at, "{}has neither `image` nor `build` (a container) nor `command` (a host process)",
                    node.prefix());
  }
}

void refuse_container_keys(const ServiceSpec& s, V node, R in) {
  const auto known = service_keys();
  for (const auto& entry : node.entries) {
    // An unknown key has been reported as such.
    if (!needs_container(entry.key) || std::find(known.begin(), known.end(), entry.key) == known.end()) continue;
    in.report.error(entry.at, "{}a service without `image` is a host process: `{}` needs an image{}", node.prefix(),
                    entry.key, entry.key == "develop" ? "; `x-process.watch` restarts a process" : "");
  }
  if (s.publish_all) {
    in.report.error(node.find("x-devstack")->at,
                    "{}a service without `image` is a host process: `publish_all` needs "
                    "an image",
                    node.find("x-devstack")->prefix());
  }
}

}  // namespace

void read_process_keys(ServiceSpec& service, const Node& node, const Reading& in) {
  ProcessKeys keys{service.process.emplace(), service.restart};
  read_fields<ProcessKeys>(node, keys, kProcess, {}, in);
  if (keys.process.every.count() > 0 && keys.process.liveness) {
    in.report.error(node.at, "{}a process on a schedule (`every`) ends by itself: remove `liveness`", node.prefix());
  }
}

void read_process(ServiceSpec& s, const Node& node, const Reading& in) {
  if (!s.process) s.process.emplace();
  take_command(s, node, in);
  refuse_container_keys(s, node, in);
  if (s.resources != Resources{} && node.find("deploy") != nullptr) {
    const auto& deploy = *node.find("deploy");
    in.report.warn(deploy.at, "{}resources do not limit a host process", deploy.prefix());
    s.resources = {};
  }
  if (s.process->healthcheck && s.healthcheck) {
    in.report.error(node.find("healthcheck")->at, "{}x-process.healthcheck is there too: give the check once",
                    node.prefix());
  }
  if (s.process->healthcheck && !s.healthcheck) s.healthcheck = std::exchange(s.process->healthcheck, std::nullopt);
  take_port(s, node, in);
  if (!s.working_dir.empty()) s.working_dir = absolute_path(s.working_dir, in);
}

Texts read_process_command(const Node& node, const Reading& in) {
  if (node.kind == Node::Kind::scalar) {
    if (node.text.find_first_not_of(" \t\n") != std::string::npos) return {"/bin/sh", "-c", node.text};
    in.report.error(node.at, "{}the command is empty", node.prefix());
    return {};
  }
  auto words = read_text_or_texts(node, in);
  if (node.kind == Node::Kind::list && node.items.empty()) {
    in.report.error(node.at, "{}the command is empty", node.prefix());
  }
  if (std::none_of(words.begin(), words.end(), names_port)) return words;
  // Only a shell can fill in the port that the process gets when it starts.
  std::string line = "exec";
  for (const auto& word : words) line += ' ' + quote_word(word);
  return {"/bin/sh", "-c", line};
}

void add_process_shapes(Shapes& into) { into.map("process", kProcess); }

}  // namespace devstack::stack

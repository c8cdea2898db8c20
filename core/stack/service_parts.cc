// The parts of a service that have a grammar of their own.
#include <algorithm>
#include <filesystem>

#include "core/stack/read.h"
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

template <std::chrono::nanoseconds Healthcheck::*member>
void read_span(Healthcheck& into, V node, R in) {
  if (const auto value = read_duration(node, in)) into.*member = *value;
}

constexpr Field<Healthcheck> kHealthcheck[] = {
    {"test", read_test},
    {"interval", read_span<&Healthcheck::interval>},
    {"timeout", read_span<&Healthcheck::timeout>},
    {"start_period", read_span<&Healthcheck::start_period>},
    {"retries",
     [](Healthcheck& h, V v, R in) {
       if (const auto value = read_number(v, 1, 1000, in)) h.retries = static_cast<int>(*value);
     }},
    {"disable",
     [](Healthcheck& h, V v, R in) {
       if (read_switch(v, in).value_or(false)) h.test = {"NONE"};
     }},
};
constexpr Unsupported kHealthcheckLater[] = {{"start_interval"}};

struct DependencyText {
  std::string condition = "service_started";
  bool required = true;
};

constexpr std::array<std::string_view, 3> kConditions{"service_started", "service_healthy",
                                                      "service_completed_successfully"};

constexpr Field<DependencyText> kDependency[] = {
    {"condition",
     [](DependencyText& d, V v, R in) {
       if (auto text = read_choice(v, kConditions, in)) d.condition = std::move(*text);
     }},
    {"required",
     [](DependencyText& d, V v, R in) {
       if (const auto value = read_switch(v, in)) d.required = *value;
     }},
    {"restart",
     [](DependencyText&, V v, R in) {
       if (!read_switch(v, in).value_or(false)) return;
       in.report.error(v.at, "{}`restart: true` is not supported yet: remove it", v.prefix());
     }},
};

DependencyCondition condition_of(std::string_view text) {
  if (text == "service_healthy") return DependencyCondition::healthy;
  if (text == "service_completed_successfully") return DependencyCondition::completed_successfully;
  return DependencyCondition::started;
}

struct LongVolume {
  std::string type, source, target;
  bool read_only = false;
};

constexpr Field<LongVolume> kLongVolume[] = {
    {"type", [](LongVolume& s, V v, R in) { s.type = read_text(v, in).value_or(""); }},
    {"source", [](LongVolume& s, V v, R in) { s.source = read_text(v, in).value_or(""); }},
    {"target", [](LongVolume& s, V v, R in) { s.target = read_text(v, in).value_or(""); }},
    {"read_only", [](LongVolume& s, V v, R in) { s.read_only = read_switch(v, in).value_or(false); }},
};
constexpr Unsupported kLongVolumeLater[] = {{"bind"}, {"volume"}, {"tmpfs"}, {"consistency"}, {"image"}};

bool is_path(std::string_view source) {
  return source.starts_with('.') || source.starts_with('/') || source.starts_with('~');
}

/// "src:dst[:options]" with an absolute source, or nothing after reporting.
std::optional<Mount> bind_mount(V item, const std::string& source, const std::string& target,
                                const std::string& options, R in) {
  if (!is_path(source)) {
    in.report.error(item.at, "{}the named volume \"{}\" is not supported yet: use a folder (./{}:{})", item.prefix(),
                    source, source, target);
  } else if (!target.starts_with('/')) {
    in.report.error(item.at, "{}the path in the container must be absolute, found \"{}\"", item.prefix(), target);
  } else {
    Mount mount;
    mount.source = absolute_path(source, in);
    mount.target = target;
    mount.read_only = options == "ro";
    if (options == "z" || options == "Z") mount.selinux = options;
    return mount;
  }
  return std::nullopt;
}

std::optional<Mount> short_volume(V item, R in) {
  const auto first = item.text.find(':');
  if (first == std::string::npos) {
    in.report.error(item.at, "{}a volume without a folder is not supported yet: write ./folder:{}", item.prefix(),
                    item.text);
    return std::nullopt;
  }
  const auto second = item.text.find(':', first + 1);
  const bool has_options = second != std::string::npos;
  const std::string options = has_options ? item.text.substr(second + 1) : "";
  if (has_options && options != "ro" && options != "rw" && options != "z" && options != "Z") {
    in.report.error(item.at, "{}expected ro, rw, z or Z after the path, found \"{}\"", item.prefix(), options);
    return std::nullopt;
  }
  const auto target = item.text.substr(first + 1, has_options ? second - first - 1 : std::string::npos);
  return bind_mount(item, item.text.substr(0, first), target, options == "rw" ? "" : options, in);
}

std::optional<Mount> long_volume(V item, R in) {
  LongVolume volume;
  read_fields<LongVolume>(item, volume, kLongVolume, kLongVolumeLater, in);
  if (volume.type != "bind") {
    in.report.error(item.at, "{}a mount of type \"{}\" is not supported yet: use type: bind", item.prefix(),
                    volume.type);
    return std::nullopt;
  }
  return bind_mount(item, volume.source, volume.target, volume.read_only ? "ro" : "", in);
}

}  // namespace

void read_healthcheck(std::optional<Healthcheck>& into, const Node& node, const Reading& in) {
  into.emplace();
  read_fields<Healthcheck>(node, *into, kHealthcheck, kHealthcheckLater, in);
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
    dependencies.push_back({entry.key, condition_of(text.condition), text.required, false});
  }
  return dependencies;
}

std::vector<Mount> read_volumes(const Node& node, const Reading& in) {
  std::vector<Mount> volumes;
  if (node.kind == Node::Kind::null) return volumes;
  if (node.kind != Node::Kind::list) {
    wrong_type(node, "a list", in);
    return volumes;
  }
  for (const auto& item : node.items) {
    std::optional<Mount> volume;
    if (item.kind == Node::Kind::scalar) {
      volume = short_volume(item, in);
    } else if (item.kind == Node::Kind::map) {
      volume = long_volume(item, in);
    } else {
      wrong_type(item, "a string or a map", in);
    }
    if (volume) volumes.push_back(std::move(*volume));
  }
  return volumes;
}

std::vector<std::string> read_container_command(const Node& node, const Reading& in) {
  if (node.kind == Node::Kind::null) return {};
  if (node.kind != Node::Kind::scalar) return read_text_or_texts(node, in);
  auto words = split_words(node.text);
  if (words) return std::move(*words);
  in.report.error(node.at, "{}{}", node.prefix(), words.error().message);
  return {};
}

std::vector<std::string> read_process_command(const Node& node, const Reading& in) {
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

}  // namespace devstack::stack

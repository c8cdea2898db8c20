// One entry of `services:`. https://docs.docker.com/reference/compose-file/services/
#include <algorithm>
#include <array>

#include "core/stack/fields.h"
#include "core/stack/find.h"
#include "core/stack/pull_policy.h"
#include "core/stack/schema.h"

namespace devstack::stack {
namespace {

using R = const Reading&;
using V = const Node&;
using S = ServiceSpec;
using I = Isolation;
using Res = Resources;

constexpr long kMany = 1'000'000'000'000;

void read_expose(S& s, V node, R in) {
  s.expose = read_texts(node, in);
  for (const auto& port : s.expose) {
    const auto parsed = port.find(':') == std::string::npos
                            ? parse_port(port)
                            : fail(Errc::parse, "\"{}\" maps a port: use `ports`", port);
    if (!parsed) in.report.error(node.at, "{}{}", node.prefix(), parsed.error().message);
  }
}

void read_container_name(S& s, V node, R in) {
  s.container_name = read_text(node, in).value_or("");
  const auto& name = s.container_name;
  const bool good = !name.empty() && std::isalnum(static_cast<unsigned char>(name[0])) != 0 &&
                    std::all_of(name.begin(), name.end(), [](unsigned char c) {
                      return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-';
                    });
  if (good || name.empty() || node.kind != Node::Kind::scalar) return;
  in.report.error(node.at, "{}\"{}\" is no container name: use letters, digits, `_`, `.` and `-`", node.prefix(), name);
}

void read_pull_policy(S& s, V node, R in) {
  const auto text = read_text(node, in);
  if (!text || text->empty()) return;
  constexpr std::array<std::string_view, 4> words{"always", "never", "missing", "build"};
  s.pull_policy = *text == "if_not_present" ? "missing" : *text;
  if (std::find(words.begin(), words.end(), s.pull_policy) != words.end()) return;
  if (pull_age(*text)) return;
  in.report.error(node.at, "{}expected {}, daily, weekly or every_<span> like every_12h, found \"{}\"", node.prefix(),
                  fmt::join(words, ", "), *text);
}

/// The engine wants a seccomp profile itself, not the path of its file.
void read_security_opt(S& s, V node, R in) {
  s.isolation.security_opt = read_texts(node, in);
  for (auto& option : s.isolation.security_opt) {
    if (!option.starts_with("seccomp=") && !option.starts_with("seccomp:")) continue;
    const auto profile = option.substr(8);
    if (profile == "unconfined" || profile == "builtin" || profile.starts_with('{')) continue;
    auto text = read_whole_file(absolute_path(profile, in));
    if (!text) {
      in.report.error(node.at, "{}{}", node.prefix(), text.error().message);
    } else {
      option = "seccomp=" + *text;
    }
  }
}

constexpr Field<Logging> kLogging[] = {
    {"driver", Into<&Logging::driver>::text, "text"},
    {"options", [](Logging& l, V v, R in) { l.options = read_text_map(v, in); }, "text_map"},
};

void read_logging(S& s, V node, R in) {
  Logging logging;
  read_fields<Logging>(node, logging, kLogging, {}, in);
  if (logging != Logging{}) s.logging = std::move(logging);
}

constexpr std::array<std::string_view, 1> kPid{"host"};
constexpr std::array<std::string_view, 4> kIpc{"none", "private", "shareable", "host"};
constexpr std::array<std::string_view, 1> kUts{"host"};
constexpr std::array<std::string_view, 2> kCgroup{"host", "private"};

constexpr Field<WaitFor> kWaitFor[] = {
    {"services", Into<&WaitFor::services>::text_or_texts, "text_or_texts"},
    {"keys", Into<&WaitFor::keys>::text_or_texts, "text_or_texts"},
};

constexpr Field<S> kOwnKeys[] = {
    {"publish_all", Into<&S::publish_all>::flag, "switch"},
    {"wait_for", [](S& s, V v, R in) { read_fields<WaitFor>(v, s.wait_for, kWaitFor, {}, in); }, "wait_for"},
};

/// Those with `later` are read by read_service, when it knows the rest.
constexpr auto later = ignored<S>;
constexpr Field<S> kService[] = {
    {"image", Into<&S::image>::text, "text"},
    {"build", [](S& s, V v, R in) { read_build(s.build, v, in); }, "build"},
    {"command", later, "command"},
    {"entrypoint",
     [](S& s, V v, R in) {
       s.entrypoint = read_container_command(v, in);
       s.no_entrypoint = s.entrypoint.empty() && v.kind != Node::Kind::null;
     },
     "command"},
    {"ports", Into<&S::ports>::by<read_ports>, "ports"},
    {"environment", later, "pairs"},
    {"env_file", later, "env_files"},
    {"labels", later, "pairs"},
    {"label_file", later, "text_or_texts"},
    {"depends_on", Into<&S::depends_on>::by<read_depends_on>, "depends_on"},
    {"healthcheck", [](S& s, V v, R in) { read_healthcheck(s.healthcheck, v, in); }, "healthcheck"},
    {"restart", read_restart, "restart"},
    {"expose", read_expose, "texts"},
    {"volumes", Into<&S::volumes>::by<read_volumes>, "volumes"},
    {"volumes_from", Into<&S::volumes_from>::by<read_volumes_from>, "texts"},
    {"tmpfs", Into<&S::tmpfs>::text_or_texts, "text_or_texts"},
    {"networks", Into<&S::networks>::by<read_attachments>, "attachments"},
    {"network_mode", read_network_mode, "text"},
    {"links", Into<&S::links>::by<read_links>, "texts"},
    {"external_links", Into<&S::external_links>::by<read_links>, "texts"},
    {"configs", [](S& s, V v, R in) { s.configs = read_grants(v, "/", in); }, "grants"},
    {"secrets", [](S& s, V v, R in) { s.secrets = read_grants(v, "/run/secrets/", in); }, "grants"},
    {"container_name", read_container_name, "text"},
    {"hostname", Into<&S::hostname>::text, "text"},
    {"domainname", Into<&S::domainname>::text, "text"},
    {"user", Into<&S::user>::text, "text"},
    {"working_dir", Into<&S::working_dir>::text, "text"},
    {"mac_address", Into<&S::mac_address>::text, "text"},
    {"platform", Into<&S::platform>::text, "text"},
    {"pull_policy", read_pull_policy, "text"},
    {"stop_signal", Into<&S::stop_signal>::text, "text"},
    {"stop_grace_period", Into<&S::stop_grace_period>::span, "duration"},
    {"extra_hosts", Into<&S::extra_hosts>::by<read_extra_hosts>, "extra_hosts"},
    {"dns", Into<&S::dns>::by<read_dns_servers>, "text_or_texts"},
    {"dns_search", Into<&S::dns_search>::text_or_texts, "text_or_texts"},
    {"dns_opt", Into<&S::dns_opt>::text_or_texts, "text_or_texts"},
    {"cap_add", Into<&S::isolation, &I::cap_add>::texts, "texts"},
    {"cap_drop", Into<&S::isolation, &I::cap_drop>::texts, "texts"},
    {"security_opt", read_security_opt, "texts"},
    {"group_add", Into<&S::isolation, &I::group_add>::texts, "texts"},
    {"device_cgroup_rules", Into<&S::isolation, &I::device_cgroup_rules>::texts, "texts"},
    {"privileged", Into<&S::isolation, &I::privileged>::flag, "switch"},
    {"read_only", Into<&S::isolation, &I::read_only>::flag, "switch"},
    {"init", Into<&S::isolation, &I::init>::flag, "switch"},
    {"tty", Into<&S::isolation, &I::tty>::flag, "switch"},
    {"stdin_open", Into<&S::isolation, &I::stdin_open>::flag, "switch"},
    {"devices", Into<&S::isolation, &I::devices>::by<read_devices>, "devices"},
    {"pid", [](S& s, V v, R in) { s.isolation.pid = read_namespace(v, kPid, true, in); }, "text"},
    {"ipc", [](S& s, V v, R in) { s.isolation.ipc = read_namespace(v, kIpc, true, in); }, "text"},
    {"uts", [](S& s, V v, R in) { s.isolation.uts = read_namespace(v, kUts, false, in); }, "text"},
    {"cgroup", [](S& s, V v, R in) { s.isolation.cgroup = read_namespace(v, kCgroup, false, in); }, "text"},
    {"cgroup_parent", Into<&S::isolation, &I::cgroup_parent>::text, "text"},
    {"runtime", Into<&S::isolation, &I::runtime>::text, "text"},
    {"shm_size", Into<&S::isolation, &I::shm_size>::size, "size"},
    {"ulimits", [](S& s, V v, R in) { read_ulimits(s.isolation.ulimits, v, in); }, "ulimits"},
    {"sysctls", Into<&S::isolation, &I::sysctls>::pairs, "pairs"},
    {"annotations", Into<&S::isolation, &I::annotations>::pairs, "pairs"},
    {"cpus", [](S& s, V v, R in) { s.resources.nano_cpus = read_nano_cpus(v, in).value_or(0); }, "cpus"},
    {"cpu_shares", Into<&S::resources, &Res::cpu_shares>::number<0, 262144>, "integer"},
    {"cpu_period", [](S& s, V v, R in) { s.resources.cpu_period = read_microseconds(v, in).value_or(0); }, "cpu_time"},
    {"cpu_quota", [](S& s, V v, R in) { s.resources.cpu_quota = read_microseconds(v, in).value_or(0); }, "cpu_time"},
    {"cpuset", Into<&S::resources, &Res::cpuset>::text, "text"},
    {"mem_limit", Into<&S::resources, &Res::memory>::size, "size"},
    {"mem_reservation", Into<&S::resources, &Res::memory_reservation>::size, "size"},
    {"memswap_limit", Into<&S::resources, &Res::memory_and_swap>::size_or_unlimited, "size"},
    {"mem_swappiness",
     [](S& s, V v, R in) {
       if (const auto value = read_number(v, 0, 100, in)) s.resources.swappiness = static_cast<int>(*value);
     },
     "integer"},
    {"pids_limit", Into<&S::resources, &Res::pids>::number<-1, kMany>, "integer"},
    {"oom_score_adj", Into<&S::resources, &Res::oom_score_adj>::number<-1000, 1000>, "integer"},
    {"oom_kill_disable", Into<&S::resources, &Res::oom_kill_disable>::flag, "switch"},
    {"logging", read_logging, "logging"},
    {"pre_start", Into<&S::pre_start>::by<read_steps>, "steps"},
    {"post_start", Into<&S::post_start>::by<read_hooks>, "hooks"},
    {"pre_stop", Into<&S::pre_stop>::by<read_hooks>, "hooks"},
    {"develop", Into<&S::watch>::by<read_develop>, "develop"},
    {"profiles", Into<&S::profiles>::texts, "texts"},
    {"attach", Into<&S::attach>::flag, "switch"},
    {"scale", Into<&S::scale>::number<0, 1000>, "integer"},
    {"deploy", later, "deploy"},
    {"x-process", read_process_keys, "process"},
    {"x-devstack", [](S& s, V v, R in) { read_fields<S>(v, s, kOwnKeys, {}, in); }, "service_own"},
};

/// What Compose has and this program does not, with the nearest that it has.
constexpr Unsupported kServiceNot[] = {
    {"cpu_count", "it is for Windows; write `cpus`"},
    {"cpu_percent", "it is for Windows; write `cpus`"},
    {"cpu_rt_period", "write `cpu_period`"},
    {"cpu_rt_runtime", "write `cpu_quota`"},
    {"isolation", "it is for Windows; remove it"},
    {"credential_spec", "it is for Windows; remove it"},
    {"blkio_config", "remove it; `cpus` and `mem_limit` limit other things"},
    {"storage_opt", "remove it; a volume can have a size by `driver_opts`"},
    {"userns_mode", "remove it; `user` sets who runs"},
    {"use_api_socket", "mount it: /var/run/docker.sock:/var/run/docker.sock"},
    {"provider", "run it yourself and name its address under `dns: records`"},
    {"models", "run the model's server as a service with an image"},
    {"gpus", "remove it, or name its device files under `devices`"},
    {"volume_driver", "declare the volume under top-level `volumes` with `driver`"},
    {"net", "write `network_mode`"},
    {"depends", "write `depends_on`"},
    {"dockerfile", "write `build: {dockerfile: …}`"},
    {"log_driver", "write `logging: {driver: …}`"},
    {"log_opt", "write `logging: {options: …}`"},
};

void read_container(S& s, V node, R in) {
  if (const Node* command = node.find("command")) {
    s.command = read_container_command(*command, in);
    s.no_command = s.command.empty() && command->kind != Node::Kind::null;
  }
  const Node* image = node.find("image");
  if (image != nullptr && image->kind == Node::Kind::scalar && image->text.empty()) {
    in.report.error(image->at, "{}the image has no name", image->prefix());
  }
  const Node* stand_in = node.find("x-process");
  if (s.process && s.process->command.empty() && stand_in->find("command") == nullptr) {
    in.report.error(stand_in->at, "{}`command` is missing: what runs where there is no Docker", stand_in->prefix());
  }
}

constexpr auto kServiceKeys = [] {
  std::array<std::string_view, std::size(kService)> keys;
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = kService[i].name;
  return keys;
}();

}  // namespace

std::span<const std::string_view> service_keys() { return kServiceKeys; }

ServiceSpec read_service(const Entry& entry, const Reading& in) {
  S service;
  service.name = entry.key;
  service.at = entry.at;
  const Node& node = entry.value;
  read_fields<S>(node, service, kService, kServiceNot, in);
  if (node.kind != Node::Kind::map && node.kind != Node::Kind::null) return service;
  service.environment = read_environment(node, in);
  service.labels = read_service_labels(node, in);
  read_deploy(service, node, in);
  if (node.find("image") != nullptr || service.build) {
    read_container(service, node, in);
  } else {
    read_process(service, node, in);
  }
  add_implied_dependencies(service);
  return service;
}

void add_service_shapes(Shapes& into) {
  into.map("service", kService);
  into.map("service_own", kOwnKeys);
  into.map("wait_for", kWaitFor);
  into.map("logging", kLogging);
}

}  // namespace devstack::stack

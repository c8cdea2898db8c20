#include "core/docker/json.h"
#include "core/docker/wire.h"

namespace devstack::docker::wire {
namespace {

std::vector<std::string> texts(const json::array& from) {
  std::vector<std::string> all;
  for (const auto& value : from) {
    if (value.is_string()) all.push_back(as_text(value));
  }
  return all;
}

StringMap string_map(const json::object& from) {
  StringMap all;
  for (const auto& field : from) all[std::string(field.key())] = as_text(field.value());
  return all;
}

std::string without_slash(std::string name) {
  if (name.starts_with('/')) name.erase(0, 1);
  return name;
}

std::vector<ContainerPort> exposed_ports(const json::object& from) {
  std::vector<ContainerPort> all;
  for (const auto& field : from) {
    if (auto port = parse_container_port({field.key().data(), field.key().size()})) all.push_back(std::move(*port));
  }
  return all;
}

std::map<ContainerPort, std::vector<PortBinding>> port_map(const json::object& from) {
  std::map<ContainerPort, std::vector<PortBinding>> all;
  for (const auto& field : from) {
    auto port = parse_container_port({field.key().data(), field.key().size()});
    if (!port) continue;
    auto& bindings = all[*port];
    if (!field.value().is_array()) continue;  // null: exposed, not published
    for (const auto& value : field.value().get_array()) {
      if (!value.is_object()) continue;
      const auto host = parse_container_port(text_at(value.get_object(), "HostPort"));
      bindings.push_back({text_at(value.get_object(), "HostIp"), host ? host->port : std::uint16_t{0}});
    }
  }
  return all;
}

std::map<std::string, EndpointSettings> endpoints(const json::object& from) {
  std::map<std::string, EndpointSettings> all;
  for (const auto& field : from) {
    if (!field.value().is_object()) continue;
    const auto& values = field.value().get_object();
    EndpointSettings endpoint;
    endpoint.network_id = text_at(values, "NetworkID");
    endpoint.ip_address = text_at(values, "IPAddress");
    endpoint.ipv6_address = text_at(values, "GlobalIPv6Address");
    endpoint.gateway = text_at(values, "Gateway");
    endpoint.aliases = texts(array_at(values, "Aliases"));
    all.emplace(std::string(field.key()), std::move(endpoint));
  }
  return all;
}

HealthReport health(const json::object& from) {
  HealthReport report;
  report.status = text_at(from, "Status");
  if (report.status == "none") report.status.clear();
  report.failing_streak = static_cast<int>(number_at(from, "FailingStreak"));
  for (const auto& probe : array_at(from, "Log")) {
    if (probe.is_object()) report.outputs.push_back(text_at(probe.get_object(), "Output"));
  }
  return report;
}

std::string restart_policy(const json::object& from) {
  const auto retries = number_at(from, "MaximumRetryCount");
  auto name = text_at(from, "Name");
  return retries > 0 ? fmt::format("{}:{}", name, retries) : name;
}

Network network(const json::object& from) {
  Network found;
  found.id = text_at(from, "Id");
  found.name = text_at(from, "Name");
  found.driver = text_at(from, "Driver");
  found.labels = string_map(object_at(from, "Labels"));
  for (const auto& config : array_at(object_at(from, "IPAM"), "Config")) {
    if (!config.is_object()) continue;
    auto gateway = text_at(config.get_object(), "Gateway");
    if (!gateway.empty()) found.gateways.push_back(std::move(gateway));
  }
  for (const auto& field : object_at(from, "Containers")) found.containers.emplace_back(std::string(field.key()));
  return found;
}

std::vector<MountPoint> mount_points(const json::array& from) {
  std::vector<MountPoint> all;
  for (const auto& value : from) {
    if (!value.is_object()) continue;
    const auto& mount = value.get_object();
    all.push_back({text_at(mount, "Type"), text_at(mount, "Name"), text_at(mount, "Source"),
                   text_at(mount, "Destination"), mount.contains("RW") && !flag_at(mount, "RW")});
  }
  return all;
}

Image image(const json::object& from) {
  Image found;
  found.id = text_at(from, "Id");
  found.tags = texts(array_at(from, "RepoTags"));
  found.digests = texts(array_at(from, "RepoDigests"));
  found.created = text_at(from, "Created");
  found.size = number_at(from, "Size");
  return found;
}

Volume volume(const json::object& from) {
  return {text_at(from, "Name"), text_at(from, "Driver"), text_at(from, "Mountpoint"),
          string_map(object_at(from, "Labels"))};
}

std::optional<std::chrono::seconds> seconds_at(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return std::chrono::seconds(value->get_int64());
}

}  // namespace

Result<Container> parse_container(std::string_view text) {
  TRY(const auto root, parse_object(text));
  const auto& config = object_at(root, "Config");
  const auto& state = object_at(root, "State");
  const auto& host = object_at(root, "HostConfig");
  const auto& network_settings = object_at(root, "NetworkSettings");
  Container found;
  found.id = text_at(root, "Id");
  if (found.id.empty()) return fail(Errc::parse, "the engine's answer holds no container id");
  found.name = without_slash(text_at(root, "Name"));
  found.image = text_at(config, "Image");
  found.image_id = text_at(root, "Image");
  found.hostname = text_at(config, "Hostname");
  found.stop_signal = text_at(config, "StopSignal");
  found.stop_timeout = seconds_at(config, "StopTimeout");
  found.env = texts(array_at(config, "Env"));
  found.labels = string_map(object_at(config, "Labels"));
  found.exposed_ports = exposed_ports(object_at(config, "ExposedPorts"));
  found.tty = flag_at(config, "Tty");
  found.ports = port_map(object_at(network_settings, "Ports"));
  found.network_mode = text_at(host, "NetworkMode");
  found.pid_mode = text_at(host, "PidMode");
  found.ipc_mode = text_at(host, "IpcMode");
  found.mounts = mount_points(array_at(root, "Mounts"));
  found.dns = texts(array_at(host, "Dns"));
  found.networks = endpoints(object_at(network_settings, "Networks"));
  found.status = text_at(state, "Status");
  found.running = flag_at(state, "Running");
  found.exit_code = static_cast<int>(number_at(state, "ExitCode"));
  found.pid = number_at(state, "Pid");
  found.error = text_at(state, "Error");
  found.started_at = text_at(state, "StartedAt");
  found.finished_at = text_at(state, "FinishedAt");
  found.health = health(object_at(state, "Health"));
  found.restart_policy = restart_policy(object_at(host, "RestartPolicy"));
  return found;
}

Result<std::vector<ContainerSummary>> parse_container_list(std::string_view text) {
  TRY(const auto rows, parse_array(text));
  std::vector<ContainerSummary> all;
  for (const auto& value : rows) {
    if (!value.is_object()) continue;
    const auto& row = value.get_object();
    ContainerSummary summary;
    summary.id = text_at(row, "Id");
    for (auto& name : texts(array_at(row, "Names"))) summary.names.push_back(without_slash(std::move(name)));
    summary.image = text_at(row, "Image");
    summary.state = text_at(row, "State");
    summary.status = text_at(row, "Status");
    summary.labels = string_map(object_at(row, "Labels"));
    all.push_back(std::move(summary));
  }
  return all;
}

Result<Image> parse_image(std::string_view text) {
  TRY(const auto root, parse_object(text));
  Image found = image(root);
  found.labels = string_map(object_at(object_at(root, "Config"), "Labels"));
  found.entrypoint = texts(array_at(object_at(root, "Config"), "Entrypoint"));
  return found;
}

Result<std::vector<Image>> parse_image_list(std::string_view text) {
  TRY(const auto rows, parse_array(text));
  std::vector<Image> all;
  for (const auto& value : rows) {
    if (!value.is_object()) continue;
    all.push_back(image(value.get_object()));
    all.back().labels = string_map(object_at(value.get_object(), "Labels"));
  }
  return all;
}

Result<Volume> parse_volume(std::string_view text) {
  TRY(const auto root, parse_object(text));
  return volume(root);
}

Result<std::vector<Volume>> parse_volume_list(std::string_view text) {
  TRY(const auto root, parse_object(text));
  std::vector<Volume> all;
  for (const auto& value : array_at(root, "Volumes")) {
    if (value.is_object()) all.push_back(volume(value.get_object()));
  }
  return all;
}

Result<ProcessTable> parse_process_table(std::string_view text) {
  TRY(const auto root, parse_object(text));
  ProcessTable table;
  table.titles = texts(array_at(root, "Titles"));
  for (const auto& row : array_at(root, "Processes")) {
    if (row.is_array()) table.rows.push_back(texts(row.get_array()));
  }
  return table;
}

Result<Network> parse_network(std::string_view text) {
  TRY(const auto root, parse_object(text));
  return network(root);
}

Result<std::vector<Network>> parse_network_list(std::string_view text) {
  TRY(const auto rows, parse_array(text));
  std::vector<Network> all;
  for (const auto& value : rows) {
    if (value.is_object()) all.push_back(network(value.get_object()));
  }
  return all;
}

Result<Event> parse_event(std::string_view text) {
  TRY(const auto root, parse_object(text));
  const auto& actor = object_at(root, "Actor");
  Event event;
  event.type = text_at(root, "Type");
  event.action = text_at(root, "Action");
  event.actor_id = text_at(actor, "ID");
  event.attributes = string_map(object_at(actor, "Attributes"));
  event.time_nano = number_at(root, "timeNano");
  return event;
}

Result<Progress> parse_progress(std::string_view text) {
  TRY(const auto root, parse_object(text));
  Progress step{text_at(root, "id"), text_at(root, "status"), text_at(root, "error")};
  step.output = text_at(root, "stream");
  step.built = text_at(object_at(root, "aux"), "ID");
  const auto& detail = object_at(root, "progressDetail");
  step.current = number_at(detail, "current");
  step.total = number_at(detail, "total");
  return step;
}

std::string text_field(std::string_view text, std::string_view name) {
  const auto root = parse_object(text);
  return root ? text_at(*root, name) : std::string();
}

Result<int> parse_exit_code(std::string_view text) {
  TRY(const auto root, parse_object(text));
  const auto problem = text_at(object_at(root, "Error"), "Message");
  if (!problem.empty()) return fail(Errc::failed, "{}", problem);
  if (!root.contains("StatusCode")) return fail(Errc::parse, "the engine's answer holds no exit code");
  return static_cast<int>(number_at(root, "StatusCode"));
}

Result<ExecState> parse_exec(std::string_view text) {
  TRY(const auto root, parse_object(text));
  ExecState state;
  state.running = flag_at(root, "Running");
  const auto* code = root.if_contains("ExitCode");
  if (code != nullptr && !code->is_null()) state.exit_code = static_cast<int>(number_at(root, "ExitCode"));
  return state;
}

}  // namespace devstack::docker::wire

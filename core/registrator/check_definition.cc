#include "core/registrator/check_definition.h"

#include <string_view>
#include <utility>

#include "core/base/duration.h"

namespace devstack::registrator {
namespace {

using Kind = registry::CheckDefinition::Kind;

constexpr std::size_t short_id = 12;

std::string get(const registry::Service& service, const std::string& key) {
  const auto found = service.meta.find("check_" + key);
  return found == service.meta.end() ? std::string() : found->second;
}

std::string replace_all(std::string text, std::string_view from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// False when the text is no duration.
bool read_duration(const std::string& text, std::chrono::nanoseconds& into) {
  if (text.empty()) return true;
  const auto value = parse_duration(text);
  if (value) into = *value;
  return value.has_value();
}

bool fill_kind(const registry::Service& service, const std::string& host, const std::string& container_id,
               registry::CheckDefinition& check) {
  const auto address =
      (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(service.port);
  for (const auto* scheme : {"http", "https"}) {
    if (const auto path = get(service, scheme); !path.empty()) {
      check.kind = Kind::http;
      check.http = std::string(scheme) + "://" + address + path;
      check.method = get(service, std::string(scheme) + "_method");
      check.tls_skip_verify = !get(service, "tls_skip_verify").empty();
      return true;
    }
  }
  if (const auto command = get(service, "cmd"); !command.empty()) {
    check.kind = Kind::docker;
    check.docker_container_id = container_id.substr(0, short_id);
    check.shell = "/bin/sh";
    check.script_args = {"/bin/sh", "-c", command};
  } else if (const auto script = get(service, "script"); !script.empty()) {
    check.kind = Kind::script;
    const auto text =
        replace_all(replace_all(script, "$SERVICE_IP", host), "$SERVICE_PORT", std::to_string(service.port));
    check.script_args = {"/bin/sh", "-c", text};
  } else if (const auto ttl = get(service, "ttl"); !ttl.empty()) {
    check.kind = Kind::ttl;
    return read_duration(ttl, check.ttl);
  } else if (!get(service, "tcp").empty()) {
    check.kind = Kind::tcp;
    check.tcp = address;
  } else if (!get(service, "grpc").empty()) {
    check.kind = Kind::grpc;
    check.grpc = address;
    check.grpc_use_tls = !get(service, "grpc_use_tls").empty();
    check.tls_skip_verify = check.grpc_use_tls && !get(service, "tls_skip_verify").empty();
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::optional<WantedCheck> check_definition(const registry::Service& service, const std::string& node_address,
                                            const std::string& container_id) {
  WantedCheck wanted;
  auto& check = wanted.definition;
  const auto& host = service.address.empty() ? node_address : service.address;
  if (!fill_kind(service, host, container_id, check)) return std::nullopt;
  if (check.kind != Kind::ttl) {
    check.interval = std::chrono::seconds(10);
    if (!read_duration(get(service, "interval"), check.interval)) return std::nullopt;
    if (!read_duration(get(service, "timeout"), check.timeout)) return std::nullopt;
  }
  if (!read_duration(get(service, "deregister_after"), check.deregister_critical_after)) return std::nullopt;
  wanted.initial_status = get(service, "initial_status");
  return wanted;
}

}  // namespace devstack::registrator

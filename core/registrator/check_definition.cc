#include "core/registrator/check_definition.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/base/duration.h"

namespace devstack::registrator {
namespace {

using Kind = registry::CheckDefinition::Kind;
using Metadata = std::map<std::string, std::string>;

constexpr std::size_t short_id = 12;
constexpr std::array kinds{"http", "https", "cmd", "script", "ttl", "tcp", "grpc"};

std::string get(const Metadata& metadata, const std::string& key) {
  const auto found = metadata.find("check_" + key);
  return found == metadata.end() ? std::string() : found->second;
}

std::string replace_all(std::string text, std::string_view from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string variable_name(std::string_view key) {
  std::string name = "SERVICE_CHECK_";
  for (const char c : key) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

/// An absent value leaves `into` as it is.
Result<void> read_duration(const Metadata& metadata, const std::string& key, std::chrono::nanoseconds least,
                           std::chrono::nanoseconds& into) {
  const auto text = get(metadata, key);
  if (text.empty()) return {};
  const auto value = parse_duration(text);
  if (!value) return fail(Errc::invalid_argument, "{}: {}", variable_name(key), value.error().message);
  if (*value < least) return fail(Errc::invalid_argument, "{}: \"{}\" is too short", variable_name(key), text);
  into = *value;
  return {};
}

/// The first that is there, in Registrator's order.
Kind fill_kind(const Metadata& metadata, const std::string& host, std::uint16_t port, const std::string& container_id,
               registry::CheckDefinition& check) {
  const auto address = (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
  for (const auto* scheme : {"http", "https"}) {
    if (const auto path = get(metadata, scheme); !path.empty()) {
      check.http = std::string(scheme) + "://" + address + path;
      check.method = get(metadata, std::string(scheme) + "_method");
      check.tls_skip_verify = !get(metadata, "tls_skip_verify").empty();
      return Kind::http;
    }
  }
  if (const auto command = get(metadata, "cmd"); !command.empty()) {
    check.docker_container_id = container_id.substr(0, short_id);
    check.shell = "/bin/sh";
    check.script_args = {"/bin/sh", "-c", command};
    return Kind::docker;
  }
  if (const auto script = get(metadata, "script"); !script.empty()) {
    const auto text = replace_all(replace_all(script, "$SERVICE_IP", host), "$SERVICE_PORT", std::to_string(port));
    check.script_args = {"/bin/sh", "-c", text};
    return Kind::script;
  }
  if (!get(metadata, "ttl").empty()) return Kind::ttl;
  if (!get(metadata, "tcp").empty()) {
    check.tcp = address;
    return Kind::tcp;
  }
  if (get(metadata, "grpc").empty()) return Kind::none;
  check.grpc = address;
  check.grpc_use_tls = !get(metadata, "grpc_use_tls").empty();
  check.tls_skip_verify = check.grpc_use_tls && !get(metadata, "tls_skip_verify").empty();
  return Kind::grpc;
}

}  // namespace

Result<std::optional<WantedCheck>> check_definition(const Metadata& metadata, const registry::Service& service,
                                                    const std::string& node_address, const std::string& container_id) {
  constexpr std::chrono::nanoseconds any{0}, some{1};
  WantedCheck wanted;
  auto& check = wanted.definition;
  const auto& host = service.address.empty() ? node_address : service.address;
  check.kind = fill_kind(metadata, host, static_cast<std::uint16_t>(service.port), container_id, check);
  if (check.kind == Kind::none) return std::nullopt;
  if (check.kind == Kind::ttl) {
    CHECK(read_duration(metadata, "ttl", some, check.ttl));
  } else {
    check.interval = std::chrono::seconds(10);
    CHECK(read_duration(metadata, "interval", some, check.interval));
    CHECK(read_duration(metadata, "timeout", any, check.timeout));
  }
  CHECK(read_duration(metadata, "deregister_after", any, check.deregister_critical_after));
  wanted.initial_status = get(metadata, "initial_status");
  return wanted;
}

bool defines_check(const Metadata& metadata) {
  return std::any_of(kinds.begin(), kinds.end(), [&](const char* kind) { return !get(metadata, kind).empty(); });
}

}  // namespace devstack::registrator

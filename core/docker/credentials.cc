#include "core/docker/credentials.h"

#include "core/base/base64.h"
#include "core/docker/json.h"

namespace devstack::docker {
namespace {

namespace json = boost::json;

constexpr std::string_view kHub = "https://index.docker.io/v1/";
/// What helpers call the user of an identity token.
constexpr std::string_view kTokenUser = "<token>";

/// "https://host/v1/" is the host; so keys are compared that an older `docker login` wrote.
std::string_view host_of(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  }
  return key.substr(0, key.find('/'));
}

Credentials parse_entry(const std::string& registry, const json::object& entry) {
  Credentials out{registry, wire::text_at(entry, "username"), wire::text_at(entry, "password"),
                  wire::text_at(entry, "identitytoken"), wire::text_at(entry, "registrytoken")};
  const auto packed = decode_base64_prefix(wire::text_at(entry, "auth"));
  const auto colon = packed.find(':');
  if (colon == std::string::npos) return out;
  out.username = packed.substr(0, colon);
  out.password = packed.substr(colon + 1);
  while (out.password.ends_with('\0')) out.password.pop_back();
  return out;
}

json::object to_object(const Credentials& credentials) {
  json::object out;
  if (!credentials.username.empty()) out["username"] = credentials.username;
  if (!credentials.password.empty()) out["password"] = credentials.password;
  if (!credentials.identity_token.empty()) out["identitytoken"] = credentials.identity_token;
  if (!credentials.registry_token.empty()) out["registrytoken"] = credentials.registry_token;
  out["serveraddress"] = credentials.registry;
  return out;
}

Result<json::object> read_object(std::string_view text, std::string_view whose) {
  boost::system::error_code error;
  auto value = json::parse({text.data(), text.size()}, error);
  if (error) return fail(Errc::parse, "{} is not JSON: {}", whose, error.message());
  if (!value.is_object()) return fail(Errc::parse, "{} is not a JSON object", whose);
  return std::move(value.get_object());
}

}  // namespace

Result<CredentialConfig> parse_credential_config(std::string_view text) {
  TRY(const auto root, read_object(text, "it"));
  CredentialConfig config;
  config.store = wire::text_at(root, "credsStore");
  for (const auto& [key, value] : wire::object_at(root, "credHelpers")) {
    if (value.is_string()) config.helpers[std::string(key)] = std::string(value.get_string());
  }
  for (const auto& [key, value] : wire::object_at(root, "auths")) {
    const std::string registry(key);
    if (value.is_object()) config.auths[registry] = parse_entry(registry, value.get_object());
  }
  return config;
}

std::string docker_config_folder(const StringMap& environment) {
  const auto named = environment.find("DOCKER_CONFIG");
  if (named != environment.end() && !named->second.empty()) return named->second;
  const auto home = environment.find("HOME");
  return home == environment.end() || home->second.empty() ? std::string() : home->second + "/.docker";
}

std::string registry_of(std::string_view image) {
  const auto slash = image.find('/');
  if (slash == std::string_view::npos) return std::string(kHub);
  const auto first = image.substr(0, slash);
  const bool host = first == "localhost" || first.find_first_of(".:") != std::string_view::npos;
  if (!host || first == "docker.io" || first == "index.docker.io") return std::string(kHub);
  return std::string(first);
}

std::string credential_helper(const CredentialConfig& config, const std::string& registry) {
  const auto own = config.helpers.find(registry);
  return own == config.helpers.end() ? config.store : own->second;
}

Credentials kept_credentials(const CredentialConfig& config, const std::string& registry) {
  const auto exact = config.auths.find(registry);
  Credentials out;
  if (exact != config.auths.end()) out = exact->second;
  for (const auto& [key, credentials] : config.auths) {
    if (out.empty() && host_of(key) == host_of(registry)) out = credentials;
  }
  out.registry = registry;
  return out;
}

Result<Credentials> parse_helper_credentials(std::string_view text, const std::string& registry) {
  TRY(const auto root, read_object(text, "its answer"));
  Credentials out;
  out.registry = registry;
  out.username = wire::text_at(root, "Username");
  out.password = wire::text_at(root, "Secret");
  if (out.username != kTokenUser) return out;
  out.username.clear();
  out.identity_token = std::exchange(out.password, {});
  return out;
}

Result<std::vector<std::string>> parse_helper_list(std::string_view text) {
  TRY(const auto root, read_object(text, "its answer"));
  std::vector<std::string> out;
  for (const auto& [key, value] : root) out.emplace_back(key);
  return out;
}

std::string registry_auth(const Credentials& credentials) {
  if (credentials.empty()) return {};
  return encode_base64(json::serialize(to_object(credentials)), Base64::url_safe);
}

std::string registry_config(const std::vector<Credentials>& credentials) {
  json::object all;
  for (const auto& one : credentials) {
    if (!one.empty()) all[one.registry] = to_object(one);
  }
  return all.empty() ? std::string() : encode_base64(json::serialize(all), Base64::url_safe);
}

}  // namespace devstack::docker

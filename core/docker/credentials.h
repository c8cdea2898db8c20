#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/docker/types.h"

/// Credentials of image registries, as `docker login` keeps them and the engine takes them. Pure; nothing of it is ever
/// logged. https://docs.docker.com/reference/cli/docker/login/#credential-stores and
/// https://docs.docker.com/engine/api/v1.41/#section/Authentication
namespace devstack::docker {

struct Credentials {
  std::string registry;  ///< "127.0.0.1:5000"; Docker Hub is "https://index.docker.io/v1/"
  std::string username, password;
  std::string identity_token;  ///< instead of a password
  std::string registry_token;
  [[nodiscard]] bool empty() const { return username.empty() && identity_token.empty() && registry_token.empty(); }
};

/// What of Docker's config.json is about credentials.
struct CredentialConfig {
  std::map<std::string, Credentials> auths;  ///< by registry, written as the file has it
  StringMap helpers;                         ///< credHelpers: a program's name by registry
  std::string store;                         ///< credsStore: that of all others
};
/// Errc::parse.
Result<CredentialConfig> parse_credential_config(std::string_view text);

/// $DOCKER_CONFIG, else ~/.docker; "" when neither is known.
std::string docker_config_folder(const StringMap& environment);
/// Whose an image is: "ghcr.io" of "ghcr.io/a/b:1", Docker Hub's name of "redis".
std::string registry_of(std::string_view image);
/// NAME of the program docker-credential-NAME that is to be asked for a registry; "" = none.
std::string credential_helper(const CredentialConfig& config, const std::string& registry);
/// Those that the file itself has; a key may be written as a URL. Empty when there are none.
Credentials kept_credentials(const CredentialConfig& config, const std::string& registry);
/// What a helper has answered to `get`. Errc::parse.
Result<Credentials> parse_helper_credentials(std::string_view text, const std::string& registry);
/// The registries that a helper has answered to `list`. Errc::parse.
Result<std::vector<std::string>> parse_helper_list(std::string_view text);

/// The header X-Registry-Auth; "" for empty ones.
std::string registry_auth(const Credentials& credentials);
/// The header X-Registry-Config of a build, which may need several registries; "" for none.
std::string registry_config(const std::vector<Credentials>& credentials);

}  // namespace devstack::docker

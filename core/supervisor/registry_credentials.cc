#include "core/supervisor/registry_credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "core/process/child.h"
#include "core/supervisor/process_spec.h"

namespace devstack::supervisor {
namespace {

using namespace std::chrono_literals;
using docker::CredentialConfig;
using docker::Credentials;

constexpr auto kHelperLimit = 10s;
/// The helpers' own words for somebody who has not logged in.
/// https://github.com/docker/docker-credential-helpers/blob/master/credentials/error.go
constexpr std::string_view kNotFound = "credentials not found";

std::string config_file(const CredentialSource& source) { return source.folder + "/config.json"; }

/// One without a file has no credentials.
Result<CredentialConfig> read_config(const CredentialSource& source) {
  if (source.folder.empty()) return CredentialConfig{};
  std::ifstream in(config_file(source), std::ios::binary);
  if (!in) return CredentialConfig{};
  const std::string text(std::istreambuf_iterator<char>(in), {});
  auto config = docker::parse_credential_config(text);
  if (!config) return fail(Errc::parse, "{}: {}", config_file(source), config.error().message);
  return config;
}

/// What the program prints; the secret is in nobody's arguments or files.
asio::awaitable<Result<std::string>> ask(CredentialSource source, std::string helper, std::string order,
                                         std::string input) {
  process::Spec spec;
  spec.argv = {"sh",
               "-c",
               R"(printf %s "$3" | exec "docker-credential-$1" "$2" 2>/dev/null)",
               "sh",
               helper,
               order,
               std::move(input)};
  spec.env = inherited_environment();
  spec.env["PATH"] = source.path;
  CO_TRY(auto finished, co_await process::run(std::move(spec), kHelperLimit));
  if (finished.exit_code == 127) co_return fail(Errc::not_found, "there is no program docker-credential-{}", helper);
  if (finished.exit_code == 0) co_return std::move(finished.output);
  if (finished.output.find(kNotFound) != std::string::npos) co_return std::string("{}");
  co_return fail(Errc::failed, "docker-credential-{} {} ended with {}", helper, order, finished.exit_code);
}

asio::awaitable<Result<Credentials>> from_helper(CredentialSource source, std::string helper, std::string registry) {
  std::string order = "get";
  CO_TRY(const auto answer, co_await ask(std::move(source), helper, std::move(order), registry));
  auto parsed = docker::parse_helper_credentials(answer, registry);
  if (!parsed) co_return fail(Errc::parse, "docker-credential-{}: {}", helper, parsed.error().message);
  co_return parsed;
}

asio::awaitable<void> add(FoundCredentials& into, CredentialSource source, const CredentialConfig& config,
                          std::string registry) {
  const auto helper = docker::credential_helper(config, registry);
  Result<Credentials> found = docker::kept_credentials(config, registry);
  if (!helper.empty()) found = co_await from_helper(std::move(source), helper, registry);
  if (!found) into.problem = found.error().message;
  if (found && !found->empty()) into.all.push_back(std::move(*found));
}

}  // namespace

asio::awaitable<FoundCredentials> registry_credentials(CredentialSource source, std::string registry) {
  FoundCredentials found;
  const auto config = read_config(source);
  if (!config) {
    found.problem = config.error().message;
    co_return found;
  }
  co_await add(found, std::move(source), *config, std::move(registry));
  co_return found;
}

asio::awaitable<FoundCredentials> all_credentials(CredentialSource source) {
  FoundCredentials found;
  const auto config = read_config(source);
  if (!config) {
    found.problem = config.error().message;
    co_return found;
  }
  std::set<std::string> registries;
  for (const auto& [registry, credentials] : config->auths) registries.insert(registry);
  for (const auto& [registry, helper] : config->helpers) registries.insert(registry);
  if (!config->store.empty()) {
    std::string order = "list";
    const auto answer = co_await ask(source, config->store, std::move(order), "");
    Result<std::vector<std::string>> listed = std::vector<std::string>();
    if (answer) listed = docker::parse_helper_list(*answer);
    if (!answer) found.problem = answer.error().message;
    if (listed) registries.insert(listed->begin(), listed->end());
  }
  for (const auto& registry : registries) co_await add(found, source, *config, registry);
  co_return found;
}

std::string login_advice(std::string_view engine_words, const std::string& registry, const FoundCredentials& used,
                         const CredentialSource& source) {
  const auto says = [&](std::string_view words) { return engine_words.find(words) != std::string_view::npos; };
  if (!says("unauthorized") && !says("no basic auth credentials") && !says("denied")) return {};
  const bool hub = registry.starts_with("https://");
  const auto login = hub ? std::string("docker login") : "docker login " + registry;
  if (!used.problem.empty()) return fmt::format("; its credentials could not be had: {}", used.problem);
  if (used.all.empty()) return fmt::format("; {} has no credentials for it: {}", config_file(source), login);
  return fmt::format("; the credentials of {} are not taken there: {}", config_file(source), login);
}

}  // namespace devstack::supervisor

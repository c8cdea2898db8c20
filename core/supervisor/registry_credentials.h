#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "core/docker/credentials.h"

/// Credentials of image registries from where `docker login` has put them: Docker's config.json and the programs
/// (docker-credential-NAME) that it names. Read anew each time, kept nowhere, never logged. Loop thread.
namespace devstack::supervisor {

namespace asio = boost::asio;

struct CredentialSource {
  std::string folder;  ///< of config.json; "" = there are none
  std::string path;    ///< PATH in which the programs are looked for
};

struct FoundCredentials {
  std::vector<docker::Credentials> all;  ///< none when nobody has logged in
  std::string problem;                   ///< why some could not be had; the registry may do without
};
/// For a pull of an image of `registry`; one or none.
asio::awaitable<FoundCredentials> registry_credentials(CredentialSource source, std::string registry);
/// For a build, whose base images may be anybody's. A program has 10 s to answer, as above.
asio::awaitable<FoundCredentials> all_credentials(CredentialSource source);

/// What to do about a pull or build that a registry has refused; "" when that is not what the engine's words mean.
std::string login_advice(std::string_view engine_words, const std::string& registry, const FoundCredentials& used,
                         const CredentialSource& source);

}  // namespace devstack::supervisor

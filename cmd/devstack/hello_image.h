#pragma once

#include <string>

#include "core/base/result.h"
#include "core/docker/client.h"

/// The demo service that travels inside the devstack binary.
namespace devstack {

namespace asio = boost::asio;

/// Makes the image `devstack/hello` from it when `image` names that and the engine lacks this version; true when it did
/// or when it is there already.
asio::awaitable<Result<bool>> provide_hello_image(docker::Client client, std::string image);

/// Writes the program as `dir`/hello (for stacks that run it as a process), unless it stands there unchanged.
Result<void> write_hello_program(const std::string& dir);

}  // namespace devstack

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

/// The text of Docker's /etc/docker/daemon.json
/// (https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file). Pure.
namespace devstack::host {

/// The strings of the list `key`; none when there is no such list or the text is not JSON.
std::vector<std::string> list_of(std::string_view text, std::string_view key);

/// `text` with `value` first in the list of strings `key`, made if needed; everything else keeps its order and layout.
/// An empty text counts as {}. Errc::parse with line and column in `name` when it is no JSON object, or `key` no list.
Result<std::string> put_first(std::string_view text, std::string_view name, std::string_view key,
                              const std::string& value);

}  // namespace devstack::host

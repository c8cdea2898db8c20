#pragma once

#include <optional>
#include <string>

#include "core/base/result.h"

/// Which names a copied file takes, by the rules of `docker cp`. Pure.
/// https://docs.docker.com/reference/cli/docker/container/cp/#description
namespace devstack {

struct ContainerPath {
  std::string service, path;
};
/// "web:/etc/x", "PROJECT/web:/etc/x"; nothing for a path of this machine ("./a:b", "/a", "-").
std::optional<ContainerPath> container_path(const std::string& text);

/// Where an entry of the engine's tar goes below the target: whole into a folder that is there; else its first part is
/// the target's name, and what is left is "" for the thing itself. Errc::parse for a path that would leave the target.
Result<std::string> unpacked_path(const std::string& entry, bool into_folder);

struct PlaceInContainer {
  std::string folder;  ///< that the tar is unpacked into
  std::string name;    ///< of the thing in the tar
};
PlaceInContainer place_in_container(const std::string& from, const std::string& to, bool to_is_folder);

}  // namespace devstack

#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/docker/types.h"

/// The Engine API's JSON to our types and back. Pure. What an engine leaves out or sets to null reads as empty: engines
/// differ, and a missing detail of one container must not hide the rest. Errc::parse only when the text is not JSON or
/// not of the outer shape. Private to the room (and its tests).
namespace devstack::docker::wire {

Result<Container> parse_container(std::string_view text);
Result<std::vector<ContainerSummary>> parse_container_list(std::string_view text);
Result<Image> parse_image(std::string_view text);
Result<Network> parse_network(std::string_view text);
Result<std::vector<Network>> parse_network_list(std::string_view text);
Result<Event> parse_event(std::string_view text);

struct EngineVersion {
  std::string version;
  std::string api_version;      ///< the newest the engine speaks
  std::string min_api_version;  ///< "" when it does not say
};
Result<EngineVersion> parse_version(std::string_view text);
/// The highest version that both the engine and we speak; Errc::failed in words when there is none.
Result<std::string> choose_version(const EngineVersion& engine);

/// A step of a pull or an import: {"status":…,"id":…} or {"error":…}.
struct Progress {
  std::string id, status, error;
};
Result<Progress> parse_progress(std::string_view text);

/// A field of a one-field answer: {"Id": …}, {"message": …}; "" when it is not there.
std::string text_field(std::string_view json, std::string_view name);
Result<int> parse_exit_code(std::string_view text);

/// GET /exec/{id}/json. A null ExitCode, as of a command that still runs, is nothing.
struct ExecState {
  bool running = false;
  std::optional<int> exit_code;
};
Result<ExecState> parse_exec(std::string_view text);

std::string create_container_body(const ContainerSpec& spec);
std::string create_exec_body(const std::vector<std::string>& argv);
std::string create_network_body(std::string_view name, const StringMap& labels);
/// {"label":["a=b"]}
std::string label_filter(const std::vector<std::string>& labels);

/// "redis:7" as {"redis", "7"}; no tag is "latest"; a digest stays with the name and leaves the tag empty.
struct ImageName {
  std::string repository, tag;
};
ImageName split_image_name(std::string_view name);

}  // namespace devstack::docker::wire

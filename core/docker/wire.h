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
namespace devstack::docker {
struct ExecOptions;
struct BuildSpec;
}  // namespace devstack::docker

namespace devstack::docker::wire {

Result<Container> parse_container(std::string_view text);
Result<std::vector<ContainerSummary>> parse_container_list(std::string_view text);
Result<Image> parse_image(std::string_view text);
Result<std::vector<Image>> parse_image_list(std::string_view text);
Result<Volume> parse_volume(std::string_view text);
Result<std::vector<Volume>> parse_volume_list(std::string_view text);
Result<ProcessTable> parse_process_table(std::string_view text);
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

/// A step of a pull, a build or an import: {"status":…,"id":…}, {"stream":…} or {"error":…}.
struct Progress {
  std::string id, status, error;
  std::string output{};  ///< of a build
  std::string built{};   ///< the id of what was built
  std::int64_t current = 0, total = 0;
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

/// Whether an API version ("1.44") is that or a newer one.
bool api_at_least(std::string_view version, int major, int minor);
/// Engines below API 1.44 take one endpoint; the others are connected afterwards.
std::string create_container_body(const ContainerSpec& spec, std::string_view api_version = "1.41");
std::string disconnect_body(std::string_view container, bool force);
/// POST /build?… of a build.
std::string build_path(const BuildSpec& spec);
std::string connect_body(std::string_view container, const EndpointSpec& endpoint);
std::string create_exec_body(const ExecOptions& options);
std::string create_network_body(const NetworkSpec& spec, std::string_view api_version = "1.41");
std::string create_volume_body(const VolumeSpec& spec);
/// {"label":["a=b"]}
std::string label_filter(const std::vector<std::string>& labels);

/// "redis:7" as {"redis", "7"}; no tag is "latest"; a digest stays with the name and leaves the tag empty.
struct ImageName {
  std::string repository, tag;
};
ImageName split_image_name(std::string_view name);

}  // namespace devstack::docker::wire

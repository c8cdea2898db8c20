#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/docker/types.h"
#include "core/http/client.h"

/// A typed client of the Docker Engine API. Stateless but for the negotiated version; every call opens its own
/// connection, has a deadline, and runs on the caller's executor (the loop). Errors: Errc::docker_unreachable when no
/// engine answers, not_found (404), conflict (409), failed with the engine's own message otherwise.
namespace devstack::http {
class Duplex;
}

namespace devstack::docker {

namespace asio = boost::asio;

enum class LogStream { out, err };

/// How a command run in a container ended.
struct ExecResult {
  int exit_code = 0;          ///< 126 and 127 when it could not be run, as a shell says it
  std::string output;         ///< stdout and stderr interleaved as they came, at most `output_bytes` of the END
  std::uint64_t written = 0;  ///< how many bytes there were
};

class Session;

struct ExecOptions {
  std::vector<std::string> argv;
  bool tty = false;
  bool input = false;   ///< the command's stdin is ours; else it is at its end from the beginning
  bool detach = false;  ///< nobody reads: open() returns a session that is at its end
  bool privileged = false;
  std::string user, working_dir;
  StringMap env;
};

/// What a path in a container is.
struct PathStat {
  std::string name;
  std::int64_t size = 0;
  bool folder = false;
  std::string link_target;
};

/// What POST /build needs beside the context's tar. The engine's classic builder is asked: no BuildKit mounts.
struct BuildSpec {
  std::vector<std::string> tags;
  std::string dockerfile;  ///< in the context; "": Dockerfile
  std::string remote;      ///< a URL that the engine fetches, instead of a tar
  StringMap args, labels;
  std::vector<std::string> cache_from, extra_hosts;
  std::string target, network, platform;
  std::int64_t shm_size = 0;
  std::vector<UlimitSpec> ulimits;
  bool pull = false, no_cache = false;
  std::string registry_config;  ///< credentials for base images, as registry_config() writes them
};

using ImageSteps = std::function<void(const ImageProgress&)>;

class Client {
 public:
  /// "" means $DOCKER_HOST, else unix:///var/run/docker.sock.
  static Result<Client> connect_to(std::string host = {});
  explicit Client(http::Target target);

  [[nodiscard]] const http::Target& target() const;

  /// GET /_ping and /version: picks the highest API version both sides speak (1.24 … newest known). Call before others;
  /// they call it themselves when it was not.
  asio::awaitable<Result<EngineInfo>> negotiate();

  asio::awaitable<Result<std::vector<ContainerSummary>>> list_containers(bool all,
                                                                         std::vector<std::string> labels = {});
  asio::awaitable<Result<Container>> inspect_container(std::string id);
  /// Its id. Where the engine takes one network at creation, the others are connected afterwards; when that fails the
  /// container is removed again.
  asio::awaitable<Result<std::string>> create_container(ContainerSpec spec);
  asio::awaitable<Result<void>> rename_container(std::string id, std::string name);
  asio::awaitable<Result<ProcessTable>> top(std::string id, std::string ps_arguments = {});
  asio::awaitable<Result<void>> start_container(std::string id);
  asio::awaitable<Result<void>> stop_container(std::string id, std::chrono::seconds grace);  ///< ok when not running
  asio::awaitable<Result<void>> kill_container(std::string id, std::string signal);
  asio::awaitable<Result<void>> restart_container(std::string id, std::chrono::seconds grace);
  /// Errc::conflict when it is not running, or is paused already; unpause: when it is not paused.
  asio::awaitable<Result<void>> pause_container(std::string id);
  asio::awaitable<Result<void>> unpause_container(std::string id);
  asio::awaitable<Result<void>> remove_container(std::string id, bool force, bool volumes);  ///< ok when not there
  asio::awaitable<Result<int>> wait_container(std::string id);  ///< its exit code; no deadline, cancel it

  /// Runs `argv` in a running container, without a tty, and waits for its end. `timeout` covers everything; past it the
  /// answer is Errc::timeout and the process goes on (the engine has no way to end it). Errc::not_found without such a
  /// container, conflict when it does not run or is paused.
  asio::awaitable<Result<ExecResult>> exec(std::string container, std::vector<std::string> argv,
                                           std::size_t output_bytes, std::chrono::milliseconds timeout);
  /// The same with a user, a folder or variables of its own; tty, input and detach mean nothing here.
  asio::awaitable<Result<ExecResult>> exec(std::string container, ExecOptions options, std::size_t output_bytes,
                                           std::chrono::milliseconds timeout);

  /// A tar of what is at `path` in the container, running or not; at most `most` bytes.
  asio::awaitable<Result<std::string>> get_archive(std::string id, std::string path,
                                                   std::size_t most = std::size_t{512} << 20U);
  /// Unpacks a tar into the folder `path`, which must be there. Owners are the tar's; with `to_its_user` the user that
  /// the container runs as, where it says one.
  asio::awaitable<Result<void>> put_archive(std::string id, std::string path, std::string tar,
                                            bool to_its_user = false);
  asio::awaitable<Result<PathStat>> stat_path(std::string id, std::string path);  ///< not_found when there is none

  asio::awaitable<Result<Image>> inspect_image(std::string name);
  asio::awaitable<Result<std::vector<Image>>> list_images(std::vector<std::string> labels = {});
  /// POST /images/create; a step whenever a layer's status or its count of bytes changes. `auth` is registry_auth()'s,
  /// "" for nobody's. Errors name the image.
  asio::awaitable<Result<void>> pull_image(std::string name, ImageSteps progress, std::string platform = {},
                                           std::string auth = {});
  asio::awaitable<Result<void>> tag_image(std::string name, std::string as);
  /// POST /build; a step for each line of output. The new image's id; an error ends with the last lines of output.
  asio::awaitable<Result<std::string>> build_image(BuildSpec spec, std::string context_tar, ImageSteps progress);
  /// A from-scratch image of one file system tar; `changes` are Dockerfile lines (EXPOSE, CMD, LABEL, HEALTHCHECK not).
  asio::awaitable<Result<std::string>> import_image(std::string name, std::string tar,
                                                    std::vector<std::string> changes);

  asio::awaitable<Result<void>> remove_image(std::string name);  ///< ok when not there; conflict while in use

  asio::awaitable<Result<std::vector<Network>>> list_networks(std::vector<std::string> labels = {});
  asio::awaitable<Result<Network>> inspect_network(std::string name);
  asio::awaitable<Result<std::string>> create_network(NetworkSpec spec);  ///< its id; conflict when there is one
  asio::awaitable<Result<void>> remove_network(std::string name);
  asio::awaitable<Result<void>> connect_network(std::string container, EndpointSpec endpoint);
  asio::awaitable<Result<void>> disconnect_network(std::string network, std::string container, bool force);

  asio::awaitable<Result<std::vector<Volume>>> list_volumes(std::vector<std::string> labels = {});
  asio::awaitable<Result<Volume>> inspect_volume(std::string name);
  asio::awaitable<Result<Volume>> create_volume(VolumeSpec spec);  ///< the one that is there when it is there
  asio::awaitable<Result<void>> remove_volume(std::string name);   ///< ok when not there; conflict while in use

  /// GET /events from now on: `on_event` for each, until the stream breaks (its error) or the caller cancels.
  /// `on_open` runs once the engine has accepted the subscription: list after that and nothing is missed.
  asio::awaitable<Result<void>> events(std::function<void()> on_open, std::function<void(Event)> on_event);
  /// Log lines of a container (multiplexed stream decoded; a tty's as `out`), `tail` < 0 for all, following if asked.
  asio::awaitable<Result<void>> logs(std::string id, bool follow, int tail,
                                     std::function<void(LogStream, std::string_view)> on_bytes);
  /// Each line with its time before it, from a moment on (nanoseconds since 1970); ends where `on_bytes` fails.
  asio::awaitable<Result<void>> timed_logs(std::string id, bool follow, std::int64_t since,
                                           std::function<Result<void>(LogStream, std::string_view)> on_bytes);

 private:
  friend class Session;
  asio::awaitable<Result<std::unique_ptr<http::Duplex>>> hijack(std::string path, std::string body);
  asio::awaitable<Result<http::Response>> call(std::string method, std::string path, std::string body = {},
                                               std::chrono::milliseconds timeout = std::chrono::seconds(30));
  asio::awaitable<Result<std::string>> versioned(std::string path);
  using ByteSink = std::function<Result<void>(std::string_view)>;
  asio::awaitable<Result<void>> read_stream(http::Request message, std::function<void(const http::Response&)> on_ok,
                                            ByteSink on_bytes, std::chrono::milliseconds idle,
                                            std::chrono::milliseconds whole = std::chrono::milliseconds(0));
  http::Target target_;
  std::string api_version_;
};

}  // namespace devstack::docker

#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/docker/types.h"
#include "core/http/client.h"

/// A typed client of the Docker Engine API. Stateless but for the negotiated version; every call opens its own
/// connection, has a deadline, and runs on the caller's executor (the loop). Errors: Errc::docker_unreachable when no
/// engine answers, not_found (404), conflict (409), failed with the engine's own message otherwise.
namespace devstack::docker {

namespace asio = boost::asio;

enum class LogStream { out, err };

/// How a command run in a container ended.
struct ExecResult {
  int exit_code = 0;          ///< 126 and 127 when it could not be run, as a shell says it
  std::string output;         ///< stdout and stderr interleaved as they came, at most `output_bytes` of the END
  std::uint64_t written = 0;  ///< how many bytes there were
};

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
  asio::awaitable<Result<std::string>> create_container(ContainerSpec spec);  ///< its id
  asio::awaitable<Result<void>> start_container(std::string id);
  asio::awaitable<Result<void>> stop_container(std::string id, std::chrono::seconds grace);  ///< ok when not running
  asio::awaitable<Result<void>> kill_container(std::string id, std::string signal);
  asio::awaitable<Result<void>> restart_container(std::string id, std::chrono::seconds grace);
  asio::awaitable<Result<void>> remove_container(std::string id, bool force, bool volumes);  ///< ok when not there
  asio::awaitable<Result<int>> wait_container(std::string id);  ///< its exit code; no deadline, cancel it

  /// Runs `argv` in a running container, without a tty, and waits for its end. `timeout` covers everything; past it the
  /// answer is Errc::timeout and the process goes on (the engine has no way to end it). Errc::not_found without such a
  /// container, conflict when it does not run or is paused.
  asio::awaitable<Result<ExecResult>> exec(std::string container, std::vector<std::string> argv,
                                           std::size_t output_bytes, std::chrono::milliseconds timeout);

  asio::awaitable<Result<Image>> inspect_image(std::string name);
  /// POST /images/create; `progress` gets one human line a step. Errors name the image.
  asio::awaitable<Result<void>> pull_image(std::string name, std::function<void(std::string)> progress);
  /// A from-scratch image of one file system tar; `changes` are Dockerfile lines (EXPOSE, CMD, LABEL, HEALTHCHECK not).
  asio::awaitable<Result<std::string>> import_image(std::string name, std::string tar,
                                                    std::vector<std::string> changes);

  asio::awaitable<Result<void>> remove_image(std::string name);  ///< ok when not there; conflict while in use

  asio::awaitable<Result<std::vector<Network>>> list_networks(std::vector<std::string> labels = {});
  asio::awaitable<Result<Network>> inspect_network(std::string name);
  asio::awaitable<Result<std::string>> create_network(std::string name, StringMap labels);
  asio::awaitable<Result<void>> remove_network(std::string name);

  /// GET /events from now on: `on_event` for each, until the stream breaks (its error) or the caller cancels.
  /// `on_open` runs once the engine has accepted the subscription: list after that and nothing is missed.
  asio::awaitable<Result<void>> events(std::function<void()> on_open, std::function<void(Event)> on_event);
  /// Log lines of a container (multiplexed stream decoded; a tty's as `out`), `tail` < 0 for all, following if asked.
  asio::awaitable<Result<void>> logs(std::string id, bool follow, int tail,
                                     std::function<void(LogStream, std::string_view)> on_bytes);
  /// The same with each line's time before it, from a moment on (nanoseconds since 1970); ends where `on_bytes` fails.
  asio::awaitable<Result<void>> timed_logs(std::string id, bool follow, std::int64_t since,
                                           std::function<Result<void>(LogStream, std::string_view)> on_bytes);

 private:
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

#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "core/http/client.h"

/// Consul's HTTP API for the commands that read and write the registry: whichever engine answers, our own, a Consul
/// that devstack runs, or one elsewhere. https://developer.hashicorp.com/consul/api-docs
namespace devstack {

namespace asio = boost::asio;

/// What a command line says about the server; empty where it says nothing.
struct ConsulOptions {
  std::string address;     ///< "127.0.0.1:8500", "http://host:8500" or "unix:///path"
  std::string token;       ///< sent as X-Consul-Token
  std::string token_file;  ///< holds the token, for those who keep it out of `ps`
  std::string datacenter;
};

/// --http-addr, --token, --token-file and --datacenter, with the variables that Consul's own command line reads.
/// `options` outlives the parsing.
void add_consul_options(CLI::App& command, ConsulOptions& options);

struct ConsulAnswer {
  int status = 200;
  std::uint64_t index = 0;  ///< X-Consul-Index; 0 when there is none
  std::string body;
};

/// `target` with one more query parameter, its value escaped. Pure.
std::string with_parameter(std::string target, std::string_view name, std::string_view value);

/// A server and how to speak to it. A value; any executor, the caller's is used.
class ConsulClient {
 public:
  /// Finds the server: the option, else the registry of the appliance that runs in this state directory, else
  /// 127.0.0.1:8500. Errors: Errc::usage for an address that is none, Errc::io for an unreadable token file.
  static asio::awaitable<Result<ConsulClient>> find(ConsulOptions options);

  /// One exchange. Success, 404 (no such key) and 409 (a transaction that failed) are answers; what else is refused is
  /// an error with the server's words: Errc::permission for 403, unavailable for 429 and 5xx, too_large for 413, else
  /// invalid_argument. Errc::unavailable with advice when nobody answers.
  [[nodiscard]] asio::awaitable<Result<ConsulAnswer>> ask(http::Request request,
                                                          std::chrono::milliseconds timeout = kTimeout) const;
  /// ask() with GET; 404 and 409 are errors too.
  [[nodiscard]] asio::awaitable<Result<ConsulAnswer>> get(std::string target) const;

  [[nodiscard]] std::string address() const { return target_.to_string(); }

  static constexpr std::chrono::milliseconds kTimeout{30'000};

 private:
  http::Target target_;
  std::string token_;
  std::string datacenter_;
};

}  // namespace devstack

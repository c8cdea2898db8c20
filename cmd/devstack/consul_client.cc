#include "cmd/devstack/consul_client.h"

#include <charconv>
#include <fstream>

#include "cmd/devstack/paths.h"
#include "core/control/client.h"

namespace devstack {
namespace {

constexpr const char* kDefaultAddress = "127.0.0.1:8500";

/// The running appliance's registry: on loopback if it listens there, else the first address it has; "" without one.
asio::awaitable<std::string> appliance_address() {
  const control::ControlClient control(state_dir());
  const auto status = co_await control.status();
  std::string found;
  if (!status) co_return found;
  for (const auto& component : status->components) {
    if (component.name != "registry") continue;
    for (const auto& address : component.addresses) {
      if (found.empty() || address.starts_with("127.")) found = address;
    }
  }
  co_return found;
}

Result<std::string> read_token(const ConsulOptions& options) {
  if (!options.token.empty() || options.token_file.empty()) return options.token;
  std::ifstream file(options.token_file);
  std::string token;
  if (!file || !std::getline(file, token)) {
    return fail(Errc::io, "cannot read a token from {}", options.token_file);
  }
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
  return token;
}

Errc kind_of_refusal(int status) {
  if (status == 403) return Errc::permission;
  if (status == 404) return Errc::not_found;
  if (status == 413) return Errc::too_large;
  return status == 429 || status >= 500 ? Errc::unavailable : Errc::invalid_argument;
}

tl::unexpected<Error> refused(const std::string& where, int status, std::string body) {
  while (!body.empty() && (body.back() == '\n' || body.back() == '\r')) body.pop_back();
  return fail(kind_of_refusal(status), "{} answered {}{}{}", where, status, body.empty() ? "" : ": ", body);
}

std::uint64_t index_of(const http::Headers& headers) {
  const auto text = headers.get("X-Consul-Index").value_or("");
  std::uint64_t index = 0;
  std::from_chars(text.data(), text.data() + text.size(), index);
  return index;
}

}  // namespace

void add_consul_options(CLI::App& command, ConsulOptions& options) {
  const auto* group = "Registry";
  command
      .add_option("--http-addr", options.address,
                  "the registry's HTTP API (default: the appliance's that runs here, else 127.0.0.1:8500)")
      ->envname("CONSUL_HTTP_ADDR")
      ->group(group);
  command.add_option("--token", options.token, "sent as X-Consul-Token")->envname("CONSUL_HTTP_TOKEN")->group(group);
  command.add_option("--token-file", options.token_file, "file that holds the token")
      ->envname("CONSUL_HTTP_TOKEN_FILE")
      ->group(group);
  command.add_option("--datacenter", options.datacenter, "default: the one that answers")->group(group);
}

std::string with_parameter(std::string target, std::string_view name, std::string_view value) {
  target += target.find('?') == std::string::npos ? '?' : '&';
  return target.append(name).append("=").append(http::encode_path(value, http::Slash::escape));
}

asio::awaitable<Result<ConsulClient>> ConsulClient::find(ConsulOptions options) {
  ConsulClient client;
  CO_TRY(client.token_, read_token(options));
  client.datacenter_ = options.datacenter;
  std::string address = options.address;
  if (address.empty()) address = co_await appliance_address();
  if (address.empty()) address = kDefaultAddress;
  auto target = http::Target::parse(address);
  if (!target) co_return fail(Errc::usage, "--http-addr: {}", target.error().message);
  client.target_ = std::move(*target);
  co_return client;
}

asio::awaitable<Result<ConsulAnswer>> ConsulClient::ask(http::Request request,
                                                        std::chrono::milliseconds timeout) const {
  if (!token_.empty()) request.headers.set("X-Consul-Token", token_);
  if (!datacenter_.empty()) request.target = with_parameter(std::move(request.target), "dc", datacenter_);
  http::ClientLimits limits;
  limits.timeout = timeout;
  auto answer = co_await http::request(target_, std::move(request), limits);
  if (!answer && answer.error().code == Errc::unavailable) {
    co_return fail(Errc::unavailable,
                   "no registry answers at {}: start one with `devstack up` or `devstack registry`, or say where it is "
                   "with --http-addr or CONSUL_HTTP_ADDR",
                   address());
  }
  if (!answer) co_return tl::unexpected<Error>(std::move(answer).error().with_context(address()));
  if (answer->status >= 300 && answer->status != 404 && answer->status != 409) {
    co_return refused(address(), answer->status, std::move(answer->body));
  }
  co_return ConsulAnswer{answer->status, index_of(answer->headers), std::move(answer->body)};
}

asio::awaitable<Result<ConsulAnswer>> ConsulClient::get(std::string target) const {
  http::Request request;
  request.target = std::move(target);
  CO_TRY(auto answer, co_await ask(std::move(request)));
  if (answer.status >= 300) co_return refused(address(), answer.status, std::move(answer.body));
  co_return answer;
}

}  // namespace devstack

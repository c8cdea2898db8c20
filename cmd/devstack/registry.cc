#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "cmd/devstack/app_parts.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/dns_metrics.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/registry_server.h"
#include "cmd/devstack/terminal.h"
#include "core/base/async/task_group.h"
#include "core/base/duration.h"
#include "core/base/log.h"
#include "core/dns/recursors.h"
#include "core/dns/server.h"

namespace devstack {
namespace {

struct RegistryCommandOptions {
  std::string node = host_name();
  std::string datacenter = "dc1";
  std::string http = "127.0.0.1:8500";
  std::string dns = "127.0.0.1:8600";
  std::string data_dir = state_dir() + "/registry";  ///< not the appliance's own: both may run
  std::string advertise = "127.0.0.1";
  std::vector<std::string> recursors;
  std::string session_ttl_min = "10s";
  int dns_workers = 0;
  bool ephemeral = false;
  bool enable_script_checks = false;
};

Result<asio::ip::tcp::endpoint> parse_endpoint(const std::string& text, std::string_view flag) {
  const auto colon = text.rfind(':');
  boost::system::error_code error;
  if (colon != std::string::npos) {
    std::string host = text.substr(0, colon);
    if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    const auto address = asio::ip::make_address(host.empty() ? "0.0.0.0" : host, error);
    const std::string digits = text.substr(colon + 1);
    const bool number =
        !digits.empty() && digits.size() <= 5 && digits.find_first_not_of("0123456789") == std::string::npos;
    if (!error && number && std::stoi(digits) < 65536) {
      return asio::ip::tcp::endpoint(address, static_cast<std::uint16_t>(std::stoi(digits)));
    }
  }
  return fail(Errc::usage, "{}: \"{}\" is not ADDRESS:PORT", flag, text);
}

Result<std::chrono::nanoseconds> parse_ttl(const std::string& text, std::string_view flag) {
  const auto ttl = parse_duration(text);
  if (ttl && ttl->count() > 0) return *ttl;
  return fail(Errc::usage, "{}: \"{}\" is not a duration, as 10s or 500ms", flag, text);
}

/// What there is to read again: the machine's own upstreams, which the DNS thread looks at by itself. Said, so that who
/// asked sees what holds now.
void reload(const std::vector<std::string>& recursors) {
  auto parsed = dns::Recursors::parse(recursors);
  if (!parsed) return log::warn("registry", "reload: {}", parsed.error().message);
  std::vector<std::string> now;
  for (const auto& where : parsed->current([](const dns::Endpoint&) { return false; })) {
    now.push_back(dns::to_text(where));
  }
  log::info("registry", "reloaded: DNS asks {} for other names",
            now.empty() ? "nobody" : fmt::format("{}", fmt::join(now, ", ")));
}

asio::awaitable<void> serve(RegistryCommandOptions options, asio::ip::tcp::endpoint http,
                            asio::ip::tcp::endpoint dns_at, std::chrono::nanoseconds session_ttl_min, int& code) {
  const auto loop = co_await asio::this_coro::executor;
  registry::RegistryOptions wanted;
  wanted.identity = {options.node, "", options.datacenter, options.advertise};
  wanted.data_dir = options.ephemeral ? "" : options.data_dir;
  wanted.notice = [](const std::string& text) { log::warn("registry", "{}", text); };
  auto opened = co_await registry::Registry::open(loop, std::move(wanted));
  if (!opened) {
    code = report(opened.error());
    co_return;
  }
  registry::Registry& registry = **opened;
  RegistryServerOptions server_options;
  server_options.endpoints = {http};
  server_options.setting = "--http";
  server_options.session_ttl_min = session_ttl_min;
  server_options.enable_script_checks = options.enable_script_checks;
  server_options.reload = [&options] { reload(options.recursors); };
  RegistryServer server(loop, registry, server_options);
  dns::DnsOptions dns_options;
  dns_options.datacenter = options.datacenter;
  dns_options.node = options.node;
  dns_options.recursors = options.recursors;
  dns_options.endpoints = {dns::Endpoint(dns_at.address(), dns_at.port())};
  dns_options.port_setting = "--dns";
  dns_options.workers = options.dns_workers;
  dns::DnsServer dns_server(loop, registry, dns_options);
  server.set_outside_metrics([&dns_server, node = options.node] { return dns_metrics(dns_server, node); });

  auto started = co_await server.start();
  if (started) started = co_await dns_server.start();
  if (started) {
    const auto http_report = server.report();
    const auto dns_report = dns_server.report();
    fmt::print("devstack registry: node {}, HTTP on {}, DNS on {}{}\n", options.node,
               fmt::join(http_report.addresses, ", "), fmt::join(dns_report.addresses, ", "),
               options.ephemeral ? ", in memory only" : ", data in " + options.data_dir);
    std::fflush(stdout);
    asio::signal_set signals(loop, SIGTERM, SIGINT, SIGHUP);
    boost::system::error_code ignored;
    for (;;) {
      const int number = co_await signals.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      if (number != SIGHUP) break;
      reload(options.recursors);
    }
  } else {
    code = report(started.error());
  }
  co_await dns_server.stop();
  co_await server.stop();
  co_await registry.close();
}

int run(const RegistryCommandOptions& options) {
  const auto http = parse_endpoint(options.http, "--http");
  if (!http) return report(http.error());
  const auto dns_at = parse_endpoint(options.dns, "--dns");
  if (!dns_at) return report(dns_at.error());
  const auto session_ttl_min = parse_ttl(options.session_ttl_min, "--session-ttl-min");
  if (!session_ttl_min) return report(session_ttl_min.error());
  asio::io_context loop(1);
  int code = 0;
  spawn(loop.get_executor(), "registry", serve(options, *http, *dns_at, *session_ttl_min, code));
  loop.run();
  return code;
}

}  // namespace

void add_registry(CommandLine line) {
  auto* command = line.cli.add_subcommand("registry", "the embedded registry alone, in the foreground");
  auto options = std::make_shared<RegistryCommandOptions>();
  command->add_option("--node", options->node, "node name (default: this machine's)");
  command->add_option("--datacenter", options->datacenter, "default dc1");
  command->add_option("--http", options->http, "where the HTTP API listens (default 127.0.0.1:8500)");
  command->add_option("--dns", options->dns, "where DNS listens, UDP and TCP (default 127.0.0.1:8600)");
  command
      ->add_option("--dns-workers", options->dns_workers, "threads that answer DNS (default: by the machine's cores)")
      ->check(CLI::Range(1, 64));
  auto* data = command->add_option("--data-dir", options->data_dir,
                                   "where registry.db lives (default: registry/ in the state directory)");
  command->add_flag("--ephemeral", options->ephemeral, "keep nothing on disk")->excludes(data);
  command->add_flag("--enable-script-checks", options->enable_script_checks,
                    "run script and Docker checks, also those registered over HTTP: whoever reaches it runs commands");
  command->add_option("--advertise", options->advertise, "address of services that have none (default 127.0.0.1)");
  command->add_option("--recursor", options->recursors, "who answers for other names: A[:P], or auto; repeatable");
  command->add_option("--session-ttl-min", options->session_ttl_min,
                      "the least TTL of a session, Consul's session_ttl_min (default 10s)");
  command->callback([line, options] { line.chosen = [options] { return run(*options); }; });
}

}  // namespace devstack

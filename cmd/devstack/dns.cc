#include <fmt/format.h>

#include <cstdio>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/paths.h"
#include "core/control/client.h"
#include "core/dns/query.h"

namespace devstack {
namespace {

struct QueryOptions {
  std::string name;
  std::string type = "A";
  std::string server;
  bool tcp = false;
};

Result<dns::Endpoint> parse_server(const std::string& text) {
  const auto colon = text.rfind(':');
  boost::system::error_code error;
  const auto address = asio::ip::make_address(text.substr(0, colon), error);
  const std::string digits = colon == std::string::npos ? "53" : text.substr(colon + 1);
  if (error || digits.empty() || digits.size() > 5 || digits.find_first_not_of("0123456789") != std::string::npos) {
    return fail(Errc::usage, "--server: \"{}\" is not ADDRESS[:PORT]", text);
  }
  return dns::Endpoint(address, static_cast<std::uint16_t>(std::stoi(digits)));
}

/// The running appliance's DNS: on loopback if it listens there, else the first address it has.
asio::awaitable<Result<std::string>> own_server() {
  const control::ControlClient client(state_dir());
  CO_TRY(const auto status, co_await client.status());
  std::string found;
  for (const auto& component : status.components) {
    if (component.name != "dns") continue;
    for (const auto& address : component.addresses) {
      const std::string place = address.substr(0, address.find('/'));
      if (found.empty() || place.rfind("127.", 0) == 0) found = place;
    }
  }
  if (found.empty()) co_return fail(Errc::unavailable, "the dns component listens nowhere; see: devstack status");
  co_return found;
}

asio::awaitable<Result<std::string>> ask(QueryOptions options) {
  CO_TRY(auto name, dns::Name::parse(options.name));
  CO_TRY(const auto type, dns::parse_type(options.type));
  if (options.server.empty()) {
    CO_TRY(options.server, co_await own_server());
  }
  CO_TRY(const auto server, parse_server(options.server));
  const auto transport = options.tcp ? net::Transport::tcp : net::Transport::udp;
  CO_TRY(const auto reply, co_await dns::query(server, std::move(name), type, transport));
  co_return dns::to_text(reply);
}

struct DnsLogOptions {
  bool follow = false;
  int tail = -1;
};

void print(std::string_view bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  std::fflush(stdout);
}

asio::awaitable<Result<void>> print_log(DnsLogOptions options) {
  const control::ControlClient client(state_dir());
  const auto follow = options.follow ? control::Follow::yes : control::Follow::no;
  co_return co_await client.dns_log(options.tail, follow, print);
}

void add_dns_log(CommandLine line, CLI::App& dns) {
  auto* log = dns.add_subcommand("log", "what it was asked last, by whom, and where the answer came from");
  auto options = std::make_shared<DnsLogOptions>();
  log->add_flag("-f,--follow", options->follow, "go on with what comes");
  log->add_option("-n,--tail", options->tail, "only the last N queries");
  log->callback([line, options] {
    line.chosen = [options] {
      const auto ended = run_blocking(print_log(*options));
      return ended ? 0 : report(ended.error());
    };
  });
}

}  // namespace

void add_dns(CommandLine line) {
  auto* dns = line.cli.add_subcommand("dns", "ask devstack's DNS server, and see what it is asked");
  dns->require_subcommand(1);
  auto* query = dns->add_subcommand("query", "one question, as dig would show it");
  auto options = std::make_shared<QueryOptions>();
  query->add_option("NAME", options->name, "hello.service.consul")->required();
  query->add_option("TYPE", options->type, "A (default), AAAA, SRV, PTR, …");
  query->add_option("--server", options->server, "ADDRESS[:PORT] (default: the appliance that runs here)");
  query->add_flag("--tcp", options->tcp, "over TCP");
  add_dns_log(line, *dns);
  query->callback([line, options] {
    line.chosen = [options] {
      const auto text = run_blocking(ask(*options));
      if (!text) return report(text.error());
      fmt::print("{}\n", *text);
      return 0;
    };
  });
}

}  // namespace devstack

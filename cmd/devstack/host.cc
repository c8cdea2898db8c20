#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/service_units.h"
#include "cmd/devstack/terminal.h"
#include "core/dns/query.h"
#include "core/dns/recursors.h"
#include "core/host/wiring.h"
#include "core/net/interfaces.h"

namespace devstack {
namespace {

namespace json = boost::json;

struct HostOptions {
  std::string dns, print, root = "/";
  std::vector<std::string> domains;
  bool search = false, no_resolver = false, no_docker = false;
  bool restart_docker = false, dry_run = false, force = false;
};

host::WiringOptions wiring(const HostOptions& options) {
  host::WiringOptions out;
  std::error_code ignored;
  out.root = std::filesystem::weakly_canonical(options.root, ignored).string();
  out.state_dir =
      options.root == "/" || std::getenv("DEVSTACK_STATE_DIR") != nullptr ? state_dir() : "/var/lib/devstack";
  out.environment = environment();
  out.restart_docker = options.restart_docker;
  return out;
}

/// Where the appliance that runs here answers, beyond loopback if it does.
std::string running_dns(const supervisor::Status& status) {
  std::string found;
  for (const auto& component : status.components) {
    if (component.name != "dns") continue;
    for (const auto& address : component.addresses) {
      const std::string place = address.substr(0, address.find('/'));
      if (found.empty() || (found.starts_with("127.") && !place.starts_with("127."))) found = place;
    }
  }
  return found;
}

Result<std::string> dns_place(const HostOptions& options, const Result<supervisor::Status>& running) {
  if (!options.dns.empty()) return options.dns;
  if (options.root != "/") return "172.17.0.1";  // docker0 of an engine that was told nothing else
  if (running) {
    if (auto place = running_dns(*running); !place.empty()) return place;
  }
  if (const auto bridge = net::address_of("docker0")) return bridge->to_string();
  return fail(Errc::unavailable,
              "there is no docker0 and no devstack runs here: say where its DNS is with --dns ADDRESS");
}

Result<std::vector<std::string>> dns_domains(const Globals& globals, const HostOptions& options,
                                             const Result<supervisor::Status>& running) {
  std::vector<std::string> domains = options.domains;
  if (domains.empty()) {
    auto load = load_options(globals);
    if (load.files.empty() && running && !running->stack_file.empty()) load.files = {running->stack_file};
    const auto file = stack::load(load);
    if (!file && !globals.files.empty()) return tl::unexpected(file.error());
    domains = file ? file->dns.domains : std::vector<std::string>{"consul"};
  }
  for (auto& domain : domains) {
    if (domain.ends_with('.')) domain.pop_back();
    const bool plain = std::all_of(domain.begin(), domain.end(), [](unsigned char letter) {
      return std::isalnum(letter) != 0 || letter == '-' || letter == '_' || letter == '.';
    });
    if (domain.empty() || !plain) return fail(Errc::usage, "\"{}\" is no domain", domain);
  }
  return domains;
}

Result<host::HostSettings> settings(const Globals& globals, const HostOptions& options) {
  const auto running = run_blocking(running_status());
  TRY(const auto place, dns_place(options, running));
  const auto endpoint = dns::parse_recursor(place);
  if (!endpoint) return fail(Errc::usage, "--dns: \"{}\" is not ADDRESS[:PORT]", place);
  host::HostSettings out;
  out.address = endpoint->address().to_string();
  out.port = endpoint->port();
  TRY(out.domains, dns_domains(globals, options, running));
  if (options.search) out.search = "service." + out.domains.front();
  out.resolver = !options.no_resolver;
  out.docker = !options.no_docker;
  return out;
}

asio::awaitable<Result<dns::Message>> ask(host::HostSettings where) {
  boost::system::error_code error;
  const dns::Endpoint server(asio::ip::make_address(where.address, error), where.port);
  CO_TRY(auto name, dns::Name::parse("consul.service." + where.domains.front()));
  CO_TRY(const auto type, dns::parse_type("A"));
  co_return co_await dns::query(server, std::move(name), type, net::Transport::udp);
}

void note_when_nobody_answers(const host::HostSettings& where, std::vector<std::string>& todo) {
  if (run_blocking(ask(where))) return;
  todo.push_back(fmt::format("no DNS server answers at {} port {} now: devstack up", where.address, where.port));
}

void print_list(std::string_view mark, const std::vector<std::string>& lines) {
  for (const auto& line : lines) fmt::print("{} {}\n", mark, line);
}

json::array texts(const std::vector<std::string>& lines) { return json::value_from(lines).as_array(); }

void print_setup(const Globals& globals, const host::SetupReport& report, bool dry_run) {
  if (globals.json) {
    json::array changes;
    for (const auto& change : report.changes) changes.push_back({{"path", change.path}, {"reason", change.reason}});
    fmt::print("{}\n", json::serialize(json::object{{"dry_run", dry_run},
                                                    {"changes", std::move(changes)},
                                                    {"notes", texts(report.notes)},
                                                    {"todo", texts(report.todo)}}));
    return;
  }
  for (const auto& change : report.changes) {
    const char* verb = !change.after.exists() ? "remove" : change.before.exists() ? "change" : "create";
    fmt::print("{} {}: {}\n", verb, change.path, change.reason);
  }
  if (report.changes.empty()) fmt::print("nothing to change\n");
  print_list("note:", report.notes);
  print_list("to do:", report.todo);
}

int set_up(const Globals& globals, const HostOptions& options) {
  const auto wanted = settings(globals, options);
  if (!wanted) return report(wanted.error());
  if (options.print == "macos") {
    fmt::print("{}", host::macos_script(*wanted));
    return 0;
  }
  const auto how = wiring(options);
  if (!options.dry_run && how.root == "/" && geteuid() == 0) {
    if (const auto made = make_state_dir(how.state_dir); !made) return report(made.error());
  }
  auto done = options.dry_run ? host::preview(how, *wanted) : run_blocking(host::setup(how, *wanted));
  if (!done) return report(done.error());
  if (how.root == "/") note_when_nobody_answers(*wanted, done->todo);
  print_setup(globals, *done, options.dry_run);
  return 0;
}

int take_back(const Globals& globals, const HostOptions& options) {
  const auto done = run_blocking(host::undo(wiring(options), options.force));
  if (!done) return report(done.error());
  if (globals.json) {
    fmt::print("{}\n", json::serialize(json::object{{"restored", texts(done->restored)},
                                                    {"kept", texts(done->kept)},
                                                    {"notes", texts(done->notes)},
                                                    {"todo", texts(done->todo)}}));
  } else {
    print_list("restored", done->restored);
    if (done->restored.empty() && done->kept.empty()) fmt::print("nothing to undo\n");
    print_list("note:", done->notes);
    print_list("to do:", done->todo);
    for (const auto& line : done->kept) terminal::complain(line);
  }
  return done->kept.empty() ? 0 : 1;
}

json::object to_json(const host::StatusReport& status) {
  json::array items;
  for (const auto& item : status.items) {
    items.push_back({{"path", item.path}, {"wired", item.wired}, {"detail", item.detail}});
  }
  return {{"wired", status.wired},
          {"was_setup", status.was_setup},
          {"resolver", host::to_string(status.resolver)},
          {"dns", {{"address", status.settings.address}, {"port", status.settings.port}}},
          {"domains", texts(status.settings.domains)},
          {"items", std::move(items)},
          {"notes", texts(status.notes)},
          {"todo", texts(status.todo)}};
}

int print_host_status(const Globals& globals, const HostOptions& options) {
  // Where nothing tells an address, what was set up still can be shown.
  auto wanted = settings(globals, options);
  if (!wanted) {
    wanted.emplace();
    wanted->address = "172.17.0.1";
  }
  const auto how = wiring(options);
  auto status = host::status(how, *wanted);
  if (!status) return report(status.error());
  if (how.root == "/" && status->wired) note_when_nobody_answers(status->settings, status->todo);
  if (globals.json) {
    fmt::print("{}\n", json::serialize(to_json(*status)));
    return status->wired ? 0 : 1;
  }
  fmt::print("{}: this machine resolves by {}, devstack's DNS is {} port {}\n",
             status->wired ? terminal::good("wired") : terminal::warn("not wired"), host::to_string(status->resolver),
             status->settings.address, status->settings.port);
  for (const auto& item : status->items) {
    fmt::print("  {} {}: {}\n", item.wired ? terminal::good("+") : terminal::warn("-"), item.path, item.detail);
  }
  print_list("note:", status->notes);
  print_list("to do:", status->todo);
  return status->wired ? 0 : 1;
}

void add_place(CLI::App* command, HostOptions& options) {
  command->add_option("--dns", options.dns,
                      "ADDRESS[:PORT] of the DNS (default: the running devstack's, else docker0's)");
  command->add_option("--domain", options.domains, "names below it are asked there; repeatable (default: dns.domains)");
  command->add_flag("--no-resolver", options.no_resolver, "leave this machine's own resolver alone");
  command->add_flag("--no-docker", options.no_docker, "leave Docker's daemon.json alone");
}

}  // namespace

void add_host(CommandLine line) {
  auto* host = line.cli.add_subcommand("host", "point this whole machine at devstack's DNS, and take it back");
  host->require_subcommand(1);
  auto options = std::make_shared<HostOptions>();
  const auto globals = &line.globals;

  auto* setup =
      host->add_subcommand("setup", "wire the resolver and Docker's daemon.json; a second time changes nothing");
  add_place(setup, *options);
  setup->add_flag("--search", options->search, "short names too: hello for hello.service.consul");
  setup->add_flag("--restart-docker", options->restart_docker, "restart Docker now when it has not read daemon.json");
  setup->add_flag("--dry-run", options->dry_run, "say what would be changed, and why");
  setup->add_option("--print", options->print, "macos: print what a Mac that reaches this machine has to run")
      ->check(CLI::IsMember({"macos"}));
  setup->callback([line, globals, options] { line.chosen = [=] { return set_up(*globals, *options); }; });

  auto* undo = host->add_subcommand("undo", "put every file back as it was");
  undo->add_flag("--force", options->force, "over what somebody else changed since, too");
  undo->add_flag("--restart-docker", options->restart_docker, "restart Docker now when daemon.json changed");
  undo->callback([line, globals, options] { line.chosen = [=] { return take_back(*globals, *options); }; });

  auto* status = host->add_subcommand("status", "what is wired, what is not, and what to do");
  add_place(status, *options);
  status->callback([line, globals, options] { line.chosen = [=] { return print_host_status(*globals, *options); }; });
  for (auto* command : {setup, undo, status}) {
    command->add_option("--root", options->root, "a tree below this folder instead of this machine (images, chroots)");
  }
}

}  // namespace devstack

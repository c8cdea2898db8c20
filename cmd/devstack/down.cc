#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/cleanup.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/left_in_use.h"
#include "cmd/devstack/load_records.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/project_choice.h"
#include "cmd/devstack/terminal.h"
#include "core/base/async/clock.h"
#include "core/control/client.h"
#include "core/dns/query.h"
#include "core/host/containers.h"
#include "core/host/daemon_json.h"
#include "core/host/plan.h"
#include "core/net/interfaces.h"
#include "core/process/child.h"
#include "core/stack/plan.h"

namespace devstack {
namespace {

using namespace std::chrono_literals;

struct DownFlags {
  int timeout = -1;
  bool volumes = false;
  bool orphans = false;
  bool all = false;
  std::string images;
};

/// The answer to `down` comes before the supervisor has ended: its sockets and its lock go with the process, even where
/// nobody reaps it at once. It goes on when another project joined meanwhile.
asio::awaitable<Result<void>> wait_ended(control::ControlClient client, process::Identity supervisor) {
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (process::alive(supervisor)) {
    if (std::chrono::steady_clock::now() >= deadline) {
      co_return fail(Errc::timeout, "the supervisor (pid {}) has not ended in 30 s", supervisor.pid);
    }
    const auto status = co_await client.status();
    if (status && !status->stopping) co_return Result<void>();
    co_await steady_clock().sleep_for(10ms);
  }
  co_return Result<void>();
}

/// Where containers ask our DNS: what the dns component listened on beyond loopback; docker0's address where that is
/// not known, or was every address.
std::vector<std::string> dns_addresses(const supervisor::Status& status) {
  std::vector<std::string> addresses;
  bool docker0 = status.components.empty();
  for (const auto& component : status.components) {
    if (component.name != "dns") continue;
    for (const auto& place : component.addresses) {
      auto address = place.substr(0, place.rfind(':'));
      if (address.starts_with('[')) address = address.substr(1, address.size() - 2);
      docker0 = docker0 || address == "0.0.0.0" || address == "::";
      if (!address.starts_with("127.")) addresses.push_back(std::move(address));
    }
  }
  const auto bridge = net::address_of("docker0");
  if (docker0 && bridge) addresses.push_back(bridge->to_string());
  return addresses;
}

asio::awaitable<Result<std::vector<std::string>>> left_without_dns(std::vector<std::string> asked) {
  std::vector<std::string> silent;
  for (const auto& address : asked) {
    boost::system::error_code error;
    const dns::Endpoint server(asio::ip::make_address(address, error), 53);
    CO_TRY(auto name, dns::Name::parse("consul.service.consul"));
    CO_TRY(const auto type, dns::parse_type("A"));
    // Another devstack may answer there.
    const auto answer = co_await dns::query(server, std::move(name), type, net::Transport::udp, 500ms);
    if (!answer) silent.push_back(address);
  }
  CO_TRY(auto engine, docker::Client::connect_to());
  std::ifstream in(host::kDaemonJson, std::ios::binary);
  const std::string daemon{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  auto daemon_dns = host::list_of(daemon, "dns");
  co_return co_await host::containers_that_ask_only(std::move(silent), std::move(daemon_dns), std::move(engine));
}

/// Containers that are not ours run on after `down`, and those that know no server but ours resolve nothing then.
void warn_of_containers_without_dns(const supervisor::Status& before) {
  constexpr std::ptrdiff_t most_named = 10;
  const auto left = run_blocking(left_without_dns(dns_addresses(before)));
  if (!left || left->empty()) return;
  const auto named = std::min(std::ssize(*left), most_named);
  std::string names = fmt::format("{}", fmt::join(left->begin(), left->begin() + named, ", "));
  if (std::ssize(*left) > named) names += fmt::format(" and {} more", std::ssize(*left) - named);
  terminal::complain(
      fmt::format("warning: these containers ask no DNS server but devstack's and resolve no name until the next "
                  "`devstack up`: {}; "
                  "or start them with another --dns as well (when daemon.json names ours: devstack host undo)",
                  names));
}

supervisor::DownOptions options_of(const DownFlags& flags) {
  using supervisor::RemoveImages;
  supervisor::DownOptions options;
  if (flags.timeout >= 0) options.grace = std::chrono::seconds(flags.timeout);
  options.volumes = flags.volumes;
  options.orphans = flags.orphans;
  if (flags.images == "local") options.images = RemoveImages::local;
  if (flags.images == "all") options.images = RemoveImages::all;
  return options;
}

/// What `down` took away: nothing in `gone` when there was nothing to do.
struct Down {
  std::vector<std::string> gone;
  std::optional<supervisor::Status> appliance;  ///< as it was, when all of it went
  std::string why_nothing;
};

/// choose_project(), which for `down` need not be one.
Result<std::string> choose_for_down(const std::vector<std::string>& up, const std::string& named) {
  auto chosen = choose_project(up, named);
  if (!chosen && chosen.error().code == Errc::conflict) chosen.error().message += ", or --all";
  return chosen;
}

asio::awaitable<Result<Down>> stop_running(control::ControlClient client, std::optional<std::string> named,
                                           supervisor::DownOptions options) {
  CO_TRY(const auto status, co_await client.status());
  const auto up = project_names(status);
  Down done{up, status, {}};
  std::string project;
  if (named) {
    auto chosen = choose_for_down(up, *named);
    if (!chosen && chosen.error().code == Errc::not_found && !up.empty()) {
      co_return Down{{}, std::nullopt, chosen.error().message};
    }
    if (!chosen && !up.empty()) co_return tl::unexpected<Error>(chosen.error());
    if (chosen && up.size() > 1) {
      project = *chosen;
      done = Down{{project}, std::nullopt, {}};
    }
  }
  const auto process = process::identify(static_cast<pid_t>(status.pid));
  CO_CHECK(co_await client.down(options, project));
  if (done.appliance && process) CO_CHECK(co_await wait_ended(client, *process));
  co_return done;
}

/// The images of a project that no supervisor knows any more: by the files that it came up from, else by those found
/// from here. None where neither can be read: what else is left goes all the same.
stack::Texts images_left(const StatePaths& paths, const Globals& globals, const std::string& project,
                         supervisor::RemoveImages which) {
  auto load = load_options(globals);
  for (const auto& record : saved_loads(paths)) {
    if (record.project == project) load = record.load;
  }
  const auto file = stack::load(load);
  if (!file || file->project != project) return {};
  const auto plan = stack::make_plan(*file, stack::EngineAvailable::yes);
  return plan ? supervisor::images_of(*plan, which) : stack::Texts();
}

/// What a killed supervisor left behind, or, with flags that say what else is to go, what a `down` has left.
Result<Down> clean_up(const StatePaths& paths, const Globals& globals, const std::optional<std::string>& named,
                      const supervisor::DownOptions& options) {
  std::vector<std::string> left;
  for (const auto& record : saved_loads(paths)) left.push_back(record.project);
  const bool more = options.volumes || options.orphans || options.images != supervisor::RemoveImages::none;
  if (left.empty() && more && named && !named->empty()) left.push_back(*named);
  if (left.empty()) return Down{};
  Down done{left, left.size() == 1 || !named ? std::optional(supervisor::Status()) : std::nullopt, {}};
  if (named) {
    const auto chosen = choose_for_down(left, *named);
    if (!chosen && chosen.error().code == Errc::not_found) return Down{{}, std::nullopt, chosen.error().message};
    if (!chosen) return tl::unexpected<Error>(chosen.error());
    done.gone = {*chosen};
  }
  for (const auto& project : done.gone) {
    auto how = options;
    if (more) how.more_images = images_left(paths, globals, project, options.images);
    CHECK(clean_up_after_crash(paths, project, how));
  }
  return done;
}

int down(const Globals& globals, const DownFlags& flags) {
  const StatePaths paths(state_dir());
  const control::ControlClient client(paths.root);
  const auto options = options_of(flags);
  std::optional<std::string> named;
  if (!flags.all) named = named_project(globals);
  const bool running = run_blocking(client.is_running());
  const auto done =
      running ? run_blocking(stop_running(client, named, options)) : clean_up(paths, globals, named, options);
  if (!done) return report(done.error());
  if (!globals.json) {
    for (const auto& project : done->gone) fmt::print("{} is down\n", project);
    if (done->gone.empty()) fmt::print("{}\n", done->why_nothing.empty() ? "nothing runs here" : done->why_nothing);
  }
  for (const auto& project : done->gone) warn_of_what_is_in_use(project, flags.volumes);
  if (done->appliance && !done->gone.empty()) warn_of_containers_without_dns(*done->appliance);
  return 0;
}

}  // namespace

void add_down(CommandLine line) {
  auto* command =
      line.cli.add_subcommand("down", "stop the project, and devstack with the last one; data and logs stay");
  auto flags = std::make_shared<DownFlags>();
  command->add_option("-t,--timeout", flags->timeout, "seconds a service may take to stop (default: its own grace)");
  command->add_flag("-v,--volumes", flags->volumes, "remove the project's volumes and kept logs, too");
  command->add_option("--rmi", flags->images, "remove images, too: local (built here) or all")
      ->check(CLI::IsMember({"local", "all"}));
  command->add_flag("--remove-orphans", flags->orphans,
                    "also this project's containers that are not of the stack file, and those of run");
  command->add_flag("--all", flags->all, "all projects that are up here");
  command->callback(
      [line, flags] { line.chosen = [&globals = line.globals, flags] { return down(globals, *flags); }; });
}

}  // namespace devstack

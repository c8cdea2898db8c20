#include <fmt/format.h>

#include "cmd/devstack/argument_data.h"
#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/events_text.h"
#include "cmd/devstack/follow.h"
#include "cmd/devstack/terminal.h"
#include "core/api/json_writer.h"

/// `devstack events`: Consul's user events, which scripts fire and watch.
namespace devstack {
namespace {

struct ListOptions {
  std::string name;
  bool follow = false;
  ConsulOptions consul;
};

struct FireInvocation {
  FireOptions event;
  ConsulOptions consul;
};

std::string list_target(const ListOptions& options) {
  return options.name.empty() ? "/v1/event/list" : with_parameter("/v1/event/list", "name", options.name);
}

asio::awaitable<Result<void>> list(ListOptions options, bool json) {
  CO_TRY(const auto client, co_await ConsulClient::find(options.consul));
  CO_TRY(const auto answer, co_await client.get(list_target(options)));
  CO_TRY(const auto events, parse_events(answer.body));
  if (!json) co_return terminal::write(events_table(events));
  api::JsonWriter out;
  out.open_array();
  for (const auto& event : events) out.raw(event_json(event));
  out.close_array();
  co_return terminal::write(api::pretty_json(out.take()));
}

int follow_events(const ListOptions& options, bool json) {
  auto fresh = std::make_shared<NewEvents>();
  return run_following(options.consul, list_target(options), [fresh, json](const ConsulAnswer& answer) -> Result<void> {
    if (answer.status != 200) return fail(Errc::failed, "what answered keeps no events: {}", answer.body);
    TRY(auto events, parse_events(answer.body));
    for (const auto& event : fresh->update(std::move(events))) {
      CHECK(terminal::write(json ? event_json(event) + "\n" : event_line(event)));
    }
    return {};
  });
}

asio::awaitable<Result<void>> fire(FireInvocation what, bool json) {
  CO_TRY(auto payload, argument_data(what.event.payload));
  CO_TRY(auto request, fire_request(what.event, std::move(payload)));
  CO_TRY(const auto client, co_await ConsulClient::find(what.consul));
  CO_TRY(const auto answer, co_await client.ask(std::move(request)));
  if (answer.status != 200) co_return fail(Errc::failed, "{} answered {}", client.address(), answer.status);
  CO_TRY(const auto event, parse_event(answer.body));
  co_return terminal::write(json ? event_json(event) + "\n" : "Event ID: " + event.id + "\n");
}

void add_list_options(CLI::App& command, ListOptions& options) {
  command.add_option("--name", options.name, "only events of this name");
  command.add_flag("-f,--follow", options.follow, "go on with what comes, until interrupted");
  add_consul_options(command, options.consul);
}

int run_list(const ListOptions& options, bool json) {
  if (options.follow) return follow_events(options, json);
  const auto done = run_blocking(list(options, json));
  return done ? 0 : report(done.error());
}

void add_fire(CommandLine line, CLI::App& events) {
  auto what = std::make_shared<FireInvocation>();
  auto* command = events.add_subcommand("fire", "tell every node, or some");
  command->add_option("NAME", what->event.name)->required();
  command->add_option("PAYLOAD", what->event.payload, "text, @FILE, or - for standard input");
  command->add_option("--node", what->event.node, "only nodes whose name matches this regular expression");
  command->add_option("--service", what->event.service, "only nodes with a service that matches");
  command->add_option("--tag", what->event.tag, "with --service: that has a tag that matches");
  command->footer("Consul takes about 400 bytes, keeps the last 256 events and forgets them when it restarts.");
  add_consul_options(*command, what->consul);
  command->callback([line, what] {
    line.chosen = [&globals = line.globals, what] {
      const auto done = run_blocking(fire(*what, globals.json));
      return done ? 0 : report(done.error());
    };
  });
}

}  // namespace

void add_events(CommandLine line) {
  auto* events = line.cli.add_subcommand("events", "user events of a registry, ours or any Consul's");
  events->require_subcommand(0, 1);
  auto options = std::make_shared<ListOptions>();
  add_list_options(*events, *options);
  auto* listed = events->add_subcommand("list", "the last events, oldest first: what `events` alone does");
  add_list_options(*listed, *options);
  add_fire(line, *events);
  const auto choose = [line, options] {
    line.chosen = [&globals = line.globals, options] { return run_list(*options, globals.json); };
  };
  listed->callback(choose);
  events->callback([events, choose] {
    if (events->get_subcommands().empty()) choose();
  });
}

}  // namespace devstack

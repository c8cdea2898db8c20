#include <fmt/format.h>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/consul_client.h"
#include "cmd/devstack/services_text.h"
#include "cmd/devstack/terminal.h"
#include "core/api/json_writer.h"
#include "core/base/suggest.h"

namespace devstack {
namespace {

struct ServicesOptions {
  std::string name;
  bool json = false;
  ConsulOptions consul;
};

asio::awaitable<Result<std::vector<std::string>>> service_names(ConsulClient client) {
  CO_TRY(const auto answer, co_await client.get("/v1/catalog/services"));
  co_return parse_service_names(answer.body);
}

asio::awaitable<Result<std::vector<ServiceInstance>>> instances_of(ConsulClient client, std::string name) {
  auto target = "/v1/health/service/" + http::encode_path(name, http::Slash::escape);
  CO_TRY(const auto answer, co_await client.get(std::move(target)));
  co_return parse_instances(answer.body);
}

asio::awaitable<Result<void>> show_all(ConsulClient client, bool json) {
  CO_TRY(const auto names, co_await service_names(client));
  std::vector<ServiceSummary> services;
  for (const auto& name : names) {
    CO_TRY(const auto instances, co_await instances_of(client, name));
    // Between the two questions its last instance may have gone.
    if (!instances.empty()) services.push_back(summarise(name, instances));
  }
  co_return terminal::write(json ? api::pretty_json(services_json(services)) : services_table(services));
}

asio::awaitable<Result<void>> show_one(ConsulClient client, std::string name, bool json) {
  CO_TRY(const auto instances, co_await instances_of(client, name));
  if (instances.empty()) {
    CO_TRY(const auto names, co_await service_names(client));
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    const auto meant = nearest(name, candidates);
    co_return fail(Errc::not_found, "no service \"{}\" at {}{}", name, client.address(),
                   meant ? fmt::format("; did you mean \"{}\"?", *meant) : std::string());
  }
  co_return terminal::write(json ? api::pretty_json(instances_json(instances)) : instances_text(instances));
}

asio::awaitable<Result<void>> services(ServicesOptions options) {
  CO_TRY(auto client, co_await ConsulClient::find(options.consul));
  const bool all = options.name.empty();
  if (all) co_return co_await show_all(std::move(client), options.json);
  co_return co_await show_one(std::move(client), options.name, options.json);
}

}  // namespace

void add_services(CommandLine line) {
  auto options = std::make_shared<ServicesOptions>();
  auto* command = line.cli.add_subcommand("services", "the services of a registry, ours or any Consul's");
  command->add_option("NAME", options->name, "only this one: its instances with their checks");
  command->footer("`devstack ps` shows the stack's own services.");
  add_consul_options(*command, options->consul);
  command->callback([line, options] {
    line.chosen = [&globals = line.globals, options] {
      options->json = globals.json;
      const auto done = run_blocking(services(*options));
      return done ? 0 : report(done.error());
    };
  });
}

}  // namespace devstack

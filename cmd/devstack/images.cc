// pull, build, images: what services are made from.
#include "core/stack/images.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/engine_work.h"
#include "cmd/devstack/project_choice.h"
#include "cmd/devstack/table.h"
#include "cmd/devstack/terminal.h"
#include "core/docker/client.h"
#include "core/stack/explain.h"

namespace devstack {
namespace {

struct ImageFlags {
  std::vector<std::string> services;
  bool quiet = false;
  bool ignore_failures = false, include_deps = false;
  bool pull = false, no_cache = false;
  std::vector<std::string> arguments;
};

enum class Work { pull, build };

std::vector<stack::ServiceSpec> services_of(const stack::Plan& plan, Work work) {
  std::vector<stack::ServiceSpec> out;
  std::set<std::string> seen;
  for (const auto& unit : plan.units) {
    if (unit.kind != stack::UnitKind::container || !seen.insert(unit.service).second) continue;
    for (auto& spec : stack::by_image(unit.spec)) {
      if (spec.build.has_value() == (work == Work::build)) out.push_back(std::move(spec));
    }
  }
  return out;
}

asio::awaitable<Result<int>> fetch_all(EngineWork& work, std::vector<stack::ServiceSpec> services, ImageFlags flags,
                                       const char* done) {
  for (const auto& service : services) {
    auto note = [&flags, name = service.name](const std::string& text) {
      if (!flags.quiet && !text.empty()) fmt::print("{}: {}\n", name, terminal::printable(text));
    };
    const auto image = co_await work.image(service, std::move(note));
    if (image) {
      fmt::print("{} {} {} {}\n", terminal::good(done), service.name, stack::image_name(service, work.project()),
                 terminal::dim(image->id.substr(0, 19)));
    } else if (flags.ignore_failures) {
      terminal::complain(service.name + ": " + image.error().message);
    } else {
      co_return tl::unexpected<Error>(Error(image.error()).with_context(service.name));
    }
  }
  co_return 0;
}

Result<int> fetch(const Globals& globals, const ImageFlags& flags, Work kind) {
  TRY(auto file, stack::load(load_options(globals)));
  TRY(const auto arguments, variables_of(flags.arguments));
  for (auto& [name, service] : file.services) {
    service.scale = std::max(service.scale, 1);
    if (!service.build) continue;
    service.build->pull = service.build->pull || flags.pull;
    service.build->no_cache = service.build->no_cache || flags.no_cache;
    for (const auto& [argument, value] : arguments) service.build->args[argument] = value;
  }
  EngineWork work(file);
  TRY(const auto whole, stack::make_plan(file, stack::EngineAvailable::yes));
  const auto deps = flags.include_deps ? stack::Dependencies::with : stack::Dependencies::without;
  TRY(const auto plan, stack::narrow({}, whole, flags.services, deps));
  supervisor::ApplyOptions how;
  if (kind == Work::build) how.build = true;
  if (kind == Work::pull) how.pull = "always";
  const auto services = services_of(plan, kind);
  if (services.empty()) {
    fmt::print("{}\n", kind == Work::build ? "no service has a build" : "no service has an image to pull");
    return 0;
  }
  const char* done = kind == Work::build ? "built" : "pulled";
  return work.run([&](EngineWork& ready) { return fetch_all(ready, services, flags, done); }, whole, how);
}

std::string size_text(std::int64_t bytes) {
  const char* units[] = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < std::size(units)) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

asio::awaitable<Result<std::string>> images_table(std::string project, std::vector<std::string> services, bool quiet) {
  const ProjectClient stack(std::move(project));
  CO_TRY(const auto units, co_await stack.units(std::move(services)));
  CO_TRY(auto client, docker::Client::connect_to());
  Table table({"UNIT", "IMAGE", "ID", "SIZE"});
  std::set<std::string> ids;
  for (const auto& unit : units) {
    if (unit.type != supervisor::UnitType::container || unit.id.empty()) continue;
    const auto container = co_await client.inspect_container(unit.id);
    if (!container) continue;
    const auto image = co_await client.inspect_image(container->image_id);
    const auto hex = container->image_id.substr(container->image_id.find(':') + 1).substr(0, 12);
    ids.insert(hex);
    table.add({{unit.name, terminal::bold(unit.name)},
               {container->image},
               {hex},
               {image ? size_text(image->size) : std::string("-")}});
  }
  if (!quiet) co_return table.text();
  std::string out;
  for (const auto& id : ids) out += id + "\n";
  co_return out;
}

}  // namespace

void add_images(CommandLine line) {
  auto* pull = line.cli.add_subcommand("pull", "get the newest images of services");
  auto flags = std::make_shared<ImageFlags>();
  pull->add_flag("-q,--quiet", flags->quiet, "no progress");
  pull->add_flag("--ignore-pull-failures", flags->ignore_failures, "go on with the others");
  pull->add_flag("--include-deps", flags->include_deps, "also what the named services depend on");
  pull->add_option("SERVICE", flags->services, "none: all");
  const auto run = [line](std::shared_ptr<ImageFlags> given, Work work) {
    return [line, given, work] {
      line.chosen = [&globals = line.globals, given, work] {
        const auto code = fetch(globals, *given, work);
        return code ? *code : report(code.error());
      };
    };
  };
  pull->callback(run(flags, Work::pull));

  auto* build = line.cli.add_subcommand("build", "build the images of services");
  flags = std::make_shared<ImageFlags>();
  build->add_flag("-q,--quiet", flags->quiet, "no progress");
  build->add_flag("--pull", flags->pull, "get the newest base images first");
  build->add_flag("--no-cache", flags->no_cache, "without what was built before");
  build->add_option("--build-arg", flags->arguments, "NAME=VALUE, or NAME for the value here")->allow_extra_args(false);
  build->add_option("SERVICE", flags->services, "none: all that have a build");
  build->callback(run(flags, Work::build));

  auto* images = line.cli.add_subcommand("images", "which images the containers run");
  auto services = std::make_shared<std::vector<std::string>>();
  auto quiet = std::make_shared<bool>(false);
  images->add_flag("-q,--quiet", *quiet, "only ids");
  images->add_option("SERVICE", *services, "none: all");
  images->callback([line, services, quiet] {
    line.chosen = [&globals = line.globals, services, quiet] {
      const auto text = run_blocking(images_table(named_project(globals), *services, *quiet));
      if (!text) return report(text.error());
      fmt::print("{}", *text);
      return 0;
    };
  });
}

}  // namespace devstack

#include "cmd/devstack/app_parts.h"

#include <unistd.h>

#include <boost/json.hpp>

#include "cmd/devstack/dns_metrics.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/registry_server.h"
#include "core/base/append.h"
#include "core/control/api.h"
#include "core/control/projects_control.h"
#include "core/control/server.h"
#include "core/dns/queries_json.h"
#include "core/dns/server.h"
#include "core/docker/credentials.h"
#include "core/net/port_holder.h"
#include "core/proxy/proxy.h"
#include "core/registrator/registrator.h"
#include "core/ui/ui.h"

namespace devstack {
namespace {

using Addresses = std::vector<asio::ip::address>;

std::vector<asio::ip::tcp::endpoint> tcp_endpoints(const Addresses& addresses, std::uint16_t port) {
  std::vector<asio::ip::tcp::endpoint> out;
  for (const auto& address : addresses) out.emplace_back(address, port);
  return out;
}

std::vector<dns::Endpoint> dns_endpoints(const Addresses& addresses, std::uint16_t port) {
  std::vector<dns::Endpoint> out;
  for (const auto& address : addresses) out.push_back(dns::Endpoint(address, port));
  return out;
}

std::vector<std::string> texts(const Addresses& addresses) {
  std::vector<std::string> out;
  for (const auto& address : addresses) out.push_back(address.to_string());
  return out;
}

/// The URL of a service behind the proxy.
std::string proxy_link(const stack::ProxySettings& proxy, std::uint16_t port, std::string_view service) {
  return fmt::format("http://{}.{}{}/", service, proxy.domain, port == 80 ? "" : fmt::format(":{}", port));
}

/// The supervisor's status with the URLs that the proxy gives its services.
class LinkedControl final : public control::StackControl {
 public:
  /// `proxy` may be null: there is none then.
  LinkedControl(supervisor::Projects& projects, registry::RegistryView& view, const proxy::Proxy* proxy,
                std::function<std::vector<std::string>(std::string_view)> links)
      : inner_(projects), view_(view), proxy_(proxy), links_(std::move(links)) {}
  [[nodiscard]] supervisor::Status status() const override {
    auto status = inner_.status();
    const auto state = view_.snapshot();
    for (auto& unit : status.services) {
      if (unit.state != supervisor::UnitState::running || !unit.links.empty()) continue;
      if (state->instances(unit.service).empty()) continue;
      unit.links = links_(unit.service);
      // `up` returns when all is healthy: by then the links must work.
      if (proxy_ == nullptr || proxy_->routes_now(unit.service)) continue;
      status.healthy = false;
      for (auto& project : status.projects) project.healthy = project.healthy && project.name != unit.project;
    }
    return status;
  }
  [[nodiscard]] Result<supervisor::Startup> startup(const std::string& project) const override {
    return inner_.startup(project);
  }
  Signal& changed() override { return inner_.changed(); }
  asio::awaitable<Result<void>> stop_unit(std::string name) override { return inner_.stop_unit(std::move(name)); }
  asio::awaitable<Result<void>> start_unit(std::string name) override { return inner_.start_unit(std::move(name)); }
  asio::awaitable<Result<void>> carry_out(control::UnitOrder order) override {
    return inner_.carry_out(std::move(order));
  }
  asio::awaitable<Result<void>> restart_unit(std::string name) override { return inner_.restart_unit(std::move(name)); }
  [[nodiscard]] std::string log_file(const std::string& unit) const override { return inner_.log_file(unit); }

 private:
  control::ProjectsControl inner_;
  registry::RegistryView& view_;
  const proxy::Proxy* proxy_;
  std::function<std::vector<std::string>(std::string_view)> links_;
};

dns::DnsOptions dns_options(const stack::StackFile& file, std::vector<dns::Endpoint> endpoints) {
  dns::DnsOptions options;
  options.domains = file.dns.domains;
  options.datacenter = file.registry.datacenter;
  for (const auto& recursor : file.dns.recursors) {
    if (recursor != "none") options.recursors.push_back(recursor);
  }
  options.servers = file.dns.servers;
  options.random_case = file.dns.random_case;
  const auto seconds = [](std::chrono::nanoseconds ttl) { return std::chrono::floor<std::chrono::seconds>(ttl); };
  options.node_ttl = seconds(file.dns.node_ttl);
  for (const auto& [name, ttl] : file.dns.service_ttl) options.service_ttl[name] = seconds(ttl);
  options.only_passing = file.dns.only_passing;
  options.udp_answer_limit = file.dns.udp_answer_limit;
  options.a_record_limit = file.dns.a_record_limit;
  options.workers = file.dns.workers;
  options.endpoints = std::move(endpoints);
  return options;
}

}  // namespace

Ports choose_ports(const stack::StackFile& file, std::vector<std::string>& notices) {
  Ports ports{file.dns.port, file.proxy.http};
  if (may_bind_low_ports()) return ports;
  std::string said;
  if (file.dns.enabled && !file.dns.port_given && ports.dns < 1024) {
    ports.dns = 8600;
    said = "DNS answers on port 8600";
  }
  if (file.proxy.engine != "none" && !file.proxy.http_given && ports.proxy < 1024) {
    ports.proxy = 8080;
    said += std::string(said.empty() ? "" : " and ") + "the proxy on port 8080";
  }
  if (!said.empty()) notices.push_back("ports below 1024 need root: " + said);
  return ports;
}

std::string host_name() {
  char name[256] = "localhost";
  gethostname(name, sizeof name - 1);
  return name;
}

std::string advertised_address(const stack::StackFile& file) {
  if (file.registry.advertise != "auto" && !file.registry.advertise.empty()) return file.registry.advertise;
  const auto bridge = bridge_address(file.bridge);
  return bridge ? bridge->to_string() : "127.0.0.1";
}

registry::RegistryOptions registry_options(const stack::StackFile& file, const std::string& state_dir) {
  registry::RegistryOptions options;
  options.identity.node = file.registry.node.empty() ? host_name() : file.registry.node;
  options.identity.datacenter = file.registry.datacenter;
  options.identity.address = advertised_address(file);
  options.data_dir = file.registry.ephemeral ? "" : state_dir;
  return options;
}

asio::awaitable<Result<void>> seed_keys(registry::RegistryWriter& writer, std::map<std::string, std::string> keys) {
  for (const auto& [key, value] : keys) {
    registry::KvSetCommand seed;
    seed.key = key;
    seed.value = value;
    seed.only_if_absent = true;
    registry::Command command(std::move(seed));
    CO_TRY([[maybe_unused]] auto done, co_await writer.apply(std::move(command)));
  }
  co_return Result<void>();
}

supervisor::SupervisorOptions supervisor_options(const stack::StackFile& file, const std::string& state_dir) {
  supervisor::SupervisorOptions options;
  options.state_dir = state_dir;
  options.project = file.project;
  options.stack_file = file.path;
  options.version = DEVSTACK_VERSION;
  const auto variables = environment();
  const auto path = variables.find("PATH");
  options.process_path = StatePaths(state_dir).programs() + ":" +
                         (path == variables.end() ? "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" : path->second);
  options.docker_config = docker::docker_config_folder(variables);
  options.process_host = [bridge = file.bridge] {
    const auto address = bridge_address(bridge);
    return address ? address->to_string() : std::string("127.0.0.1");
  };
  return options;
}

namespace {

/// Everything of the file that components are made from, to see whether it changed. What is not said is not there, nor
/// what each project has of its own where `running` has the component for it.
boost::json::object component_settings(const stack::StackFile& file, const stack::StackFile& running) {
  boost::system::error_code error;
  const auto document = boost::json::parse(stack::to_json(file), error);
  boost::json::object out;
  const auto* all = document.if_object();
  for (const char* key : {"bridge", "registry", "dns", "registrator", "proxy", "ui"}) {
    const auto* value = all == nullptr ? nullptr : all->if_contains(key);
    if (value != nullptr) out[key] = *value;
  }
  auto* dns = out.if_contains("dns");
  if (dns != nullptr && dns->is_object() && running.dns.enabled) {
    dns->as_object().erase("records");
    if (dns->as_object().empty()) out.erase("dns");
  }
  return out;
}

/// What host processes will be registered as; of containers the registrator knows.
std::vector<std::string> process_services(const stack::StackFile& file) {
  std::vector<std::string> names;
  for (const auto& [name, spec] : file.services) {
    const bool is_process = spec.image.empty() && !spec.build && spec.process;
    if (!is_process || (spec.process->port == 0 && !spec.process->auto_port)) continue;
    const auto given = spec.environment.find("SERVICE_NAME");
    names.push_back(given == spec.environment.end() || given->second.empty() ? name : given->second);
  }
  return names;
}

}  // namespace

std::string unused_settings(const stack::StackFile& running, const stack::StackFile& wanted) {
  const auto used = component_settings(running, running);
  std::string out;
  for (const auto& [key, value] : component_settings(wanted, running)) {
    auto given = value;
    if (key == "registry" && given.is_object()) given.as_object().erase("kv");  // seeded for each project
    if (given.is_object() && given.as_object().empty()) continue;
    const auto* mine = used.if_contains(key);
    auto kept = mine == nullptr ? boost::json::value() : *mine;
    if (key == "registry" && kept.is_object()) kept.as_object().erase("kv");
    if (kept != given) append_part(out, key, ", ");
  }
  return out;
}

std::string describe_changes(const stack::PlanDiff& diff, const stack::StackFile& running,
                             const stack::StackFile& wanted) {
  std::string out;
  const auto line = [&out](std::string_view what, const std::string& unit) {
    out += fmt::format("{}{} {}", out.empty() ? "" : "\n", what, unit);
  };
  for (const auto& unit : diff.remove) line("remove", unit);
  for (const auto& unit : diff.recreate) line("replace", unit.name);
  for (const auto& unit : diff.create) line("create", unit.name);
  if (component_settings(running, running) != component_settings(wanted, running)) {
    line("the settings of components changed too:", "they are used after `devstack down` and `devstack up`");
  }
  return out;
}

struct Parts::Impl {
  std::unique_ptr<RegistryServer> registry;
  std::unique_ptr<dns::DnsServer> dns;
  std::unique_ptr<registrator::Registrator> registrator;
  std::unique_ptr<proxy::HaproxyProxy> proxy;
  std::unique_ptr<templates::TemplateSets> templates;
  std::unique_ptr<ui::Ui> ui;
  std::unique_ptr<LinkedControl> stack;
  std::unique_ptr<control::ControlApi> api;
  std::unique_ptr<control::ControlServer> server;

  void make_control(PartsInput& input);
  Result<void> make_components(const PartsInput& input);
};

void Parts::Impl::make_control(PartsInput& input) {
  const auto links = [proxy = input.file.proxy, port = input.ports.proxy](std::string_view service) {
    std::vector<std::string> out;
    if (proxy.engine != "none") out.push_back(proxy_link(proxy, port, service));
    return out;
  };
  stack = std::make_unique<LinkedControl>(input.projects, input.registry, proxy.get(), links);
  control::ControlOptions options;
  options.logs.projects = StatePaths(input.state_dir).logs("");
  options.logs.supervisor_log = StatePaths(input.state_dir).log();
  options.registry = &input.registry;
  options.links = links;
  if (dns) {
    options.dns_log = [server = dns.get()](std::uint64_t& after, std::size_t most) {
      std::string out;
      for (const auto& query : server->log().since(after, most)) out += dns::to_text(query) + '\n';
      return out;
    };
    options.dns_queries = [server = dns.get()](std::uint64_t after) { return dns::queries_json(*server, after); };
  }
  options.down = std::move(input.down);
  options.apply = std::move(input.apply);
  options.plan = std::move(input.plan);
  api = std::make_unique<control::ControlApi>(input.loop, *stack, std::move(options));
  server = std::make_unique<control::ControlServer>(input.loop, *api, input.state_dir);
}

Result<void> Parts::Impl::make_components(const PartsInput& input) {
  const auto& file = input.file;
  TRY(const auto registry_at, bind_addresses(file.registry.bind, file.bridge, "registry.bind"));
  TRY(const auto dns_at, bind_addresses(file.dns.bind, file.bridge, "dns.bind"));
  TRY(const auto proxy_at, bind_addresses(file.proxy.bind, file.bridge, "proxy.bind"));

  RegistryServerOptions registry_options;
  registry_options.endpoints = tcp_endpoints(registry_at, file.registry.http);
  registry_options.enable_script_checks = file.registry.enable_script_checks;
  registry_options.engine = input.engine.client();
  if (file.ui.enabled) registry_options.ui_location = fmt::format("http://127.0.0.1:{}/", file.ui.port);
  registry = std::make_unique<RegistryServer>(input.loop, input.registry, std::move(registry_options));

  if (file.dns.enabled) {
    auto wanted = dns_options(file, dns_endpoints(dns_at, input.ports.dns));
    wanted.node = input.registry.identity().node;
    dns = std::make_unique<dns::DnsServer>(input.loop, input.registry, std::move(wanted));
    registry->set_outside_metrics([this, node = input.registry.identity().node] { return dns_metrics(*dns, node); });
  }
  if (file.registrator.enabled) {
    registrator::RegistratorOptions options;
    options.mode = file.registrator.mode == "published" ? registrator::Mode::published : registrator::Mode::internal;
    options.hostname = input.registry.identity().node;
    options.host_address = input.registry.identity().address;
    options.ip = file.registrator.ip;
    options.omit_host_address = file.registrator.compat == "2015";
    registrator = std::make_unique<registrator::Registrator>(input.loop, input.engine, input.registry, input.registry,
                                                             std::move(options));
  }
  if (file.proxy.engine == "haproxy") {
    proxy::ProxyOptions options;
    options.routes.domains = {file.proxy.domain};
    options.routes.datacenter = file.registry.datacenter;
    options.bind = texts(proxy_at);
    options.port = input.ports.proxy;
    options.describe_taken = [](std::uint16_t port) { return net::port_holder(net::Transport::tcp, port); };
    proxy::HaproxyOptions haproxy;
    haproxy.state_dir = StatePaths(input.state_dir).proxy();
    proxy = std::make_unique<proxy::HaproxyProxy>(input.loop, input.registry, std::move(options), std::move(haproxy));
    proxy->expect(process_services(file));
  }
  templates = std::make_unique<templates::TemplateSets>(input.loop, input.registry);
  return {};
}

Parts::Parts(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Parts::~Parts() = default;

Result<std::unique_ptr<Parts>> Parts::make(PartsInput input) {
  auto impl = std::make_unique<Impl>();
  CHECK(impl->make_components(input));
  impl->make_control(input);
  if (input.file.ui.enabled) {
    ui::UiOptions options;
    TRY(const auto ui_at, bind_addresses(input.file.ui.bind, input.file.bridge, "ui.bind"));
    options.addresses = texts(ui_at);
    options.port = input.file.ui.port;
    options.dir = input.ui_dir;
    options.port_taken = [](const std::string& address, std::uint16_t port) {
      return net::port_taken(net::Transport::tcp, address, port, "ui.port");
    };
    impl->ui = std::make_unique<ui::Ui>(input.loop, *impl->api, std::move(options));
  }
  return std::unique_ptr<Parts>(new Parts(std::move(impl)));
}

asio::awaitable<void> Parts::expect(std::string container) {
  if (!impl_->registrator || !impl_->proxy) co_return;
  const auto services = co_await impl_->registrator->foretell(std::move(container));
  impl_->proxy->expect(services);
}

void Parts::add_to(supervisor::Supervisor& supervisor) {
  Component* const all[] = {impl_->registry.get(), impl_->dns.get(),       impl_->registrator.get(),
                            impl_->proxy.get(),    impl_->templates.get(), impl_->ui.get()};
  for (Component* component : all) {
    if (component != nullptr) supervisor.add(*component);
  }
}

templates::TemplateSets& Parts::templates() { return *impl_->templates; }

dns::DnsServer* Parts::dns() { return impl_->dns.get(); }

Result<void> Parts::serve_control() {
  impl_->api->start();
  return impl_->server->start();
}

Result<void> Parts::follow_addresses(const stack::StackFile& file, Ports ports) {
  TRY(const auto registry_at, bind_addresses(file.registry.bind, file.bridge, "registry.bind"));
  TRY(const auto dns_at, bind_addresses(file.dns.bind, file.bridge, "dns.bind"));
  TRY(const auto proxy_at, bind_addresses(file.proxy.bind, file.bridge, "proxy.bind"));
  impl_->registry->set_endpoints(tcp_endpoints(registry_at, file.registry.http));
  if (impl_->dns) impl_->dns->set_endpoints(dns_endpoints(dns_at, ports.dns));
  if (impl_->proxy) impl_->proxy->set_binds(texts(proxy_at));
  if (impl_->registrator) impl_->registrator->set_host_address(advertised_address(file));
  return {};
}

asio::awaitable<void> Parts::stop() {
  co_await impl_->server->stop();
  co_await impl_->api->stop();
}

}  // namespace devstack
